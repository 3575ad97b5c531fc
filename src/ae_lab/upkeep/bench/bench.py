"""The command ``bench``: measure the rows, print their ratios, write JSON and a page."""

import os
import statistics
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from ae_lab import data
from ae_lab.errors import LabError
from ae_lab.files import write_json, write_text
from ae_lab.report.build import say_now
from ae_lab.report.execute.environment import machine
from ae_lab.report.folders import os_errors_as_lab_errors
from ae_lab.report.keys import versions
from ae_lab.settings import Settings
from ae_lab.upkeep.bench.comparison import ROWS, Result, Row, measure
from ae_lab.upkeep.bench.side import CORES, Side, Workload

LEAST_REPEATS = 5
GROWTH = "growth"
NAMES = (*(row.name for row in ROWS), GROWTH)
MEASURED_WITH = ("keras", "tensorflow", "torch", "jax", "numpy", "scikit-learn")
COMPILED_STEPS = 1_200  # shorter trainings are not compiled, so their epochs take longer


@dataclass
class Outcome:
    """The results of a run: ratios, growth, rows not measured, and the machine.

    ``growth`` maps a quantity to {its size: seconds per epoch}; all other sizes are the usual ones.
    """

    facts: dict[str, str]
    results: list[Result] = field(default_factory=list)
    growth: dict[str, dict[int, float]] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    failed: int = 0


def run_bench(
    settings: Settings,
    names: tuple[str, ...] = (),
    repeats: int = LEAST_REPEATS,
    small: bool = False,
    long: bool = False,
    say: Callable[[str], None] = say_now,
) -> Outcome:
    """Measure the rows; write ``bench.json`` and ``bench.html`` to the report folder.

    Parameters
    ----------
    settings : report folder and data.
    names : rows to measure; all if empty. The files then contain only these.
    repeats : timings per side, at least 5.
    small : True for a test run: few images, any number of repeats, no verdict.
    long : True to measure the rows that take minutes, too.
    say : function that prints the progress and the table.

    Raises
    ------
    LabError
        If a name or number is invalid, if a folder cannot be written, or, after all other rows, if
        a side failed.
    """
    from ae_lab.upkeep.bench.bench_page import bench_page

    if unknown := [name for name in names if name not in NAMES]:
        raise LabError(
            f"--row must be one of {', '.join(NAMES)}, received {', '.join(unknown)}: "
            "name one of these."
        )
    if repeats < (least := 1 if small else LEAST_REPEATS):
        raise LabError(
            f"--repeats must be at least {least}, received {repeats}: "
            "fewer timings do not show the spread."
        )
    chosen = names or NAMES
    outcome = Outcome(machine_facts(data.prepare(settings)))
    for row in (row for row in ROWS if row.name in chosen):
        say(f"{row.name}: {row.title}\n")
        if row.long and not long:
            outcome.left_out.append(f"{row.name} skipped: it takes minutes, add --long")
        else:
            take(row, outcome, 1 if row.long else repeats, small)
    if GROWTH in chosen:
        say("growth\n")
        outcome.growth = measure_growth(repeats, small)
    say("".join(f"{key}: {value}\n" for key, value in outcome.facts.items()))
    say("row, seconds (or GB) of ours and of the other, other / ours (spread), verdict\n")
    say("".join(f"{line_of(result)}\n" for result in outcome.results))
    say("".join(f"{line}\n" for line in outcome.left_out))
    folder = settings.report_folder
    with os_errors_as_lab_errors(folder):
        write_json(folder / "bench.json", [result.exported() for result in outcome.results])
        write_text(folder / "bench.html", bench_page(outcome))
    say(f"Open {folder / 'bench.html'}\n")
    if outcome.failed:
        raise LabError(
            f"{outcome.failed} rows failed, for the reasons above: correct the causes, or "
            "measure other rows with --row."
        )
    return outcome


def take(row: Row, outcome: Outcome, repeats: int, small: bool) -> None:
    """Measure one row and add it to the outcome, or a line with the reason if it fails."""
    outcome.left_out += [
        f"{row.name} against {peer.label} skipped: {peer.missing} is not installed"
        for peer in row.against
        if peer.missing
    ]
    if there := tuple(peer for peer in row.against if not peer.missing):
        try:
            workload = row.workload(repeats, small)
            outcome.results += measure(replace(row, against=there), workload, repeats)
        except LabError as error:
            outcome.failed += 1
            outcome.left_out.append(f"{row.name} failed: {error}")


def line_of(result: Result) -> str:
    """One result as a line of the printed table."""
    times = f"{result.row:18} {result.ours_s:9.3f} {result.other_s:9.3f} {result.unit:2}"
    ratio = f"{result.ratio:7.2f} ({result.low:.2f} to {result.high:.2f})"
    return f"{times} {ratio:26} target {result.reach:4.2f}  {result.verdict}  {result.against}"


def machine_facts(source: str) -> dict[str, str]:
    """What timings depend on, apart from the code: machine, load, versions, data."""
    found = versions(MEASURED_WITH)
    installed = [name for name in ("python", *MEASURED_WITH) if found[name] != "none"]
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    return {
        "Machine": machine(),
        "Threads and cores of each side": str(CORES),
        "Running processes, mean of the last minute": load,
        "Versions": ", ".join(f"{name} {found[name]}" for name in installed),
        "Data": source,
    }


def growth_plan(small: bool) -> dict[str, dict[int, Workload]]:
    """Workloads for the growth of our epoch time: label → size → workload; one quantity changes."""
    usual = Workload(images=200, small=True) if small else Workload()
    images = (100, 200) if small else (6_875, 13_750, 27_500, 55_000)
    codes = (16, 32) if small else (8, 32, 128, 512)
    heights = (14, 28) if small else (14, 28, 56)
    return {
        "images": {n: replace(usual, images=n) for n in images},
        "numbers in the code": {n: replace(usual, latent_dim=n) for n in codes},
        "pixels per image": {n * n: replace(usual, height=n) for n in heights},
    }


def measure_growth(repeats: int, small: bool) -> dict[str, dict[int, float]]:
    """The median of ``repeats`` epochs at each point; equal workloads are measured only once."""
    plan, seconds = growth_plan(small), {}
    for workload in dict.fromkeys(load for points in plan.values() for load in points.values()):
        steps = -(-(workload.images or 55_000) // workload.batch_size)
        epochs = max(repeats + 1, 0 if small else -(-COMPILED_STEPS // steps))
        with Side("ours.dense", replace(workload, epochs=epochs)) as side:
            seconds[workload] = statistics.median(side.ask().value for _ in range(repeats))
    return {
        label: {size: seconds[workload] for size, workload in points.items()}
        for label, points in plan.items()
    }
