"""MNIST or other images, faces, texts, and fixed-seed corruption for evaluation."""
# ruff: noqa: F401  # these names are the package's interface

from ae_lab.data.corruption import (
    add_gaussian_noise,
    add_masking_noise,
    add_salt_and_pepper_noise,
    add_square_hole,
)
from ae_lab.data.faces import load_faces
from ae_lab.data.mnist import (
    FULL_NAME,
    SAMPLE_NAME,
    Dataset,
    describe,
    load_mnist,
    local_fingerprint,
    prepare,
)
from ae_lab.data.texts import Documents, load_texts
