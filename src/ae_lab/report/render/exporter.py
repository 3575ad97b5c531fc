"""``jupyter nbconvert --to ae_lab_report``: a notebook as one self-contained page."""

import tempfile
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import nbformat
from nbconvert.exporters import TemplateExporter
from nbconvert.preprocessors import ExecutePreprocessor
from nbformat import NotebookNode
from traitlets.config import Config

from ae_lab.errors import LabError
from ae_lab.report.failure import failure_of, sentence_of
from ae_lab.report.notebook_file import as_format_4_5, parse_notebook, unexecuted
from ae_lab.report.render.last_look import check_page
from ae_lab.report.render.page import Page
from ae_lab.report.render.template import PAGE, page_css, page_policy, page_script
from ae_lab.report.workplace import page_file


def render_page(notebook: NotebookNode, resources: dict) -> tuple[str, Page]:
    """The page of an executed notebook as HTML, and as a `Page`."""
    exporter = ReportExporter()
    html, _ = exporter.from_notebook_node(notebook, resources)
    return html, exporter.page


class ReportExporter(TemplateExporter):
    """A page without requests, with MathML, outline and alt texts; its only script is ours.

    It is not an HTMLExporter. That class has settings for scripts, and it would parse the finished
    page again to insert placeholders for missing alt texts. ``page`` is the last page rendered.
    Its problems are shown on the page and logged, one sentence each.
    """

    export_from_notebook = "ae_lab report"
    output_mimetype = "text/html"

    @property
    def default_config(self) -> Config:
        """Our template."""
        config = super().default_config.copy()
        config.ReportExporter.update(
            file_extension=".html",
            template_name=PAGE.name,
            extra_template_basedirs=[str(PAGE.parent)],
        )
        return config

    def default_filters(self):
        yield from super().default_filters()
        yield "as_page", self._as_page
        yield "page_address", lambda name: quote(page_file(name))

    def _init_preprocessors(self) -> None:
        """All preprocessors except nbconvert's execution, which `_executed` replaces."""
        super()._init_preprocessors()
        own = [p for p in self._preprocessors if not isinstance(p, ExecutePreprocessor)]
        self._preprocessors = own

    def _validate_preprocessor(self, nbc: NotebookNode, preprocessor: object) -> None:
        """Not used: any notebook becomes a page, whatever metadata are missing."""

    def from_file(self, file_stream, resources: dict | None = None, **kw):
        """A page for a notebook of any format, or one that shows why the file is invalid."""
        name = (resources or {}).get("metadata", {}).get("name", "notebook")
        try:
            content = file_stream.read()
            content = content.encode() if isinstance(content, str) else content
            notebook = parse_notebook(content, f"{name}.ipynb")
            notebook.metadata.pop("ae_lab", None)  # only a report run may write this
        except (LabError, ValueError) as error:
            notebook = unexecuted(nbformat.v4.new_notebook(), failure_of(name, error))
        return self.from_notebook_node(notebook, resources, **kw)

    def from_notebook_node(self, nb: NotebookNode, resources: dict | None = None, **kw):
        """The page and its resources; with ``--execute``, the notebook is run as in a report."""
        nb = as_format_4_5(deepcopy(nb))
        switches = self.config.ExecutePreprocessor
        if switches.get("enabled") and "ae_lab" not in nb.metadata:
            if ignored := ", ".join(sorted(set(switches) - {"enabled"})):
                self.log.warning("a notebook is executed as in a report; ignored: %s", ignored)
            metadata = (resources or {}).get("metadata", {})
            try:
                nb = self._executed(metadata)
            except Exception as error:
                nb = unexecuted(nb, failure_of(metadata.get("name", "notebook"), error))
        html, resources = self._page(nb, resources, **kw)
        for error in self.page.errors:
            self.log.error(sentence_of(error))
        if self.page.gaps:
            self.log.warning("not shown (marked on the page): %d", len(self.page.gaps))
        return html, resources

    def _page(self, nb: NotebookNode, resources: dict | None, **kw) -> tuple[str, dict]:
        """The page; without its cells if it cannot be made or contains what is not allowed."""
        try:
            html, found = super().from_notebook_node(nb, resources, **kw)
            check_page(html, found["css"], found["script"])
            return html, found
        except Exception as error:  # a failure of one page must not affect the others
            resources = (resources or {}) | {"sections": ()}
            name = resources.get("metadata", {}).get("name", "notebook")
            nb = unexecuted({"cells": []}, failure_of(name, error))
            return super().from_notebook_node(nb, resources, **kw)

    def _executed(self, metadata: dict) -> NotebookNode:
        """The notebook's file after a run as in a report, in a temporary folder."""
        from ae_lab.report.build import prepare_data
        from ae_lab.report.execute.run import executed
        from ae_lab.report.workplace import Workplace
        from ae_lab.settings import Settings

        def say(text: str) -> None:
            self.log.info(text.strip())

        settings = Settings.from_environment()
        path = Path(metadata.get("path") or ".", f"{metadata['name']}.ipynb")
        with tempfile.TemporaryDirectory() as folder:
            place = Workplace(replace(settings, report_folder=Path(folder)))
            place.make_folders()
            data = prepare_data(settings, say)
            notebook = executed(place, path, "", say)
        run = {"profile": settings.profile, "seed": settings.seed, "data": data.source}
        notebook["metadata"]["ae_lab"]["run"] = run
        return notebook

    def _as_page(self, nb: NotebookNode, resources: dict) -> Page:
        metadata = resources.get("metadata", {})
        content = resources.get("global_content_filter", {})
        name, folder = metadata.get("name", "notebook"), metadata.get("path", "")
        self.page = Page(nb, name, folder, content, resources.get("sections", ()))
        resources["css"] = page_css(self.page.has_formulas, self.page.is_alive)
        script = page_script() if self.page.is_alive else ""
        if self.page.has_code:
            script += (PAGE / "folds.js").read_text(encoding="utf-8")
        resources["script"] = script
        resources["policy"] = page_policy(resources["css"], resources["script"])
        return self.page
