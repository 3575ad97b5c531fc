"""Builders, one a kind, side by side: plain functional models.

Every autoencoder is ``x -> encoder -> bottleneck -> decoder -> x_hat`` with a sub-model named
``encoder``, a layer named ``bottleneck`` and a sub-model named ``decoder``; it takes and gives
images ``(n, height, width, channels)`` in [0, 1].
"""

from ae_lab.lab.kept_models import KEPT_BY, find_model
from ae_lab.lab.portable import portable_decoder
from ae_lab.models.blocks import IMAGE_SHAPE, autoencoder, dense_decoder, dense_encoder, to_logits
from ae_lab.models.cnn import classifier
from ae_lab.models.contractive import contractive
from ae_lab.models.convolutional import convolutional
from ae_lab.models.deep import deep, unroll
from ae_lab.models.denoising import denoising
from ae_lab.models.perceptron import perceptron, start_from_encoder
from ae_lab.models.saving import load_autoencoder, load_model
from ae_lab.models.sparse import sparse, start_from_images
from ae_lab.models.undercomplete import undercomplete
from ae_lab.models.variational import variational

AUTOENCODERS = {
    "undercomplete": undercomplete,
    "denoising": denoising,
    "sparse": sparse,
    "deep": deep,
    "contractive": contractive,
    "convolutional": convolutional,
    "variational": variational,
}

__all__ = [
    "AUTOENCODERS",
    "IMAGE_SHAPE",
    "KEPT_BY",
    "autoencoder",
    "classifier",
    "contractive",
    "convolutional",
    "deep",
    "denoising",
    "dense_decoder",
    "dense_encoder",
    "find_model",
    "load_autoencoder",
    "load_model",
    "perceptron",
    "portable_decoder",
    "sparse",
    "start_from_encoder",
    "start_from_images",
    "to_logits",
    "undercomplete",
    "unroll",
    "variational",
]
