"""The seven kinds of autoencoder, side by side.

All are ``x -> corruption -> encoder -> bottleneck -> decoder -> x_hat``. The table shows the
default parts of each kind. The decoder has the same number of layers as the encoder:

============= ================== =============== ================ =============== =================
kind          corruption         encoder         bottleneck       decoder         start
============= ================== =============== ================ =============== =================
undercomplete -                  Dense           Identity         Dense           random
denoising     GaussianCorruption 2 Dense         Identity         Dense           random
sparse        -                  Dense           KLSparsity       Dense           start_from_images
deep          -                  4 Dense         Identity         Dense           unroll
contractive   -                  ContractiveCode Identity         Dense           random
convolutional -                  3 Conv2D        Identity         Conv2DTranspose random
variational   -                  2 Dense         GaussianSampling Dense           random
============= ================== =============== ================ =============== =================

The contractive penalty is on the encoder's Jacobian. Without hidden layers it is computed in
closed form by the code layer, which has the kernel. With hidden layers a ``ContractiveBottleneck``
estimates it from the codes of an image and of a slightly changed image. Every model has random
weights until the function named under "start" is called.
"""

from collections.abc import Sequence

import keras
import numpy as np

from ae_lab import layers
from ae_lab.errors import LabError
from ae_lab.models.blocks import IMAGE_SHAPE, autoencoder, dense_decoder, dense_encoder
from ae_lab.validation import check_images, check_whole


def undercomplete(
    *,
    latent_dim: int = 32,
    hidden: Sequence[int] = (),
    activation: str = "relu",
    code_activation: str = "relu",
    output_activation: str = "sigmoid",
    image_shape: tuple[int, int, int] = IMAGE_SHAPE,
) -> keras.Model:
    """The dense autoencoder: its only constraint is a code smaller than the image.

    With the defaults it is the network of the Keras blog (Chollet, 2016), 784-32-784.

    Parameters
    ----------
    latent_dim : size of the code, at least 1.
    hidden : widths of the encoder's hidden layers; the decoder has them in reverse order.
    activation, code_activation, output_activation : names of Keras activations. "linear" for
        all three gives the linear autoencoder, whose optimum is the PCA subspace
        (Baldi & Hornik, 1989).
    image_shape : (height, width, channels).
    """
    encoder = dense_encoder(latent_dim, hidden, activation, code_activation, image_shape)
    decoder = dense_decoder(latent_dim, hidden[::-1], activation, output_activation, image_shape)
    return autoencoder(encoder, None, decoder, name="undercomplete")


def denoising(
    *,
    stddev: float = 0.5,
    corruption: keras.layers.Layer | None = None,
    latent_dim: int = 128,
    hidden: Sequence[int] = (512,),
    activation: str = "relu",
    code_activation: str = "relu",
    image_shape: tuple[int, int, int] = IMAGE_SHAPE,
) -> keras.Model:
    """The denoising autoencoder: in training its input is corrupted, its target is clean.

    Vincent et al. (2008). At inference no noise is added: the model cleans noisy images. For a
    convolutional denoising autoencoder, pass a corruption to ``convolutional``.

    Parameters
    ----------
    stddev : standard deviation of the Gaussian corruption in units of the pixel range; 0 is off.
    corruption : a corruption layer to use instead of the Gaussian one, or None.
    latent_dim, hidden, activation, code_activation, image_shape : as in ``undercomplete``.
    """
    encoder = dense_encoder(latent_dim, hidden, activation, code_activation, image_shape)
    decoder = dense_decoder(latent_dim, hidden[::-1], activation, "sigmoid", image_shape)
    if corruption is None:
        corruption = layers.GaussianCorruption(stddev, name="corruption")
    if not isinstance(corruption, keras.layers.Layer):
        raise LabError(
            f"corruption must be a layer, received {corruption!r}: "
            "pass one of ae_lab.layers, for example MaskingCorruption(0.5)."
        )
    return autoencoder(encoder, None, decoder, name="denoising", corruption=corruption)


