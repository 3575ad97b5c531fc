"""Repeats the notebooks' choices: ``python -m ae_lab.upkeep.choose 05.sigmoid_random``.

A choice is a grid of settings in ``choose.toml``. Each setting is trained on training images, with
the profile and seed of the environment, and measured on validation images. The setting with the
smallest value is chosen; no test image is used. ``reports/choices.json`` stores all values.
"""

import math
import sys
import tomllib
from itertools import product
from pathlib import Path

import numpy as np

from ae_lab import data, evaluation, layers, losses, models, rbm, training
from ae_lab.data.mnist import as_floats
from ae_lab.errors import LabError
from ae_lab.files import read_json, write_json
from ae_lab.report.build import describe_commit, say_now
from ae_lab.settings import Settings

TABLES = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
STACK_COST = 5 / 6  # epochs of fine-tuning that take as long as one epoch of the stack


class Bench:
    """The images of a choice, cut to ``size``, its ``seed``, and models shared by settings."""

    def __init__(self, mnist: data.Dataset, seed: int, size: dict):
        self.seed, self.size, self.starts = seed, size, {}
        self.x, self.y = mnist.train_images[: size["images"]], mnist.y_train[: size["images"]]
        self.validation = mnist.validation_images, mnist.y_validation
        self.x_known = mnist.x_validation

    def fit(self, model, rate: float, train=training.fit, **options) -> dict:
        """Train a model, with the epochs and batch of ``size`` by default; return its history."""
        usual = dict(epochs=self.size.get("epochs"), batch_size=self.size.get("batch"))
        known = dict(validation=self.validation[0], learning_rate=rate)
        return train(model, self.x, **known, **usual | options)

    def classify(self, network, rate: float, **options) -> float:
        """Train a classifier and return its error on the validation images."""
        x, y = self.validation
        labels = dict(labels=self.y, validation_labels=y)
        self.fit(network, rate, training.fit_classifier, **labels, **options)
        return float(np.mean(evaluation.predict_labels(network, self.x_known) != y))

    def probe(self, model, strengths: list[float]) -> float:
        """Error of a linear classifier of the codes of an autoencoder."""
        few = slice(self.size.get("labels"))
        z, known = (evaluation.encode(model, x) for x in (as_floats(self.x[few]), self.x_known))
        _, errors = evaluation.linear_probe(z, self.y[few], known, self.validation[1], strengths)
        return min(errors.values())


def dense(bench: Bench, rate: float, epochs: int) -> float:
    """Cross-entropy of the undercomplete network in nats per validation image."""
    return bench.fit(models.undercomplete(), rate, epochs=epochs)["val_loss"][-1]


def cnn(bench: Bench, dropout: float, shift: int) -> float:
    """Error of a CNN on raw images."""
    return bench.classify(models.classifier(dropout=dropout, shift=shift), 2e-3)


def sparse(bench: Bench, k: int = 0, weight: float = 0.0) -> float:
    """Error of a linear classifier of a sparse code, with k active units or a KL penalty."""
    keep = layers.KSparse(k) if k else layers.KLSparsity(weight=weight)
    linear = dict(code_activation="linear", output_activation="linear") if k else {}
    model = models.sparse(bottleneck=keep, **linear)
    bench.fit(model, 1e-3, loss=losses.squared_error if k else losses.binary_cross_entropy)
    return bench.probe(model, [1e-2, 1e-3])


def winner(bench: Bench, rate: float) -> float:
    """Error of a support vector machine of the winner-take-all code."""
    options = dict(code_activation="relu", output_activation="linear")
    keep = layers.WinnerTakeAll(0.05)
    model = models.sparse(bottleneck=keep, latent_dim=bench.size["units"], **options)
    bench.fit(model, rate, loss=losses.squared_error, tied=True)
    x, y = bench.validation
    z = evaluation.encode(model, as_floats(np.concatenate([bench.x, x])))
    labels = np.concatenate([bench.y, y])
    return min(evaluation.svm_probe(z, labels, len(y), bench.size["costs"])[1].values())


def deep(bench: Bench, activation: str, rate: float, stack: int = 0) -> float:
    """Error of a deep network in nats per validation image; ``stack`` epochs of pre-training.

    Networks with and without pre-training need the same amount of computation.
    """
    widths = [*bench.size["hidden"], 30]
    model = models.deep(activation=activation, hidden=widths[:-1])
    if stack:
        above = [("gaussian", "rectified")] * (len(widths) - 2)
        rectified = [("bernoulli", "rectified"), *above, ("gaussian", "gaussian")]
        options = dict(units=rectified if activation == "relu" else None, epochs=stack)
        rows = as_floats(bench.x).reshape(len(bench.x), -1)
        if stack not in bench.starts:
            bench.starts[stack] = rbm.pretrain_stack(rows, widths, seed=bench.seed, **options)
        models.unroll(model, bench.starts[stack])
    epochs = bench.size["epochs"] - math.ceil(STACK_COST * stack)
    return bench.fit(model, rate, epochs=epochs)["val_reconstruction"][-1]


