"""Corruptions, their fixed-seed versions for evaluation, classical filters, and repetition."""

import keras
import numpy as np
import pytest
import scipy.ndimage
from skimage import restoration

from ae_lab import evaluation, layers, models
from ae_lab.errors import LabError

X = np.random.default_rng(0).uniform(0.2, 0.8, (50, 12, 10, 1)).astype("float32")
SMOOTH = scipy.ndimage.gaussian_filter(
    np.random.default_rng(1).random((6, 16, 16, 1)), (0, 2, 2, 0)
)
SMOOTH = ((SMOOTH - SMOOTH.min()) / np.ptp(SMOOTH)).astype("float32")
LAYERS = {
    "gaussian": (layers.GaussianCorruption, "stddev", 0.3),
    "masking": (layers.MaskingCorruption, "fraction", 0.3),
    "salt and pepper": (layers.SaltAndPepperCorruption, "fraction", 0.3),
    "shift": (layers.RandomShift, "pixels", 2),
    "slant": (layers.RandomSlant, "amount", 0.3),
}


@pytest.fixture(params=LAYERS.values(), ids=LAYERS)
def corruption(request):
    return request.param


def test_a_corruption_acts_only_in_training_and_is_new_each_time(corruption):
    make, name, amount = corruption
    layer = make(seed=3, **{name: amount})
    first, second = (keras.ops.convert_to_numpy(layer(X, training=True)) for _ in range(2))
    assert np.array_equal(layer(X), X)
    assert not np.array_equal(first, second) and first.shape == X.shape
    assert first.min() >= 0 and first.max() <= 1


def test_a_corruption_of_strength_zero_changes_nothing(corruption):
    make, name, _ = corruption
    assert np.array_equal(make(**{name: 0})(X, training=True), X)


def test_a_corruption_can_be_restored_from_its_config(corruption):
    make, name, amount = corruption
    layer = make(seed=3, **{name: amount})
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    config = layer.get_config()
    assert type(again) is make and again.get_config() == config
    assert (config[name], config["seed"]) == (amount, 3)


def test_a_corruption_refuses_values_out_of_range(corruption):
    make, name, _ = corruption
    with pytest.raises(LabError, match=name):
        make(**{name: -1})


def test_masking_sets_the_given_share_to_zero_and_keeps_the_rest():
    masked = np.asarray(layers.MaskingCorruption(0.3, seed=0)(X, training=True))
    assert np.mean(masked == 0) == pytest.approx(0.3, abs=0.02)
    assert np.array_equal(masked[masked != 0], X[masked != 0])


def test_salt_and_pepper_have_equal_shares_and_keep_the_rest():
    salted = np.asarray(layers.SaltAndPepperCorruption(0.4, seed=0)(X, training=True))
    assert [np.mean(salted == v) for v in (0, 1)] == pytest.approx([0.2, 0.2], abs=0.02)
    kept = (salted != 0) & (salted != 1)
    assert np.array_equal(salted[kept], X[kept])


@pytest.mark.parametrize("axes", [(0, 1, 2, 3), (0, 2, 1, 3)], ids=["rows", "columns"])
def test_a_slant_is_a_shear_along_both_sides_different_for_each_image(axes):
    dot = np.zeros((40, 21, 21, 1), "float32")
    dot[:, [2, 10], 10] = 1  # one pixel above the middle, one at the middle
    layer = layers.RandomSlant(0.3, seed=0)
    slanted = np.asarray(layer(dot.transpose(axes), training=True)).transpose(axes)[..., 0]
    assert slanted.sum((1, 2)) == pytest.approx(np.full(40, 2), abs=1e-5)
    assert np.allclose(slanted[:, 10, 10], 1, atol=1e-5)  # the middle stays
    columns = (slanted[:, :7].sum(1) * np.arange(21)).sum(1)  # the new position of the upper one
    assert np.all(np.abs(columns - 10) <= 8 * 0.3 + 1e-5)
    assert columns.std() == pytest.approx(8 * 0.3 / np.sqrt(3), rel=0.25)  # uniform slants


def test_a_zoom_moves_pixels_but_not_the_middle():
    dot = np.zeros((40, 21, 21, 1), "float32")
    dot[:, 10, [4, 10]] = 1  # one pixel left of the middle, one at the middle
    zoomed = np.asarray(layers.RandomSlant(0, 0.2, seed=0)(dot, training=True))[..., 0]
    assert np.allclose(zoomed[:, 10, 10], 1, atol=1e-5)
    left = zoomed[:, 10, :8]
    columns = (left * np.arange(8)).sum(1) / left.sum(1)
    assert np.all(np.abs(columns - 4) <= 6 * 0.2 / 0.8 + 1) and columns.std() > 0.3
    assert np.array_equal(np.asarray(layers.RandomSlant(0, seed=0)(dot, training=True)), dot)


