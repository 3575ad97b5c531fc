"""A sweep on the index page: table cells, plots of dots, and a summary line."""

import math
from dataclasses import replace
from html import escape

from ae_lab.lab.records import Claim, Metric
from ae_lab.report.failure import sentence_of
from ae_lab.report.keys import computing_digest
from ae_lab.report.numbers import number, unit_in_words

ONE_SEED = "one seed"
NOT_SETTLED = "over seeds, the interval of the margin contains 0"
OVERRULED = "not significant after the correction for multiple testing"
WIDTH, HEIGHT, EDGE = 100, 18, 6  # of a plot of dots, in pixels
MIDDLE = HEIGHT / 2


def seed_rows(row: dict, metric: Metric, profile: str) -> list[dict]:
    """A metric's row for each backend, with ``spread`` as text and plot, or None.

    If the goal is marked in ``row``, the mean over the seeds decides.
    """
    if not metric.seeds:
        return [row | {"spread": None}]
    rows = []
    for backend, summary in metric.seeds.items():
        mark = replace(metric, value=summary["mean"]).goal_mark(profile) if row["mark"] else ""
        mean, deviation, low, high = _in_words(summary, metric.unit)
        bounds = [summary | {"mean": bound} for bound in (metric.goal or {}).values()]
        if mark == "missed" and mean in [_in_words(bound, metric.unit)[0] for bound in bounds]:
            mean = number(summary["mean"], metric.unit, digits=4)  # missed by less than the digits
        known = summary["low"] is not None
        same = known and deviation == "0"
        spread = {
            "backend": backend if len(metric.seeds) > 1 else "",
            "count": len(summary["values"]),
            "mean": mean + (f" ± {deviation}" if known and not same else ""),
            "interval": "equal for all seeds" if same else f"{low} to {high}" if known else "",
            "dots": strip_of_dots(summary, metric.published),
        }
        rows.append(row | {"spread": spread, "mark": mark})
    return rows


def strip_of_dots(summary: dict, published: float | None) -> str:
    """SVG: a dot per seed, a bar for the interval of the mean, a line at the published value.

    ``summary`` has ``values`` by seed, and ``low`` and ``high`` of the interval, None for one
    seed.
    """
    values, interval = summary["values"], (summary["low"], summary["high"])
    shown = [v for v in (*values.values(), *interval, published) if v is not None]
    least, width = min(shown), max(shown) - min(shown)

    def place(value: float) -> float:
        return EDGE + (value - least) / width * (WIDTH - 2 * EDGE) if width else WIDTH / 2

    parts = [f'<line class="axis" x1="0" x2="{WIDTH}" y1="{MIDDLE:g}" y2="{MIDDLE:g}"/>']
    if None not in interval:
        low, high = map(place, interval)
        parts.append(
            f'<rect x="{low:.1f}" y="{MIDDLE - 3:g}" width="{max(high - low, 1):.1f}" height="6"/>'
        )
    if published is not None:
        x = f"{place(published):.1f}"
        parts.append(f'<line class="published" x1="{x}" x2="{x}" y1="1" y2="{HEIGHT - 1}"/>')
    parts += [f'<circle cx="{place(v):.1f}" cy="{MIDDLE:g}" r="2.5"/>' for v in values.values()]
    words = ", ".join(f"seed {seed}: {number(value)}" for seed, value in values.items())
    words += f"; published: {number(published)}" if published is not None else ""
    return (
        f'<svg class="dots" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'role="img" aria-label="{escape(words)}">{"".join(parts)}</svg>'
    )


def _in_words(summary: dict, unit: str = "") -> list[str]:
    """Mean, deviation, low and high, rounded to the second digit of the deviation."""
    numbers = [summary[name] for name in ("mean", "deviation", "low", "high")]
    mean, deviation = numbers[:2]
    if not deviation or deviation < 1e-9 * abs(mean):  # one seed, or equal values
        return [number(mean, unit), "0", number(mean, unit), number(mean, unit)]
    scale = 100 if unit.startswith("share") else 1
    decimals = max(0, 1 - math.floor(math.log10(scale * deviation)))
    sign = "\u00a0%" if unit.startswith(("share", "%")) else ""
    written = [f"{scale * value:z,.{decimals}f}{sign}" for value in numbers]
    return [text.replace("-", "\u2212") for text in written]


def seeds_in_words(claim: Claim) -> str:
    """In how many seeds (or runs, if several backends) a claim held; "provisional" if few."""
    words = ONE_SEED
    if seeds := claim.seeds:
        unit = "runs" if len(seeds["backends"]) > 1 else "seeds"
        words = f"held in {seeds['held']} of {seeds['runs']} {unit}"
        if len(seeds["conditions"]) > 1:
            controls = any(test.get("control") for test in claim.tests)
            words = f"all conditions{' but controls' if controls else ''} {words}"
    return words + "; provisional" * claim.provisional


def parts_in_words(claim: Claim) -> str:
    """The conditions that explain a verdict, and why the seeds leave one undecided; or ""."""
    if claim.verdict != "undecided":
        return claim.parts
    return f"{claim.parts}: {NOT_SETTLED}" if claim.parts else OVERRULED


def verdict_in_words(claim: Claim) -> str:
    """A claim's verdict over all seeds, for the page of its notebook."""
    if claim.verdict == "untested":
        return claim.verdict
    parts = parts_in_words(claim)
    return claim.verdict + (f" ({parts})" if parts else "") + f"; {seeds_in_words(claim)}"


def interval_in_words(claim: Claim) -> str:
    """The margins behind the verdict over seeds, with units; empty without a sweep."""
    if not (seeds := claim.seeds):
        return ""
    units, rests = {one["name"]: one["unit"] for one in claim.tests}, []
    for name, condition in seeds["conditions"].items():
        unit = units.get(name, "")
        mean, deviation, low, high = _in_words(condition["margin"], unit)
        words = f"{name}: margin {mean} {unit_in_words(unit)}".rstrip()
        if condition["margin"]["low"] is not None:
            same = deviation == "0"
            words += ", equal in all runs" if same else f", 95 % interval {low} to {high}"
        rests.append(words)
    corrected = ""
    if "corrected_p" in seeds:
        corrected = f" Primary claim: corrected p = {seeds['corrected_p']:.2g}."
    return f"Over seeds: {'; '.join(rests)}. This run: {seeds['this_run']}.{corrected}"


def sweep_facts(results: list[dict], notebooks: int) -> dict:
    """A summary line of a sweep over a report's ``notebooks``, and warnings.

    ``results`` are those for the report's notebooks, including failed ones.
    """
    good = [result for result in results if not result["error"]]
    seeds = sorted({result["seed"] for result in good})
    failures = [
        f"{sentence_of(result['error'])} (seed {result['seed']}, {result['backend']})"
        for result in results
        if result["error"]
    ]
    if not seeds:
        return {"seeds": ONE_SEED, "cautions": failures}
    swept = len({result["notebook"] for result in good})
    several = f"{len(seeds)} seeds" if seeds[1:] else ONE_SEED
    backends = " and ".join(sorted({result["backend"] for result in good}))
    words = f"{several} ({_span(seeds)}) on {backends}, {swept} of {notebooks} notebooks"
    present = computing_digest()
    others = sum(result["package"] != present for result in good)
    older = f"{others} of {len(good)} runs used another version of the package"
    return {"seeds": words, "cautions": failures + [older] * bool(others)}


def _span(seeds: list[int]) -> str:
    if len(seeds) > 2 and seeds[-1] - seeds[0] == len(seeds) - 1:
        return f"{seeds[0]} to {seeds[-1]}"
    return ", ".join(map(str, seeds))
