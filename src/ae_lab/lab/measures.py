"""Measures that the checks of exercises apply to the objects handed in.

Each function takes the objects first: a ``model`` (``cnn``: a classifier), ``images``, or an
``array`` (``estimates``: log-likelihoods). The last argument, ``mnist``, contains the notebook's
images. An unused argument is called ``_``. Each function returns one number. `exercises` calls
them by name.
"""

import math
from typing import TYPE_CHECKING

import numpy as np
from sklearn.metrics import roc_auc_score

from ae_lab import evaluation, layers
from ae_lab.data import Dataset, add_gaussian_noise, add_square_hole
from ae_lab.validation import check_same_length, check_same_shape

if TYPE_CHECKING:
    import keras

STDDEV = 0.4  # standard deviation of the Gaussian noise on images to denoise
FEW = 200  # images that are enough for a PSNR


def code_size(model: "keras.Model", mnist: Dataset) -> float:
    """Number of values in the code of one image."""
    return evaluation.encode(model, mnist.x_test[:1]).size


def sse(model: "keras.Model", mnist: Dataset) -> float:
    """Squared error per test image of the reconstructions."""
    return evaluation.sse_per_image(mnist.x_test, evaluation.reconstruct(model, mnist.x_test))


def bce(model: "keras.Model", mnist: Dataset) -> float:
    """Cross-entropy per pixel of the reconstructions of the test images, in nats."""
    return evaluation.bce_per_pixel(mnist.x_test, evaluation.reconstruct(model, mnist.x_test))


def pca_sse(model: "keras.Model", mnist: Dataset) -> float:
    """Squared error per test image of PCA with as many components as the model's code size."""
    size = int(code_size(model, mnist))
    x_hat = evaluation.pca_reconstruction(mnist.x_train, mnist.x_test, size)
    return evaluation.sse_per_image(mnist.x_test, x_hat)


def mean_image_sse(_: object, mnist: Dataset) -> float:
    """Squared error per test image if the mean training image is every output."""
    return evaluation.sse_per_image(mnist.x_test, _mean_image(mnist))


def mean_image_bce(_: object, mnist: Dataset) -> float:
    """Cross-entropy per pixel if the mean training image is every output, in nats."""
    return evaluation.bce_per_pixel(mnist.x_test, _mean_image(mnist))


def _mean_image(mnist: Dataset) -> np.ndarray:
    return np.broadcast_to(mnist.x_train.mean(axis=0), mnist.x_test.shape)


# 00


def count(array: np.ndarray, _: Dataset) -> float:
    """Number of values in an array."""
    return array.size


def pixels(_: object, mnist: Dataset) -> float:
    """Number of pixels of one image."""
    return mnist.x_test[0].size


def all_pixels(_: object, mnist: Dataset) -> float:
    """Number of pixels of all test images."""
    return mnist.x_test.size


def sse_of_picture(picture: np.ndarray, mnist: Dataset) -> float:
    """Squared error per test image if one picture is every output."""
    picture = np.reshape(picture, mnist.x_test[:1].shape)
    return evaluation.sse_per_image(mnist.x_test, np.broadcast_to(picture, mnist.x_test.shape))


def sse_of_black(_: object, mnist: Dataset) -> float:
    """Squared error per test image if every output is black."""
    return evaluation.sse_per_image(mnist.x_test, np.zeros_like(mnist.x_test))


def floor_of(images: np.ndarray, _: Dataset) -> float:
    """Smallest possible cross-entropy of a reconstruction of the images, in nats per pixel."""
    return evaluation.bce_floor(images)


def floor_of_test(_: object, mnist: Dataset) -> float:
    """Smallest possible cross-entropy of a reconstruction of the test images, in nats per pixel."""
    return evaluation.bce_floor(mnist.x_test)


def grey_share(images: np.ndarray, _: Dataset) -> float:
    """Share of pixels that are neither 0 nor 1."""
    return float(np.mean((images != 0) & (images != 1)))


def share_rounded(images: np.ndarray, mnist: Dataset) -> float:
    """Share of pixels equal to those of the test images rounded to 0 or 1."""
    return float(np.mean(np.ravel(images) == np.ravel(np.round(mnist.x_test))))


