"""Keras's ``compile`` and ``fit``, and its own training steps as in keras.io's examples."""

import keras
import tensorflow as tf
from keras import layers, ops

from ae_lab import losses, models

PLANNED = 60  # epochs of the deep network, with a rate of 1e-3; its error ends at about 3
keras.utils.set_random_seed(8)


def handout(workload, tick):
    """The handout's 784-32-784; ten times the epochs if it trains to a target.

    Adadelta's default rate was 1.0 at the time; today's default of 0.001 does not learn.
    """
    x, _, x_test = workload.load(784)
    options = {}
    if workload.target:
        options = {"epochs": 10 * workload.epochs, "validation_data": (x_test, x_test)}
        tick()
    input_img = keras.Input(shape=(784,))
    encoded = layers.Dense(units=32, activation="relu")(input_img)
    decoded = layers.Dense(units=784, activation="sigmoid")(encoded)
    model = keras.Model(input_img, decoded)
    adadelta = keras.optimizers.Adadelta(1.0)
    model.compile(optimizer=adadelta, loss="binary_crossentropy", metrics=["accuracy"])
    name, scale = ("val_loss", 1) if workload.target else ("loss", 784)
    fit(model, x, x, workload, lambda logs: tick(scale * logs[name]), **options)


def cnn(workload, tick):
    """The classifier of notebook 02."""
    x, labels, _ = workload.load()
    model = models.classifier()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer="adam", loss=loss)
    fit(model, x, labels, workload, lambda logs: tick(logs["loss"]))


class TopK(layers.Layer):
    """Keeps the 25 largest activations of each image, with ``top_k`` and a mask."""

    def call(self, z):
        least = ops.top_k(z, 25).values[:, -1:]
        return z * ops.cast(z >= least, z.dtype)


def k_sparse(workload, tick):
    """1,000 linear units of which 25 are kept, squared error."""
    x, _, _ = workload.load(784)
    model = keras.Sequential([layers.Dense(workload.latent_dim), TopK(), layers.Dense(784)])
    model.compile(optimizer="adam", loss="mse")
    fit(model, x, x, workload, lambda logs: tick(784 * logs["loss"]))


def deep(workload, tick):
    """The deep autoencoder, trained with Adam and a cosine schedule, up to a test error."""
    x, _, x_test = workload.load()
    tick()
    model = models.deep(latent_dim=workload.latent_dim, hidden=workload.hidden)
    steps = PLANNED * -(-len(x) // workload.batch_size)
    adam = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(1e-3, steps))
    metric = keras.metrics.MeanMetricWrapper(losses.squared_error, name="error")
    model.compile(optimizer=adam, loss="binary_crossentropy", metrics=[metric])
    options = {"epochs": PLANNED, "validation_data": (x_test, x_test)}
    fit(model, x, x, workload, lambda logs: tick(logs["val_error"]), **options)


class OwnStep(keras.Model):
    """Layers trained on the first of the three ``losses_of(x)``; each is also a metric."""

    def __init__(self, losses_of, *parts):
        super().__init__()
        self.losses_of, self.parts = losses_of, parts
        self.trackers = [keras.metrics.Mean(name) for name in ("loss", "reconstruction", "other")]

    def train_step(self, x):
        with tf.GradientTape() as tape:
            losses = self.losses_of(x)
        gradients = tape.gradient(losses[0], self.trainable_weights)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_weights, strict=True))
        for tracker, value in zip(self.trackers, losses, strict=True):
            tracker.update_state(value)
        return {tracker.name: tracker.result() for tracker in self.trackers}


def variational(workload, tick):
    """keras.io's variational autoencoder, with our dense layers instead of its convolutions."""
    wide = {"units": workload.hidden[0], "activation": "relu"}
    encoder = keras.Sequential([layers.Flatten(), layers.Dense(**wide)])
    for_mean, for_log_var = (layers.Dense(workload.latent_dim) for _ in range(2))
    pixels = layers.Dense(784, activation="sigmoid"), layers.Reshape((28, 28, 1))
    decoder = keras.Sequential([layers.Dense(**wide), *pixels])
    seed_generator = keras.random.SeedGenerator(1337)

    def losses_of(x):
        h = encoder(x)
        z_mean, z_log_var = for_mean(h), for_log_var(h)
        epsilon = keras.random.normal(shape=ops.shape(z_mean), seed=seed_generator)
        z = z_mean + ops.exp(0.5 * z_log_var) * epsilon
        cross_entropy = keras.losses.binary_crossentropy(x, decoder(z))
        reconstruction_loss = ops.mean(ops.sum(cross_entropy, axis=(1, 2)))
        kl_loss = -0.5 * (1 + z_log_var - ops.square(z_mean) - ops.exp(z_log_var))
        kl_loss = ops.mean(ops.sum(kl_loss, axis=1))
        return reconstruction_loss + kl_loss, reconstruction_loss, kl_loss

    fit_own(workload.load()[0], workload, tick, losses_of, encoder, for_mean, for_log_var, decoder)


def contractive(workload, tick):
    """A sigmoid code with a penalty of weight 0.1 on its Jacobian, in closed form."""
    encoder = layers.Dense(workload.latent_dim, activation="sigmoid")
    decoder = layers.Dense(784, activation="sigmoid")

    def losses_of(x):
        h = encoder(x)
        cross_entropy = ops.mean(784 * keras.losses.binary_crossentropy(x, decoder(h)))
        norms = ops.sum(ops.square(encoder.kernel), axis=0)
        penalty = ops.mean(0.1 * ops.sum((h * (1 - h)) ** 2 * norms, axis=1))
        return cross_entropy + penalty, cross_entropy, penalty

    fit_own(workload.load(784)[0], workload, tick, losses_of, encoder, decoder)


def fit_own(x, workload, tick, losses_of, *parts):
    """Train ``parts`` with their own training step."""
    model = OwnStep(losses_of, *parts)
    model.compile(optimizer="adam")
    fit(model, x, None, workload, lambda logs: tick(logs["loss"]))


def fit(model, x, y, workload, end, **options):
    """Keras's ``fit`` with a call of ``end`` after each epoch."""
    tick = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: end(logs))
    sizes = {"epochs": workload.epochs, "batch_size": workload.batch_size}
    model.fit(x, y, callbacks=[tick], verbose=0, **sizes | options)
