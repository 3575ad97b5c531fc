"""What happens on a worker: it shows what it has, and runs notebooks if that is the same."""

from dataclasses import replace
from functools import cache
from pathlib import Path

from ae_lab import data
from ae_lab.files import write_text
from ae_lab.report.execute.notebook import execute
from ae_lab.report.execute.run import build_font_cache
from ae_lab.report.failure import failure
from ae_lab.report.keys import EXECUTED_WITH, PACKAGE, digest_of_files, versions
from ae_lab.report.workplace import Workplace
from ae_lab.settings import Settings
from ae_lab.upkeep.sweep.task import Task, result_of

NAMED = 3  # differing files that a refusal names


class TaskFailed(Exception):
    """Raised on a worker, so that Dask tries the task once more; its argument is the result."""


def identity(backends: tuple[str, ...], dataset: str) -> dict:
    """What two machines must have in common for their figures to stand in one table."""
    return {
        "versions": versions(("ae_lab", *EXECUTED_WITH, *backends)),
        "files": digest_of_files(PACKAGE),
        "data": dataset,
    }


def vet(expected: dict, backends: tuple[str, ...], dataset: str) -> str:
    """On a worker: what it has otherwise than ``expected``, in words; "" if the two agree.

    Damaged data are a LabError.
    """
    found = identity(backends, data_here(dataset)[1])
    reasons = [
        f"{name} {found['versions'].get(name)} in place of {version}"
        for name, version in expected["versions"].items()
        if found["versions"].get(name) != version
    ]
    if names := sorted({name for name, _ in expected["files"].items() ^ found["files"].items()}):
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        reasons.append(f"another source of ae_lab in {', '.join(names[:NAMED])}{more}")
    if found["data"] != expected["data"]:
        here, there = found["data"][:12], expected["data"][:12]
        reasons.append(f"data with SHA-256 {here}… in place of {there}…")
    return "; ".join(reasons)


def run_task(task: Task) -> dict:
    """On a worker: execute the notebook and return its result, a few KB, as it is kept.

    Raises TaskFailed if the notebook failed, or loaded other data than the sweep has.
    """
    from distributed import get_worker

    folder = Path(get_worker().local_directory) / "ae_lab"  # Dask removes it with the worker
    settings = replace(data_here(task.dataset)[0], profile=task.profile, seed=task.seed)
    place = Workplace(replace(settings, report_folder=folder))
    path = folder / "notebooks" / f"{task.notebook}.ipynb"
    place.make_folders()
    write_text(path, task.text)
    build_font_cache(place)
    executed = execute(place, path, task.key, lambda text: None, task.numeric)
    lab = executed["metadata"]["ae_lab"]
    error = lab["error"]
    loaded = ((lab["record"] or {}).get("run") or {}).get("data_sha256", task.data)
    if not error and loaded != task.data:
        message = f"the notebook loaded data {loaded[:12]}…, the sweep has {task.data[:12]}…"
        error = failure(task.notebook, "OtherData", message)
    result = result_of(task, lab["record"], error, lab["seconds"])
    if error:
        raise TaskFailed(result)
    return result


@cache
def data_here(dataset: str) -> tuple[Settings, str]:
    """This process's settings, the data's folder named in them, and the data's SHA-256.

    A kernel runs in a folder of its own, from where a project's ``data`` is not found.
    """
    settings = replace(Settings.from_environment(), dataset=dataset)
    loaded = data.load_mnist(settings)
    if not settings.data_folder and (settings.download_folder / f"{dataset}.npz").is_file():
        settings = replace(settings, data_folder=settings.download_folder)
    return settings, loaded.sha256
