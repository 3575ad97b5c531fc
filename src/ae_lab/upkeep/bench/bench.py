"""The command ``bench``: the rows, how they are measured, when there is a verdict, and the files.

To add a row, write the work of each side in ``tests/benchmarks``, and add it to `ROWS`.
"""

import math
import os
import statistics
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from ae_lab import data
from ae_lab.errors import LabError
from ae_lab.files import read_json, write_json, write_text
from ae_lab.report.execute.environment import machine
from ae_lab.report.keys import PACKAGE, digest, digest_of_files, versions
from ae_lab.report.render.template import render_template
from ae_lab.settings import Settings
from ae_lab.upkeep.bench.side import CORES, PEERS, Workload, started

LEAST_REPEATS = 5
MEASURED_WITH = ("keras", "tensorflow", "torch", "jax", "numpy", "scikit-learn")
NEEDS = {"torch_loop": "torch", "jax_scan": "jax"}  # peers that are not in a normal installation
LOAD = "Running processes, mean of the last minute"
SLACK = 1.05  # if our final loss exceeds this many times theirs, the work is not the same
SETTLE = 0.3  # seconds; threads of the other side stay busy for a moment after their work


@dataclass(frozen=True)
class Against:
    """A peer's work, a ``script.function`` of ``tests/benchmarks``; or a fixed limit.

    ``reach`` is the target of the ratio other / ours: 1 / 1.2 is at most 1.2 times the other's.
    ``bound`` says what keeps us from a target that is missed.
    """

    label: str
    reach: float
    work: str = ""
    limit: float = 0.0
    bound: str = ""


@dataclass(frozen=True)
class Row:
    """One task: our work (also a ``script.function``) compared with each of ``against``.

    ``sizes`` are fields of `Workload`. A ``long`` row takes minutes. Work that needs a new process
    each time, as a training up to a target, is timed ``anew`` times. "GB" is of peak memory.
    """

    name: str
    title: str
    ours: str
    against: tuple[Against, ...]
    sizes: dict = field(default_factory=dict)
    unit: str = "s"
    long: bool = False
    anew: int = 0


