"""The folders of a report: notebooks to run, stored executions, pages."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from ae_lab.errors import LabError
from ae_lab.files import read_json, write_json
from ae_lab.report.failure import sentence_of
from ae_lab.report.folders import move_files
from ae_lab.settings import Settings

# Pages that other commands write into the report folder, which has one folder per profile.
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")  # in names of files
SIBLING_PAGES = {
    "bench.html": "speed: our training times compared with those of other libraries",
    "reference.json": "reproducibility: the reference values with which make verify compares a run",
    "choices.json": "all results behind the choices of learning rates, weights and sizes",
}


class Workplace:
    """The folders of one profile's report; all but the two published ones are in ``.build``.

    Attributes
    ----------
    build : files that are kept between runs.
    homes : folders that libraries use instead of the user's home folder.
    records : records of notebooks: metrics and claims.
    models : models saved by notebooks, one folder each, from the last successful execution.
    connections : files by which kernels and the run find each other; empty between runs.
    target : the last report; if its name is a link, the folder that it points to.
    last_good : the last report without a failure, if it was replaced by one with a failure.
    new, copy, aside : temporary reports on the same disk, used during a swap.
    sweep : results of the same notebooks with other seeds.
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
        """Create the folders that an execution writes to."""
        for folder in (self.build, self.records, self.homes, self.connections):
            folder.mkdir(parents=True, exist_ok=True)
        self.connections.chmod(0o700)  # anyone who has a kernel's key can run programs in it

    def sibling_pages(self) -> dict[str, str]:
        """The existing `SIBLING_PAGES`, with their descriptions."""
        folder = self.settings.report_folder
        return {page: what for page, what in SIBLING_PAGES.items() if (folder / page).is_file()}

    @contextmanager
    def alone(self, verb: str) -> Iterator[None]:
        """Prevent a second run of the same ``verb``: it gets a LabError.

        The lock is released when the process ends, however it ends.
        """
        self.build.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(self.build / f"{verb}.lock", timeout=0):
                yield
        except Timeout:
            raise LabError(
                f"another {verb} run is active in {self.settings.report_folder}: "
                "wait for it to end, or stop it."
            ) from None

    def publish_lock(self):
        """A lock for the short time in which the published folder is replaced or written to."""
        self.build.mkdir(parents=True, exist_ok=True)
        return FileLock(self.build / "swap.lock")

    def executed(self, name: str) -> Path:
        """The last successful execution of a notebook."""
        return self.build / f"{name}.ipynb"

    def failed_execution(self, name: str) -> Path:
        """The failed execution of a notebook, up to the cell that failed."""
        return self.build / "failed" / f"{name}.ipynb"  # no suffix: names may be very long

    def latest(self, name: str) -> Path | None:
        """The execution that a page shows, if any: the last one, whether successful or failed."""
        stored = self.failed_execution(name), self.executed(name)
        return next((path for path in stored if _described(path)), None)

    def read(self, name: str) -> dict:
        """``metadata.ae_lab`` of the last successful execution; empty if there is none."""
        return _described(self.executed(name))

    def renew_text(self, name: str, source: dict) -> None:
        """Replace the text of a stored execution by that of ``source``, which has the same code."""
        stored = read_json(self.executed(name))
        executed = [cell for cell in stored["cells"] if cell["cell_type"] == "code"]
        cells = [cell for cell in source["cells"] if cell["cell_type"] == "code"]
        for cell, ran in zip(cells, executed, strict=True):
            cell |= {field: ran[field] for field in ("execution_count", "outputs")}
        by_run = ("ae_lab", "language_info", "widgets")
        found = stored["metadata"]
        source["metadata"] |= {field: found[field] for field in by_run if field in found}
        if source != stored:
            write_json(self.executed(name), source)

    def store(self, name: str, notebook: dict) -> None:
        """Store an execution; a failed one does not replace the last successful one."""
        if notebook["metadata"]["ae_lab"]["error"]:
            write_json(self.failed_execution(name), notebook)
            return
        move_files(self.records / name, self.models / name)
        write_json(self.executed(name), notebook)
        self.failed_execution(name).unlink(missing_ok=True)


def _described(path: Path) -> dict:
    """``metadata.ae_lab`` of a stored execution; empty if it is absent or not of this form."""
    try:
        stored = read_json(path)
        lab = dict(stored["metadata"]["ae_lab"])
        list(stored["cells"]), dict(lab["record"] or {}), float(lab["seconds"])
        if lab["error"]:
            sentence_of(lab["error"])
    except (KeyError, TypeError, ValueError):
        return {}
    return lab


def page_file(notebook: str) -> str:
    """The file name of a notebook's page; never ``index.html``, which is the report's index."""
    return f"{notebook}{'_' if re.fullmatch('index_*', notebook, re.I) else ''}.html"


def find_notebooks(settings: Settings) -> dict[str, Path]:
    """Name → file of the notebooks in ``notebooks/``, in order; a LabError if there are none.

    Hidden files are ignored, because macOS adds a ``._name.ipynb`` to files that it copies. Pipes,
    and links to files elsewhere, raise a LabError: they were not meant to be published. So do
    names with control characters or invalid bytes, which no page can link.
    """
    folder = settings.project_folder / "notebooks"
    files = sorted(path for path in folder.glob("*.ipynb") if not path.name.startswith("."))
    found = {path.stem: path for path in files}
    for path in files:
        if UNPRINTABLE.search(path.name):
            raise LabError(
                f"a notebook's name must be text without control characters, received "
                f"{ascii(path.name)} in {folder}: rename it."
            )
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
