"""Executed notebooks kept between runs, each under a key of all that it depends on."""

import json
import os
import platform
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ae_lab.errors import LabError
from ae_lab.report.files import digest, digest_of_files, move_files, read_json, write_json
from ae_lab.settings import Settings

PACKAGE = Path(__file__).absolute().parents[1]
REPORT = Path(__file__).absolute().parent
BENCH = PACKAGE / "bench"  # no notebook imports it
EXECUTED_WITH = ("tensorflow", "keras", "numpy", "matplotlib", "scikit-learn")
RENDERED_WITH = ("nbconvert", "mistune", "pygments", "math-core", "nh3", "jinja2", "pillow")
# Pages that other verbs write into the report folder, which holds one folder a profile.
NEIGHBOURS = {
    "reproducibility.html": "how far its figures move with threads, processor and backend",
    "bench.html": "how fast its trainings are beside what one would use instead",
}


@dataclass(frozen=True)
class Workplace:
    """The folders of one profile's report; all but the two published ones are in ``.build``."""

    settings: Settings

    @property
    def build(self) -> Path:
        """What is kept between runs."""
        return self.settings.report_folder / ".build" / self.settings.profile

    @property
    def homes(self) -> Path:
        """Stand-ins for the libraries' folders in a home folder."""
        return self.settings.report_folder / ".build" / "homes"

    @property
    def records(self) -> Path:
        """Where notebooks leave their figures and claims."""
        return self.build / "records"

    @property
    def models(self) -> Path:
        """The models that notebooks kept, a folder a notebook, as of its last good execution."""
        return self.build / "models"

    @property
    def meetings(self) -> Path:
        """Where kernels and the run meet; empty between runs."""
        return self.build / "kernels"

    def make_folders(self) -> None:
        """Make those that an execution writes to."""
        for folder in (self.build, self.records, self.homes, self.meetings):
            folder.mkdir(parents=True, exist_ok=True)

    @property
    def target(self) -> Path:
        """The last good report."""
        return self.settings.profile_folder

    @property
    def failed(self) -> Path:
        """The report of a run that failed."""
        return self.target.with_name(f"{self.target.name}-failed")

    @property
    def sweep(self) -> Path:
        """Results of the same notebooks under other seeds."""
        return self.target / "sweep"

    @property
    def neighbours(self) -> dict[str, str]:
        """Those of `NEIGHBOURS` that are there, and what each says."""
        folder = self.settings.report_folder
        return {page: what for page, what in NEIGHBOURS.items() if (folder / page).is_file()}

    def swapping(self):
        """A lock, held for moments: the published folder is being replaced or written to."""
        from filelock import FileLock

        self.build.mkdir(parents=True, exist_ok=True)
        return FileLock(self.build / "swap.lock")

    def executed(self, name: str) -> Path:
        """The last good execution of a notebook."""
        return self.build / f"{name}.ipynb"

    def broken_off(self, name: str) -> Path:
        """The failed execution of a notebook, as far as it came."""
        return self.build / f"{name}.failed.ipynb"

    def read(self, name: str) -> dict | None:
        """The last good execution, or None if there is none."""
        return read_json(self.executed(name))

    def store(self, name: str, notebook: dict) -> None:
        """Keep an execution; a failed one does not displace the last good one."""
        if notebook["metadata"]["ae_lab"]["error"]:
            write_json(self.broken_off(name), notebook)
            return
        move_files(self.records / name, self.models / name)
        write_json(self.executed(name), notebook)
        self.broken_off(name).unlink(missing_ok=True)


def find_notebooks(settings: Settings) -> dict[str, Path]:
    """Name → file of the project's notebooks, in order.

    Raises
    ------
    LabError
        If there are none.
    """
    folder = settings.project_folder / "notebooks"
    found = {path.stem: path for path in sorted(folder.glob("*.ipynb"))}
    if not found:
        raise LabError(
            f"a report needs notebooks, found none in {folder}: "
            "run it from the project's folder, or restore them with git checkout notebooks."
        )
    return found


def read_notebook(path: Path) -> dict:
    """A notebook's JSON.

    Raises
    ------
    LabError
        If it is none.
    """
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise LabError(
            f"{path.name} must be a notebook in JSON, received something else ({error}): "
            "restore it with git checkout."
        ) from None
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        raise LabError(
            f"{path.name} must be a notebook of format 4 with cells, received none: "
            "save it again in JupyterLab."
        )
    return notebook


def execution_key(notebook: dict, settings: Settings, data: str, environment: dict) -> str:
    """Changes with whatever can change the notebook's outputs."""
    cells = [[cell.get("cell_type"), cell.get("source")] for cell in notebook["cells"]]
    package = digest_of_files(PACKAGE, REPORT, BENCH)
    return digest(
        cells, package, settings.profile, settings.seed, data, environment, versions(EXECUTED_WITH)
    )


def render_key(notebooks: dict[str, Path], *about: object) -> str:
    """Changes with whatever can change the report made from these executed notebooks."""
    contents = {name: digest(path.read_text(encoding="utf-8")) for name, path in notebooks.items()}
    return digest(contents, digest_of_files(REPORT), versions(RENDERED_WITH), about)


def versions(packages: tuple[str, ...]) -> dict[str, str]:
    """Python's version and those of the packages that are installed."""
    found = {"python": platform.python_version(), "system": os.name}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "none"
    return found
