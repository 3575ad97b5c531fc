"""The handout's program: its own lines, except for Adadelta's learning rate.

As printed, it uses today's default of 0.001 and does not learn; the default was 1.0 at the time.
The amount of computation is the same.
"""

import keras
from keras.layers import Dense, Input
from keras.models import Model


def program(workload, tick):
    """784-32-784 with ``fit``; ten times the epochs if it trains to a target."""
    X_train = workload.load_flat()
    options = {"epochs": workload.epochs}
    if workload.target:
        X_test = workload.load_test().reshape(-1, 784)
        options = {"epochs": 10 * workload.epochs, "validation_data": (X_test, X_test)}
        tick()
    keras.utils.set_random_seed(8)
    input_img = Input(shape=(784,))
    encoded = Dense(units=32, activation="relu")(input_img)
    decoded = Dense(units=784, activation="sigmoid")(encoded)
    autoencoder = Model(input_img, decoded)
    optimizer = keras.optimizers.Adadelta(1.0)
    autoencoder.compile(optimizer=optimizer, loss="binary_crossentropy", metrics=["accuracy"])

    def end(epoch, logs):
        tick(logs["val_loss"] if workload.target else 784 * logs["loss"])

    options |= {"callbacks": [keras.callbacks.LambdaCallback(on_epoch_end=end)], "verbose": 0}
    autoencoder.fit(X_train, X_train, batch_size=workload.batch_size, shuffle=True, **options)
