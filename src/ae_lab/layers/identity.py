"""The plain bottleneck, the one without a constraint."""

import keras


@keras.saving.register_keras_serializable(package="ae_lab")
class Bottleneck(keras.layers.Layer):
    """The plain bottleneck: the code passes unchanged and unpunished.

    All it does is to name the place where the other kinds put their constraint.
    """

    def call(self, z):
        return z

    def compute_output_shape(self, input_shape):
        return input_shape
