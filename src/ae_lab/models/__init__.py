"""Builders of plain functional models: the seven kinds of autoencoder, and two classifiers.

Every autoencoder is ``x -> encoder -> bottleneck -> decoder -> x_hat`` with a sub-model named
``encoder``, a layer named ``bottleneck`` and a sub-model named ``decoder``. Input and output are
images (n, height, width, channels) in [0, 1]. `models.autoencoders` has a table of the kinds. A
`LabError` names a size that is not a whole number of at least 1, another number out of range, or
parts that do not fit together.
"""
# ruff: noqa: F401  # these names are the package's interface

from ae_lab.models.autoencoders import (
    AUTOENCODERS,
    contractive,
    convolutional,
    deep,
    denoising,
    sparse,
    start_from_images,
    start_from_mean,
    tie,
    tied,
    undercomplete,
    unroll,
    variational,
)
from ae_lab.models.blocks import (
    IMAGE_SHAPE,
    autoencoder,
    dense_decoder,
    dense_encoder,
    multiply_adds,
    to_logits,
)
from ae_lab.models.classifiers import classifier, perceptron, start_from_encoder
from ae_lab.models.saving import load_autoencoder, load_model, save_model, trained_on