def sse_of_zeros(model: "keras.Model", mnist: Dataset) -> float:
    """Squared error per image of the reconstructions of test images with label 0."""
    return _sse_where(model, mnist, mnist.y_test == 0)


def sse_of_others(model: "keras.Model", mnist: Dataset) -> float:
    """Squared error per image of the reconstructions of test images with other labels."""
    return _sse_where(model, mnist, mnist.y_test != 0)


def _sse_where(model: "keras.Model", mnist: Dataset, chosen: np.ndarray) -> float:
    x = mnist.x_test[chosen]
    return evaluation.sse_per_image(x, evaluation.reconstruct(model, x))


# 02 and 07: input and output of a model, and the accuracy of a classifier on the output


def inputs(model: "keras.Model", _: Dataset) -> float:
    """Number of input values per image."""
    return math.prod(model.input_shape[1:])


def outputs(model: "keras.Model", _: Dataset) -> float:
    """Number of output values per image."""
    return math.prod(model.output_shape[1:])


def convolutions(model: "keras.Model", _: Dataset) -> float:
    """Number of convolutional layers of the model and its parts, including transposed ones."""
    layers = [layer for part in model.layers for layer in getattr(part, "layers", [part])]
    return sum(type(layer).__name__.startswith("Conv2D") for layer in layers)


def accuracy(cnn: "keras.Model", mnist: Dataset) -> float:
    """Share of test images that a classifier classifies correctly."""
    return accuracy_on(cnn, mnist.x_test, mnist)


def accuracy_on(cnn: "keras.Model", images: np.ndarray, mnist: Dataset) -> float:
    """Accuracy of a classifier on images made from the test images, in the same order."""
    return float(np.mean(evaluation.predict_labels(cnn, images) == mnist.y_test))


def accuracy_through(cnn: "keras.Model", autoencoder: "keras.Model", mnist: Dataset) -> float:
    """Accuracy of a classifier on an autoencoder's reconstructions of the test images."""
    return accuracy_on(cnn, evaluation.reconstruct(autoencoder, mnist.x_test), mnist)


def rearranged(images: np.ndarray, mnist: Dataset) -> float:
    """1 if images contain the pixels of each test image in another order, otherwise 0."""
    if images.shape != mnist.x_test.shape or np.array_equal(images, mnist.x_test):
        return 0
    given, pixels = (np.sort(x.reshape(len(x), -1), axis=1) for x in (images, mnist.x_test))
    return float(np.array_equal(given, pixels))


def sharpness(model: "keras.Model", mnist: Dataset) -> float:
    """Gradient energy of the reconstructed test images relative to that of the clean ones."""
    made = evaluation.gradient_energy(evaluation.reconstruct(model, mnist.x_test)).mean()
    return float(made / evaluation.gradient_energy(mnist.x_test).mean())


def hole_sse(model: "keras.Model", mnist: Dataset) -> float:
    """Squared error per test image after repairing a hole of 10x10 pixels."""
    holed = add_square_hole(mnist.x_test, 10, seed=0)
    return evaluation.sse_per_image(mnist.x_test, evaluation.reconstruct(model, holed))


def noise_sse(model: "keras.Model", mnist: Dataset) -> float:
    """Squared error per test image after denoising Gaussian noise of standard deviation 0.4."""
    x, x_noisy = _noisy(mnist)
    return evaluation.sse_per_image(x, evaluation.reconstruct(model, x_noisy))


def untouched_noise_sse(_: object, mnist: Dataset) -> float:
    """Squared error per test image of the same noise without denoising."""
    return evaluation.sse_per_image(*_noisy(mnist))


