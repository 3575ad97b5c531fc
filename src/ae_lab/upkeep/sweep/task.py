"""One notebook with one seed on one backend: what is sent to a worker, and what is stored."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from ae_lab.errors import LabError
from ae_lab.files import read_text, write_json
from ae_lab.report.execute.environment import numeric_environment
from ae_lab.report.folders import recover_folder
from ae_lab.report.keys import computing_digest, digest_of_cells, execution_key, result_key
from ae_lab.report.notebook_file import read_notebook
from ae_lab.report.seeds.spread import parse_result
from ae_lab.report.workplace import Workplace
from ae_lab.settings import Settings

BACKENDS = ("tensorflow", "jax", "torch")


@dataclass(frozen=True)
class Task:
    """One run of a notebook.

    Parameters
    ----------
    notebook, text : name of the notebook, and its content in format 4.5.
    profile, seed, backend, dataset : settings of the run.
    numeric : environment variables that determine the results.
    key : changes with everything that can change the results.
    data : SHA-256 of the data set's content.
    """

    notebook: str
    text: str
    profile: str
    seed: int
    backend: str
    dataset: str
    numeric: dict[str, str]
    key: str
    data: str

    @property
    def label(self) -> str:
        """The name of the task in files and messages."""
        images = "" if self.dataset == "mnist" else f"-{Path(self.dataset).stem}"
        return f"{self.notebook}-{self.backend}{images}-seed-{self.seed}"


def plan(
    settings: Settings, paths: Iterable[Path], seeds: int, backends: Iterable[str], data: str
) -> list[Task]:
    """All tasks of a sweep: all notebooks with the first seed, then with the next.

    Parameters
    ----------
    settings : profile and first seed.
    paths : files of the notebooks.
    seeds : number of seeds, counted up from the first.
    backends : backends on which each notebook runs.
    data : SHA-256 of the data set's content.

    Raises a LabError for a seed out of range, or for a file that is not a notebook.
    """
    contents = {path.stem: read_notebook(path) for path in paths}
    tasks = []
    for one in [replace(settings, seed=settings.seed + more) for more in range(seeds)]:
        for backend in backends:
            numeric = numeric_environment() | {"KERAS_BACKEND": backend}
            threads = numeric["OMP_NUM_THREADS"]  # otherwise Dask would set these to 1
            numeric |= {"OPENBLAS_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}
            for name, content in contents.items():
                key = result_key(content, one, data, numeric)
                run = (one.profile, one.seed, backend, one.dataset, numeric)
                tasks.append(Task(name, json.dumps(content), *run, key, data))
    return tasks


def check_backends(names: str) -> tuple[str, ...]:
    """The backends of a comma-separated list; a LabError for one that Keras does not have."""
    backends = tuple(dict.fromkeys(name.strip() for name in names.split(",")))
    if unknown := [name for name in backends if name not in BACKENDS]:
        raise LabError(
            f"the backend must be one of {', '.join(BACKENDS)}, received {', '.join(unknown)!r}: "
            "name one of these, or several separated by commas."
        )
    return backends


def result_of(task: Task, record: dict | None, error: dict | None, seconds: float) -> dict:
    """What is stored for a task; without metrics and claims if it failed."""
    record = record if record and not error else {}
    about = ("notebook", "profile", "seed", "backend", "data", "key")
    return {name: getattr(task, name) for name in about} | {
        "cells": digest_of_cells(json.loads(task.text)),
        "package": computing_digest(),
        "metrics": record.get("metrics", []),
        "claims": record.get("claims", []),
        "error": error,
        "seconds": seconds,
    }


def result_from(task: Task, sent: object) -> dict:
    """The result that a worker sent as JSON; a LabError if it is not a result of this task."""
    try:
        result = parse_result(sent)
        expected = result_of(task, None, None, 0.0)
        same = ("notebook", "profile", "seed", "backend", "data", "key", "cells", "package")
        fault = ", ".join(name for name in same if result.get(name) != expected[name])
    except ValueError as error:
        fault = str(error)
    if fault:
        raise LabError(
            f"a worker must send the result of {task.label}, received another ({fault[:200]}): "
            "install the same package there, or find out who runs that worker."
        )
    return result


def result_in_report(place: Workplace, task: Task, images: str) -> dict | None:
    """The result from the report's own execution of this task, or None if there is none.

    ``images`` is the fingerprint of the data in a report's key.
    """
    settings = replace(place.settings, seed=task.seed)
    numeric = numeric_environment() | {"KERAS_BACKEND": task.backend}
    key = execution_key(json.loads(task.text), settings, images, numeric)
    lab = place.read(task.notebook)
    if lab.get("key") != key:
        return None
    return result_of(task, lab["record"], lab["error"], lab["seconds"])


def store_result(place: Workplace, task: Task, result: dict) -> None:
    """Write a result completely or not at all, even if a report run is active."""
    with place.publish_lock():
        recover_folder(place.target, place.aside)
        write_json(place.sweep / f"{task.label}.json", result)


def is_done(place: Workplace, task: Task) -> bool:
    """Whether a successful result of exactly this task is stored."""
    try:
        kept = parse_result(read_text(place.sweep / f"{task.label}.json"))
    except (OSError, ValueError):
        return False
    return kept.get("key") == task.key and not kept["error"]
