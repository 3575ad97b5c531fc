"""The deep kind."""

from ae_lab.errors import LabError
from ae_lab.layers import Bottleneck
from ae_lab.models.blocks import IMAGE_SHAPE, autoencoder, dense_decoder, dense_encoder


def deep(
    *,
    latent_dim=30,
    hidden=(1_000, 500, 250),
    activation="gelu",
    code_activation="linear",
    image_shape=IMAGE_SHAPE,
):
    """The deep autoencoder, by default 784-1000-500-250-30 and back.

    The shape is that of Hinton & Salakhutdinov (2006), who used ``activation="sigmoid"`` and
    started it from a stack of RBMs, see ``unroll``.

    Raises
    ------
    LabError
        If a size is not a whole number of at least 1.
    """
    encoder = dense_encoder(latent_dim, hidden, activation, code_activation, image_shape)
    decoder = dense_decoder(latent_dim, hidden[::-1], activation, "sigmoid", image_shape)
    return autoencoder(encoder, Bottleneck(name="bottleneck"), decoder, name="deep")


def unroll(model, stack) -> None:
    """Give a deep model the weights of a stack of RBMs, upwards and, transposed, downwards.

    Parameters
    ----------
    model : from ``deep``; its activations should be the units' (sigmoid, linear code).
    stack : list of `rbm.RBM`, bottom to top, as wide as the model's layers.

    Raises
    ------
    LabError
        If the widths differ.
    """
    up = [layer for layer in model.get_layer("encoder").layers if layer.weights]
    down = [layer for layer in model.get_layer("decoder").layers if layer.weights][::-1]
    expected = [tuple(layer.kernel.shape) for layer in up]
    received = [machine.kernel.shape for machine in stack]
    if expected != received:
        raise LabError(
            f"stack must have kernels of shapes {expected}, received {received}: pre-train it "
            "with the model's widths."
        )
    for machine, rising, falling in zip(stack, up, down, strict=True):
        rising.set_weights([machine.kernel, machine.hidden_bias])
        falling.set_weights([machine.kernel.T, machine.visible_bias])
