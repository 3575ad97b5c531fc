"""Distances of generated images from real ones, photo formats, and holes."""

import numpy as np
import pytest
import scipy.linalg

from ae_lab import evaluation
from ae_lab.errors import LabError

RNG = np.random.default_rng(0)
X = RNG.random((300, 4, 5, 1)).astype("float32")
IMAGES = np.zeros((40, 28, 28, 1), "float32")
IMAGES[:, 8:20, 10:16] = RNG.random((40, 1, 1, 1))


def test_the_distance_of_a_set_from_itself_is_zero():
    assert evaluation.frechet_distance(X, X, 20) == pytest.approx(0, abs=1e-4)


def test_a_shift_adds_its_square_to_the_distance():
    assert evaluation.frechet_distance(X, X + 0.5, 20) == pytest.approx(20 * 0.25, rel=1e-3)


def test_the_distance_agrees_with_a_matrix_square_root():
    other = (X[::-1] * 0.3 + 0.2 * RNG.random(X.shape)).astype("float32")
    a, b = (np.asarray(x, np.float64).reshape(len(x), -1) for x in (X, other))
    c, d = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    root = scipy.linalg.sqrtm(c @ d).real
    truth = ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(c + d - 2 * root)
    assert evaluation.frechet_distance(X, other, 20) == pytest.approx(truth, rel=1e-3)


def test_png_loses_only_rounding():
    size, error = evaluation.bytes_and_error(IMAGES, "PNG", 1)
    assert 0 < size < 784
    assert error < 784 * (0.5 / 255) ** 2


def test_a_higher_quality_needs_more_bytes_and_has_less_error():
    noisy = np.clip(IMAGES + RNG.normal(0, 0.1, IMAGES.shape), 0, 1).astype("float32")
    low, high = (evaluation.bytes_and_error(noisy, "JPEG", quality) for quality in (5, 90))
    assert low[0] < high[0] and low[1] > high[1]


def test_images_that_are_not_square_keep_their_order():
    x = RNG.integers(0, 256, (12, 5, 7, 1)).astype("float32") / 255
    assert evaluation.bytes_and_error(x, "PNG", 1, columns=4)[1] == pytest.approx(0, abs=1e-9)


def test_an_incomplete_mosaic_is_refused():
    with pytest.raises(LabError, match="multiple of 20"):
        evaluation.bytes_and_error(IMAGES[:7], "JPEG", 50)


def test_a_hole_is_a_square_and_other_pixels_are_unchanged():
    bright = np.full((30, 9, 7, 2), 0.5, "float32")
    holed = evaluation.add_square_hole(bright, 3, seed=1)
    assert ((holed == 0).sum(axis=(1, 2, 3)) == 9 * 2).all()
    for image in holed[..., 0]:
        rows, columns = np.nonzero(image == 0)
        assert np.ptp(rows) == np.ptp(columns) == 2
    assert len({tuple(np.argwhere(image == 0)[0]) for image in holed[..., 0]}) > 5
    assert np.array_equal(holed, evaluation.add_square_hole(bright, 3, seed=1))


@pytest.mark.parametrize("side", [0, 8, 2.5])
def test_an_invalid_hole_is_refused(side):
    with pytest.raises(LabError, match="side"):
        evaluation.add_square_hole(np.zeros((1, 9, 7, 1), "float32"), side, seed=0)
