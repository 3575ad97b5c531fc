"""The matrix products of a dense training and nothing else: the time of the arithmetic."""

from itertools import pairwise

import numpy as np
import tensorflow


def dense(workload, tick):
    """All matrix products of an epoch of a dense autoencoder, on noise.

    With one hidden layer, they have the same sizes as the five products of CD-1.
    With TensorFlow's BLAS, oneDNN. On a processor with AVX-512, OpenBLAS of NumPy's wheels may
    reach only half its speed, which would make our ratio too good.
    """
    images, up = len(workload.load()[0]), (784, *workload.hidden, workload.latent_dim)
    found = products((*up, *up[-2::-1]), workload.batch_size)
    while True:
        for _ in range(-(-images // workload.batch_size)):
            for left, right, options in found:
                tensorflow.linalg.matmul(left, right, **options)
        tick()


def products(widths, batch):
    """Per layer: forward, gradient of the kernel, and except for the first, of the input."""
    rng, found = np.random.default_rng(8), []
    for i, (inputs, units) in enumerate(pairwise(widths)):
        shapes = (batch, inputs), (inputs, units), (batch, units)
        x, kernel, upstream = (rng.standard_normal(shape, dtype="float32") for shape in shapes)
        x, kernel, upstream = (tensorflow.constant(one) for one in (x, kernel, upstream))
        found += [(x, kernel, {}), (x, upstream, {"transpose_a": True})]
        found += [(upstream, kernel, {"transpose_b": True})] if i else []
    return found
