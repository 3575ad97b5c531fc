"""Results of a sweep: one JSON file a task, kept beside the report they belong to."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

from ae_lab.report.execute.environment import numeric_environment
from ae_lab.report.files import digest, digest_of_files, read_json, recover_folder, write_json
from ae_lab.report.workplace import BENCH, PACKAGE, REPORT, Workplace, execution_key
from ae_lab.upkeep.sweep.task import Task


def result_of(task: Task, record: dict | None, error: dict | None, seconds: float) -> dict:
    """What is kept of a task; a failed one's figures are not."""
    record = record if record and not error else {}
    return {
        "notebook": task.notebook,
        "profile": task.profile,
        "seed": task.seed,
        "backend": task.backend,
        "data": task.data,
        "key": task.key,
        "cells": digest_of_cells(json.loads(task.text)),
        "package": package_digest(),
        "metrics": record.get("metrics", []),
        "claims": record.get("claims", []),
        "error": error,
        "seconds": seconds,
    }


def result_in_report(place: Workplace, task: Task, images: str) -> dict | None:
    """The same from the report's own execution of this notebook under this seed, if there is one.

    Parameters
    ----------
    images : fingerprint of the data as a report's key holds it.
    """
    settings = replace(place.settings, seed=task.seed)
    numeric = numeric_environment() | {"KERAS_BACKEND": task.backend}
    key = execution_key(json.loads(task.text), settings, images, numeric)
    done = place.read(task.notebook)
    if not done or (lab := done["metadata"]["ae_lab"])["key"] != key:
        return None
    return result_of(task, lab["record"], lab["error"], lab["seconds"])


def store_result(place: Workplace, task: Task, result: dict) -> None:
    """Write a result whole or not at all, whatever a report run does at the same time."""
    with place.swapping():
        recover_folder(place.target, place.build / "aside")
        place.sweep.mkdir(parents=True, exist_ok=True)
        write_json(place.sweep / f"{task.label}.json", result)


def is_done(place: Workplace, task: Task) -> bool:
    """Whether a good result of this very task is kept."""
    kept = read_json(place.sweep / f"{task.label}.json") or {}
    return kept.get("key") == task.key and not kept["error"]


def read_results(folder: Path) -> list[dict]:
    """All that a sweep left in a folder, by notebook, backend and seed."""
    found = [read_json(path) for path in sorted(folder.glob("*.json"))]
    return sorted(filter(None, found), key=_order)


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
    about = {name: _about(notebook) for name, notebook in notebooks.items()}
    return [
        result
        for result in results
        if result["profile"] == profile
        and result["notebook"] in about
        and _belongs(result, *about[result["notebook"]])
    ]


def package_digest() -> str:
    """Changes with the code that notebooks run; how they are executed and shown is no part."""
    return digest(digest_of_files(PACKAGE, REPORT, BENCH))


def digest_of_cells(notebook: dict) -> str:
    """The same before and after a notebook was run."""
    return digest([[cell["cell_type"], "".join(cell["source"])] for cell in notebook["cells"]])


def _about(notebook: dict) -> tuple[str, str | None]:
    record = notebook["metadata"]["ae_lab"]["record"] or {}
    return digest_of_cells(notebook), record.get("run", {}).get("data_sha256")


def _belongs(result: dict, cells: str, data: str | None) -> bool:
    return result["cells"] == cells and data in (None, result["data"])


def _order(result: dict) -> tuple:
    return result["notebook"], result["backend"], result["seed"]
