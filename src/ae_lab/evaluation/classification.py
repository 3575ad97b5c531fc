"""What a classifier makes of images and codes."""

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ae_lab.errors import LabError
from ae_lab.evaluation.reconstruction import predict
from ae_lab.validation import check_classes, check_same_length


def linear_probe(z_train, labels_train, z_test, labels_test) -> float:
    """Test accuracy of a logistic regression on frozen features (n, ...), standardised.

    Raises
    ------
    LabError
        If features and labels differ in length, or there are fewer than two classes.
    """
    check_same_length(z_train, labels_train, "z_train", "labels_train")
    check_same_length(z_test, labels_test, "z_test", "labels_test")
    check_classes(labels_train, "labels_train")
    probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300, tol=1e-3))
    probe.fit(z_train.reshape(len(z_train), -1), labels_train)
    return float(probe.score(z_test.reshape(len(z_test), -1), labels_test))


def first_of_each(labels, classes: int | None = None) -> list[int]:
    """Index of the first row of each class, to show one of each.

    Parameters
    ----------
    classes : how many there must be; None for those that occur.

    Raises
    ------
    LabError
        If a class has no row.
    """
    wanted = range(classes) if classes else np.unique(labels)
    found = [np.flatnonzero(np.asarray(labels) == label) for label in wanted]
    if missing := [label for label, rows in enumerate(found) if not len(rows)]:
        raise LabError(
            f"labels must hold every class below {classes}, received none of {missing}: "
            "pass more rows."
        )
    return [int(rows[0]) for rows in found]


def predict_labels(classifier, x) -> np.ndarray:
    """The class (n,) that a classifier giving logits finds likeliest."""
    return predict(classifier, x).argmax(axis=1)


def confusion_matrix(labels, predicted, classes: int = 10) -> np.ndarray:
    """Counts (classes, classes): row the true class, column the predicted one."""
    check_same_length(labels, predicted, "labels", "predicted")
    return np.bincount(np.asarray(labels, int) * classes + predicted, minlength=classes**2).reshape(
        classes, classes
    )
