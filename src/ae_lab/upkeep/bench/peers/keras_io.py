"""Models with a training step of their own, in the structure that keras.io's examples have."""

import keras
import tensorflow as tf
from keras import layers, ops

from ae_lab.upkeep.bench.setting import load, load_flat


def variational(setting, clock):
    """keras.io's variational autoencoder, its convolutions replaced by our dense layers."""
    x, _ = load(setting)
    keras.utils.set_random_seed(8)
    vae = VAE(*_parts(setting))
    vae.compile(optimizer=keras.optimizers.Adam())
    _fit(vae, x, setting, clock)


def contractive(setting, clock):
    """A sigmoid code with a price of 0.1 on its Jacobian, by its closed form."""
    x = load_flat(setting)
    keras.utils.set_random_seed(8)
    model = Contractive(setting.latent_dim, weight=0.1)
    model.compile(optimizer=keras.optimizers.Adam())
    _fit(model, x, setting, clock)


class Sampling(layers.Layer):
    """Uses (z_mean, z_log_var) to sample z, the vector encoding a digit."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seed_generator = keras.random.SeedGenerator(1337)

    def call(self, inputs):
        z_mean, z_log_var = inputs
        epsilon = keras.random.normal(shape=ops.shape(z_mean), seed=self.seed_generator)
        return z_mean + ops.exp(0.5 * z_log_var) * epsilon


class VAE(keras.Model):
    """Encoder and decoder, trained on the negative evidence lower bound."""

    def __init__(self, encoder, decoder, **kwargs):
        super().__init__(**kwargs)
        self.encoder = encoder
        self.decoder = decoder
        self.total_loss_tracker = keras.metrics.Mean(name="loss")
        self.reconstruction_loss_tracker = keras.metrics.Mean(name="reconstruction_loss")
        self.kl_loss_tracker = keras.metrics.Mean(name="kl_loss")

    @property
    def metrics(self):
        return [
            self.total_loss_tracker,
            self.reconstruction_loss_tracker,
            self.kl_loss_tracker,
        ]

    def train_step(self, data):
        with tf.GradientTape() as tape:
            z_mean, z_log_var, z = self.encoder(data)
            reconstruction = self.decoder(z)
            reconstruction_loss = ops.mean(
                ops.sum(keras.losses.binary_crossentropy(data, reconstruction), axis=(1, 2))
            )
            kl_loss = -0.5 * (1 + z_log_var - ops.square(z_mean) - ops.exp(z_log_var))
            kl_loss = ops.mean(ops.sum(kl_loss, axis=1))
            total_loss = reconstruction_loss + kl_loss
        grads = tape.gradient(total_loss, self.trainable_weights)
        self.optimizer.apply_gradients(zip(grads, self.trainable_weights, strict=True))
        self.total_loss_tracker.update_state(total_loss)
        self.reconstruction_loss_tracker.update_state(reconstruction_loss)
        self.kl_loss_tracker.update_state(kl_loss)
        return {metric.name: metric.result() for metric in self.metrics}


class Contractive(keras.Model):
    """One sigmoid layer; its Jacobian's squared norm from the code and the kernel."""

    def __init__(self, units, weight):
        super().__init__()
        self.encoder = layers.Dense(units, activation="sigmoid")
        self.decoder = layers.Dense(784, activation="sigmoid")
        self.weight = weight
        self.loss_tracker = keras.metrics.Mean(name="loss")

    def call(self, x):
        return self.decoder(self.encoder(x))

    def train_step(self, x):
        with tf.GradientTape() as tape:
            h = self.encoder(x)
            x_hat = self.decoder(h)
            cross_entropy = 784 * keras.losses.binary_crossentropy(x, x_hat)
            dh = h * (1 - h)
            norms = ops.sum(ops.square(self.encoder.kernel), axis=0)
            penalty = self.weight * ops.sum(dh**2 * norms, axis=1)
            loss = ops.mean(cross_entropy + penalty)
        gradients = tape.gradient(loss, self.trainable_weights)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_weights, strict=True))
        self.loss_tracker.update_state(loss)
        return {"loss": self.loss_tracker.result()}


def _parts(setting):
    encoder_inputs = keras.Input(shape=(28, 28, 1))
    h = layers.Flatten()(encoder_inputs)
    for width in setting.hidden:
        h = layers.Dense(width, activation="relu")(h)
    z_mean = layers.Dense(setting.latent_dim, name="z_mean")(h)
    z_log_var = layers.Dense(setting.latent_dim, name="z_log_var")(h)
    z = Sampling()([z_mean, z_log_var])
    latent_inputs = h = keras.Input(shape=(setting.latent_dim,))
    for width in setting.hidden[::-1]:
        h = layers.Dense(width, activation="relu")(h)
    outputs = layers.Reshape((28, 28, 1))(layers.Dense(784, activation="sigmoid")(h))
    encoder = keras.Model(encoder_inputs, [z_mean, z_log_var, z])
    return encoder, keras.Model(latent_inputs, outputs)


def _fit(model, x, setting, clock):
    tick = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: clock.tick(logs["loss"]))
    options = {"epochs": setting.epochs, "batch_size": setting.batch_size, "verbose": 0}
    model.fit(x, callbacks=[tick], **options)
