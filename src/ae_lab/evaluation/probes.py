"""A linear classifier on a frozen code, its regularisation chosen on validation images."""

import copy
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from ae_lab.validation import check_classes, check_same_length, check_whole


def probe_accuracy(features, dataset, *, images, strengths=(1e-2, 1e-3)) -> float:
    """Share of the test images that a linear classifier of their features reads correctly.

    Parameters
    ----------
    features : function images (n, height, width, channels) -> (n, ...); rows are flattened.
    dataset : a `data.Dataset`; its validation images choose the regularisation.
    images : how many training images to learn from, whole number of at least 1.
    strengths : as in ``tuned_probe``.

    Raises
    ------
    LabError
        If ``images`` is not a whole number of at least 1.
    """

    def rows(x):
        return features(x).reshape(len(x), -1)

    few = slice(check_whole(images, "images"))
    probe, _ = tuned_probe(
        rows(dataset.x_train[few]),
        dataset.y_train[few],
        rows(dataset.x_validation),
        dataset.y_validation,
        strengths,
    )
    return float(np.mean(probe(rows(dataset.x_test)) == dataset.y_test))


def tuned_probe(z_train, labels_train, z_validation, labels_validation, strengths):
    """The logistic regression on codes (n, units) that errs least on the validation codes.

    Each unit is divided by its standard deviation over the training codes; nothing is
    subtracted, so that a sparse code stays sparse. ``strengths`` are weights of the squared
    norm beside the mean cross-entropy in nats, strong ones first: each fit starts where the one
    before ended.

    Returns
    -------
    (probe, {strength: validation error}): ``probe(z)`` gives the labels (n,) of codes.

    Raises
    ------
    LabError
        If codes and labels differ in length, or there are fewer than two classes.
    """
    check_same_length(z_train, labels_train, "z_train", "labels_train")
    check_same_length(z_validation, labels_validation, "z_validation", "labels_validation")
    check_classes(labels_train, "labels_train")
    scale = 1 / np.maximum(z_train.std(axis=0), 1e-6).astype("float32")
    scaled, validation = z_train * scale, z_validation * scale
    model = LogisticRegression(max_iter=150, tol=1e-4, warm_start=True)
    errors, best = {}, None
    for strength in strengths:
        with warnings.catch_warnings():  # validation images judge, converged or not
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.set_params(C=1 / (len(scaled) * strength)).fit(scaled, labels_train)
        errors[strength] = float(np.mean(model.predict(validation) != labels_validation))
        if errors[strength] == min(errors.values()):
            best = copy.deepcopy(model)
    return lambda z: best.predict(z * scale), errors
