"""The sparse kind."""

import numpy as np

from ae_lab.errors import LabError
from ae_lab.layers import KLSparsity
from ae_lab.models.blocks import IMAGE_SHAPE, autoencoder, dense_decoder, dense_encoder
from ae_lab.validation import check_images


def sparse(
    *,
    bottleneck=None,
    latent_dim=1_000,
    hidden=(),
    activation="relu",
    code_activation="sigmoid",
    output_activation="sigmoid",
    image_shape=IMAGE_SHAPE,
):
    """The sparse autoencoder: more units than pixels, of which few may be active.

    Parameters
    ----------
    bottleneck : ``KLSparsity`` (the default; for a sigmoid code), ``L1Sparsity``, ``KSparse``
        or ``WinnerTakeAll`` of `layers`; or the plain ``Bottleneck``, for no constraint at all.
    code_activation : "sigmoid" for the default bottleneck; the papers take "linear" for
        ``KSparse`` and "relu" for ``WinnerTakeAll``.
    Others as in ``undercomplete``.

    Raises
    ------
    LabError
        If a size is not a whole number of at least 1.
    """
    encoder = dense_encoder(latent_dim, hidden, activation, code_activation, image_shape)
    decoder = dense_decoder(latent_dim, hidden[::-1], activation, output_activation, image_shape)
    return autoencoder(encoder, bottleneck or KLSparsity(), decoder, name="sparse")


def start_from_images(model, images) -> None:
    """Give each unit of a sparse model without hidden layers a training image to start from.

    Unit j looks for image j with the mean image taken away, at length 1, and the decoder draws
    the same (tied weights at the start, not after). From a random start most units of a
    `KSparse` code never win and never learn; from images almost all do.

    Raises
    ------
    LabError
        If ``images`` are not as many as the units, or there are hidden layers.
    """
    code = model.get_layer("encoder").layers[-1]
    logits = next(layer for layer in model.get_layer("decoder").layers if layer.weights)
    flat = check_images(images, "images").reshape(len(images), -1)
    if code.kernel.shape != flat.T.shape or logits.kernel.shape != flat.shape:
        raise LabError(
            f"images must be {code.units}, as many as the units, for a model without hidden "
            f"layers, received {len(images)}: hand in other images, or build another model."
        )
    mean = flat.mean(axis=0)
    rows = flat - mean
    rows = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)
    code.set_weights([rows.T, -rows @ mean])
    logits.set_weights([rows, mean])