SCAN = "a hand-written XLA scan (JAX)"
A, VARIATIONAL = Against, {"latent_dim": 20, "hidden": (500,), "batch_size": 128}
WIDE, DEEP = {"latent_dim": 1_000}, {"latent_dim": 30, "hidden": (1_000, 500, 250)}
PRODUCTS = "both need the same matrix products (next row); ours also has momentum and weight decay"
GROWTH = "a kernel has 1.2 GB after its first training, and the others add to it"
# A table, formatted by hand: name, title, our work, what it is compared with, sizes.
# The DataLoader takes 4.3 times as long as the scan, and we may take 1.2 times: 3.6 at most.
# fmt: off
ROWS = (
    Row("dense", "784-32-784, one epoch", "ours.dense", (
        A("the handout's program", 3.5, "keras_fit.handout"),
        A("PyTorch eager, tensors in memory", 1.3, "torch_loop.dense"),
        A("PyTorch through a DataLoader", 3.5, "torch_loop.dense_loader"),
        A(SCAN, 1 / 1.2, "jax_scan.dense"))),
    Row("deep", "784-1000-500-250-30 and back, one epoch", "ours.deep", (
        A("its matrix products alone", 1 / 1.5, "matmul.dense"),), DEEP),
    Row("cnn", "the CNN of notebook 02, one epoch", "ours.cnn", (
        A("plain Keras fit", 1.2, "keras_fit.cnn"),
        A("PyTorch eager, tensors in memory", 1, "torch_loop.cnn")), {"batch_size": 128}),
    Row("variational", "variational 784-500-20 and back, one epoch", "ours.variational", (
        A("the structure of keras.io's example", 2, "keras_fit.variational"),), VARIATIONAL),
    Row("binarised", "variational 784-500-20, binarised again at each step", "ours.binarised", (
        A(SCAN, 1 / 1.15, "jax_scan.variational"),), VARIATIONAL),
    Row("denoising", "denoising 784-512-128 and back, one epoch", "ours.denoising", (
        A(SCAN, 1 / 1.15, "jax_scan.denoising"),), {"latent_dim": 128, "hidden": (512,)}),
    Row("fine-tuning", "784-1000-10 with dropout, one epoch", "ours.fine_tuning", (
        A(SCAN, 1 / 1.15, "jax_scan.fine_tuning"),), WIDE | {"batch_size": 128}),
    Row("k-sparse", "k-sparse, 25 of 1,000 units, one epoch", "ours.k_sparse", (
        A("a plain Keras layer with top_k", 1.5, "keras_fit.k_sparse"),),
        WIDE | {"batch_size": 100}),
    Row("contractive", "contractive, 1,000 units, one epoch", "ours.contractive", (
        A("a Keras model with its own training step", 1.5, "keras_fit.contractive"),), WIDE),
    Row("rbm", "Boltzmann machine 784-500, one epoch of CD-1", "ours.boltzmann", (
        A("scikit-learn's BernoulliRBM", 2, "sklearn_rbm.boltzmann", bound=PRODUCTS),
        A("its matrix products alone", 1 / 1.5, "matmul.dense")),
        {"latent_dim": 500, "batch_size": 100}),
    Row("ten-times", "784-32-784, one epoch of ten times the images", "ours.ten_times", (
        A("one time the images", 1 / 11, "ours.dense"),)),
    Row("ten-times-memory", "peak memory of ten times the images, as bytes", "ours.ten_times", (
        A("one time the images", 1 / 2, "ours.dense"),), unit="GB"),
    Row("import", "import ae_lab, in a new interpreter", "programs.import_package", (
        A("a limit of 0.1 s", 1, limit=0.1),)),
    Row("help", "python -m ae_lab --help", "programs.help_text", (
        A("a limit of 0.4 s", 1, limit=0.4),)),
    Row("dense-to-target", "784-32-784 to a test BCE of 0.0940 per pixel", "ours.dense", (
        A("the handout's program, 500 epochs at most", 8, "keras_fit.handout"),),
        {"epochs": 50, "target": 0.0940}, long=True, anew=3),
    Row("deep-to-target", "784-1000-500-250-30 to a squared error of 3 per image", "ours.deep", (
        A("plain Keras fit, 60 epochs planned", 2, "keras_fit.deep"),
        A("a limit of 3.5 minutes, half our first try", 1, limit=210)),
        DEEP | {"epochs": 50, "target": 3.0}, long=True, anew=3),
    Row("quick-report", "a quick report without stored results", "programs.quick_report", (
        A("jupyter nbconvert --execute, one by one", 1.5, "programs.nbconvert"),
        A("a limit of 6 minutes", 1, limit=360)), long=True, anew=3),
    Row("unchanged-report", "the report again, without changes", "programs.unchanged_report", (
        A("a limit of 2 s", 1, limit=2),), long=True),
    Row("report-memory", "peak memory of a notebook's kernel", "programs.quick_report", (
        A("a limit of 1.5 GB", 1, limit=1.5, bound=GROWTH),), unit="GB", long=True, anew=1),
)
# fmt: on


