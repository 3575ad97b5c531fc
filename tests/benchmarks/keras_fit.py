"""Keras's own ``compile`` and ``fit`` with arrays in memory, and models with their own training
step, as in keras.io's examples."""

import keras
import tensorflow as tf
from keras import layers, ops

from ae_lab import losses, models

PLANNED = 60  # epochs that the deep network needs for an error well below 3, with a rate of 1e-3


def cnn(workload, tick):
    """The classifier of notebook 02."""
    x, labels = workload.load()
    keras.utils.set_random_seed(8)
    model = models.classifier()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer="adam", loss=loss)
    fit(model, x, labels, workload, lambda logs: tick(logs["loss"]))


class TopK(layers.Layer):
    """Keeps the ``k`` largest activations of each image, with ``top_k`` and a mask."""

    def __init__(self, k):
        super().__init__()
        self.k = k

    def call(self, z):
        least = ops.top_k(z, self.k).values[:, -1:]
        return z * ops.cast(z >= least, z.dtype)


def k_sparse(workload, tick):
    """1,000 linear units of which 25 are kept, squared error."""
    x = workload.load_flat()
    keras.utils.set_random_seed(8)
    inputs = keras.Input((784,))
    z = TopK(25)(layers.Dense(workload.latent_dim)(inputs))
    model = keras.Model(inputs, layers.Dense(784)(z))
    model.compile(optimizer="adam", loss="mse")
    fit(model, x, x, workload, lambda logs: tick(784 * logs["loss"]))


def deep_to_target(workload, tick):
    """The deep autoencoder, trained with Adam and a cosine schedule, up to a test error."""
    x, x_test = workload.load()[0], workload.load_test()
    tick()
    keras.utils.set_random_seed(8)
    model = models.deep(latent_dim=workload.latent_dim, hidden=workload.hidden)
    steps = PLANNED * -(-len(x) // workload.batch_size)
    adam = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(1e-3, steps))
    metric = keras.metrics.MeanMetricWrapper(losses.squared_error, name="error")
    model.compile(optimizer=adam, loss="binary_crossentropy", metrics=[metric])
    options = {"epochs": PLANNED, "validation_data": (x_test, x_test)}
    fit(model, x, x, workload, lambda logs: tick(logs["val_error"]), **options)


class OwnStep(keras.Model):
    """Trains on the first of ``losses_of(x)``; each loss is also a metric."""

    def __init__(self, *names):
        super().__init__()
        self.trackers = [keras.metrics.Mean(name=name) for name in names]

    @property
    def metrics(self):
        return self.trackers

    def train_step(self, data):
        with tf.GradientTape() as tape:
            losses = self.losses_of(data)
        gradients = tape.gradient(losses[0], self.trainable_weights)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_weights, strict=True))
        for tracker, value in zip(self.trackers, losses, strict=True):
            tracker.update_state(value)
        return {metric.name: metric.result() for metric in self.metrics}


class Sampling(layers.Layer):
    """Uses (z_mean, z_log_var) to sample z, the vector encoding a digit."""

    def __init__(self):
        super().__init__()
        self.seed_generator = keras.random.SeedGenerator(1337)

    def call(self, inputs):
        z_mean, z_log_var = inputs
        epsilon = keras.random.normal(shape=ops.shape(z_mean), seed=self.seed_generator)
        return z_mean + ops.exp(0.5 * z_log_var) * epsilon


class VAE(OwnStep):
    """Dense encoder and decoder, trained on the negative evidence lower bound."""

    def __init__(self, hidden, latent_dim):
        super().__init__("loss", "reconstruction_loss", "kl_loss")
        images, z = keras.Input((28, 28, 1)), keras.Input((latent_dim,))
        h, up = layers.Flatten()(images), z
        for width in hidden:
            h = layers.Dense(width, activation="relu")(h)
        z_mean, z_log_var = layers.Dense(latent_dim)(h), layers.Dense(latent_dim)(h)
        self.encoder = keras.Model(images, [z_mean, z_log_var, Sampling()([z_mean, z_log_var])])
        for width in hidden[::-1]:
            up = layers.Dense(width, activation="relu")(up)
        outputs = layers.Reshape((28, 28, 1))(layers.Dense(784, activation="sigmoid")(up))
        self.decoder = keras.Model(z, outputs)

    def losses_of(self, x):
        z_mean, z_log_var, z = self.encoder(x)
        cross_entropy = keras.losses.binary_crossentropy(x, self.decoder(z))
        reconstruction_loss = ops.mean(ops.sum(cross_entropy, axis=(1, 2)))
        kl_loss = -0.5 * (1 + z_log_var - ops.square(z_mean) - ops.exp(z_log_var))
        kl_loss = ops.mean(ops.sum(kl_loss, axis=1))
        return reconstruction_loss + kl_loss, reconstruction_loss, kl_loss


def variational(workload, tick):
    """keras.io's variational autoencoder, with our dense layers instead of its convolutions."""
    x, _ = workload.load()
    keras.utils.set_random_seed(8)
    model = VAE(workload.hidden, workload.latent_dim)
    model.compile(optimizer="adam")
    fit(model, x, None, workload, lambda logs: tick(logs["loss"]))


class Contractive(OwnStep):
    """One sigmoid layer; the squared norm of its Jacobian is computed from code and kernel."""

    def __init__(self, units):
        super().__init__("loss")
        self.encoder = layers.Dense(units, activation="sigmoid")
        self.decoder = layers.Dense(784, activation="sigmoid")

    def losses_of(self, x):
        h = self.encoder(x)
        cross_entropy = 784 * keras.losses.binary_crossentropy(x, self.decoder(h))
        norms = ops.sum(ops.square(self.encoder.kernel), axis=0)
        penalty = 0.1 * ops.sum((h * (1 - h)) ** 2 * norms, axis=1)
        return (ops.mean(cross_entropy + penalty),)


def contractive(workload, tick):
    """A sigmoid code with a penalty of weight 0.1 on its Jacobian, in closed form."""
    x = workload.load_flat()
    keras.utils.set_random_seed(8)
    model = Contractive(workload.latent_dim)
    model.compile(optimizer="adam")
    fit(model, x, None, workload, lambda logs: tick(logs["loss"]))


def fit(model, x, y, workload, end, **options):
    """Keras's ``fit`` with a call of ``end`` after each epoch."""
    tick = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: end(logs))
    sizes = {"epochs": workload.epochs, "batch_size": workload.batch_size}
    model.fit(x, y, callbacks=[tick], verbose=0, **sizes | options)
