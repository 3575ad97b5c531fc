"""Trainings written by hand in JAX: one XLA program per epoch, with the images inside it.

Close to the practical limit: only the arithmetic, the gather, the random numbers and Adam.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

RATE, BETA_1, BETA_2, EPSILON = 1e-3, 0.9, 0.999, 1e-7
STDDEV = 0.5


def dense(workload, tick):
    """784-32-784."""
    train(workload, tick, (784, workload.latent_dim, 784), plain_loss)


def denoising(workload, tick):
    """784-512-128 and back, with Gaussian noise on the input only."""
    train(workload, tick, around(workload), denoising_loss)


def variational(workload, tick):
    """784-500-20 and back, on images binarised again at each step; the negative ELBO."""
    train(workload, tick, around(workload), variational_loss, moments=2)


def fine_tuning(workload, tick):
    """784-1000-10 with dropout on pixels and units."""
    train(workload, tick, (784, workload.latent_dim, 10), classifier_loss)


def around(workload):
    """The widths from image to code and back."""
    return 784, *workload.hidden, workload.latent_dim, *workload.hidden[::-1], 784


def plain_loss(weights, x, labels, key):
    """Nats per image."""
    return from_logits(x, through(weights, x))


def denoising_loss(weights, x, labels, key):
    """Nats per image, from a corrupted input to the clean target."""
    noisy = jnp.clip(x + STDDEV * jax.random.normal(key, x.shape), 0, 1)
    return from_logits(x, through(weights, noisy))


def variational_loss(weights, x, labels, key):
    """Nats per image; the first half of the layers is the encoder, its last layer both moments."""
    for_pixels, for_code = jax.random.split(key)
    x = (jax.random.uniform(for_pixels, x.shape) < x).astype(jnp.float32)
    half = len(weights) // 2
    mean, log_var = jnp.split(through(weights[:half], x), 2, axis=1)
    z = mean + jnp.exp(log_var / 2) * jax.random.normal(for_code, mean.shape)
    divergence = jnp.sum(mean**2 + jnp.exp(log_var) - 1 - log_var, axis=1) / 2
    return from_logits(x, through(weights[half:], z)) + divergence


def classifier_loss(weights, x, labels, key):
    """Nats per image."""
    keys, (first, last) = jax.random.split(key), weights
    h = jax.nn.sigmoid(drop(x, 0.2, keys[0]) @ first[0] + first[1])
    logits = drop(h, 0.5, keys[1]) @ last[0] + last[1]
    return -jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], axis=1)[:, 0]


def drop(x, share, key):
    """Dropout, scaled so that the expected sum is the same."""
    return jnp.where(jax.random.uniform(key, x.shape) < share, 0, x / (1 - share))


def through(weights, h):
    """Dense layers with ReLU between them and no activation after the last."""
    for i, (kernel, bias) in enumerate(weights):
        h = h @ kernel + bias
        h = jax.nn.relu(h) if i < len(weights) - 1 else h
    return h


def from_logits(x, logits):
    """Binary cross-entropy in nats per image."""
    return jnp.sum(jax.nn.softplus(logits) - x * logits, axis=1)


def train(workload, tick, widths, loss_of, moments=1):
    """An epoch is a scan over batches of indices.

    The encoder's last layer outputs ``moments`` numbers for each number of the code.
    """
    images, labels = workload.load()
    x = jnp.asarray(np.round(images.reshape(len(images), -1) * 255).astype("uint8"))
    labels, rng = jnp.asarray(labels), np.random.default_rng(8)
    pairs = list(zip(widths[:-1], widths[1:], strict=True))
    last = len(pairs) // 2 - 1
    pairs[last] = pairs[last][0], moments * pairs[last][1]
    weights = []
    for pair in pairs:
        limit = np.sqrt(6 / sum(pair))  # Glorot & Bengio (2010)
        kernel = jnp.asarray(rng.uniform(-limit, limit, pair), jnp.float32)
        weights.append((kernel, jnp.zeros(pair[1])))
    first, second = (jax.tree.map(jnp.zeros_like, weights) for _ in range(2))
    state = weights, first, second, jnp.zeros(()), jax.random.key(8)
    run, steps = (
        jax.jit(partial(epoch, loss_of), donate_argnums=0),
        -(-len(x) // workload.batch_size),
    )
    while True:
        order = np.resize(rng.permutation(len(x)), (steps, workload.batch_size))
        state, loss = run(state, jnp.asarray(order, jnp.int32), x, labels)
        tick(float(loss))


def epoch(loss_of, state, order, images, labels):
    """The state after an epoch of Adam, and the mean loss of its batches."""

    def step(state, index):
        weights, first, second, count, key = state
        key, now = jax.random.split(key)
        x = images[index].astype(jnp.float32) / 255

        def mean_loss(weights):
            return jnp.mean(loss_of(weights, x, labels[index], now))

        loss, gradient = jax.value_and_grad(mean_loss)(weights)
        count = count + 1
        first = jax.tree.map(lambda m, g: BETA_1 * m + (1 - BETA_1) * g, first, gradient)
        second = jax.tree.map(lambda v, g: BETA_2 * v + (1 - BETA_2) * g * g, second, gradient)
        rate = RATE * jnp.sqrt(1 - BETA_2**count) / (1 - BETA_1**count)
        weights = jax.tree.map(
            lambda w, m, v: w - rate * m / (jnp.sqrt(v) + EPSILON), weights, first, second
        )
        return (weights, first, second, count, key), loss

    state, losses = jax.lax.scan(step, state, order)
    return state, jnp.mean(losses)
