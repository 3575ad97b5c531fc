"""The verb ``verify``: run a profile and hold its figures against the kept ones."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ae_lab import data
from ae_lab.errors import LabError
from ae_lab.files import read_json, write_json
from ae_lab.lab.feedback import reference_figures
from ae_lab.lab.records import Metric
from ae_lab.report.build import build_report, say_now
from ae_lab.settings import Settings

# Machines round differently, and a training amplifies that: how far a figure may stray, as a
# share of itself, and at least. A figure with a tolerance of its own in the file keeps it.
RELATIVE, AT_LEAST = 0.1, 0.01


def verify(settings: Settings, accept: bool = False, say: Callable[[str], None] = say_now) -> None:
    """Bring a report up to date and compare its figures with ``reports/reference.json``.

    ``accept`` writes the figures into the file in place of comparing. Otherwise a LabError names
    each figure that is missing or out of its tolerance, or says that the file has none for this
    profile and data, or is damaged.
    """
    settings.refuse_changes("verify")
    build_report(settings, say=say)
    stored = json.loads((settings.profile_folder / "metrics.json").read_text(encoding="utf-8"))
    found = {metric.name: metric.value for metric in map(Metric.from_json, stored)}
    path = settings.project_folder / "reports" / "reference.json"
    source = data.prepare(replace(settings, offline=True))  # the report has tried a download
    key = f"{settings.profile}, {source}"
    kept = reference_figures(settings, source)  # a damaged file is not written over
    if accept:
        keep(path, key, found)
        say(f"{len(found)} figures kept in {path}\n")
        return
    if not kept:
        raise LabError(
            f"{path.name} must hold the figures of “{key}”, it has none: "
            "run ae-lab verify --accept once they are right."
        )
    compare(found, kept)
    say(f"All {len(kept)} figures are within their tolerances.\n")


def compare(found: dict[str, float], kept: dict[str, dict]) -> None:
    """Raise a LabError that names each kept figure which is missing or out of tolerance."""
    strays = []
    for name, entry in kept.items():
        if name not in found:
            strays.append(f"{name} is missing")
        elif abs(found[name] - entry["value"]) > entry["tolerance"]:
            strays.append(
                f"{name} is {found[name]:.5g}, expected {entry['value']:.5g} "
                f"± {entry['tolerance']:.2g}"
            )
    if strays:
        raise LabError(
            f"{len(strays)} of {len(kept)} figures left their tolerance: {'; '.join(strays)}. "
            "Look for what changed them, or accept them with ae-lab verify --accept."
        )


def keep(path: Path, key: str, found: dict[str, float]) -> None:
    """Write figures into the file; a tolerance that is already there stays."""
    reference = read_json(path) or {}
    before = reference.get(key, {})
    reference[key] = {
        name: {"value": value, "tolerance": before.get(name, {}).get("tolerance", _wide(value))}
        for name, value in found.items()
    }
    write_json(path, reference)


def _wide(value: float) -> float:
    return float(f"{max(RELATIVE * abs(value), AT_LEAST):.2g}")
