"""The rows: what is measured, against what, and how far ahead we mean to be.

To add one: write the work of each side in `peers`, and name it here.
"""

import importlib.util
from dataclasses import dataclass, field, replace

from ae_lab.upkeep.bench.setting import Setting

NEEDS = {"torch_loop": "torch", "jax_scan": "jax"}  # peers that an ordinary install lacks
SMALL = {"images": 256, "small": True}


@dataclass(frozen=True)
class Against:
    """What our side of a row is held against: a peer's work, or a fixed limit.

    Parameters
    ----------
    label : what it is, in words.
    reach : the ratio, other over ours, that is to be reached; 1 / 1.2 means within 1.2 times
        the other's time.
    work : ``module.function`` of `peers`; empty for a limit.
    limit : in the row's unit.
    """

    label: str
    reach: float
    work: str = ""
    limit: float = 0.0

    @property
    def missing(self) -> str:
        """The library that this peer needs and that is not installed; empty if all is there."""
        library = NEEDS.get(self.work.split(".")[0], "")
        return library if library and not importlib.util.find_spec(library) else ""


@dataclass(frozen=True)
class Row:
    """One piece of work: ``ours`` (``module.function`` of `peers`) against each of ``against``.

    Parameters
    ----------
    sizes : fields of `setting.Setting`.
    unit : of the figures.
    long : whether it takes minutes.
    again : how many units of work go before each that is timed: a process that has waited for the
        other side comes back slowly, TensorFlow's by seconds.
    most : how many repeats at most, where a figure hardly varies or takes minutes; 0 for no bound.
    """

    name: str
    title: str
    ours: str
    against: tuple[Against, ...]
    sizes: dict = field(default_factory=dict)
    unit: str = "s"
    long: bool = False
    again: int = 0
    most: int = 0

    def setting(self, repeats: int, small: bool = False) -> Setting:
        """The row's sizes; in a try-out with few images and an easy target."""
        units = 1 + repeats * (1 + self.again)  # the first warms up
        setting = replace(Setting(epochs=units), **self.sizes)
        if not small:
            return setting
        return replace(setting, **SMALL, target=1e3 if setting.target else 0.0)

    def repeats(self, wanted: int) -> int:
        """How many timings are taken of each side."""
        return min(wanted, self.most or wanted)


DEEP = {"latent_dim": 30, "hidden": (1_000, 500, 250)}
WIDE = {"latent_dim": 1_000}

ROWS = (
    Row(
        "dense",
        "784-32-784, an epoch",
        "ours.dense",
        (
            Against("the handout's program", 3.5, "handout.epoch"),
            Against("PyTorch eager, tensors in memory", 1.3, "torch_loop.dense"),
            Against("PyTorch through a DataLoader", 5, "torch_loop.dense_loader"),
            Against("a hand-written XLA scan (JAX)", 1 / 1.2, "jax_scan.dense"),
        ),
        again=1,
    ),
    Row(
        "deep",
        "784-1000-500-250-30 and back, an epoch",
        "ours.deep",
        (Against("its matrix products alone", 1 / 1.5, "products.deep"),),
        DEEP,
        again=1,
    ),
    Row(
        "cnn",
        "the CNN of notebook 02, an epoch",
        "ours.cnn",
        (
            Against("plain Keras fit", 1.2, "keras_fit.cnn"),
            Against("PyTorch eager, tensors in memory", 1, "torch_loop.cnn"),
        ),
        {"batch_size": 128},
        again=1,
    ),
    Row(
        "variational",
        "variational 784-500-20 and back, an epoch",
        "ours.variational",
        (Against("the structure of keras.io's example", 2, "keras_io.variational"),),
        {"latent_dim": 20, "hidden": (500,), "batch_size": 128},
        again=1,
    ),
    Row(
        "k-sparse",
        "k-sparse, 25 of 1,000 units, an epoch",
        "ours.k_sparse",
        (Against("a plain Keras layer with top_k", 1.5, "keras_fit.k_sparse"),),
        WIDE | {"batch_size": 100},
        again=1,
    ),
    Row(
        "contractive",
        "contractive, 1,000 units, an epoch",
        "ours.contractive",
        (Against("a Keras model with its own training step", 1.5, "keras_io.contractive"),),
        WIDE,
        again=1,
    ),
    Row(
        "rbm",
        "Boltzmann machine 784-500, an epoch of CD-1",
        "ours.boltzmann",
        (Against("scikit-learn's BernoulliRBM", 2, "sklearn_rbm.boltzmann"),),
        {"latent_dim": 500, "batch_size": 100},
        again=1,
    ),
    Row(
        "ten-times",
        "784-32-784, ten times the images: shifted copies, streamed as shards",
        "fold.ten_fold",
        (Against("one time the images", 1 / 11, "fold.once"),),
        again=1,
    ),
    Row(
        "ten-times-memory",
        "peak memory of the same, GB",
        "processes.ten_fold_memory",
        (Against("one time the images", 1 / 1.2, "processes.fold_memory"),),
        unit="GB",
        most=3,
    ),
    Row(
        "import",
        "import ae_lab, in a new interpreter",
        "processes.import_package",
        (Against("a limit of 0.1 s", 1, limit=0.1),),
    ),
    Row(
        "help",
        "python -m ae_lab --help",
        "processes.help_text",
        (Against("a limit of 0.4 s", 1, limit=0.4),),
    ),
    Row(
        "dense-to-target",
        "784-32-784 from nothing to a test BCE of 0.0940 a pixel",
        "ours.dense_to_target",
        (Against("the handout's program, 500 epochs at most", 8, "handout.to_target"),),
        {"epochs": 50, "target": 0.0940},
        long=True,
        most=1,
    ),
    Row(
        "deep-to-target",
        "784-1000-500-250-30 from nothing to a squared error of 3.00 a test image",
        "ours.deep_to_target",
        (
            Against("plain Keras fit, 60 epochs planned", 2, "keras_fit.deep_to_target"),
            Against("a limit of 3.5 minutes, half our first try", 1, limit=210),
        ),
        DEEP | {"epochs": 50, "target": 3.0},
        long=True,
        most=1,
    ),
    Row(
        "quick-report",
        "a quick report of all notebooks, from nothing",
        "processes.quick_report",
        (
            Against("jupyter nbconvert --execute, one by one", 1.5, "processes.nbconvert"),
            Against("a limit of 6 minutes", 1, limit=360),
        ),
        long=True,
        most=1,
    ),
    Row(
        "unchanged-report",
        "the report again, nothing changed",
        "processes.unchanged_report",
        (Against("a limit of 2 s", 1, limit=2),),
        long=True,
    ),
    Row(
        "report-memory",
        "peak memory of a notebook's kernel, GB",
        "processes.report_memory",
        (Against("a limit of 1.5 GB", 1, limit=1.5),),
        unit="GB",
        long=True,
        most=1,
    ),
)
