"""The matrix products of a dense training and nothing else: what the arithmetic alone costs."""

import numpy as np

from ae_lab.upkeep.bench.setting import load_flat


def deep(setting, clock):
    """Every product of an epoch of the deep network, on noise.

    By TensorFlow's own BLAS, oneDNN: on a processor with AVX-512 that of NumPy's wheels, OpenBLAS,
    may reach half of it, and would flatter us.
    """
    import tensorflow

    images, pixels = load_flat(setting).shape
    up = (pixels, *setting.hidden, setting.latent_dim)
    products = _products((*up, *up[-2::-1]), setting.batch_size)
    steps = -(-images // setting.batch_size)
    while True:
        for _ in range(steps):
            for left, right, options in products:
                tensorflow.linalg.matmul(left, right, **options)
        clock.tick()


def _products(widths, batch):
    """Of each layer: forwards, for the kernel's gradient, and but for the first the input's."""
    import tensorflow

    rng = np.random.default_rng(8)

    def noise(*shape):
        return tensorflow.constant(rng.standard_normal(shape, dtype="float32"))

    found = []
    for i, (inputs, units) in enumerate(zip(widths, widths[1:], strict=False)):
        x, kernel, upstream = noise(batch, inputs), noise(inputs, units), noise(batch, units)
        found.append((x, kernel, {}))
        found.append((x, upstream, {"transpose_a": True}))
        if i:
            found.append((upstream, kernel, {"transpose_b": True}))
    return found
