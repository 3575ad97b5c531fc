"""What happens on a worker: it shows what it has, and runs notebooks if that is the same."""

from dataclasses import replace
from functools import cache as remembered
from pathlib import Path

from ae_lab import data
from ae_lab.report import workplace
from ae_lab.report.execute import run
from ae_lab.report.failure import failure
from ae_lab.report.files import digest_of_files, write_text
from ae_lab.report.seeds.results import result_of
from ae_lab.report.workplace import Workplace
from ae_lab.settings import Settings
from ae_lab.upkeep.sweep.task import Task

NAMED = 3  # differing files that a refusal names


def identity(backends: tuple[str, ...], dataset: str) -> dict:
    """What two machines must have in common for their figures to stand in one table."""
    return {
        "versions": workplace.versions(("ae_lab", *workplace.EXECUTED_WITH, *backends)),
        "files": digest_of_files(workplace.PACKAGE),
        "data": dataset,
    }


def differences(expected: dict, found: dict) -> list[str]:
    """What ``found`` has otherwise, each as words for one line; none if the two agree."""
    versions = [
        f"{name} {found['versions'].get(name)} in place of {version}"
        for name, version in expected["versions"].items()
        if found["versions"].get(name) != version
    ]
    names = sorted(expected["files"].items() ^ found["files"].items())
    names = list(dict.fromkeys(name for name, _ in names))
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    files = [f"another source of ae_lab in {', '.join(names[:NAMED])}{more}"] if names else []
    expected_data, found_data = expected["data"], found["data"]
    digits = [f"data with SHA-256 {found_data[:12]}… in place of {expected_data[:12]}…"]
    return versions + files + (digits if found_data != expected_data else [])


def vet(expected: dict, backends: tuple[str, ...], dataset: str) -> list[str]:
    """On a worker: what it has otherwise than ``expected``, its own copy of a data set included.

    Raises
    ------
    LabError
        If the worker's data are damaged.
    """
    return differences(expected, identity(backends, data_here(dataset)[1]))


def run_task(task: Task) -> dict:
    """On a worker: execute the notebook and return its result, a few KB, as it is kept."""
    from distributed import get_worker

    folder = Path(get_worker().local_directory) / "ae_lab"  # Dask removes it with the worker
    settings = replace(data_here(task.dataset)[0], profile=task.profile, seed=task.seed)
    place = Workplace(replace(settings, report_folder=folder))
    path = folder / "notebooks" / f"{task.notebook}.ipynb"
    place.make_folders()
    path.parent.mkdir(exist_ok=True)
    write_text(path, task.text)
    run.build_font_cache(place)
    executed = run.execute(place, path, task.key, _unheard, task.numeric)
    lab = executed["metadata"]["ae_lab"]
    return result_of(task, lab["record"], lab["error"] or other_data(task, lab), lab["seconds"])


def other_data(task: Task, lab: dict) -> dict | None:
    """The notebook's own word on what it loaded: a second look where it counts."""
    loaded = ((lab["record"] or {}).get("run") or {}).get("data_sha256", task.data)
    if loaded == task.data:
        return None
    message = f"the notebook loaded data {loaded[:12]}…, the sweep has {task.data[:12]}…"
    return failure(task.notebook, "OtherData", message)


@remembered
def data_here(dataset: str) -> tuple[Settings, str]:
    """This process's settings, the data's folder named in them, and the data's SHA-256.

    A kernel runs in a folder of its own, from where a project's ``data`` is not found.
    """
    settings = replace(Settings.from_environment(), dataset=dataset)
    loaded = data.load_mnist(settings)
    if not settings.data_folder and (settings.download_folder / f"{dataset}.npz").is_file():
        settings = replace(settings, data_folder=settings.download_folder)
    return settings, loaded.sha256


def _unheard(text: str) -> None:
    """Cells' progress is not sent around."""
