"""784-32-784 written by hand in JAX: one XLA program an epoch, the images inside it.

Near the limit in practice: nothing but the arithmetic, the gather and Adam.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from ae_lab.upkeep.bench.setting import load_flat

RATE, BETA_1, BETA_2, EPSILON = 1e-3, 0.9, 0.999, 1e-7


def dense(setting, clock):
    """An epoch is a scan over batches of indices."""
    x = jnp.asarray(np.round(load_flat(setting) * 255).astype("uint8"))
    rng = np.random.default_rng(8)
    weights = _start(rng, setting.latent_dim, x.shape[1])
    first, second = (jax.tree.map(jnp.zeros_like, weights) for _ in range(2))
    state = weights, first, second, jnp.zeros(())
    steps = -(-len(x) // setting.batch_size)
    while True:
        order = np.resize(rng.permutation(len(x)), steps * setting.batch_size)
        order = jnp.asarray(order.reshape(steps, -1), jnp.int32)
        state, loss = _epoch(state, order, x)
        clock.tick(float(loss))


def _start(rng, latent_dim, pixels):
    limit = np.sqrt(6 / (pixels + latent_dim))  # Glorot & Bengio (2010)
    into, out = (pixels, latent_dim), (latent_dim, pixels)
    kernels = [jnp.asarray(rng.uniform(-limit, limit, shape), jnp.float32) for shape in (into, out)]
    return kernels[0], jnp.zeros(latent_dim), kernels[1], jnp.zeros(pixels)


def _loss(weights, x):
    kernel_1, bias_1, kernel_2, bias_2 = weights
    logits = jax.nn.relu(x @ kernel_1 + bias_1) @ kernel_2 + bias_2
    return jnp.mean(jnp.sum(jax.nn.softplus(logits) - x * logits, axis=1))


@partial(jax.jit, donate_argnums=0)
def _epoch(state, order, images):
    def step(state, index):
        weights, first, second, count = state
        x = images[index].astype(jnp.float32) / 255
        loss, gradient = jax.value_and_grad(_loss)(weights, x)
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