def today(bench: Bench, rate: float) -> float:
    """Squared error per image of the deep network with today's recipe of notebook 05."""
    size, last = bench.size, round(bench.size["epochs"] / 3)
    model = models.deep(hidden=size["hidden"], initializer="he_normal")
    models.start_from_mean(model, as_floats(bench.x))
    slant = layers.RandomSlant(*size["slant"]) if "slant" in size else None
    options = dict(epochs=size["epochs"] - last, transform=slant, weight_decay=size["decay"])
    bench.fit(model, rate, **options)
    options |= dict(epochs=last, loss=losses.squared_error)
    bench.fit(model, rate / 2, **options)
    bench.fit(model, 5e-4, **options | dict(epochs=1, transform=None))
    return evaluation.sse_per_image(bench.x_known, evaluation.reconstruct(model, bench.x_known))


def finetuned(bench: Bench, rate: float, masked=0.0, weight=0.0, **dropout) -> float:
    """Error of a classifier started from a denoising or contractive network, or at random.

    Pre-training uses tied weights, fine-tuning gradient descent with momentum; ``dropout`` holds
    the rates of the classifier, none in the papers' protocol.
    """
    units = bench.size["units"]
    if (masked or weight) and (masked, weight) not in bench.starts:
        build, named = models.contractive, dict(weight=weight)
        if masked:
            named = dict(corruption=layers.MaskingCorruption(masked), code_activation="sigmoid")
            build = models.denoising
        model = build(latent_dim=units, hidden=(), **named)
        bench.fit(model, 1e-3, epochs=bench.size["pretrain"], tied=True)
        bench.starts[masked, weight] = model
    training.seed_everything(bench.seed)  # the same for all settings that share a model
    network = models.perceptron(units=units, **dict(input_dropout=0, dropout=0) | dropout)
    if masked or weight:
        models.start_from_encoder(network, bench.starts[masked, weight])
    return bench.classify(network, rate, optimizer="sgd")


def convolutional(bench: Bench, rate: float, noise=0.0, code_activation="relu", **options) -> float:
    """Cross-entropy of a convolutional network in nats per pixel, from images with this noise."""
    corruption = layers.GaussianCorruption(noise) if noise else None
    parts = bench.size["shape"] | dict(code_activation=code_activation, corruption=corruption)
    model = models.convolutional(**parts)
    bench.fit(model, rate, **options)
    noisy = data.add_gaussian_noise(bench.x_known, noise, bench.seed)
    return evaluation.bce_per_pixel(bench.x_known, evaluation.reconstruct(model, noisy))


def compared(bench: Bench, rate: float) -> float:
    """Mean error of linear classifiers of two codes of notebook 09: undercomplete and deep."""
    errors = []
    for hidden in bench.size["hidden"]:  # the only difference: both have GELU and a linear code
        training.seed_everything(bench.seed)
        model = models.deep(latent_dim=20, hidden=hidden)
        bench.fit(model, rate)
        errors.append(bench.probe(model, [1e-2, 1e-3, 1e-4]))
    return float(np.mean(errors))


def choose(settings: Settings, names: list[str], say=say_now) -> None:
    """Repeat the choices with these names, all if empty; ``say`` prints the progress."""
    choices, sizes = TABLES["choices"], TABLES["sizes"]
    measures = dense, cnn, sparse, winner, deep, today, finetuned, convolutional, compared
    if unknown := sorted(set(names) - set(choices)):
        raise LabError(f"a choice must be one of {', '.join(choices)}, received {unknown}.")
    mnist, path = data.load_mnist(settings), settings.report_folder / "choices.json"
    commit = describe_commit(settings.project_folder, "%h of %cs")
    for name in names or choices:
        choice, size = choices[name], sizes.get(name, sizes.get(name[:2]))[settings.profile]
        measure = next(one for one in measures if one.__name__ == choice["measure"])
        bench, tried = Bench(mnist, settings.seed, size), []
        for values in product(*choice["grid"].values()):
            setting = dict(zip(choice["grid"], values, strict=True))
            training.seed_everything(settings.seed)
            value = measure(bench, **choice.get("given", {}), **setting)
            tried.append(setting | {"value": float(f"{value:.6g}")})
            say(f"  {name}  {tried[-1]}\n")
        kept = {"tried": tried, "chosen": min(tried, key=lambda one: one["value"])}
        kept |= {"size": size, "seed": settings.seed, "data": mnist.source, "commit": commit}
        write_json(path, (read_json(path) or {}) | {f"{name}, {settings.profile}": choice | kept})


if __name__ == "__main__":
    try:
        choose(Settings.from_environment(), sys.argv[1:])
    except LabError as error:
        sys.exit(f"error: {error}")
