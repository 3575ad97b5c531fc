"""Numbers from a trained model and from the baselines it must beat. Arrays in, numbers out."""

import numpy as np
import scipy.linalg
import scipy.stats
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ae_lab.checks import check_images, check_same_length, check_whole
from ae_lab.errors import LabError

BATCH = 1_000


def reconstruct(model, x) -> np.ndarray:
    """``x_hat`` of an autoencoder, same shape as the images ``x``; nothing is corrupted."""
    return model.predict(check_images(x), batch_size=BATCH, verbose=0)


def encode(model, x) -> np.ndarray:
    """The codes z (n, latent_dim) that an autoencoder gives to the images ``x``."""
    return model.get_layer("encoder").predict(check_images(x), batch_size=BATCH, verbose=0)


def bce_per_pixel(x, x_hat) -> float:
    """Binary cross-entropy in nats a pixel, the mean over pixels and images."""
    x, x_hat = _pair(x, x_hat)
    x_hat = np.clip(x_hat, 1e-7, 1 - 1e-7)
    return float(-np.mean(x * np.log(x_hat) + (1 - x) * np.log1p(-x_hat)))


def bce_floor(x) -> float:
    """``bce_per_pixel`` of a perfect reconstruction: the entropy of grey pixels, not 0."""
    return bce_per_pixel(x, x)


def sse_per_image(x, x_hat) -> float:
    """Squared error summed over pixels, mean over images: Hinton & Salakhutdinov's unit."""
    x, x_hat = _pair(x, x_hat)
    return float(np.mean(np.sum((x - x_hat) ** 2, axis=tuple(range(1, x.ndim)))))


def argmax_accuracy(x, x_hat) -> float:
    """What Keras's ``metrics=["accuracy"]`` reports for flat images.

    The share of images whose brightest pixel is in the same place: not a measure of anything
    wanted.
    """
    x, x_hat = (a.reshape(len(a), -1) for a in _pair(x, x_hat))
    return float(np.mean(x.argmax(axis=1) == x_hat.argmax(axis=1)))


def binary_accuracy(x, x_hat) -> float:
    """The share of pixels that equal the rounded reconstruction; a grey pixel never can."""
    x, x_hat = _pair(x, x_hat)
    return float(np.mean(x == (x_hat > 0.5)))


def pca_reconstruction(x_train, x_test, components: int) -> np.ndarray:
    """``x_test`` through the first principal components of ``x_train`` and back."""
    mean, basis = principal_subspace(x_train, components)
    flat = x_test.reshape(len(x_test), -1) - mean
    return (flat @ basis @ basis.T + mean).reshape(x_test.shape)


def principal_subspace(x_train, components: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean (pixels,) and orthonormal basis (pixels, components) of the first components.

    Raises
    ------
    LabError
        If ``components`` is below 1 or above the number of pixels.
    """
    flat = x_train.reshape(len(x_train), -1).astype(np.float64)
    check_whole(components, "components")
    if components > flat.shape[1]:
        raise LabError(
            f"components must be at most {flat.shape[1]}, the number of pixels, "
            f"received {components}: choose fewer."
        )
    mean = flat.mean(axis=0)
    _, vectors = np.linalg.eigh(np.cov(flat, rowvar=False))
    return mean, vectors[:, ::-1][:, :components]


def subspace_angles(first, second) -> np.ndarray:
    """Principal angles in degrees, largest first, between the spans of two column sets."""
    return np.degrees(scipy.linalg.subspace_angles(first, second))


def dead_units(z) -> np.ndarray:
    """True for each unit of the ReLU codes ``z`` (n, latent_dim) that no image switches on."""
    return np.asarray(z).max(axis=0) <= 0


def linear_probe(z_train, labels_train, z_test, labels_test) -> float:
    """Test accuracy of a logistic regression on frozen features (n, ...), standardised.

    Raises
    ------
    LabError
        If features and labels differ in length.
    """
    check_same_length(z_train, labels_train, "z_train", "labels_train")
    check_same_length(z_test, labels_test, "z_test", "labels_test")
    probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300, tol=1e-3))
    probe.fit(z_train.reshape(len(z_train), -1), labels_train)
    return float(probe.score(z_test.reshape(len(z_test), -1), labels_test))


def predict_labels(classifier, x) -> np.ndarray:
    """The class (n,) that a classifier giving logits finds likeliest."""
    return classifier.predict(x, batch_size=BATCH, verbose=0).argmax(axis=1)


def mcnemar(correct_a, correct_b) -> tuple[int, int, float]:
    """Exact McNemar test on the same test images.

    Returns
    -------
    (only a right, only b right, p): p is the chance of a split at least as uneven if both
    were equally good (McNemar, 1947).

    Raises
    ------
    LabError
        If the two differ in length.
    """
    check_same_length(correct_a, correct_b, "correct_a", "correct_b")
    only_a = int(np.sum(correct_a & ~correct_b))
    only_b = int(np.sum(correct_b & ~correct_a))
    if only_a + only_b == 0:
        return 0, 0, 1.0
    return only_a, only_b, float(scipy.stats.binomtest(only_a, only_a + only_b).pvalue)


def confusion_matrix(labels, predicted, classes: int = 10) -> np.ndarray:
    """Counts (classes, classes): row the true class, column the predicted one."""
    check_same_length(labels, predicted, "labels", "predicted")
    return np.bincount(np.asarray(labels, int) * classes + predicted, minlength=classes**2).reshape(
        classes, classes
    )


def _pair(x, x_hat):
    x, x_hat = np.asarray(x, np.float64), np.asarray(x_hat, np.float64)
    if x.shape != x_hat.shape:
        raise LabError(
            f"x and x_hat must have the same shape, received {x.shape} and {x_hat.shape}: "
            "reshape one of them."
        )
    return x, x_hat
