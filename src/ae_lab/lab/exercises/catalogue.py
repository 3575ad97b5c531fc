"""The exercises, three a notebook: what is handed in, and what is asked of it."""

from collections.abc import Callable
from dataclasses import dataclass

from ae_lab.lab.exercises.conditions import (
    SHARE,
    cross_entropies,
    is_pca,
    larger,
    look_alike,
    nats,
    near_mean_image,
    shares,
    squared_errors,
    whole,
    within,
)


@dataclass(frozen=True)
class Exercise:
    """What is asked for, the names of its numbers, and the tests in the order they are made.

    A test is (function of (answer, dataset) that is true for a right answer, hint).
    """

    asks: str
    names: tuple[str, ...]
    tests: tuple[tuple[Callable, str], ...]


EXERCISES = {
    "01.1": Exercise(
        'a dict with the squared error an image through two numbers and through 32, {"2": …, '
        '"32": …}',
        ("2", "32"),
        (
            squared_errors(),
            larger("2", "32", "fewer numbers must cost far more of the image", factor=1.5),
        ),
    ),
    "01.2": Exercise(
        'a dict with the change of each figure, {"bce": …, "sse": …}: after training on squared '
        "error minus after training on cross-entropy",
        ("bce", "sse"),
        (
            within(-0.2, 0.2, "bce", of="a change of nats a pixel"),
            within(-20, 20, "sse", of="a change of the squared error an image"),
            (
                lambda a, _: a["bce"] > 0,
                "bce has the wrong sign: mind which training is taken from which, and which of "
                "them was asked for this figure",
            ),
        ),
    ),
    "01.3": Exercise(
        'a dict with the size of the code and two squared errors, {"size": …, "autoencoder": …, '
        '"PCA": …}',
        ("size", "autoencoder", "PCA"),
        (
            whole("size"),
            within(2, 128, "size", of="a code that can be read and is smaller than the image"),
            squared_errors("autoencoder", "PCA"),
            (
                is_pca,
                "PCA is not what principal components of that size score on the test images",
            ),
        ),
    ),
    "02.1": Exercise(
        "a dict with four accuracies of CNNs, each trained and tested on its own view: "
        '{"noisy 0.3": …, "denoised 0.3": …, "noisy 1": …, "denoised 1": …}',
        ("noisy 0.3", "denoised 0.3", "noisy 1", "denoised 1"),
        (
            shares(),
            larger("noisy 0.3", "noisy 1", "more noise leaves less to see"),
            larger("denoised 0.3", "denoised 1", "a denoiser cannot bring back what is lost"),
        ),
    ),
    "02.2": Exercise(
        "a dict with the accuracies on reconstructions of a CNN trained on raw images alone and "
        'of one trained on both, {"raw": …, "both": …}',
        ("raw", "both"),
        (
            shares(),
            larger("both", "raw", "it has now seen this kind of image", by=-0.005),
            within(0.3, 1, of="reconstructions that can be read"),
        ),
    ),
    "02.3": Exercise(
        'a dict with two accuracies, {"in order": …, "shuffled": …}',
        ("in order", "shuffled"),
        (
            shares(low=0.4),
            (
                lambda a, _: abs(a["in order"] - a["shuffled"]) < 0.08,
                "the two lie too far apart for numbers that had no places to lose; training "
                "and test codes must be shuffled the same way",
            ),
        ),
    ),
    "03.1": Exercise(
        'a dict with four PSNR in dB, {"Gaussian by Gaussian": …, "Gaussian by salt": …, '
        '"salt by salt": …, "salt by Gaussian": …}: noise by the network trained on it or on '
        "the other",
        ("Gaussian by Gaussian", "Gaussian by salt", "salt by salt", "salt by Gaussian"),
        (
            within(5, 40, of="a PSNR of digits in dB"),
            larger("salt by salt", "salt by Gaussian", "it knows this noise"),
        ),
    ),
    "03.2": Exercise(
        "a dict with the accuracy of the linear classifier on clean codes for each amount, "
        '{"0.1": …, "0.4": …, "1": …}',
        ("0.1", "0.4", "1"),
        (
            shares(low=0.5),
            (
                lambda a, _: len(set(a.values())) > 1,
                "equal numbers; the network must be trained again",
            ),
        ),
    ),
    "03.3": Exercise(
        "a dict with the mean length of the exact arrows over the grid for each SIGMA, "
        '{"0.16": …, "0.02": …}',
        ("0.16", "0.02"),
        (
            within(0.02, 0.3, of="steps inside a unit square"),
            larger(
                "0.16",
                "0.02",
                "where several parts of the curve are likely, the step goes to their middle",
                factor=1.05,
            ),
        ),
    ),
    "04.1": Exercise(
        'a dict with the mean activation for each target, {"0.05": …, "0.5": …}',
        ("0.05", "0.5"),
        (
            within(0.005, 0.95, of="the mean activation of sigmoid units"),
            larger("0.5", "0.05", "the penalty is on, so the larger target gives", factor=1.5),
        ),
    ),
    "04.2": Exercise(
        'a dict with the weight and the cross-entropy a pixel there, {"weight": …, "bce": …}',
        ("weight", "bce"),
        (
            within(1e-3, 1e4, "weight", of="a weight that kills every unit"),
            within(0.01, 1, "bce", of="a cross-entropy in nats a pixel"),
            near_mean_image("bce"),
        ),
    ),
    "04.3": Exercise(
        "a dict with squared error and the classifier's error for two values of ALPHA, "
        '{"sse 1": …, "sse 4": …, "wrong 1": …, "wrong 4": …}, the last two as shares',
        ("sse 1", "sse 4", "wrong 1", "wrong 4"),
        (
            within(1, 2_000, "sse 1", "sse 4", of="a squared error"),
            within(0, 0.6, "wrong 1", "wrong 4", of=f"an error ({SHARE}) of this classifier"),
            larger("sse 4", "sse 1", "the decoder never saw that many units at once"),
        ),
    ),
    "05.1": Exercise(
        "a dict with the validation error in nats an image from the sigmoid stack, "
        '{"none": …, "one epoch": …, "all": …}: no pre-training, one epoch, all epochs',
        ("none", "one epoch", "all"),
        (
            nats(),
            larger("none", "all", "in sigmoid units the start decides"),
            larger("none", "one epoch", "even a short stack is a start"),
        ),
    ),
    "05.2": Exercise(
        "a dict with three validation errors in nats an image, "
        '{"pre-trained": …, "random": …, "random, ten times": …}',
        ("pre-trained", "random", "random, ten times"),
        (
            nats(),
            larger("random", "random, ten times", "ten times the epochs must go further"),
        ),
    ),
    "05.3": Exercise(
        'a dict with the two digits that lie on each other most, {"first": …, "second": …}',
        ("first", "second"),
        (
            within(0, 9, of="digits"),
            whole("first"),
            whole("second"),
            (lambda a, _: a["first"] != a["second"], "two different digits are asked for"),
            (
                look_alike,
                "these two do not look alike; let the linear classifier on the two "
                "numbers say which digit it takes for which most often",
            ),
        ),
    ),
    "06.1": Exercise(
        'a dict with two columns for two weights, {"norm 0.1": …, "norm 10": …, "bce 0.1": …, '
        '"bce 10": …}',
        ("norm 0.1", "norm 10", "bce 0.1", "bce 10"),
        (
            within(0, 1e4, "norm 0.1", "norm 10", of="a squared norm"),
            cross_entropies("bce 0.1", "bce 10"),
            larger("norm 0.1", "norm 10", "this is what the weight is a price of", factor=1.5),
            larger("bce 10", "bce 0.1", "a code that answers less says less"),
        ),
    ),
    "06.2": Exercise(
        "a dict with four squared Jacobian norms, "
        '{"plain": …, "noise": …, "penalty": …, "both": …}',
        ("plain", "noise", "penalty", "both"),
        (
            within(0, 1e4, of="a squared norm"),
            larger("plain", "penalty", "the penalty is a price of just this"),
            larger("noise", "both", "the penalty is at work there, too"),
        ),
    ),
    "06.3": Exercise(
        "a dict with the contraction of the plain and of the contractive network for two steps, "
        '{"plain 0.1": …, "contractive 0.1": …, "plain 0.5": …, "contractive 0.5": …}',
        ("plain 0.1", "contractive 0.1", "plain 0.5", "contractive 0.5"),
        (
            within(1e-4, 10, of="one length by another"),
            larger("plain 0.1", "contractive 0.1", "for small steps the Jacobian is the promise"),
        ),
    ),
    "07.1": Exercise(
        'a dict with the squared error after repair for two holes, {"10": …, "14": …}',
        ("10", "14"),
        (squared_errors(), larger("14", "10", "a larger hole hides more", factor=1.05)),
    ),
    "07.2": Exercise(
        "a dict with the squared error of doing nothing and of the dense network, "
        '{"hole, nothing": …, "hole, dense": …, "noise, nothing": …, "noise, dense": …}',
        ("hole, nothing", "hole, dense", "noise, nothing", "noise, dense"),
        (
            squared_errors(),
            larger("noise, nothing", "noise, dense", "a trained network removes some noise"),
        ),
    ),
    "07.3": Exercise(
        "a dict with the gradient energy as a share of the clean images' after either training, "
        '{"cross-entropy": …, "squared error": …}',
        ("cross-entropy", "squared error"),
        (
            within(0.1, 1.3, of=f"gradient energy of a reconstruction ({SHARE})"),
            (
                lambda a, _: a["cross-entropy"] != a["squared error"],
                "equal numbers; the network must be trained again",
            ),
        ),
    ),
    "08.1": Exercise(
        'a dict with the number of active latents and the cross-entropy, {"active": …, "bce": …}',
        ("active", "bce"),
        (
            whole("active"),
            within(0, 1_000, "active", of="a count"),
            cross_entropies("bce"),
            (
                lambda a, _: a["active"] <= 2,
                "too many latents are active for a divergence that dear",
            ),
            near_mean_image("bce"),
        ),
    ),
    "08.2": Exercise(
        "a number: how far along the way from the 3 to the 8 the picture becomes an 8, as a share",
        ("share",),
        (within(0.02, 0.98, of="a point between the two ends, as a share of the way"),),
    ),
    "08.3": Exercise(
        "a dict with the estimated negative log-likelihood in nats an image for each number of "
        'samples, {"1": …, "10": …, "1000": …}',
        ("1", "10", "1000"),
        (
            nats(),
            larger("1", "10", "mind on which side of the logarithm the mean is taken"),
            larger("10", "1000", "mind on which side of the logarithm the mean is taken"),
        ),
    ),
    "09.1": Exercise(
        "a dict with accuracy and squared error of the variational kind, "
        '{"right 1": …, "right 16": …, "error 1": …, "error 16": …}',
        ("right 1", "right 16", "error 1", "error 16"),
        (
            shares("right 1", "right 16"),
            squared_errors("error 1", "error 16"),
            larger("error 16", "error 1", "the dearer the divergence, the less the code says"),
        ),
    ),
    "09.2": Exercise(
        "a dict with the accuracy on the undercomplete code with few labels and with all of them, "
        '{"few": …, "many": …}',
        ("few", "many"),
        (shares(), larger("many", "few", "more labels cannot hurt that much")),
    ),
    "09.3": Exercise(
        'a dict with the squared error at eight and at four bits a number, {"8": …, "4": …}',
        ("8", "4"),
        (
            squared_errors(),
            larger("4", "8", "coarser steps lose more"),
            (
                lambda a, _: a["4"] < 5 * a["8"],
                "that much more is no rounding: the steps must be "
                "spread over the range of each number, ends included",
            ),
        ),
    ),
}
