"""784-32-784 written by hand in JAX: one XLA program per epoch, the images inside it.

Near the limit in practice: nothing but the arithmetic, the gather and Adam.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

RATE, BETA_1, BETA_2, EPSILON = 1e-3, 0.9, 0.999, 1e-7


def dense(workload, tick):
    """An epoch is a scan over batches of indices."""
    x = jnp.asarray(np.round(workload.load_flat() * 255).astype("uint8"))
    rng = np.random.default_rng(8)
    pixels, code = x.shape[1], workload.latent_dim
    limit = np.sqrt(6 / (pixels + code))  # Glorot & Bengio (2010)
    into, out = (
        jnp.asarray(rng.uniform(-limit, limit, shape), jnp.float32)
        for shape in ((pixels, code), (code, pixels))
    )
    weights = into, jnp.zeros(code), out, jnp.zeros(pixels)
    first, second = (jax.tree.map(jnp.zeros_like, weights) for _ in range(2))
    state = weights, first, second, jnp.zeros(())
    steps = -(-len(x) // workload.batch_size)
    while True:
        order = np.resize(rng.permutation(len(x)), (steps, workload.batch_size))
        state, loss = epoch(state, jnp.asarray(order, jnp.int32), x)
        tick(float(loss))


def loss_of(weights, x):
    """Nats per image, mean over the batch."""
    kernel_1, bias_1, kernel_2, bias_2 = weights
    logits = jax.nn.relu(x @ kernel_1 + bias_1) @ kernel_2 + bias_2
    return jnp.mean(jnp.sum(jax.nn.softplus(logits) - x * logits, axis=1))


@partial(jax.jit, donate_argnums=0)
def epoch(state, order, images):
    """The state after an epoch of Adam, and the mean loss of its batches."""

    def step(state, index):
        weights, first, second, count = state
        x = images[index].astype(jnp.float32) / 255
        loss, gradient = jax.value_and_grad(loss_of)(weights, x)
        count = count + 1
        first = jax.tree.map(lambda m, g: BETA_1 * m + (1 - BETA_1) * g, first, gradient)
        second = jax.tree.map(lambda v, g: BETA_2 * v + (1 - BETA_2) * g * g, second, gradient)
        rate = RATE * jnp.sqrt(1 - BETA_2**count) / (1 - BETA_1**count)
        weights = jax.tree.map(
            lambda w, m, v: w - rate * m / (jnp.sqrt(v) + EPSILON), weights, first, second
        )
        return (weights, first, second, count), loss

    state, losses = jax.lax.scan(step, state, order)
    return state, jnp.mean(losses)
