"""What an answer must meet: pairs of a function and the hint that is given where it fails.

The function takes the answer, {name: number}, and the dataset that the notebook loaded, or None.
"""

import math

import numpy as np

SHARE = "a share, not per cent"


def within(low, high, *names, of):
    """Each of the numbers (all, without names) lies in a range that ``of`` names in words."""

    def test(answer, _):
        return all(low <= answer[name] <= high for name in names or answer)

    which = " and ".join(names) if names else "a number"
    return test, f"{which} is out of the range that is possible for {of}; check unit and sign"


def shares(*names, low=0.15):
    """Accuracies: at most 1, and better than guessing."""
    return within(low, 1, *names, of=f"an accuracy ({SHARE}) of something that learned at all")


def larger(more, less, why, factor=1.0, by=0.0):
    """One number exceeds another, by a factor or a margin."""

    def test(answer, _):
        return answer[more] > factor * answer[less] + by

    return test, f"the order of {more} and {less} is not that of a trained network: {why}"


def whole(name):
    return lambda answer, _: answer[name] == int(answer[name]), f"{name} must be a whole number"


def near_mean_image(name):
    """As good as the mean training image as the answer to every test image."""

    def test(answer, dataset):
        mean = 0.2626 if dataset is None else _mean_image_bce(dataset)  # MNIST's
        return abs(answer[name] / mean - 1) < 0.08

    hint = f"{name} is not what an image scores that is the same for every input; see that the code"
    return test, hint + " is dead, and that the biases had enough steps to settle"


def squared_errors(*names):
    return within(0.5, 200, *names, of="a squared error summed over the pixels of an image")


def cross_entropies(*names):
    return within(0.03, 0.69, *names, of="a cross-entropy in nats a pixel that learned anything")


def nats(*names):
    return within(20, 540, *names, of="nats an image, summed over pixels, that learned anything")


def look_alike(answer, _):
    digits = {answer["first"], answer["second"]}
    return digits in [{4, 9}, {7, 9}, {4, 7}, {3, 5}, {3, 8}, {5, 8}]


def is_pca(answer, dataset) -> bool:
    """The squared error is that of so many principal components, where the images are known."""
    if dataset is None:
        return True
    from ae_lab import evaluation  # imports Keras, which this module must not

    size = int(answer["size"])
    x_hat = evaluation.pca_reconstruction(dataset.x_train, dataset.x_test, size)
    error = evaluation.sse_per_image(dataset.x_test, x_hat)
    return math.isclose(error, answer["PCA"], rel_tol=0.03)


def _mean_image_bce(dataset) -> float:
    from ae_lab import evaluation

    mean = np.broadcast_to(dataset.x_train.mean(axis=0), dataset.x_test.shape)
    return evaluation.bce_per_pixel(dataset.x_test, mean)
