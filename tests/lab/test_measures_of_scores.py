"""Measures of the exercises on anomalies: scores and alarms."""

import re
from dataclasses import replace

import numpy as np
import pytest

from ae_lab import models
from ae_lab.errors import LabError
from ae_lab.lab import measures


@pytest.fixture(scope="module")
def few(sample):
    """Thirty test images, ten of each of three digits."""
    rows = np.concatenate([np.flatnonzero(sample.y_test == digit)[:10] for digit in (0, 1, 4)])
    return replace(sample, test_images=sample.test_images[rows], y_test=sample.y_test[rows])


@pytest.fixture(scope="module")
def half():
    """A network whose output is always 0.5."""
    model = models.undercomplete(latent_dim=2)
    model.set_weights([np.zeros_like(w) for w in model.get_weights()])
    return model


def test_areas_agree_with_those_of_the_errors(few, half):
    """With a constant output of 0.5, black and white pixels cost most, so thin digits do."""
    errors = np.square(few.x_test - 0.5).sum(axis=(1, 2, 3))
    for digit, measure in ((0, "area_of_zeros"), (1, "area_of_ones")):
        pairs = errors[few.y_test == digit][:, None] > errors[few.y_test != digit]
        assert getattr(measures, measure)(half, few) == pytest.approx(pairs.mean())
    assert measures.area_of_scores(errors, few) == measures.area_of_ones(half, few)
    assert measures.area_of_scores((few.y_test == 1) * 1.0, few) == 1


def test_scores_divided_by_the_sum_of_pixels_are_recomputed(few, half):
    errors = np.square(few.x_test - 0.5).sum(axis=(1, 2, 3))
    scores = errors / few.x_test.sum(axis=(1, 2, 3))
    assert measures.off_error_per_ink(half, scores, few) < 1e-5
    assert measures.off_error_per_ink(half, 1.1 * scores, few) == pytest.approx(0.1, rel=1e-3)
    for wrong in (scores[:7], scores[:, None], scores[0]):
        with pytest.raises(LabError, match=rf"scores.*{re.escape(str(wrong.shape))} and \(30,\)"):
            measures.off_error_per_ink(half, wrong, few)


def test_false_and_correct_alarms_are_counted(few, half):
    alarms = few.y_test == 0
    assert measures.found_zeros(alarms, few) == 1 and measures.false_alarms(alarms, few) == 0
    alarms = np.arange(30) % 2 == 0
    assert measures.found_zeros(alarms, few) == measures.false_alarms(alarms, few) == 0.5
    errors = np.square(few.x_test - 0.5).sum(axis=(1, 2, 3))
    assert measures.on_the_right_side(half, errors > np.median(errors), few) == 1
    assert measures.on_the_right_side(half, errors < np.median(errors), few) == 0
    with pytest.raises(LabError, match="alarms.*7 and 30"):
        measures.on_the_right_side(half, alarms[:7], few)
