"""A photograph of one handwritten digit, prepared as MNIST was and sent through the models."""

from ae_lab.lab.handwriting.digit import find_digit, like_mnist
from ae_lab.lab.handwriting.photo import read_photo
from ae_lab.lab.handwriting.verdict import (
    Verdict,
    draw_verdict,
    judge,
    reconstruct_photo,
    save_verdict,
)

__all__ = [
    "Verdict",
    "draw_verdict",
    "find_digit",
    "judge",
    "like_mnist",
    "read_photo",
    "reconstruct_photo",
    "save_verdict",
]
