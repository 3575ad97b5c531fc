"""Results of a sweep as a report takes them: one JSON file per task, beside the report's pages."""

import shutil
from pathlib import Path

from ae_lab.files import read_json
from ae_lab.report.keys import digest_of_cells
from ae_lab.report.workplace import Workplace


def read_results(folder: Path) -> list[dict]:
    """All that a sweep left in a folder, by notebook, backend and seed."""
    found = [read_json(path) for path in sorted(folder.glob("*.json"))]
    order = ("notebook", "backend", "seed")
    return sorted(filter(None, found), key=lambda result: [result[name] for name in order])


def carry_results(place: Workplace, new: Path) -> None:
    """Take the results over into a report that is about to replace this one."""
    if place.sweep.is_dir():
        shutil.copytree(place.sweep, new / place.sweep.name)


def results_for(notebooks: dict[str, dict], profile: str, results: list[dict]) -> list[dict]:
    """The results of these very notebooks, in this profile and on the same data.

    Parameters
    ----------
    notebooks : name → executed notebook, its record in ``metadata.ae_lab``.
    """

    def belongs(result: dict) -> bool:
        if result["profile"] != profile or result["notebook"] not in notebooks:
            return False
        notebook = notebooks[result["notebook"]]
        run = (notebook["metadata"]["ae_lab"]["record"] or {}).get("run", {})
        same_data = run.get("data_sha256") in (None, result["data"])
        return same_data and result["cells"] == digest_of_cells(notebook)

    return [result for result in results if belongs(result)]