def _noisy(mnist: Dataset, most: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """The first test images, at most ``most``, and the same images with Gaussian noise."""
    x = mnist.x_test[:most]
    return x, add_gaussian_noise(x, STDDEV, seed=0)


# 03 and 06

MOVE = 0.1  # standard deviation of a small change to an image


def noise(model: "keras.Model", _: Dataset) -> float:
    """Strength of the model's corruption: standard deviation or share; -1 without corruption."""
    return max(getattr(layer, "stddev", getattr(layer, "fraction", -1)) for layer in model.layers)


def noisy_psnr(_: object, mnist: Dataset) -> float:
    """PSNR in dB of test images with Gaussian noise, against the clean images."""
    return evaluation.psnr(*_noisy(mnist, FEW))


def cleaned_psnr(model: "keras.Model", mnist: Dataset) -> float:
    """PSNR in dB of the model's output for test images with Gaussian noise."""
    x, x_noisy = _noisy(mnist, FEW)
    return evaluation.psnr(x, evaluation.reconstruct(model, x_noisy))


def penalty_weight(model: "keras.Model", _: Dataset) -> float:
    """Weight of the model's contractive penalty; 0 if it has none."""
    inside = [*model.layers, *model.get_layer("encoder").layers]
    return max(getattr(layer, "weight", 0) for layer in inside)


def jacobian_norm(model: "keras.Model", mnist: Dataset) -> float:
    """Squared Frobenius norm of the Jacobian of the code, mean over ten test images."""
    return evaluation.jacobian_norm(model, mnist.x_test[:10])


def relative_contraction(model: "keras.Model", mnist: Dataset) -> float:
    """Contraction of small random changes by the code, relative to distances between images."""
    x = mnist.x_test[:2_000]
    return evaluation.relative_contraction(model, x, add_gaussian_noise(x, MOVE, seed=0))


# 04: sparse codes

STRONGEST, SOME = 25, 2_000  # units to compare; images that are enough for a mean


def kl_target(model: "keras.Model", _: Dataset) -> float:
    """Target of the KL penalty in the bottleneck; NaN for a model without one."""
    return getattr(_bottleneck(model), "target", np.nan)


def kl_weight(model: "keras.Model", _: Dataset) -> float:
    """Weight of the penalty in the bottleneck; NaN for a model without one."""
    return getattr(_bottleneck(model), "weight", np.nan)


def shared_by_digit(model: "keras.Model", mnist: Dataset) -> float:
    """Share of the 25 strongest units that two test images of the same digit have in common."""
    z = evaluation.encode(model, mnist.x_test[:SOME])
    strongest = min(STRONGEST, z.shape[1])
    return evaluation.shared_units(z, mnist.y_test[:SOME], strongest)[0]


def dead(model: "keras.Model", mnist: Dataset) -> float:
    """Number of units that are active on no test image."""
    return evaluation.dead_units(evaluation.encode(model, mnist.x_test)).sum()


def most_active(model: "keras.Model", mnist: Dataset) -> float:
    """Largest number of units that are not 0 for a test image."""
    return np.count_nonzero(evaluation.encode(model, mnist.x_test), axis=1).max()


def likeness_to_images(model: "keras.Model", mnist: Dataset) -> float:
    """Correlation of unit j of the decoder with training image j minus the mean image.

    The median over the units; 0 for a decoder of another shape.
    """
    rows = model.get_layer("decoder").get_weights()[0]  # (units, pixels)
    images = mnist.x_train[: len(rows)].reshape(-1, mnist.x_train[0].size)
    if rows.shape != images.shape:
        return 0.0
    pairs = zip(rows, images - images.mean(axis=0), strict=True)
    return float(np.median([np.corrcoef(a, b)[0, 1] for a, b in pairs]))


def probe_error(model: "keras.Model", mnist: Dataset) -> float:
    """Error on the test images of a linear classifier trained on the codes of 2,000 images."""
    options = dict(images=SOME, strengths=[1e-2])
    return 1 - evaluation.probe_accuracy(lambda x: evaluation.encode(model, x), mnist, **options)


def _bottleneck(model: "keras.Model") -> object:
    return next((layer for layer in model.layers if layer.name == "bottleneck"), None)


# Notebook 05


def hidden_layers(model: "keras.Model", _: Dataset) -> float:
    """Number of hidden layers of the encoder."""
    return len(_hidden(model))


def sigmoid_layers(model: "keras.Model", _: Dataset) -> float:
    """Number of hidden layers with sigmoid units."""
    return sum(layer.activation.__name__ == "sigmoid" for layer in _hidden(model))


def _hidden(model):
    """The layers of the encoder with weights, except the last one, which is the code."""
    return [layer for layer in model.get_layer("encoder").layers if layer.weights][:-1]


# Notebook 09


def rows(array: np.ndarray, _: Dataset) -> float:
    """Number of rows of an array."""
    return len(array)


def levels(codes: np.ndarray, _: Dataset) -> float:
    """The largest number of different values that one number of the codes takes."""
    return max(len(np.unique(column)) for column in codes.reshape(len(codes), -1).T)


def images_sse(images: np.ndarray, mnist: Dataset) -> float:
    """Squared error per image of reconstructions of the first test images."""
    return evaluation.sse_per_image(mnist.x_test[: len(images)], images)


# Notebook 08: the variational autoencoder


def beta(model: "keras.Model", _: Dataset) -> float:
    """Weight of the KL divergence; -1 for a model that is not variational."""
    weights = [layer.beta for layer in model.layers if isinstance(layer, layers.GaussianSampling)]
    return weights[0] if weights else -1


def divergence(model: "keras.Model", mnist: Dataset) -> float:
    """KL divergence of the codes of the test images from N(0, I), in nats per image."""
    moments = evaluation.posterior(model, mnist.x_test)
    return evaluation.kl_divergence(*moments).sum(axis=1).mean()


def estimate_rows(estimates: np.ndarray, _: Dataset) -> float:
    """Number of rows of a table (numbers of samples, images) of likelihoods; 0 for other arrays."""
    return len(estimates) if estimates.ndim == 2 else 0


def first_estimate(estimates: np.ndarray, _: Dataset) -> float:
    """Mean of the first row, in nats per image."""
    return estimates[0].mean()


def first_gain(estimates: np.ndarray, _: Dataset) -> float:
    """Difference between the means of the first and the second row, in nats per image."""
    return estimates[0].mean() - estimates[1].mean()


def second_gain(estimates: np.ndarray, _: Dataset) -> float:
    """Difference between the means of the second and the third row, in nats per image."""
    return estimates[1].mean() - estimates[2].mean()


def follows_ink(estimates: np.ndarray, mnist: Dataset) -> float:
    """Correlation of the last row with the sum of the pixels of each of the first test images."""
    images = mnist.x_test[: estimates.shape[1]]
    if len(images) != estimates.shape[1] or not estimates[-1].std():
        return 0.0
    return np.corrcoef(estimates[-1], images.sum(axis=(1, 2, 3)))[0, 1]


# Notebook 10: anomalies


def area_of_zeros(model: "keras.Model", mnist: Dataset) -> float:
    """Area under the ROC curve of the squared error as a score for zeros against other digits."""
    return _area(_errors(model, mnist), 0, mnist)


def area_of_ones(model: "keras.Model", mnist: Dataset) -> float:
    """Area under the ROC curve of the squared error as a score for ones against other digits."""
    return _area(_errors(model, mnist), 1, mnist)


def area_of_scores(array: np.ndarray, mnist: Dataset) -> float:
    """Area under the ROC curve of scores (n,) of the test images for ones against other digits."""
    return _area(array, 1, mnist)


def off_error_per_ink(model: "keras.Model", array: np.ndarray, mnist: Dataset) -> float:
    """Largest relative difference between scores and squared error divided by sum of pixels."""
    expected = _errors(model, mnist) / mnist.x_test.reshape(len(mnist.x_test), -1).sum(axis=1)
    check_same_shape(array.shape, expected.shape, "scores", "errors of the test images")
    return np.max(np.abs(array - expected) / expected)


def on_the_right_side(model: "keras.Model", array: np.ndarray, mnist: Dataset) -> float:
    """Of the test images with an alarm, the share with a larger error than all other images."""
    errors, alarm = _errors(model, mnist), np.asarray(array, bool)
    check_same_length(alarm, errors, "alarms", "test images")
    return np.mean(errors[alarm] > errors[~alarm].max())


def false_alarms(array: np.ndarray, mnist: Dataset) -> float:
    """Of the test images that are not zeros, the share with an alarm; alarms are (n,) of bool."""
    return np.asarray(array, bool)[mnist.y_test != 0].mean()


def found_zeros(array: np.ndarray, mnist: Dataset) -> float:
    """Of the test images that are zeros, the share with an alarm; alarms are (n,) of bool."""
    return np.asarray(array, bool)[mnist.y_test == 0].mean()


def _errors(model, mnist):
    x, x_hat = mnist.x_test, evaluation.reconstruct(model, mnist.x_test)
    return np.square(x - x_hat).reshape(len(x), -1).sum(axis=1)


def _area(scores, digit, mnist):
    return roc_auc_score(mnist.y_test == digit, scores)