def sparse(
    *,
    bottleneck: keras.layers.Layer | None = None,
    latent_dim: int = 1_000,
    hidden: Sequence[int] = (),
    activation: str = "relu",
    code_activation: str = "sigmoid",
    output_activation: str = "sigmoid",
    image_shape: tuple[int, int, int] = IMAGE_SHAPE,
) -> keras.Model:
    """The sparse autoencoder: its code has more units than pixels, but only a few may be active.

    Parameters
    ----------
    bottleneck : ``KLSparsity`` (the default; for a sigmoid code), ``L1Sparsity``, ``KSparse``
        or ``WinnerTakeAll`` of `layers`.
    code_activation : "sigmoid" for the default bottleneck; the papers use "linear" for
        ``KSparse`` and "relu" for ``WinnerTakeAll``.
    latent_dim, hidden, activation, output_activation, image_shape : as in ``undercomplete``.
    """
    encoder = dense_encoder(latent_dim, hidden, activation, code_activation, image_shape)
    decoder = dense_decoder(latent_dim, hidden[::-1], activation, output_activation, image_shape)
    return autoencoder(encoder, bottleneck or layers.KLSparsity(), decoder, name="sparse")


def start_from_images(model: keras.Model, images: np.ndarray) -> None:
    """Initialise each unit of a sparse model without hidden layers from one training image.

    The encoder weights of unit j are image j minus the mean image, normalised to length 1. The
    decoder starts with the same weights (tied at initialisation only). With random initial
    weights, most units of a `KSparse` code are never kept, so they never learn. With images,
    almost all units learn.

    ``model`` is from ``sparse`` with ``hidden=()`` and is changed in place. ``images`` are
    (units, height, width, channels) in [0, 1], one per unit of the code.
    """
    code = model.get_layer("encoder").layers[-1]
    logits = next(layer for layer in model.get_layer("decoder").layers if layer.weights)
    flat = check_images(images, "images").reshape(len(images), -1)
    if code.kernel.shape != flat.T.shape or logits.kernel.shape != flat.shape:
        raise LabError(
            f"images must be {code.units}, one per unit of a model without hidden layers, "
            f"received {len(images)}: pass other images, or build another model."
        )
    mean = flat.mean(axis=0)
    rows = flat - mean
    rows = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)
    code.set_weights([rows.T, -rows @ mean])
    logits.set_weights([rows, mean])


def start_from_mean(model: keras.Model, images: np.ndarray) -> None:
    """Initialise a model with dense logits so that its first output is close to the mean image.

    Sets the biases of the logits to the log-odds of the mean image; the kernel is unchanged
    (Burda et al., 2015). ``model`` ends in a sigmoid and is changed in place. ``images`` are
    (n, height, width, channels) in [0, 1].
    """
    mean = np.clip(check_images(images, "images").mean(axis=0).ravel(), 0.001, 0.999)
    model.get_layer("decoder").get_layer("logits").bias.assign(np.log(mean / (1 - mean)))


def tied(model: keras.Model) -> keras.Model:
    """A copy of ``model`` whose decoder uses the transposed kernel of the code.

    ``model`` has no hidden layers. The copy shares all its weights except the kernel of the
    logits, which ``tie`` sets after training. Tied weights: Vincent et al. (2010), section 2.2.
    """
    code, logits = _ends(model)
    z = keras.Input((code.units,))
    h = keras.layers.Reshape(model.output_shape[1:])(_TiedLogits(code, logits)(z))
    activation = model.get_layer("decoder").layers[-1].activation
    decoder = keras.Model(z, keras.layers.Activation(activation)(h), name="decoder")
    output = decoder(model.get_layer("bottleneck").output)
    return keras.Model(model.input, output, name=model.name)


def tie(model: keras.Model) -> None:
    """Set the kernel of the logits of ``model`` to the transposed kernel of its code."""
    code, logits = _ends(model)
    logits.kernel.assign(keras.ops.transpose(code.kernel))


def _ends(model) -> tuple:
    """The code layer and the logits of a model without hidden layers."""
    code, logits = model.get_layer("encoder").layers[-1], model.get_layer("decoder").layers[1]
    if code.name != "code" or logits.name != "logits" or len(model.get_layer("encoder").layers) > 3:
        raise LabError(
            f"tied weights need a dense model without hidden layers, received {model.name}: "
            "build one with hidden=()."
        )
    return code, logits


