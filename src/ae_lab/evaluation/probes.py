"""What can be read from images and codes: a linear classifier, and two classifiers compared."""

import copy
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from ae_lab.evaluation.reconstruction import predict
from ae_lab.validation import check_classes, check_same_length, check_whole


def probe_accuracy(
    features: Callable[[np.ndarray], np.ndarray],
    dataset: Any,
    *,
    images: int,
    strengths: Sequence[float] = (1e-2, 1e-3),
) -> float:
    """Share of the test images that a linear classifier of their features classifies correctly.

    ``features``, ``dataset``, ``images`` and ``strengths`` are those of `probe_correct`.
    """
    return float(probe_correct(features, dataset, images=images, strengths=strengths).mean())


def probe_correct(
    features: Callable[[np.ndarray], np.ndarray],
    dataset: Any,
    *,
    images: int,
    strengths: Sequence[float] = (1e-2, 1e-3),
) -> np.ndarray:
    """Which test images (n,) a linear classifier of their features classifies correctly.

    Parameters
    ----------
    features : function images (n, height, width, channels) -> (n, ...).
    dataset : a `data.Dataset`; its validation images choose the regularisation.
    images : how many training images to learn from, whole number of at least 1.
    strengths : as in ``linear_probe``.
    """
    few = slice(check_whole(images, "images"))
    train = features(dataset.x_train[few]), dataset.y_train[few]
    validation = features(dataset.x_validation), dataset.y_validation
    probe, _ = linear_probe(*train, *validation, strengths)
    return probe(features(dataset.x_test)) == dataset.y_test


def linear_probe(
    z_train: np.ndarray,
    labels_train: np.ndarray,
    z_validation: np.ndarray,
    labels_validation: np.ndarray,
    strengths: Sequence[float],
) -> tuple[Callable[[np.ndarray], np.ndarray], dict[float, float]]:
    """The logistic regression on frozen features that errs least on the validation images.

    Each feature is divided by its standard deviation over the training images; nothing is
    subtracted, so that a sparse code stays sparse. Gives (probe, {strength: validation error});
    ``probe(z)`` are the labels (n,) of features.

    Parameters
    ----------
    z_train, z_validation : features (n, ...), flattened to rows here.
    labels_train, labels_validation : whole numbers (n,).
    strengths : weights of the squared norm beside the mean cross-entropy in nats, strong ones
        first: each fit starts where the one before ended. ``[1 / n]`` is scikit-learn's default.
    """
    check_same_length(z_train, labels_train, "z_train", "labels_train")
    check_same_length(z_validation, labels_validation, "z_validation", "labels_validation")
    check_classes(labels_train, "labels_train")
    scaler = StandardScaler(with_mean=False)
    scaled, validation = scaler.fit_transform(_rows(z_train)), scaler.transform(_rows(z_validation))
    model = LogisticRegression(max_iter=150, tol=1e-4, warm_start=True)
    errors, best = {}, None
    for strength in strengths:
        with warnings.catch_warnings():  # validation images judge, converged or not
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.set_params(C=1 / (len(scaled) * strength)).fit(scaled, labels_train)
        errors[strength] = float(np.mean(model.predict(validation) != labels_validation))
        if errors[strength] == min(errors.values()):
            best = copy.deepcopy(model)
    return lambda z: best.predict(scaler.transform(_rows(z))), errors


def predict_labels(classifier: keras.Model, x: np.ndarray) -> np.ndarray:
    """The most probable class (n,) of each image.

    ``classifier`` is a model that gives logits (n, classes) for its inputs ``x`` (n, ...).
    """
    return predict(classifier, x).argmax(axis=1)


def _rows(z) -> np.ndarray:
    return np.asarray(z).reshape(len(z), -1)
