"""Every page of a report and its index, from executed notebooks into one folder."""

from pathlib import Path

import nbformat
from nbformat import NotebookNode

from ae_lab.files import write_text
from ae_lab.report.front.index import write_index
from ae_lab.report.render.exporter import PageError, ReportExporter
from ae_lab.settings import Settings


def render_report(
    folder: Path,
    paths: dict[str, Path],
    settings: Settings,
    commit: str,
    results: list[dict],
    siblings: dict[str, str],
) -> list[dict]:
    """Write pages, index and JSON of executed notebooks to a new folder; return what failed.

    The other arguments are those of :func:`write_index`.
    """
    folder.mkdir(parents=True)
    exporter = ReportExporter()
    notebooks = {name: nbformat.read(path, as_version=4) for name, path in paths.items()}
    for name, notebook in notebooks.items():
        html = render_page(exporter, notebook, name, settings.project_folder / "notebooks")
        write_text(folder / f"{name}.html", html)
    write_index(folder, notebooks, settings.profile, commit, results, siblings)
    errors = (notebook.metadata["ae_lab"]["error"] for notebook in notebooks.values())
    return [error for error in errors if error]


def render_page(exporter: ReportExporter, notebook: NotebookNode, name: str, folder: Path) -> str:
    """One page; what it cannot show becomes the notebook's error and is said in its banner."""
    resources = {"metadata": {"name": name, "path": str(folder)}}
    try:
        return exporter.from_notebook_node(notebook, resources)[0]
    except PageError as error:
        notebook.metadata["ae_lab"]["error"] = error.details
        return exporter.from_notebook_node(notebook, resources)[0]