@dataclass(frozen=True)
class Result:
    """One row compared with one peer.

    ``ours_s`` and ``other_s`` are medians in the row's unit; ``low``, ``ratio`` and ``high`` are
    the quartiles of other / ours. Each ratio is of two consecutive timings, because other programs
    on a shared machine slow down some timings. ``reached`` is None if there is no verdict.
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
    verdict: str
    unit: str = "s"
    ours_loss: float | None = None
    other_loss: float | None = None


@dataclass
class Outcome:
    """The results of a run: the machine, ratios, and rows that were not measured or failed."""

    facts: dict[str, str]
    results: list[Result] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    failed: int = 0


def run_bench(
    settings: Settings, names: tuple[str, ...] = (), repeats=LEAST_REPEATS, small=False, long=False
) -> None:
    """Measure the rows ``names``, or all; after each, write ``bench.json`` and ``bench.html``.

    These keep other rows of an `earlier` run. Each side is timed ``repeats`` times, or as often as
    the row says. ``small`` is a test: few images, no verdict. ``long`` adds rows that take minutes.
    A LabError is raised if a name or number is invalid, or, after all rows, if a side failed.
    """
    known = [row.name for row in ROWS]
    if unknown := [name for name in names if name not in known]:
        raise LabError(f"--row must be one of {', '.join(known)}, received {', '.join(unknown)}.")
    if repeats < (least := 1 if small else LEAST_REPEATS):
        raise LabError(f"--repeats must be at least {least} for the spread, received {repeats}.")
    folder, outcome = settings.report_folder, Outcome(machine_facts(data.prepare(settings)))
    print(*(f"{key}: {value}" for key, value in outcome.facts.items()), sep="\n")
    if not small:
        outcome.results = earlier(folder / "bench.json", outcome.facts)
    for row in (row for row in ROWS if row.name in (names or known)):
        print(f"{row.name}: {row.title}", flush=True)
        if long or not row.long:
            outcome.results = [result for result in outcome.results if result.row != row.name]
            take(row, outcome, 1 if small and row.anew else row.anew or repeats, small)
            outcome.results.sort(key=lambda result: known.index(result.row))
        elif row.name not in [result.row for result in outcome.results]:
            outcome.left_out.append(f"{row.name} skipped: it takes minutes, add --long")
        write_files(folder, outcome)
    print(*outcome.left_out, sep="\n")
    print(f"Open {folder / 'bench.html'}")
    if outcome.failed:
        raise LabError(f"{outcome.failed} rows failed: correct the causes above, or use --row.")


def earlier(path: Path, facts: dict[str, str]) -> list[Result]:
    """Results of an earlier run in ``path``; none if its facts, except for the load, differ."""
    try:
        stored = read_json(path)
        results = [Result(**entry) for entry in stored["results"]]
        return results if stored["facts"] | {LOAD: ""} == facts | {LOAD: ""} else []
    except (KeyError, TypeError):  # no file, or not one of this version
        return []


def write_files(folder: Path, outcome: Outcome) -> None:
    """Write all results so far: ``bench.json``, from which they are kept, and the page."""
    results = [asdict(result) for result in outcome.results]
    write_json(folder / "bench.json", {"facts": outcome.facts, "results": results})
    write_text(folder / "bench.html", bench_page(outcome))


def bench_page(outcome: Outcome) -> str:
    """The results of a run as self-contained HTML, from a template of the report."""
    return render_template("bench.html.j2", titles={r.name: r.title for r in ROWS}, **vars(outcome))


def machine_facts(source: str) -> dict[str, str]:
    """What timings depend on: machine, load, versions, data, code."""
    found, peers = versions(MEASURED_WITH), Settings.from_environment().project_folder / PEERS
    del found["system"]
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    return {
        "Machine": machine(),
        "Threads and cores of each side": str(CORES),
        LOAD: load,
        "Versions": ", ".join(f"{name} {it}" for name, it in found.items() if it != "none"),
        "Data": source,
        "Code": digest(digest_of_files(PACKAGE), digest_of_files(peers))[:12],
    }


def take(row: Row, outcome: Outcome, repeats: int, small: bool) -> None:
    """Measure one row and add it to the outcome, or a line with the reason if it fails."""
    there = []
    for peer in row.against:
        library = NEEDS.get(peer.work.split(".")[0])
        if library and not find_spec(library):
            why = f"skipped: {library} is not installed"
            outcome.left_out.append(f"{row.name} against {peer.label} {why}")
        else:
            there.append(peer)
    epochs = 1 + 2 * repeats  # one to warm up, and one before each timed epoch
    sizes = {"epochs": epochs, "memory": row.unit == "GB", "small": small} | row.sizes
    try:
        found = measure(replace(row, against=there), Workload(**sizes), repeats) if there else []
        for r in found:
            ratio = f", ratio {r.ratio:.2f} ({r.low:.2f} to {r.high:.2f}), target {r.reach:.2f}"
            print(f"  {r.ours_s:.3g} and {r.other_s:.3g} {r.unit}{ratio}, {r.verdict}: {r.against}")
        outcome.results += found
    except LabError as error:
        outcome.failed += 1
        outcome.left_out.append(f"{row.name} failed: {error}")


def measure(row: Row, workload: Workload, repeats: int) -> list[Result]:
    """Measure our work and that of every peer of a row in turn; compare ours with each."""
    works = [row.ours, *(peer.work for peer in row.against if peer.work)]
    if row.anew:
        sides = [partial(from_the_start, work, workload) for work in works]
        answers = in_turn(sides, repeats, again=False)
    else:
        with ExitStack() as stack:
            sides = [stack.enter_context(started(work, workload)) for work in works]
            answers = in_turn(sides, repeats, again=True)
    ours, found = answers[0], dict(zip(works[1:], answers[1:], strict=True))
    return [summarise(row, peer, ours, found.get(peer.work), workload) for peer in row.against]


def from_the_start(work: str, workload: Workload) -> tuple:
    """The answer of a new process: of one unit of work, or of all units up to the target."""
    with started(work, workload) as side:
        if workload.target:
            return until(1e3 if workload.small else workload.target, side)
        return side()


def until(target: float, side: Callable[[], tuple | None]) -> tuple:
    """Seconds until the loss reaches the target, or of all units, and the last loss."""
    seconds, loss = 0.0, math.inf
    while not loss <= target and (answer := side()):
        seconds, loss = seconds + answer[0], answer[1]
    return seconds, loss


def in_turn(sides: list, repeats: int, again: bool) -> list[list[tuple]]:
    """``repeats`` answers of each side; if ``again``, each is the second of two units of work.

    A process that has waited for the other side is slow at first; TensorFlow loses seconds. The
    order alternates, so that no side gains if the machine becomes slower or faster.
    """
    answers = [[] for _ in sides]
    for turn in range(repeats):
        order = range(len(sides))
        for i in reversed(order) if turn % 2 else order:
            time.sleep(SETTLE)
            answers[i].append(sides[i]() and sides[i]() if again else sides[i]())
    return answers


def summarise(row: Row, against: Against, ours: list, other: list | None, workload: Workload):
    """The `Result` of these answers; without ``other``, compared with the row's limit."""
    other = other or [(against.limit, None)] * len(ours)
    ratios = [theirs / mine for (mine, _), (theirs, _) in zip(ours, other, strict=True)]
    medians = [statistics.median(value for value, _ in side) for side in (ours, other)]
    low, ratio, high = (float(q) for q in np.percentile(ratios, (25, 50, 75)))
    losses = loss, other_loss = ours[-1][1], other[-1][1]
    reached, target = None, workload.target
    if workload.small:
        verdict = "no verdict: a test run with few images"
    elif target and not loss <= target:
        verdict = f"no verdict: our loss ended at {loss:.4g}, not at {target:g}"
    elif target and ratio < against.reach and other_loss is not None and other_loss > target:
        verdict = f"no verdict: theirs ended at {other_loss:.4g}, not yet at {target:g}"
    elif not target and None not in losses and not loss <= SLACK * other_loss:
        verdict = f"no verdict: our loss is higher, {loss:.4g} against {other_loss:.4g}"
    elif low <= 1 <= high:
        within = "; all of it reaches the target" if low >= against.reach else ""
        verdict = f"no verdict: the spread, {low:.2f} to {high:.2f}, contains 1{within}"
    else:
        reached = ratio >= against.reach
        bound = f"missed: {against.bound}" if against.bound else "missed"
        verdict = "reached" if reached else bound
    figures = *medians, ratio, low, high, against.reach, reached, verdict
    return Result(row.name, against.label, *figures, row.unit, *losses)
