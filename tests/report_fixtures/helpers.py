"""Small projects and notebooks for the tests of the report."""

from pathlib import Path

import nbformat
from nbformat import NotebookNode, v4

from ae_lab.lab.records import DECODER
from ae_lab.report.build import build_report
from ae_lab.report.render.exporter import ReportExporter
from ae_lab.settings import Settings

PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
RUN = {
    "profile": "quick",
    "seed": 8,
    "backend": "tensorflow",
    "data": "MNIST, 60,000 + 10,000",
    "comparable": True,
    "versions": {"python": "3.11.7", "keras": "3.15.1"},
}


def notebook(*sources: str) -> NotebookNode:
    """Cells in order; a source that starts with ``%%`` is code, the rest is text."""
    cells = [
        v4.new_code_cell(source[2:].strip(), id=f"c{number}")
        if source.startswith("%%")
        else v4.new_markdown_cell(source, id=f"c{number}")
        for number, source in enumerate(sources)
    ]
    return v4.new_notebook(cells=cells)


def project(folder: Path, **notebooks: NotebookNode) -> Settings:
    """A project with these notebooks, its report beside them."""
    (folder / "notebooks").mkdir(parents=True, exist_ok=True)
    (folder / "pyproject.toml").touch()
    for name, content in notebooks.items():
        nbformat.write(content, folder / "notebooks" / f"{name}.ipynb")
    return Settings(project_folder=folder, report_folder=folder / "reports", offline=True)


def build(settings: Settings, *names: str, force: bool = False) -> str:
    """Build the report; what it said on screen."""
    said: list[str] = []
    build_report(settings, names, force, said.append)
    return "".join(said)


def with_output(content: NotebookNode, data: dict, metadata: dict | None = None) -> NotebookNode:
    """Give the last cell one more output."""
    output = v4.new_output("display_data", data=data, metadata=metadata or {})
    content.cells[-1].outputs.append(output)
    return content


def figure(alt: str | None) -> tuple[dict, dict]:
    """Data and metadata of a figure as the lab shows it."""
    details = {"width": 1, "height": 1} | ({"alt": alt} if alt is not None else {})
    return {"image/png": PIXEL, "text/plain": "figure"}, {"image/png": details}


def living(decoder: dict) -> tuple[dict, dict]:
    """Data and metadata of a living figure as the lab shows it."""
    data, metadata = figure("A still plane of images.")
    return {DECODER: decoder, **data}, metadata


def render(content: NotebookNode, name: str = "01_sample") -> str:
    """The page of an executed notebook."""
    return ReportExporter().from_notebook_node(content, {"metadata": {"name": name}})[0]


def executed(content: NotebookNode, record: dict | None = None, error: dict | None = None):
    """Mark a notebook as executed by a report run."""
    content.metadata["ae_lab"] = {"key": "k", "record": record, "seconds": 1.0, "error": error}
    return content


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a report."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
