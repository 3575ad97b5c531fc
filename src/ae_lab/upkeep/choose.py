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

    def fit(self, model, epochs: int, rate: float, **options) -> dict:
        """Train an autoencoder and return its history."""
        known = dict(validation=self.validation[0], batch_size=self.size["batch"]) | options
        return training.fit(model, self.x, epochs=epochs, learning_rate=rate, **known)

    def classify(self, network, rate: float, **options) -> float:
        """Train a classifier and return its error on the validation images."""
        x, y = self.validation
        options |= dict(epochs=self.size["epochs"], batch_size=self.size["batch"])
        known = dict(validation=x, validation_labels=y, learning_rate=rate) | options
        training.fit_classifier(network, self.x, self.y, **known)
        return float(np.mean(evaluation.predict_labels(network, as_floats(x)) != y))


def dense(bench: Bench, rate: float, epochs: int) -> float:
    """Cross-entropy of the undercomplete network in nats per validation image."""
    return bench.fit(models.undercomplete(), epochs, rate)["val_loss"][-1]


def cnn(bench: Bench, dropout: float, shift: int) -> float:
    """Error of a CNN on raw images."""
    return bench.classify(models.classifier(dropout=dropout, shift=shift), 2e-3)


def sparse(bench: Bench, k: int = 0, weight: float = 0.0) -> float:
    """Error of a linear classifier of a sparse code, with k active units or a KL penalty."""
    keep = layers.KSparse(k) if k else layers.KLSparsity(weight=weight)
    linear = dict(code_activation="linear", output_activation="linear") if k else {}
    model = models.sparse(bottleneck=keep, **linear)
    loss = losses.squared_error if k else losses.binary_cross_entropy
    bench.fit(model, bench.size["epochs"], 1e-3, loss=loss)
    z = [evaluation.encode(model, as_floats(x)) for x in (bench.x, bench.validation[0])]
    _, errors = evaluation.linear_probe(z[0], bench.y, z[1], bench.validation[1], [1e-2, 1e-3])
    return min(errors.values())


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
    return bench.fit(model, epochs, rate)["val_reconstruction"][-1]


def finetuned(bench: Bench, rate: float, masked=0.0, weight=0.0, **dropout) -> float:
    """Error of a classifier started from a denoising or contractive network, or at random.

    Pre-training uses tied weights, fine-tuning gradient descent with momentum; ``dropout`` holds
    the rates of the classifier, none in the papers' protocol.
    """
    units = bench.size["units"]
    if (masked or weight) and (masked, weight) not in bench.starts:
        if masked:
            named = dict(corruption=layers.MaskingCorruption(masked), code_activation="sigmoid")
        else:
            named = dict(weight=weight)
        build = models.denoising if masked else models.contractive
        model = build(latent_dim=units, hidden=(), **named)
        bench.fit(model, bench.size["pretrain"], 1e-3, tied=True)
        bench.starts[masked, weight] = model
    training.seed_everything(bench.seed)  # the same for all settings that share a model
    network = models.perceptron(units=units, **dict(input_dropout=0, dropout=0) | dropout)
    if masked or weight:
        models.start_from_encoder(network, bench.starts[masked, weight])
    return bench.classify(network, rate, optimizer="sgd")


def choose(settings: Settings, names: list[str], say=say_now) -> None:
    """Repeat the choices with these names, all if empty; ``say`` prints the progress."""
    choices, measures = TABLES["choices"], (dense, cnn, sparse, deep, finetuned)
    if unknown := sorted(set(names) - set(choices)):
        raise LabError(f"a choice must be one of {', '.join(choices)}, received {unknown}.")
    mnist, path = data.load_mnist(settings), settings.report_folder / "choices.json"
    commit = describe_commit(settings.project_folder, "%h of %cs")
    for name in names or choices:
        choice, size = choices[name], TABLES["sizes"][name[:2]][settings.profile]
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
