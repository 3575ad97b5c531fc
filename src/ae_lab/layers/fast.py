"""Three textbook lines in a form that is fast inside a compiled program on a CPU.

Each function gives what its textbook line gives, which stands beside it.
"""

import functools
import math
from collections.abc import Sequence

import keras
from keras import KerasTensor, ops

HALVINGS = 24  # as many as a float32 has binary digits


def uniform(shape: Sequence[int], seed: keras.random.SeedGenerator) -> KerasTensor:
    """Fresh numbers in [0, 1), float32, by the generator ThreeFry (Salmon et al., 2011).

    Textbook: ``keras.random.uniform(shape, seed=seed)``, which takes TensorFlow's default
    generator: in a program that XLA compiles for a CPU, a draw per pixel then takes longer than
    the training of the network. ``shape`` is whole numbers or tensors of them; ``seed`` is the
    generator that is drawn from. The numbers are the same in a compiled program and outside one.
    """
    if keras.backend.backend() != "tensorflow":  # JAX draws by ThreeFry anyway
        return keras.random.uniform(shape, seed=seed)
    draw, tensor = _threefry(), ops.convert_to_tensor
    return ops.reshape(draw(ops.stack([tensor(n, "int32") for n in shape]), seed.next()), shape)


@functools.cache
def _threefry():
    """TensorFlow has ThreeFry only in what XLA compiles: so the draw alone is compiled too."""
    import tensorflow

    def draw(shape, seed):
        eager = tensorflow.config.functions_run_eagerly()  # then nothing is compiled
        algorithm = "auto_select" if eager else "threefry"
        return tensorflow.random.stateless_uniform(shape, seed, alg=algorithm)

    return tensorflow.function(draw, jit_compile=True)


def standard_normal(shape: Sequence[int], seed: keras.random.SeedGenerator) -> KerasTensor:
    """Fresh numbers from N(0, 1), by the method of Box & Muller (1958).

    Textbook: ``keras.random.normal(shape, seed=seed)``, whose inverse error function XLA computes
    slowly on a CPU. ``shape`` and ``seed`` are as in ``uniform``.
    """
    radius = ops.sqrt(-2 * ops.log(1 - uniform(shape, seed)))
    return radius * ops.cos(2 * math.pi * uniform(shape, seed))


def keep_largest(z: KerasTensor, kept: int | KerasTensor, axis: int) -> KerasTensor:
    """Set all but the ``kept`` largest along an axis to zero; ties for the last place all stay.

    Textbook: ``ops.where(z >= ops.top_k(z, kept)[0][:, -1:], z, 0)`` along the last axis, a full
    sort in a compiled program. Here the threshold is found by halving an interval, about ten times
    as fast, and ``kept`` may be a tensor.

    Parameters
    ----------
    z : (images, units).
    kept : whole number, at least 1 and at most the length of the axis.
    axis : 0 to compare the images of a unit, -1 to compare the units of an image.
    """
    values = ops.stop_gradient(z)

    def halve(_, interval):  # at least `kept` values lie at or above its lower end, always
        low, high = interval
        middle = (low + high) / 2
        count = ops.sum(ops.cast(values >= middle, "float32"), axis=axis, keepdims=True)
        enough = count >= kept
        return ops.where(enough, middle, low), ops.where(enough, high, middle)

    ends = ops.min(values, axis, keepdims=True), ops.max(values, axis, keepdims=True)
    threshold, _ = ops.fori_loop(0, HALVINGS, halve, ends)
    return ops.where(values >= threshold, z, ops.zeros_like(z))
