"""The folders of a report: notebooks to run, executions kept between runs, pages."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from ae_lab.errors import LabError
from ae_lab.files import read_json, write_json
from ae_lab.report.folders import move_files
from ae_lab.settings import Settings

# What other verbs write into the report folder, which holds one folder per profile.
SIBLING_PAGES = {"bench.html": "how fast its trainings are beside what one would use instead"}


class Workplace:
    """The folders of one profile's report; all but the two published ones are in ``.build``.

    Attributes
    ----------
    build : what is kept between runs.
    homes : stand-ins for the libraries' folders in a home folder.
    records : where notebooks leave their figures and claims.
    models : what notebooks kept, a folder for each, as of its last good execution.
    connections : files by which kernels and the run find each other; empty between runs.
    target : the last good report; where its name is a link, the folder that it leads to.
    failed : the report of a run that failed.
    new, aside : the next report and the last, on the disk of both, for the moment of their swap.
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
        swap = self.target.parent / ".build" / settings.profile
        self.new, self.aside = swap / "new", swap / "aside"
        self.failed = self.target.with_name(f"{self.target.name}-failed")
        self.sweep = self.target / "sweep"

    def make_folders(self) -> None:
        """Make those that an execution writes to."""
        for folder in (self.build, self.records, self.homes, self.connections):
            folder.mkdir(parents=True, exist_ok=True)

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
        return self.build / f"{name}.failed.ipynb"

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


def find_notebooks(settings: Settings) -> dict[str, Path]:
    """Name → file of the project's notebooks, in order; a LabError if there are none.

    Another says that one is a pipe, or a link out of their folder to what nobody meant to publish.
    """
    folder = settings.project_folder / "notebooks"
    found = {path.stem: path for path in sorted(folder.glob("*.ipynb"))}
    for path in found.values():
        if not path.is_file() or not path.resolve().is_relative_to(folder.resolve()):
            raise LabError(
                f"a notebook must be a file in {folder}, received {path.name}, which is none or a "
                "link to another place: copy the file there."
            )
    if not found:
        raise LabError(
            f"a report needs notebooks, found none in {folder}: "
            "run it from the project's folder, or restore them with git checkout notebooks."
        )
    return found


def read_notebook(path: Path) -> dict:
    """A notebook's JSON; a LabError if it is not JSON, or has no cells."""
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(notebook["cells"], list):
            return notebook
        reason = "no list of cells"
    except (ValueError, TypeError, KeyError) as error:
        reason = f"{type(error).__name__}: {error}"
    raise LabError(
        f"{path.name} must be a notebook of format 4, JSON with cells, received something else "
        f"({reason}): save it again in JupyterLab, or restore it with git checkout."
    )