def test_the_functions_with_a_seed_agree_with_the_layers():
    masked = evaluation.add_masking_noise(X, 0.3, seed=5)
    salted = evaluation.add_salt_and_pepper_noise(X, 0.4, seed=5)
    assert np.array_equal(masked, evaluation.add_masking_noise(X, 0.3, seed=5))
    assert np.mean(masked == 0) == pytest.approx(0.3, abs=0.02)
    assert [np.mean(salted == v) for v in (0, 1)] == pytest.approx([0.2, 0.2], abs=0.02)
    assert masked.dtype == salted.dtype == X.dtype
    with pytest.raises(LabError, match="fraction"):
        evaluation.add_masking_noise(X, 1.5, seed=0)


def test_psnr_of_a_known_error():
    assert evaluation.psnr(X, X + np.float32(0.1)) == pytest.approx(20, abs=1e-3)
    assert evaluation.psnr(X, X) == pytest.approx(100)


def test_the_median_filter_treats_each_image_separately():
    by_hand = np.stack([scipy.ndimage.median_filter(image[..., 0], 3) for image in X])
    assert np.array_equal(evaluation.median_filter(X, 3)[..., 0], by_hand)
    colour = evaluation.median_filter(np.concatenate([X, 1 - X], axis=3), 3)
    assert np.allclose(colour, np.stack([by_hand, 1 - by_hand], axis=3))


@pytest.mark.parametrize("name", evaluation.FILTERS)
def test_each_filter_cleans_a_smooth_image(name):
    noisy = np.clip(SMOOTH + np.random.default_rng(2).normal(0, 0.2, SMOOTH.shape), 0, 1)
    noisy = noisy.astype("float32")
    apply, strengths = evaluation.FILTERS[name]
    best = evaluation.best_strength(apply, strengths, SMOOTH, noisy)
    assert evaluation.psnr(SMOOTH, apply(noisy, best)) > evaluation.psnr(SMOOTH, noisy) + 2


def test_wavelets_agree_with_scikit_image_on_each_image():
    by_hand = restoration.denoise_wavelet(
        SMOOTH[3, ..., 0], sigma=0.2, method="BayesShrink", rescale_sigma=True
    )
    found = evaluation.wavelets(SMOOTH, 0.2)[3, ..., 0]
    assert np.allclose(found, np.clip(by_hand, 0, 1), atol=1e-6)


def test_non_local_means_agree_with_scikit_image_on_each_channel():
    colour = np.concatenate([SMOOTH, SMOOTH[::-1, :, ::-1]], axis=3)[:, 3:]  # not square
    noisy = np.clip(colour + np.random.default_rng(2).normal(0, 0.1, colour.shape), 0, 1)
    found = evaluation.non_local_means(noisy, 0.2)
    assert found.shape == noisy.shape
    for channel in (0, 1):
        by_hand = restoration.denoise_nl_means(
            noisy[3, ..., channel], patch_size=5, patch_distance=6, h=0.2, fast_mode=True
        )
        assert np.allclose(found[3, ..., channel], np.clip(by_hand, 0, 1), atol=1e-6)


@pytest.mark.parametrize("name", evaluation.FILTERS)
def test_the_strengths_start_near_zero_and_more_noise_needs_another(name):
    apply, strengths = evaluation.FILTERS[name]
    assert list(strengths) == sorted(set(strengths))
    weakest = apply(SMOOTH, strengths[0])
    assert evaluation.psnr(SMOOTH, weakest) > 28
    chosen = set()
    for stddev in (0.05, 0.3):
        noise = np.random.default_rng(3).normal(0, stddev, SMOOTH.shape)
        noisy = np.clip(SMOOTH + noise, 0, 1).astype("float32")
        chosen.add(evaluation.best_strength(apply, strengths, SMOOTH, noisy))
    assert len(chosen) == 2  # more noise needs another strength


@pytest.mark.parametrize("apply", [evaluation.non_local_means, evaluation.wavelets])
def test_a_filter_of_negative_strength_is_refused(apply):
    with pytest.raises(LabError, match="strength"):
        apply(SMOOTH, -0.5)


def test_a_shift_moves_rows_and_columns_by_all_allowed_amounts():
    dot = np.zeros((1, 9, 8, 1), "float32")
    dot[0, 4, 3] = 1
    layer = layers.RandomShift(2, seed=0)
    moved = [np.argwhere(np.asarray(layer(dot, training=True))[0, ..., 0]) for _ in range(200)]
    assert {tuple(m[0] - (4, 3)) for m in moved} == {
        (row, column) for row in range(-2, 3) for column in range(-2, 3)
    }


def test_repetition_feeds_the_output_back():
    keras.utils.set_random_seed(0)
    model = models.denoising(latent_dim=3, hidden=(), image_shape=X.shape[1:])
    steps = evaluation.repeated(model, X, 2)
    assert np.array_equal(steps[0], X)
    assert np.allclose(steps[2], evaluation.reconstruct(model, evaluation.reconstruct(model, X)))
    with pytest.raises(LabError, match="times"):
        evaluation.repeated(model, X, 0)


def test_denoising_accepts_only_corruption_layers():
    masking = layers.MaskingCorruption(0.5, name="corruption")
    assert models.denoising(corruption=masking).get_layer("corruption").fraction == 0.5
    with pytest.raises(LabError, match="corruption must be a layer"):
        models.denoising(corruption=0.5)
