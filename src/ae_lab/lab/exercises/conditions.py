"""What an answer must meet: pairs of a function and the hint that is given where it fails.

The function takes the answer, {name: number}, and the yardsticks of the data at hand.
"""

import math

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
    """As good as answering with the mean image, of the data at hand where they are known."""

    def test(answer, yardsticks):
        known = yardsticks.dataset is not None
        mean = yardsticks.mean_image_bce if known else 0.2626
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


def is_pca(answer, yardsticks) -> bool:
    """The figure is what so many components score, where the data are known."""
    if yardsticks.dataset is None:
        return True
    return math.isclose(yardsticks.pca_sse(int(answer["size"])), answer["PCA"], rel_tol=0.03)