class _TiedLogits(keras.layers.Layer):
    """``z W^T + b`` with the kernel W of the code layer."""

    def __init__(self, code, logits):
        super().__init__()
        self.kernel, self.bias = code.kernel, logits.bias

    def call(self, z):
        return keras.ops.matmul(z, keras.ops.transpose(self.kernel)) + self.bias

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.kernel.shape[0])


def deep(
    *,
    latent_dim: int = 30,
    hidden: Sequence[int] = (1_000, 500, 250),
    activation: str = "gelu",
    code_activation: str = "linear",
    initializer: str = "glorot_uniform",
    image_shape: tuple[int, int, int] = IMAGE_SHAPE,
) -> keras.Model:
    """The deep autoencoder, by default 784-1000-500-250-30-250-500-1000-784.

    These are the sizes of Hinton & Salakhutdinov (2006), who used ``activation="sigmoid"`` and
    initialised the network from a stack of RBMs (see ``unroll``). ``initializer`` is the name of
    a Keras initializer for the kernels of the hidden layers. ``latent_dim``, ``hidden``,
    ``activation``, ``code_activation`` and ``image_shape`` are as in ``undercomplete``.
    """
    encoder = dense_encoder(
        latent_dim, hidden, activation, code_activation, image_shape, initializer
    )
    decoder = dense_decoder(
        latent_dim, hidden[::-1], activation, "sigmoid", image_shape, initializer
    )
    return autoencoder(encoder, None, decoder, name="deep")


def unroll(model: keras.Model, stack: Sequence) -> None:
    """Copy the weights of a stack of RBMs into a deep model: the decoder gets them transposed.

    ``model`` is from ``deep`` and is changed in place; its activations should be those of the RBMs
    (sigmoid, linear code). ``stack`` holds one `rbm.RBM` per layer, from bottom to top, with the
    width of that layer.
    """
    up = [layer for layer in model.get_layer("encoder").layers if layer.weights]
    down = [layer for layer in model.get_layer("decoder").layers if layer.weights][::-1]
    expected = [tuple(layer.kernel.shape) for layer in up]
    received = [machine.kernel.shape for machine in stack]
    if expected != received:
        raise LabError(
            f"stack must have kernels of shapes {expected}, received {received}: pre-train a stack "
            "with the model's widths."
        )
    for machine, rising, falling in zip(stack, up, down, strict=True):
        rising.set_weights([machine.kernel, machine.hidden_bias])
        falling.set_weights([machine.kernel.T, machine.visible_bias])


def contractive(
    *,
    weight: float = 0.1,
    latent_dim: int = 128,
    hidden: Sequence[int] = (),
    activation: str = "relu",
    code_activation: str = "sigmoid",
    step: float = 0.01,
    image_shape: tuple[int, int, int] = IMAGE_SHAPE,
) -> keras.Model:
    """The contractive autoencoder: a penalty on the encoder's Jacobian (Rifai et al., 2011).

    Without hidden layers the code is sigmoid, and the code layer computes the exact penalty. With
    hidden layers the penalty is Hutchinson's estimate from one random step per image.

    Parameters
    ----------
    weight : nats per image for each unit of the squared Frobenius norm; 0 turns the penalty off.
    code_activation : activation of the code; must be "sigmoid" without hidden layers.
    step : change of each pixel in the random step, in units of the pixel range; only used with
        hidden layers.
    latent_dim, hidden, activation, image_shape : as in ``undercomplete``.
    """
    check_whole(latent_dim, "latent_dim")
    x = keras.Input(image_shape, name="x")
    if hidden:
        encoder = dense_encoder(latent_dim, hidden, activation, code_activation, image_shape)
    elif code_activation == "sigmoid":
        code = layers.ContractiveCode(latent_dim, weight, name="code")
        encoder = keras.Model(x, code(keras.layers.Flatten()(x)), name="encoder")
    else:
        raise LabError(
            f"code_activation must be sigmoid without hidden layers, received {code_activation!r}: "
            "the exact penalty holds for a sigmoid; add a hidden layer to use the estimate."
        )
    decoder = dense_decoder(latent_dim, hidden[::-1], activation, "sigmoid", image_shape)
    if not hidden:
        return autoencoder(encoder, None, decoder, name="contractive")
    x_near = layers.RandomStep(step, name="random_step")(x)
    bottleneck = layers.ContractiveBottleneck(weight, step, name="bottleneck")
    return keras.Model(x, decoder(bottleneck([encoder(x), encoder(x_near)])), name="contractive")


