"""``jupyter nbconvert --to ae_lab_report``: a notebook as one page that stands alone."""

from nbconvert.exporters import TemplateExporter
from nbconvert.utils.exceptions import ConversionException
from nbformat import NotebookNode
from traitlets.config import Config

from ae_lab.errors import LabError
from ae_lab.report.execute.kernel import KERNEL_ARGUMENTS, OwnKernelManager
from ae_lab.report.failure import sentence_of
from ae_lab.report.render.page import Page
from ae_lab.report.render.template import PAGE, page_css, page_policy


class PageError(LabError, ConversionException):
    """A page that would miss something; ``details`` says what, as of a failed execution."""

    def __init__(self, details: dict):
        super().__init__(sentence_of(details))
        self.details = details


class ReportExporter(TemplateExporter):
    """A page without requests, with MathML, outline and alt texts; the only script is our own.

    Not an HTMLExporter: that one parses the finished page once more to put filler in place of
    missing alt texts, and brings settings for scripts. Raises a PageError if a formula or an
    image cannot be shown or an alt text is missing, unless the page reports a failure anyway.
    """

    export_from_notebook = "ae_lab report"
    output_mimetype = "text/html"

    @property
    def default_config(self) -> Config:
        """Our template; with ``--execute`` a report run's kernel, and nothing that varies."""
        config = super().default_config.copy()
        config.ReportExporter.update(
            file_extension=".html",
            template_name=PAGE.name,
            extra_template_basedirs=[str(PAGE.parent)],
        )
        config.ExecutePreprocessor.update(
            kernel_manager_class=OwnKernelManager,
            kernel_name="python3",
            extra_arguments=list(KERNEL_ARGUMENTS),
            record_timing=False,
            store_widget_state=False,
        )
        return config

    def default_filters(self):
        yield from super().default_filters()
        yield "as_page", self._as_page

    def from_notebook_node(self, nb: NotebookNode, resources: dict | None = None, **kw):
        html, resources = super().from_notebook_node(nb, resources, **kw)
        if self._page.problems and not self._page.error:
            raise PageError(self._page.problems[0])
        return html, resources

    def _as_page(self, nb: NotebookNode, resources: dict) -> Page:
        metadata = resources.get("metadata", {})
        self._page = Page(nb, metadata.get("name", "notebook"), metadata.get("path", ""))
        resources["css"] = page_css(self._page.has_formulas)
        script = PAGE / "living.js"
        resources["script"] = script.read_text(encoding="utf-8") if self._page.is_alive else ""
        resources["policy"] = page_policy(resources["css"], resources["script"])
        return self._page
