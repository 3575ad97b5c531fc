"""Trainings written by hand in JAX: one XLA program per epoch, with the images inside it.

Close to the practical limit: only the arithmetic, the gather, the random numbers and Adam. Each
loss is in nats per image.
"""

from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np

RATE, BETA_1, BETA_2, EPSILON = 1e-3, 0.9, 0.999, 1e-7


def dense(workload, tick):
    """784-32-784."""
    up, down = (784, workload.latent_dim), (workload.latent_dim, 784)
    train(workload, tick, up, down, lambda weights, x, *_: from_logits(x, through(weights, x)))


def denoising(workload, tick):
    """784-512-128 and back, with Gaussian noise on the input only."""

    def loss(weights, x, labels, key):
        noisy = jnp.clip(x + 0.5 * jax.random.normal(key, x.shape), 0, 1)
        return from_logits(x, through(weights, noisy))

    up = 784, *workload.hidden, workload.latent_dim
    train(workload, tick, up, up[::-1], loss)


def variational(workload, tick):
    """784-500-20 and back, on images binarised again at each step; the negative ELBO."""
    code, hidden = workload.latent_dim, workload.hidden

    def loss(weights, x, labels, key):
        for_pixels, for_code = jax.random.split(key)
        x = (jax.random.uniform(for_pixels, x.shape) < x).astype(jnp.float32)
        half = len(weights) // 2
        mean, log_var = jnp.split(through(weights[:half], x), 2, axis=1)
        z = mean + jnp.exp(log_var / 2) * jax.random.normal(for_code, mean.shape)
        divergence = jnp.sum(mean**2 + jnp.exp(log_var) - 1 - log_var, axis=1) / 2
        return from_logits(x, through(weights[half:], z)) + divergence

    train(workload, tick, (784, *hidden, 2 * code), (code, *hidden[::-1], 784), loss)


def fine_tuning(workload, tick):
    """784-1000-10 with dropout on pixels and units."""

    def drop(x, share, key):
        return jnp.where(jax.random.uniform(key, x.shape) < share, 0, x / (1 - share))

    def loss(weights, x, labels, key):
        keys, (first, last) = jax.random.split(key), weights
        h = jax.nn.sigmoid(drop(x, 0.2, keys[0]) @ first[0] + first[1])
        logits = drop(h, 0.5, keys[1]) @ last[0] + last[1]
        return -jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], axis=1)[:, 0]

    train(workload, tick, (784, workload.latent_dim), (workload.latent_dim, 10), loss)


def through(weights, h):
    """Dense layers with ReLU between them and no activation after the last."""
    *inner, (kernel, bias) = weights
    for inner_kernel, inner_bias in inner:
        h = jax.nn.relu(h @ inner_kernel + inner_bias)
    return h @ kernel + bias


def from_logits(x, logits):
    """Binary cross-entropy."""
    return jnp.sum(jax.nn.softplus(logits) - x * logits, axis=1)


def train(workload, tick, up, down, loss_of):
    """An epoch is a scan over batches of indices; ``up`` and ``down`` are widths of two halves."""
    images, labels, _ = workload.load(784)
    images, labels = jnp.asarray(np.rint(images * 255).astype("uint8")), jnp.asarray(labels)
    rng, weights = np.random.default_rng(8), []
    for pair in (*pairwise(up), *pairwise(down)):
        limit = np.sqrt(6 / sum(pair))  # Glorot & Bengio (2010)
        kernel = jnp.asarray(rng.uniform(-limit, limit, pair), jnp.float32)
        weights.append((kernel, jnp.zeros(pair[1])))

    def step(images, labels, state, index):  # of Adam
        weights, first, second, count, key = state
        (key, now), count = jax.random.split(key), count + 1
        x = images[index].astype(jnp.float32) / 255

        def mean_loss(weights):
            return jnp.mean(loss_of(weights, x, labels[index], now))

        loss, gradient = jax.value_and_grad(mean_loss)(weights)
        first = jax.tree.map(lambda m, g: BETA_1 * m + (1 - BETA_1) * g, first, gradient)
        second = jax.tree.map(lambda v, g: BETA_2 * v + (1 - BETA_2) * g * g, second, gradient)
        rate = RATE * jnp.sqrt(1 - BETA_2**count) / (1 - BETA_1**count)
        moves = jax.tree.map(lambda m, v: rate * m / (jnp.sqrt(v) + EPSILON), first, second)
        weights = jax.tree.map(jnp.subtract, weights, moves)
        return (weights, first, second, count, key), loss

    def epoch(state, order, images, labels):
        return jax.lax.scan(lambda *given: step(images, labels, *given), state, order)

    first, second = (jax.tree.map(jnp.zeros_like, weights) for _ in range(2))
    state = weights, first, second, jnp.zeros(()), jax.random.key(8)
    run = jax.jit(epoch, donate_argnums=0)
    size = -(-len(images) // workload.batch_size), workload.batch_size
    while True:
        order = np.resize(rng.permutation(len(images)), size)
        state, losses = run(state, jnp.asarray(order, jnp.int32), images, labels)
        tick(float(losses.mean()))
