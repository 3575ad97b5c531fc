"""A linear classifier on a frozen code, its regularisation chosen on validation images."""

import copy
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from ae_lab.checks import check_same_length


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
        If codes and labels differ in length.
    """
    check_same_length(z_train, labels_train, "z_train", "labels_train")
    check_same_length(z_validation, labels_validation, "z_validation", "labels_validation")
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
