"""One notebook with one seed on one backend: all that a worker must be sent."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from ae_lab.errors import LabError
from ae_lab.report import workplace
from ae_lab.report.execute.environment import numeric_environment
from ae_lab.settings import Settings

BACKENDS = ("tensorflow", "jax", "torch")


@dataclass(frozen=True)
class Task:
    """A notebook's run.

    Parameters
    ----------
    notebook, text : its name, and the content of its file.
    profile, seed, backend, dataset : the settings it runs under.
    numeric : environment variables that decide its numbers.
    key : changes with whatever can change its numbers, as for a report's execution.
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
        """Its name in files and lines."""
        images = "" if self.dataset == "mnist" else f"-{Path(self.dataset).stem}"
        return f"{self.notebook}-{self.backend}{images}-seed-{self.seed}"


def plan(
    settings: Settings,
    paths: dict[str, Path],
    seeds: int,
    backends: Iterable[str],
    data: str,
) -> list[Task]:
    """Every task of a sweep: all notebooks under one seed, then under the next.

    Parameters
    ----------
    settings : profile and first seed.
    paths : name → file of the notebooks.
    seeds : how many, counted up from the first.
    data : SHA-256 of the data set's content.

    Raises
    ------
    LabError
        If a seed leaves the range, or a file is no notebook.
    """
    each = [replace(settings, seed=settings.seed + more) for more in range(seeds)]
    return [
        _task(path, one, backend, data)
        for one in each
        for backend in backends
        for path in paths.values()
    ]


def _task(path: Path, settings: Settings, backend: str, data: str) -> Task:
    numeric = numeric_for(backend)
    return Task(
        notebook=path.stem,
        text=path.read_text(encoding="utf-8"),
        profile=settings.profile,
        seed=settings.seed,
        backend=backend,
        dataset=settings.dataset,
        numeric=numeric,
        key=workplace.execution_key(workplace.read_notebook(path), settings, data, numeric),
        data=data,
    )


def numeric_for(backend: str) -> dict[str, str]:
    """The report's numeric environment on a backend; Dask would set these threads to 1."""
    numeric = numeric_environment() | {"KERAS_BACKEND": backend}
    threads = numeric["OMP_NUM_THREADS"]
    return numeric | {"OPENBLAS_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}


def check_backends(names: str) -> tuple[str, ...]:
    """The backends of a comma-separated list.

    Raises
    ------
    LabError
        If one is none of Keras's.
    """
    backends = tuple(dict.fromkeys(name.strip() for name in names.split(",")))
    if unknown := [name for name in backends if name not in BACKENDS]:
        raise LabError(
            f"the backend must be one of {', '.join(BACKENDS)}, received {', '.join(unknown)!r}: "
            "name one of these, or several with commas between."
        )
    return backends
