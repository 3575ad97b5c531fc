"""The handout's program: its own lines, but for Adadelta's rate.

As printed it runs at today's default of 0.001 and does not learn; 1.0 was the default then. The
arithmetic is the same.
"""

import keras
from keras.layers import Dense, Input
from keras.models import Model

from ae_lab.upkeep.bench.setting import load_flat, load_test


def epoch(setting, clock):
    """784-32-784 through ``fit``, one epoch after the other."""
    X_train, autoencoder = load_flat(setting), _program()
    tick = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: clock.tick(784 * logs["loss"])
    )
    _fit(autoencoder, X_train, setting, callbacks=[tick], verbose=0)


def to_target(setting, clock):
    """From nothing to a cross-entropy a test pixel; gives up after ``10 * epochs`` epochs."""
    X_train, X_test = load_flat(setting), load_test(setting).reshape(-1, 784)
    clock.tick()
    while True:
        clock.tick(_end(_program(), X_train, X_test, setting))


def _end(autoencoder, X_train, X_test, setting):
    def stop(epoch, logs):
        autoencoder.stop_training = logs["val_loss"] <= setting.target

    history = _fit(
        autoencoder,
        X_train,
        setting,
        epochs=10 * setting.epochs,
        validation_data=(X_test, X_test),
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=stop)],
        verbose=0,
    )
    return min(history.history["val_loss"])


def _program():
    keras.utils.set_random_seed(8)
    input_img = Input(shape=(784,))
    encoded = Dense(units=32, activation="relu")(input_img)
    decoded = Dense(units=784, activation="sigmoid")(encoded)
    autoencoder = Model(input_img, decoded)
    optimizer = keras.optimizers.Adadelta(1.0)
    autoencoder.compile(optimizer=optimizer, loss="binary_crossentropy", metrics=["accuracy"])
    return autoencoder


def _fit(autoencoder, X_train, setting, **options):
    options = {"epochs": setting.epochs, "batch_size": setting.batch_size} | options
    return autoencoder.fit(X_train, X_train, shuffle=True, **options)
