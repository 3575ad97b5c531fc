"""The matrix products of a dense training and nothing else: what the arithmetic alone costs."""

import numpy as np

from ae_lab.bench.setting import load_flat


def deep(setting, clock):
    """Every product of an epoch of the deep network, by NumPy's BLAS, on noise."""
    images, pixels = load_flat(setting).shape
    up = (pixels, *setting.hidden, setting.latent_dim)
    products = _products((*up, *up[-2::-1]), setting.batch_size)
    steps = -(-images // setting.batch_size)
    while True:
        for _ in range(steps):
            for left, right, out in products:
                np.matmul(left, right, out=out)
        clock.tick()


def _products(widths, batch):
    """Of each layer: forwards, for the kernel's gradient, and but for the first the input's."""
    rng = np.random.default_rng(8)

    def noise(*shape):
        return rng.standard_normal(shape, dtype="float32")

    found = []
    for i, (inputs, units) in enumerate(zip(widths, widths[1:], strict=False)):
        x, kernel, upstream = noise(batch, inputs), noise(inputs, units), noise(batch, units)
        pairs = [(x, kernel), (x.T, upstream), (upstream, kernel.T)]
        for left, right in pairs if i else pairs[:2]:
            found.append((left, right, noise(len(left), right.shape[1])))
    return found