def convolutional(
    *,
    widths: Sequence[int] = (16, 32),
    code_channels: int = 8,
    code_activation: str = "relu",
    corruption: keras.layers.Layer | None = None,
    image_shape: tuple[int, int, int] = IMAGE_SHAPE,
) -> keras.Model:
    """The convolutional autoencoder: every layer is a 3x3 convolution, the code is a small image.

    Each layer of the encoder halves the sides, rounded up. With two ``widths``, 28 becomes 14, 7
    and 4: the code has 4x4x8 = 128 numbers, as on the Keras blog (Chollet, 2016). The decoder
    doubles the sides and crops what exceeds the original size. The number of weights does not
    depend on the size of the image.

    Parameters
    ----------
    widths : channels of the layers before the code; the decoder has them in reverse order.
    code_channels : channels of the code.
    code_activation : name of a Keras activation; "linear" allows negative numbers in the code.
    corruption : a corruption layer for training, or None.
    image_shape : (height, width, channels).
    """
    options = {"strides": 2, "padding": "same"}
    relu = {"activation": "relu", "kernel_initializer": "he_normal"}
    code = relu | {"activation": code_activation}
    sides = []  # (height, width) of the image and of each layer before the code
    x = h = keras.Input(image_shape)
    for width in (*widths, code_channels):
        sides.append(h.shape[1:3])
        if min(sides[-1]) < 2:
            raise LabError(
                f"image_shape must have sides that can be halved {len(widths) + 1} times, received "
                f"{image_shape[0]}x{image_shape[1]}: use larger images or fewer widths."
            )
        last = code if len(sides) > len(widths) else relu
        h = keras.layers.Conv2D(check_whole(width, "width"), 3, **options, **last)(h)
    encoder = keras.Model(x, h, name="encoder")

    z = h = keras.Input(h.shape[1:])
    for i, width in enumerate((*widths[::-1], image_shape[2])):
        last = {"name": "logits"} if i == len(widths) else relu
        h = keras.layers.Conv2DTranspose(width, 3, **options, **last)(h)
        height, breadth = sides.pop()
        too_much = h.shape[1] - height, h.shape[2] - breadth
        if any(too_much):
            h = keras.layers.Cropping2D(((0, too_much[0]), (0, too_much[1])))(h)
    decoder = keras.Model(z, keras.layers.Activation("sigmoid", name="x_hat")(h), name="decoder")
    return autoencoder(encoder, None, decoder, name="convolutional", corruption=corruption)


def variational(
    *,
    latent_dim: int = 20,
    hidden: Sequence[int] = (500,),
    activation: str = "gelu",
    beta: float = 1.0,
    image_shape: tuple[int, int, int] = IMAGE_SHAPE,
) -> keras.Model:
    """The variational autoencoder (Kingma & Welling, 2014): Gaussian code, Bernoulli pixels.

    The ``encoder`` returns the pair [z_mean, z_log_var]; the ``bottleneck`` returns a sample of
    the code, also at inference. `evaluation.encode` and `evaluation.reconstruct` use z_mean.

    Parameters
    ----------
    beta : weight of the KL divergence; 1 gives the evidence lower bound, 0 turns the penalty off.
    latent_dim, hidden, activation, image_shape : as in ``undercomplete``.
    """
    check_whole(latent_dim, "latent_dim")
    both = dense_encoder(2 * latent_dim, hidden, activation, "linear", image_shape)
    moments = keras.ops.split(both.output, 2, axis=-1)
    encoder = keras.Model(both.input, moments, name="encoder")
    decoder = dense_decoder(latent_dim, hidden[::-1], activation, "sigmoid", image_shape)
    bottleneck = layers.GaussianSampling(beta, name="bottleneck")
    return autoencoder(encoder, bottleneck, decoder, name="variational")


_KINDS = undercomplete, denoising, sparse, deep, contractive, convolutional, variational
AUTOENCODERS = {build.__name__: build for build in _KINDS}
