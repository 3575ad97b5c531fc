"""The rows: what is compared with what, how it is measured, and when there is a verdict.

To add a row, write the work of each side in ``tests/benchmarks``, and add it to `ROWS`.
"""

import importlib.util
import statistics
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

import numpy as np

from ae_lab.upkeep.bench.side import Answer, Side, Workload

NEEDS = {"torch_loop": "torch", "jax_scan": "jax"}  # peers that are not in a normal installation
KEYS = ("row", "against", "ours_s", "other_s", "ratio", "low", "high", "reach", "reached")
SLACK = 1.05  # if our final loss exceeds this many times theirs, the work is not the same


@dataclass(frozen=True)
class Against:
    """What our side of a row is compared with: a peer's work, or a fixed limit.

    Parameters
    ----------
    label : description.
    reach : target of the ratio other / ours; 1 / 1.2 means at most 1.2 times the other's time.
    work : ``script.function`` of ``tests/benchmarks``; empty for a limit.
    limit : limit in the row's unit.
    """

    label: str
    reach: float
    work: str = ""
    limit: float = 0.0

    @property
    def missing(self) -> str:
        """The library that this peer needs if it is not installed, else ""."""
        library = NEEDS.get(self.work.split(".")[0], "")
        return library if library and not importlib.util.find_spec(library) else ""


@dataclass(frozen=True)
class Row:
    """One task: our work (also a ``script.function``) compared with each of ``against``.

    ``sizes`` are fields of `Workload`; ``unit`` is the unit of the values. A ``long`` row takes
    minutes and is timed once.
    """

    name: str
    title: str
    ours: str
    against: tuple[Against, ...]
    sizes: dict = field(default_factory=dict)
    unit: str = "s"
    long: bool = False

    def workload(self, repeats: int, small: bool = False) -> Workload:
        """The row's sizes; with few images and an easy target if ``small``."""
        epochs = 1 + 2 * repeats  # one to warm up, and one before each timed epoch
        workload = replace(Workload(epochs=epochs), **self.sizes)
        easy = {"images": 256, "small": True, "target": 1e3 if workload.target else 0.0}
        return replace(workload, **easy) if small else workload


DEEP = {"latent_dim": 30, "hidden": (1_000, 500, 250)}
VARIATIONAL = {"latent_dim": 20, "hidden": (500,), "batch_size": 128}
A = Against
# A table, formatted by hand: name, title, our work, what it is compared with, sizes.
# fmt: off
ROWS = (
    Row("dense", "784-32-784, one epoch", "ours.dense", (
        A("the handout's program", 3.5, "handout.program"),
        A("PyTorch eager, tensors in memory", 1.3, "torch_loop.dense"),
        A("PyTorch through a DataLoader", 5, "torch_loop.dense_loader"),
        A("a hand-written XLA scan (JAX)", 1 / 1.2, "jax_scan.dense"))),
    Row("deep", "784-1000-500-250-30 and back, one epoch", "ours.deep", (
        A("its matrix products alone", 1 / 1.5, "matmul.deep"),), DEEP),
    Row("cnn", "the CNN of notebook 02, one epoch", "ours.cnn", (
        A("plain Keras fit", 1.2, "keras_fit.cnn"),
        A("PyTorch eager, tensors in memory", 1, "torch_loop.cnn")), {"batch_size": 128}),
    Row("variational", "variational 784-500-20 and back, one epoch", "ours.variational", (
        A("the structure of keras.io's example", 2, "keras_fit.variational"),), VARIATIONAL),
    Row("binarised", "variational 784-500-20 on images binarised again at each step",
        "ours.binarised", (
        A("a hand-written XLA scan (JAX)", 1 / 1.15, "jax_scan.variational"),), VARIATIONAL),
    Row("denoising", "denoising 784-512-128 and back, one epoch", "ours.denoising", (
        A("a hand-written XLA scan (JAX)", 1 / 1.15, "jax_scan.denoising"),),
        {"latent_dim": 128, "hidden": (512,)}),
    Row("fine-tuning", "784-1000-10 with dropout, one epoch", "ours.fine_tuning", (
        A("a hand-written XLA scan (JAX)", 1 / 1.15, "jax_scan.fine_tuning"),),
        {"latent_dim": 1_000, "batch_size": 128}),
    Row("k-sparse", "k-sparse, 25 of 1,000 units, one epoch", "ours.k_sparse", (
        A("a plain Keras layer with top_k", 1.5, "keras_fit.k_sparse"),),
        {"latent_dim": 1_000, "batch_size": 100}),
    Row("contractive", "contractive, 1,000 units, one epoch", "ours.contractive", (
        A("a Keras model with its own training step", 1.5, "keras_fit.contractive"),),
        {"latent_dim": 1_000}),
    Row("rbm", "Boltzmann machine 784-500, one epoch of CD-1", "ours.boltzmann", (
        A("scikit-learn's BernoulliRBM", 2, "sklearn_rbm.boltzmann"),),
        {"latent_dim": 500, "batch_size": 100}),
    Row("import", "import ae_lab, in a new interpreter", "programs.import_package", (
        A("a limit of 0.1 s", 1, limit=0.1),)),
    Row("help", "python -m ae_lab --help", "programs.help_text", (
        A("a limit of 0.4 s", 1, limit=0.4),)),
    Row("dense-to-target", "784-32-784 from the start to a test BCE of 0.0940 per pixel",
        "ours.dense", (A("the handout's program, 500 epochs at most", 8, "handout.program"),),
        {"epochs": 50, "target": 0.0940}, long=True),
    Row("deep-to-target", "784-1000-500-250-30 from the start to a squared error of 3.00 per image",
        "ours.deep", (
        A("plain Keras fit, 60 epochs planned", 2, "keras_fit.deep_to_target"),
        A("a limit of 3.5 minutes, half our first try", 1, limit=210)),
        DEEP | {"epochs": 50, "target": 3.0}, long=True),
    Row("quick-report", "a quick report without stored results", "programs.quick_report", (
        A("jupyter nbconvert --execute, one by one", 1.5, "programs.nbconvert"),
        A("a limit of 6 minutes", 1, limit=360)), long=True),
    Row("unchanged-report", "the report again, without changes", "programs.unchanged_report", (
        A("a limit of 2 s", 1, limit=2),), long=True),
    Row("report-memory", "peak memory of a notebook's kernel, GB", "programs.report_memory", (
        A("a limit of 1.5 GB", 1, limit=1.5),), unit="GB", long=True),
)
# fmt: on


