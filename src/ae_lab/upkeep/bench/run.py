"""The verb ``bench``: measure the rows, print their ratios, write JSON and page."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from ae_lab.errors import LabError
from ae_lab.report.files import one_sentence, write_json, write_text
from ae_lab.settings import Settings
from ae_lab.upkeep.bench.growth import Series, measure_growth
from ae_lab.upkeep.bench.machine import machine_facts
from ae_lab.upkeep.bench.rows import ROWS, Row
from ae_lab.upkeep.bench.timing import Result, measure

LEAST_REPEATS = 5
GROWTH = "growth"
NAMES = (*(row.name for row in ROWS), GROWTH)
Say = Callable[[str], None]


@dataclass
class Outcome:
    """All that a run brought: results, growth, a line for each row left out, and the machine."""

    facts: dict[str, str]
    results: list[Result] = field(default_factory=list)
    growth: list[Series] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    failed: int = 0


def run_bench(
    settings: Settings,
    names: tuple[str, ...] = (),
    repeats: int = LEAST_REPEATS,
    small: bool = False,
    long: bool = False,
    say: Say = lambda text: print(text, end="", flush=True),
) -> Outcome:
    """Measure; write ``bench.json`` and ``bench.html`` into the report folder.

    Parameters
    ----------
    settings : the report folder, and where the data are.
    names : rows to measure; all if empty. The files then hold these alone.
    repeats : timings of each side, at least 5.
    small : a try-out: few images, any number of repeats, and no verdict.
    long : whether the rows that take minutes are measured too.
    say : takes the progress and the table.

    Raises
    ------
    LabError
        If a name or number is wrong, a folder cannot be written or, after all else is done,
        a side failed.
    """
    from ae_lab import data

    check(names, repeats, small)
    chosen = names or NAMES
    outcome = Outcome(machine_facts(data.prepare(settings)))
    for row in (row for row in ROWS if row.name in chosen):
        take(row, outcome, repeats, small, long, say)
    if GROWTH in chosen:
        outcome.growth = measure_growth(repeats, small, say)
    write(outcome, settings, say)
    if outcome.failed:
        raise LabError(
            f"{outcome.failed} rows failed; the lines above say why: mend them, or leave them "
            "out by naming others with --row."
        )
    return outcome


def check(names: tuple[str, ...], repeats: int, small: bool) -> None:
    """Raise ``LabError`` for an unknown row or too few repeats."""
    if unknown := [name for name in names if name not in NAMES]:
        raise LabError(
            f"--row must be one of {', '.join(NAMES)}, received {', '.join(unknown)}: "
            "name one of these."
        )
    least = 1 if small else LEAST_REPEATS
    if repeats < least:
        raise LabError(
            f"--repeats must be at least {least}, received {repeats}: "
            "fewer say nothing of the spread."
        )


def take(row: Row, outcome: Outcome, repeats: int, small: bool, long: bool, say: Say) -> None:
    """Measure one row into the outcome; what cannot be is said in a line."""

    def leave_out(line: str) -> None:
        outcome.left_out.append(line)
        say(f"  {line}\n")

    say(f"{row.name}: {row.title}\n")
    if row.long and not long:
        return leave_out(f"{row.name} skipped: it takes minutes, add --long")
    for against in row.against:
        if against.missing:
            leave_out(
                f"{row.name} against {against.label} skipped: {against.missing} is not installed"
            )
    there = tuple(against for against in row.against if not against.missing)
    if not there:
        return
    repeats = row.repeats(repeats)
    try:
        found = measure(replace(row, against=there), row.setting(repeats, small), repeats)
    except LabError as error:
        outcome.failed += 1
        return leave_out(f"{row.name} failed: {error}")
    outcome.results += found
    for result in found:
        say(f"  {line_of(result)}\n")


def line_of(result: Result) -> str:
    """One result as a line of the printed table."""
    times = f"{result.ours_s:9.3f} {result.other_s:9.3f} {result.unit:2}"
    ratio = f"{result.ratio:7.2f} ({result.low:.2f} to {result.high:.2f})"
    return f"{times} {ratio:26} reach {result.reach:4.2f}  {result.verdict}  {result.against}"


def write(outcome: Outcome, settings: Settings, say: Say) -> None:
    """Print the table of all rows; write both files."""
    from ae_lab.upkeep.bench.page import bench_page

    for key, value in outcome.facts.items():
        say(f"{key}: {value}\n")
    say("row, seconds (or GB) of ours and of the other, other over ours (spread), verdict\n")
    for result in outcome.results:
        say(f"{result.row:18} {line_of(result)}\n")
    page = bench_page(outcome.facts, outcome.results, outcome.growth, outcome.left_out)
    folder = settings.report_folder
    with one_sentence(folder):
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / "bench.json", [result.exported() for result in outcome.results])
        write_text(folder / "bench.html", page)
    say(f"Open {folder / 'bench.html'}\n")
