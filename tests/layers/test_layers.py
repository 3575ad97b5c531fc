"""The layers: what they do to a batch, when they are active, and that they can be saved."""

import keras
import numpy as np
import pytest
from keras import ops
from scipy import stats

from ae_lab import layers
from ae_lab.errors import LabError
from ae_lab.layers import GaussianCorruption
from ae_lab.layers.fast import standard_normal

X = np.full((20, 6, 6, 1), 0.5, "float32")


def corrupted(layer, x=X, training=True):
    return ops.convert_to_numpy(layer(ops.convert_to_tensor(x), training=training))


def test_corruption_stays_in_range_and_has_the_given_deviation():
    wide = corrupted(GaussianCorruption(2.0, seed=1))
    assert wide.min() == 0 and wide.max() == 1
    narrow = corrupted(GaussianCorruption(0.1, seed=1))
    assert (narrow - X).std() == pytest.approx(0.1, rel=0.1)
    assert narrow.shape == X.shape


def test_corruption_is_off_at_inference_and_for_deviation_zero():
    assert np.array_equal(corrupted(GaussianCorruption(0.5), training=False), X)
    assert np.array_equal(ops.convert_to_numpy(GaussianCorruption(0.5)(X)), X)
    assert np.array_equal(corrupted(GaussianCorruption(0.0)), X)


def test_corruption_is_new_at_each_step_and_for_each_image():
    layer = GaussianCorruption(0.1, seed=1)
    first, second = corrupted(layer), corrupted(layer)
    assert not np.array_equal(first, second)
    assert not np.array_equal(first[0], first[1])
    assert np.array_equal(first, corrupted(GaussianCorruption(0.1, seed=1)))


def test_corruption_does_not_change_its_input():
    x = X.copy()
    corrupted(GaussianCorruption(0.5), x)
    assert np.array_equal(x, X)


@pytest.mark.parametrize("stddev", [-0.1, float("nan"), "0.5", True, None])
def test_an_invalid_deviation_is_refused(stddev):
    with pytest.raises(LabError, match="stddev"):
        GaussianCorruption(stddev)


NAMELESS = {"Corruption", "ImportanceWeightedBound"}  # these are not part of any model


@pytest.mark.parametrize("name", sorted(set(layers.__all__) - NAMELESS))
def test_a_file_names_each_layer_as_part_of_this_package(name):
    assert keras.saving.get_registered_name(getattr(layers, name)) == f"ae_lab>{name}"


@pytest.mark.parametrize(("make", "number", "name"), [
    (layers.GaussianSampling, -0.1, "beta"), (layers.RandomSlant, 1.1, "amount"),
    (layers.MaskingCorruption, 1.1, "fraction"), (layers.SaltAndPepperCorruption, 1.1, "fraction"),
    (layers.RandomShift, 1.5, "pixels"),
])  # fmt: skip
def test_a_number_just_out_of_range_is_refused(make, number, name):
    with pytest.raises(LabError, match=f"^{name} must be"):
        make(number)


def test_a_layer_can_be_restored_from_its_configuration():
    layer = GaussianCorruption(0.3, seed=4, name="corruption")
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert type(again) is type(layer)
    assert again.get_config() == layer.get_config()
    assert tuple(again.compute_output_shape((None, 4))) == (None, 4)


def test_a_corruption_from_its_configuration_draws_the_same_noise():
    layer = GaussianCorruption(0.1, seed=4)
    assert np.array_equal(
        corrupted(GaussianCorruption.from_config(layer.get_config())), corrupted(layer)
    )


@pytest.mark.parametrize("draw", [standard_normal, keras.random.normal])
def test_the_fast_and_the_textbook_noise_are_standard_normal(draw):
    seed = keras.random.SeedGenerator(3)
    drawn = np.asarray(draw((200, 500), seed=seed)).ravel()
    assert stats.kstest(drawn, "norm").pvalue > 0.01
    assert abs(np.corrcoef(drawn[:-1], drawn[1:])[0, 1]) < 0.02
    assert not np.array_equal(drawn, np.asarray(draw((200, 500), seed=seed)).ravel())
