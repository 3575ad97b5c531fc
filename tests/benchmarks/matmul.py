"""The matrix products of a dense training and nothing else: the time of the arithmetic."""

import numpy as np
import tensorflow


def deep(workload, tick):
    """All matrix products of an epoch of the deep network, on noise.

    With TensorFlow's BLAS, oneDNN. On a processor with AVX-512, OpenBLAS of NumPy's wheels may
    reach only half its speed, which would make our ratio too good.
    """
    images, pixels = workload.load_flat().shape
    up = (pixels, *workload.hidden, workload.latent_dim)
    found = products((*up, *up[-2::-1]), workload.batch_size)
    while True:
        for _ in range(-(-images // workload.batch_size)):
            for left, right, options in found:
                tensorflow.linalg.matmul(left, right, **options)
        tick()


def products(widths, batch):
    """Per layer: forward, gradient of the kernel, and except for the first, of the input."""
    rng = np.random.default_rng(8)

    def noise(*shape):
        return tensorflow.constant(rng.standard_normal(shape, dtype="float32"))

    found = []
    for i, (inputs, units) in enumerate(zip(widths, widths[1:], strict=False)):
        x, kernel, upstream = noise(batch, inputs), noise(inputs, units), noise(batch, units)
        found += [(x, kernel, {}), (x, upstream, {"transpose_a": True})]
        found += [(upstream, kernel, {"transpose_b": True})] if i else []
    return found
