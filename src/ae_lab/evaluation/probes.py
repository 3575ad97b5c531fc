"""Linear classifiers of images and codes, and the predictions of a network."""

import copy
import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from scipy.optimize import minimize
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from ae_lab.evaluation.reconstruction import predict
from ae_lab.validation import check_at_most, check_classes, check_same_length, check_whole


def probe_accuracy(
    features: Callable[[np.ndarray], np.ndarray],
    dataset: Any,
    *,
    images: int,
    strengths: Sequence[float] = (1e-2, 1e-3),
) -> float:
    """Accuracy on the test images of a linear classifier of their features.

    ``features``, ``dataset``, ``images`` and ``strengths`` are as in `probe_correct`.
    """
    return float(probe_correct(features, dataset, images=images, strengths=strengths).mean())


def probe_correct(
    features: Callable[[np.ndarray], np.ndarray],
    dataset: Any,
    *,
    images: int,
    strengths: Sequence[float] = (1e-2, 1e-3),
) -> np.ndarray:
    """For each test image, whether a linear classifier of its features is correct: (n,).

    Parameters
    ----------
    features : function from images (n, height, width, channels) to features (n, ...).
    dataset : a `data.Dataset`; its validation images select the regularisation.
    images : number of training images to use, at least 1.
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
    """Logistic regression on fixed features; the validation images select the strength.

    Each feature is divided by its standard deviation over the training images. The mean is not
    subtracted, so that a sparse code stays sparse. Returns (probe, {strength: validation error});
    ``probe(z)`` returns the labels (n,) of features.

    Parameters
    ----------
    z_train, z_validation : features (n, ...); each row is flattened.
    labels_train, labels_validation : whole numbers (n,).
    strengths : weights of the squared norm relative to the mean cross-entropy in nats. Pass them in
        decreasing order: each fit starts from the previous one. scikit-learn's default is 1 / n.
    """
    check_same_length(z_train, labels_train, "z_train", "labels_train")
    check_same_length(z_validation, labels_validation, "z_validation", "labels_validation")
    check_classes(labels_train, "labels_train")
    scaler = StandardScaler(with_mean=False)
    scaled, validation = scaler.fit_transform(_rows(z_train)), scaler.transform(_rows(z_validation))
    model = LogisticRegression(max_iter=150, tol=1e-4, warm_start=True)
    errors, best = {}, None
    for strength in strengths:
        with warnings.catch_warnings():  # the validation images decide, converged or not
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.set_params(C=1 / (len(scaled) * strength)).fit(scaled, labels_train)
        errors[strength] = float(np.mean(model.predict(validation) != labels_validation))
        if errors[strength] == min(errors.values()):
            best = copy.deepcopy(model)
    return lambda z: best.predict(scaler.transform(_rows(z))), errors


def svm_probe(
    z: np.ndarray, labels: np.ndarray, held_out: int, costs: Sequence[float]
) -> tuple[Callable[[np.ndarray], np.ndarray], dict[float, float]]:
    """Linear support vector machines, one per class, on features that are not scaled.

    L-BFGS minimises ``|w|^2 / 2 + cost * sum(squared hinge loss)``. The cost with the fewest errors
    on the held-out rows is selected; the machines are then fitted again, to all rows. Returns
    (probe, {cost: error on the held-out rows}); ``probe(z)`` returns the labels (n,) of features.

    Parameters
    ----------
    z : features (n, ...); each row is flattened.
    labels : whole numbers (n,).
    held_out : number of rows, the last ones, that select the cost.
    costs : weights of the loss. Pass them in increasing order: each fit starts from the previous.
    """
    check_same_length(z, labels, "z", "labels")
    train = len(z) - check_at_most(held_out, "held_out", len(z) - 1, "number of rows less one")
    classes, z = check_classes(labels[:train], "labels"), _rows(z)
    signs = np.where(labels[:, None] == classes, 1, -1).astype(z.dtype)
    shape = z.shape[1] + 1, len(classes)

    def loss(flat, cost, rows):
        w, x, y = flat.reshape(shape).astype(z.dtype), z[:rows], signs[:rows]
        hinge = np.maximum(0, 1 - y * (x @ w[:-1] + w[-1]))  # the last row of w holds the biases
        value = (w[:-1] ** 2).sum() / 2 + cost * (hinge**2).sum()
        slope = -2 * cost * y * hinge
        slopes = np.vstack([w[:-1] + x.T @ slope, slope.sum(axis=0)])
        return float(value), slopes.ravel().astype(float)

    def fit(start, cost, rows):
        options = dict(jac=True, method="L-BFGS-B", options={"maxiter": 150})
        return minimize(loss, start, (cost, rows), **options).x

    def predict(flat, z):
        w = flat.reshape(shape).astype(z.dtype)
        return classes[(_rows(z) @ w[:-1] + w[-1]).argmax(axis=1)]

    machine, machines, errors = np.zeros(math.prod(shape)), {}, {}
    for cost in costs:
        machines[cost] = machine = fit(machine, cost, train)
        errors[cost] = float(np.mean(predict(machine, z[train:]) != labels[train:]))
    best = min(errors, key=errors.get)
    whole = fit(machines[best], best, len(z))
    return lambda z: predict(whole, z), errors


def predict_labels(classifier: keras.Model, x: np.ndarray) -> np.ndarray:
    """The most probable class (n,) of each image.

    ``classifier`` is a model from inputs ``x`` (n, ...) to logits (n, classes).
    """
    return predict(classifier, x).argmax(axis=1)


def _rows(z) -> np.ndarray:
    return np.asarray(z).reshape(len(z), -1)