@dataclass(frozen=True)
class Result:
    """One row compared with one peer.

    ``ours_s`` and ``other_s`` are medians in seconds (or in the row's unit). ``low``, ``ratio``
    and ``high`` are the quartiles of other / ours. Each ratio is of two consecutive timings,
    because other programs on a shared machine slow down some timings. ``reached`` is None if there
    is no verdict; ``note`` has the reason.
    """

    row: str
    against: str
    ours_s: float
    other_s: float
    ratio: float
    low: float
    high: float
    reach: float
    reached: bool | None
    note: str = ""
    unit: str = "s"
    ours_loss: float | None = None
    other_loss: float | None = None

    @property
    def verdict(self) -> str:
        """The verdict in words."""
        return self.note or ("reached" if self.reached else "missed")

    def exported(self) -> dict:
        """The entry in ``bench.json``."""
        return {key: getattr(self, key) for key in KEYS}


def measure(row: Row, workload: Workload, repeats: int) -> list[Result]:
    """Measure our work and that of every peer of a row in turn; compare ours with each."""
    works = [row.ours, *(peer.work for peer in row.against if peer.work)]
    with ExitStack() as stack:
        sides = [stack.enter_context(Side(work, workload)) for work in works]
        if workload.target:
            answers = [[side.ask_until(workload.target)] for side in sides]
        else:
            answers = in_turn(sides, repeats, again=not row.long)
    ours, found = answers[0], dict(zip(works[1:], answers[1:], strict=True))
    return [summarise(row, peer, ours, found.get(peer.work), workload) for peer in row.against]


def in_turn(sides: list[Side], repeats: int, again: bool) -> list[list[Answer]]:
    """``repeats`` answers of each side; if ``again``, each is the second of two units of work.

    A process that has waited for the other side is slow at first; TensorFlow loses seconds. The
    order alternates, so that no side gains if the machine becomes slower or faster.
    """
    answers = [[] for _ in sides]
    for turn in range(repeats):
        order = range(len(sides))
        for i in reversed(order) if turn % 2 else order:
            answers[i].append(sides[i].ask(again))
    return answers


def summarise(row: Row, against: Against, ours: list, other: list | None, workload: Workload):
    """The `Result` of these answers; without ``other``, compared with the row's limit."""
    other = other or [Answer(against.limit, None)] * len(ours)
    ratios = [b.value / a.value for a, b in zip(ours, other, strict=True)]
    medians = [statistics.median(answer.value for answer in side) for side in (ours, other)]
    low, ratio, high = (float(q) for q in np.percentile(ratios, (25, 50, 75)))
    losses = [side[-1].loss for side in (ours, other)]
    note = reservation(low, high, against.reach, *losses, workload)
    reached = None if note else ratio >= against.reach
    figures = (*medians, ratio, low, high, against.reach, reached)
    return Result(row.name, against.label, *figures, note, row.unit, *losses)


def reservation(low, high, reach, ours_loss, other_loss, workload: Workload) -> str:
    """Why there is no verdict; empty if there is one."""
    if workload.small:
        return "no verdict: a test run with few images"
    if workload.target and not ours_loss <= workload.target:
        return f"no verdict: our loss ended at {ours_loss:.4g}, not at {workload.target:g}"
    compared = not workload.target and None not in (ours_loss, other_loss)
    if compared and not ours_loss <= SLACK * other_loss:
        return f"no verdict: our loss is higher, {ours_loss:.4g} against {other_loss:.4g}"
    if low <= 1 <= high:
        within = "; all of it reaches the target" if low >= reach else ""
        return f"no verdict: the spread, {low:.2f} to {high:.2f}, contains 1{within}"
    return ""
