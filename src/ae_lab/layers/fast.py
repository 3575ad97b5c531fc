"""Three lines of textbook code in a form that is fast inside a compiled program on a CPU.

Each function returns the same as its textbook line, which is quoted in its docstring.
"""

import functools
import math
from collections.abc import Sequence

import keras
from keras import KerasTensor, ops

HALVINGS = 24  # the number of binary digits of a float32


def uniform(shape: Sequence[int], seed: keras.random.SeedGenerator) -> KerasTensor:
    """New random numbers in [0, 1), float32, by the generator ThreeFry (Salmon et al., 2011).

    Textbook: ``keras.random.uniform(shape, seed=seed)``. It uses TensorFlow's default generator,
    which is slow in a program that XLA compiles for a CPU: to draw one number per pixel takes
    longer than to train the network. ``shape`` holds whole numbers or tensors of them; ``seed`` is
    the generator to draw from. Compiled and uncompiled programs get the same numbers.
    """
    if keras.backend.backend() != "tensorflow":  # JAX uses ThreeFry by default
        return keras.random.uniform(shape, seed=seed)
    draw, tensor = _threefry(), ops.convert_to_tensor
    return ops.reshape(draw(ops.stack([tensor(n, "int32") for n in shape]), seed.next()), shape)


@functools.cache
def _threefry():
    """A compiled function: TensorFlow has ThreeFry only in programs that XLA compiles."""
    import tensorflow

    def draw(shape, seed):
        eager = tensorflow.config.functions_run_eagerly()  # in this mode nothing is compiled
        algorithm = "auto_select" if eager else "threefry"
        return tensorflow.random.stateless_uniform(shape, seed, alg=algorithm)

    return tensorflow.function(draw, jit_compile=True)


def standard_normal(shape: Sequence[int], seed: keras.random.SeedGenerator) -> KerasTensor:
    """New random numbers from N(0, 1), by the method of Box & Muller (1958).

    Textbook: ``keras.random.normal(shape, seed=seed)``. It uses the inverse error function, which
    XLA computes slowly on a CPU. ``shape`` and ``seed`` are as in ``uniform``.
    """
    radius = ops.sqrt(-2 * ops.log(1 - uniform(shape, seed)))
    return radius * ops.cos(2 * math.pi * uniform(shape, seed))


def keep_largest(z: KerasTensor, kept: int | KerasTensor, axis: int) -> KerasTensor:
    """Set all but the ``kept`` largest values along an axis to 0; keep all ties for the last place.

    Textbook: ``ops.where(z >= ops.top_k(z, kept)[0][:, -1:], z, 0)`` along the last axis. In a
    compiled program this sorts all values. Here the threshold is found by bisection, which is
    about ten times as fast, and ``kept`` may be a tensor.

    Parameters
    ----------
    z : activations (images, units).
    kept : whole number, at least 1 and at most the length of the axis.
    axis : 0 to compare the images of a unit, -1 to compare the units of an image.
    """
    values = ops.stop_gradient(z)

    def halve(_, interval):  # invariant: at least `kept` values are at or above the lower end
        low, high = interval
        middle = (low + high) / 2
        count = ops.sum(ops.cast(values >= middle, "float32"), axis=axis, keepdims=True)
        enough = count >= kept
        return ops.where(enough, middle, low), ops.where(enough, high, middle)

    ends = ops.min(values, axis, keepdims=True), ops.max(values, axis, keepdims=True)
    threshold, _ = ops.fori_loop(0, HALVINGS, halve, ends)
    return ops.where(values >= threshold, z, ops.zeros_like(z))
