"""The same networks through Keras's own ``compile`` and ``fit``, arrays in memory."""

import keras
from keras import layers, ops

from ae_lab import losses, models
from ae_lab.upkeep.bench.setting import load, load_flat, load_test

PLANNED = 60  # epochs of the deep network: what a rate of 1e-3 takes to fall well below 3


def cnn(setting, clock):
    """The classifier of notebook 02."""
    x, labels = load(setting)
    keras.utils.set_random_seed(8)
    model = models.classifier()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer="adam", loss=loss)
    _fit(model, x, labels, setting, clock)


class TopK(layers.Layer):
    """Keeps the ``k`` largest activations of each image, by ``top_k`` and a mask."""

    def __init__(self, k):
        super().__init__()
        self.k = k

    def call(self, z):
        least = ops.top_k(z, self.k).values[:, -1:]
        return z * ops.cast(z >= least, z.dtype)


def k_sparse(setting, clock):
    """1,000 linear units of which 25 survive, squared error."""
    x = load_flat(setting)
    keras.utils.set_random_seed(8)
    inputs = keras.Input((784,))
    z = TopK(25)(layers.Dense(setting.latent_dim)(inputs))
    model = keras.Model(inputs, layers.Dense(784)(z))
    model.compile(optimizer="adam", loss="mse")
    _fit(model, x, x, setting, clock, scale=784)


def deep_to_target(setting, clock):
    """The deep autoencoder on cross-entropy, Adam with a cosine, to a squared error on test."""
    x, x_test = load(setting)[0], load_test(setting)
    steps = PLANNED * -(-len(x) // setting.batch_size)
    clock.tick()
    while True:
        keras.utils.set_random_seed(8)
        model = models.deep(latent_dim=setting.latent_dim, hidden=setting.hidden)
        rate = keras.optimizers.schedules.CosineDecay(1e-3, steps)
        metric = keras.metrics.MeanMetricWrapper(losses.squared_error, name="error")
        model.compile(
            optimizer=keras.optimizers.Adam(rate), loss="binary_crossentropy", metrics=[metric]
        )
        clock.tick(_end(model, x, x_test, setting))


def _end(model, x, x_test, setting) -> float:
    def stop(epoch, logs):
        model.stop_training = logs["val_error"] <= setting.target

    history = model.fit(
        x,
        x,
        validation_data=(x_test, x_test),
        epochs=PLANNED,
        batch_size=setting.batch_size,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=stop)],
        verbose=0,
    )
    return min(history.history["val_error"])


def _fit(model, x, y, setting, clock, scale=1):
    tick = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: clock.tick(scale * logs["loss"])
    )
    options = {"epochs": setting.epochs, "batch_size": setting.batch_size, "verbose": 0}
    model.fit(x, y, callbacks=[tick], **options)
