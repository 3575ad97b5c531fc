"""The folders of a report: notebooks to run, executions kept between runs, pages."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from ae_lab.errors import LabError
from ae_lab.files import read_json, write_json
from ae_lab.report.folders import move_files
from ae_lab.settings import Settings

# What other verbs write into the report folder, which holds one folder per profile.
SIBLING_PAGES = {
    "bench.html": "how fast the trainings are, beside what one would use instead",
    "reference.json": "reproducibility: the values that make verify holds a run against",
    "choices.json": "every figure behind the choices of rates, weights and sizes",
}


class Workplace:
    """The folders of one profile's report; all but the two published ones are in ``.build``.

    Attributes
    ----------
    build : what is kept between runs.
    homes : stand-ins for the libraries' folders in a home folder.
    records : where notebooks leave their figures and claims.
    models : what notebooks kept, a folder for each, as of its last good execution.
    connections : files by which kernels and the run find each other; empty between runs.
    target : the last report; where its name is a link, the folder that it leads to.
    last_good : the last report without a failure, once one with a failure has taken its place.
    new, copy, aside : reports on the disk of those two, for the moments of a swap.
    sweep : results of the same notebooks under other seeds.
    """

    def __init__(self, settings: Settings):
        self.settings = settings
        self.build = settings.report_folder / ".build" / settings.profile
        self.homes = settings.report_folder / ".build" / "homes"
        self.records = self.build / "records"
        self.models = self.build / "models"
        self.connections = self.build / "kernels"
        self.target = Path(os.path.realpath(settings.profile_folder))
        self.last_good = self.target.with_name(f"{self.target.name}-last-good")
        swap = self.target.parent / ".build" / settings.profile
        self.new, self.copy, self.aside = swap / "new", swap / "copy", swap / "aside"
        self.sweep = self.target / "sweep"

    def make_folders(self) -> None:
        """Make those that an execution writes to."""
        for folder in (self.build, self.records, self.homes, self.connections):
            folder.mkdir(parents=True, exist_ok=True)
        self.connections.chmod(0o700)  # whoever has a kernel's key can run programs in it

    def sibling_pages(self) -> dict[str, str]:
        """Those of `SIBLING_PAGES` that are there, and what each says."""
        folder = self.settings.report_folder
        return {page: what for page, what in SIBLING_PAGES.items() if (folder / page).is_file()}

    @contextmanager
    def alone(self, verb: str) -> Iterator[None]:
        """Keep a second run of the same verb out: it gets a LabError.

        However the first one's process ends, the lock goes with it.
        """
        self.build.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(self.build / f"{verb}.lock", timeout=0):
                yield
        except Timeout:
            raise LabError(
                f"another {verb} run is at work in {self.settings.report_folder}: "
                "wait for it to end, or stop it."
            ) from None

    def publish_lock(self):
        """A lock, held for moments: the published folder is being replaced or written to."""
        self.build.mkdir(parents=True, exist_ok=True)
        return FileLock(self.build / "swap.lock")

    def executed(self, name: str) -> Path:
        """The last good execution of a notebook."""
        return self.build / f"{name}.ipynb"

    def failed_execution(self, name: str) -> Path:
        """The failed execution of a notebook, up to the cell that failed."""
        return self.build / "failed" / f"{name}.ipynb"  # a name may be as long as it can

    def latest(self, name: str) -> Path:
        """The execution that a page shows: the last one, be it good or failed."""
        failed = self.failed_execution(name)
        return failed if failed.exists() else self.executed(name)

    def read(self, name: str) -> dict:
        """What the last good execution came to, its ``metadata.ae_lab``; empty if there is none."""
        try:
            return dict(read_json(self.executed(name))["metadata"]["ae_lab"])
        except (KeyError, TypeError, ValueError):  # absent, or not ours
            return {}

    def store(self, name: str, notebook: dict) -> None:
        """Keep an execution; a failed one does not displace the last good one."""
        if notebook["metadata"]["ae_lab"]["error"]:
            write_json(self.failed_execution(name), notebook)
            return
        move_files(self.records / name, self.models / name)
        write_json(self.executed(name), notebook)
        self.failed_execution(name).unlink(missing_ok=True)


def page_file(notebook: str) -> str:
    """The file name of a notebook's page, another for each; ``index.html`` is the report's own."""
    return f"{notebook}{'_' if re.fullmatch('index_*', notebook, re.I) else ''}.html"


def find_notebooks(settings: Settings) -> dict[str, Path]:
    """Name → file of the notebooks in ``notebooks/``, in order; a LabError if there are none.

    Hidden files do not count: macOS puts a ``._name.ipynb`` beside what it copies. Another LabError
    refuses a pipe, and a link to a file elsewhere, which nobody meant to publish.
    """
    folder = settings.project_folder / "notebooks"
    files = sorted(path for path in folder.glob("*.ipynb") if not path.name.startswith("."))
    found = {path.stem: path for path in files}
    for path in files:
        if not path.is_file() or not path.resolve().is_relative_to(folder.resolve()):
            raise LabError(
                f"a notebook must be a file in {folder}, received {path.name}, which is not a file "
                "or is a link to another place: copy the file there."
            )
    if not found:
        raise LabError(
            f"a report needs notebooks, found none in {folder}: "
            "run it from the project's folder, or restore them with git checkout notebooks."
        )
    return found
