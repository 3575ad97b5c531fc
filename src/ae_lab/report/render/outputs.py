"""A cell's outputs as HTML: each in the richest form that a page can show, or a note."""

import io
import json
import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from html import escape

from nbformat import NotebookNode, from_dict
from PIL import Image

from ae_lab.lab.records import DECODER, POSITIONS
from ae_lab.report.notebook_file import as_format_4_5
from ae_lab.report.numbers import as_people_write
from ae_lab.report.render.cleaning import clean_outputs, clean_text
from ae_lab.report.render.markdown import Fragments
from ae_lab.report.render.sanitise import CHART, MEDIA, plain_text, svg_root

FILLER = "No description has been provided for this image"  # nbconvert's placeholder
NO_ALT = "a figure has no alt text: show it with lab.show(fig, alt=...)"
IMAGES = [f"image/{kind}" for kind in ("svg+xml", "png", "jpeg", "gif", "webp", "avif", "bmp")]
WIDGET = "application/vnd.jupyter.widget-view+json"
WIDGET_STATE = "application/vnd.jupyter.widget-state+json"
BARE = re.compile(r"<[\w.]+(?: object)?(?: at 0x\w+)?>")  # a repr without information
HIDES = re.compile(r"<style\b[^<]*display:\s*none", re.IGNORECASE)
NAMES = {  # outputs that a page cannot show, by the start of their MIME type
    "application/pdf": f"a PDF: {CHART}",
    "application/javascript": f"the output of a script: {CHART}",
    "audio/": f"a sound: {MEDIA}",
    "video/": f"a video: {MEDIA}",
    "image/": f"an image in a format that browsers do not show: {CHART}",
    "": f"an output that needs another program: {CHART}",
}
# outputs of the lab, whose numbers are formatted by `as_people_write`
OURS = re.compile(r'<(?:p|div) class="(?:reading|claim|record|summary|answer)\b|<table><caption>')
WORDS = re.compile(r">[^<]+")
HEAD = re.compile(r"<th\b[^>]*>(.*?)</th>", re.DOTALL)
ROW = re.compile(r"<t[dh]\b(?![^>]*span=)(?=[^>]*>)")
TABLE = re.compile(r"<table>(?:(?!</?table).)*?</thead>(?:(?!</?table).)*</table>", re.DOTALL)
PHONE = 600  # pixels; wider figures would be too small on a phone
MOST_PIXELS = 50_000_000
MOST_WIDGETS = 2_000
DARK = 0.12  # share of dark pixels up to which a figure is a chart, not images
PROGRESS = ("FloatProgressModel", "IntProgressModel")

# An interactive figure: a static figure, and controls that replace it if the script may run. The
# script computes the figure and is allowed by its hash.
OPENING = '<div class="living" data-'  # outputs of a kernel cannot contain this unescaped
TICKS = [f"<span>{tick}</span>" for tick in ("−3", "−2", "−1", "0", "1", "2", "3")]
PLANE = f"""<div class="live" hidden>
<div class="axes"><p class="axis upright" aria-hidden="true">{"".join(TICKS[::-1])}</p>
<canvas class="plane" width="392" height="392" tabindex="0" role="application"
 aria-label="The plane of the two latents; arrow keys move the point"></canvas>
<p class="axis" aria-hidden="true">{"".join(TICKS)}</p></div>
<div class="beside">
<canvas class="digit" role="img" aria-label="The image decoded at the point"></canvas>
<p class="where" aria-live="polite"></p>
<label>z 1, to the right <input type="range" min="-3" max="3" step="0.01"></label>
<label>z 2, upwards <input type="range" min="-3" max="3" step="0.01"></label>
<p class="note">Move over the plane, tap it, move the sliders, or focus the plane and press the
arrow keys. The image above is then decoded on this page, with the model’s own weights.</p></div>
</div>"""


SLIDERS = """<div class="live" hidden>
<div class="named"><div class="names"></div>
<canvas class="rows" role="img" aria-label="Rows of images"></canvas></div>
<div class="sliders"></div>
</div>"""


class Outputs:
    """Renders outputs; ``markdown`` renders a text and adds its headings to the outline."""

    def __init__(self, notebook: NotebookNode, fragments: Fragments, markdown: Callable):
        self.fragments, self.markdown, self.folder = fragments, markdown, fragments.folder
        stored = notebook.metadata.get("widgets", {})
        stored = stored.get(WIDGET_STATE, stored) if isinstance(stored, dict) else {}
        stored = stored.get("state", stored) if isinstance(stored, dict) else {}  # not in Colab's
        self.widgets = stored if isinstance(stored, dict) else {}
        self.shown = 0  # number of widgets shown so far

    def html(self, outputs: list[NotebookNode]) -> str:
        """All outputs of a cell."""
        shown = map(self._output, clean_outputs(outputs, self.folder))
        return "\n".join(filter(None, shown))

    def _output(self, output: NotebookNode) -> str:
        if output.output_type == "stream":
            text = output.text.rstrip()
            return f'<pre class="{escape(output.name)}">{escape(text)}</pre>' if text else ""
        if output.output_type == "error":
            trace = "\n".join(output.traceback).strip() or f"{output.ename}: {output.evalue}"
            return f'<pre class="error">{escape(trace)}</pre>'
        data = output.data
        if DECODER in data and "image/png" in data:
            return self._living("decoder", data[DECODER], output, PLANE)
        if POSITIONS in data and "image/png" in data:
            return self._living("positions", data[POSITIONS], output, SLIDERS)
        if isinstance(data.get(WIDGET), dict):
            return self._widget(data[WIDGET].get("model_id"), data.get("text/plain", ""))
        plain = data.get("text/plain", "").rstrip()
        plain = "" if BARE.fullmatch(plain) else plain
        images = [kind for kind in IMAGES if kind in data]
        markup, scripted = data.get("text/html", ""), "<script" in data.get("text/html", "").lower()
        if markup and not (HIDES.search(markup) and plain) and not (scripted and images):
            rich = self.fragments.html(markup)
            if scripted and plain and not _has_content(rich):
                rich += _pre(plain)
            if rich.strip() and (_has_content(rich) or not images):
                if OURS.match(markup):
                    rich = WORDS.sub(lambda text: as_people_write(text[0]), rich)
                return f'<div class="rich">{labelled(rich)}</div>'
        for kind in ("text/markdown", "text/latex"):
            if data.get(kind, "").strip():
                return f'<div class="rich">{self.markdown(data[kind])}</div>'
        if images:
            return self._image(images[0], output)
        if "application/json" in data:
            text = json.dumps(data["application/json"], indent=2, ensure_ascii=False)
            return _pre(text)
        kinds = sorted(data.keys() - {"text/plain", "text/html"})
        if kinds and not markup:
            start = next(start for start in NAMES if kinds[0].startswith(start))
            named = f"{NAMES[start]} ({kinds[0]})"
            return f"<p>{self.fragments.note(named)}</p>" + _pre(plain)
        return _pre(plain or data.get("text/plain", "").rstrip())

    def _living(self, what: str, data: dict, output: NotebookNode, controls: str) -> str:
        """A static figure, and controls that replace it by what is computed from ``data``.

        The data become an attribute, never markup or code.
        """
        packed = json.dumps(data, sort_keys=True, separators=(",", ":"))
        still = self._image("image/png", output)
        return f'{OPENING}{what}="{escape(packed)}">{still}{controls}</div>'

    def _image(self, kind: str, output: NotebookNode) -> str:
        details = output.metadata.get(kind)
        details = details if isinstance(details, dict) else {}
        alt = str(details.get("alt") or output.metadata.get("alt") or "").strip()
        alt = "" if FILLER in alt else alt
        missing = "" if alt else self.fragments.note(NO_ALT, failed=True)
        sizes = "".join(
            f' {name}="{int(details[name])}"'
            for name in ("width", "height")
            if str(details.get(name, "")).isdigit()
        )
        data = output.data[kind]
        if kind == "image/svg+xml":
            if not (found := svg_root(data)):
                return self.fragments.note(f"an SVG that is not well-formed: {CHART}", failed=True)
            data = b64encode(found[0].encode()).decode()
        address = f"data:{kind};base64,{escape(''.join(data.split()))}"
        looks = " ".join(looks_of(kind, data, str(details.get("width", ""))))
        # a figure wider than a phone scrolls, and must be reachable by keyboard
        wide = ' role="group" aria-label="Figure" tabindex="0"' if "wide" in looks else ""
        css = f' class="{looks}"' if looks else ""
        image = f'<img src="{address}" alt="{escape(alt)}"{sizes}>'
        return f"<figure{css}{wide}>{image}{missing}</figure>"

    def _widget(self, identity: object, plain: str, depth: int = 0) -> str:
        """The last state of a widget, as text and images."""
        model = self.widgets.get(identity) if isinstance(identity, str) else None
        self.shown += 1
        if not isinstance(model, dict) or depth > 20 or self.shown > MOST_WIDGETS:
            words = "a widget without a stored state: it needs a kernel"
            return f"<p>{self.fragments.note(words)}</p>" + _pre(
                "" if BARE.fullmatch(plain) else plain
            )
        kind, state = str(model.get("model_name")), model.get("state", {})
        if isinstance(state.get("outputs"), list):
            cell = {"cell_type": "code", "outputs": state["outputs"]}
            return self.html(as_format_4_5({"cells": [cell]}).cells[0].outputs)
        if isinstance(children := state.get("children"), (list, tuple)):
            names = [str(child).removeprefix("IPY_MODEL_") for child in children]
            return "\n".join(self._widget(name, "", depth + 1) for name in names)
        if pixels := _pixels(model):
            output = from_dict({"data": {"image/png": pixels}, "metadata": {}})
            return self._image("image/png", output)
        value, named = state.get("value"), escape(str(state.get("description") or ""))
        if kind in ("HTMLModel", "HTMLMathModel"):
            shown = self.fragments.html(clean_text(str(value)))
        elif kind in PROGRESS:
            shown = f"{value:g} of {state.get('max', 100):g}"
        elif kind == "ButtonModel":
            shown = self.fragments.note("a button: it needs a kernel")
        elif (chosen := state.get("index")) is not None and "_options_labels" in state:
            labels = state["_options_labels"]
            several = chosen if isinstance(chosen, (list, tuple)) else [chosen]
            shown = escape(", ".join(str(labels[index]) for index in several))
        elif value is not None and not isinstance(value, dict):
            shown = escape(str(value))
        else:
            words = f"a widget of the type {kind.removesuffix('Model')}: it needs a kernel"
            shown = self.fragments.note(words) + escape("" if BARE.fullmatch(plain) else plain)
        return f'<div class="widget">{named}{": " if named and shown else ""}{shown}</div>'


def labelled(html: str) -> str:
    """Simple tables with the column's header in each cell, so that a phone shows rows as cards."""

    def table(whole: re.Match) -> str:
        head, body = whole[0].split("</thead>", 1)
        heads = [escape(plain_text(one)) for one in HEAD.findall(head)]
        rows = [ROW.findall(row) for row in body.split("</tr>")[:-1]]
        if not heads or any(len(row) != len(heads) for row in rows):
            return whole[0]

        def row(text: str) -> str:
            names = iter(heads)
            return ROW.sub(lambda cell: f'{cell[0]} data-label="{next(names)}"', text)

        return f"{head}</thead>{'</tr>'.join(map(row, body.split('</tr>')))}"

    return TABLE.sub(table, html)


def looks_of(kind: str, data: str, width: str = "") -> list[str]:
    """CSS classes of a figure: "wide" if wider than a phone, "chart" if dark lines on white."""
    looks = ["wide"] if width.isdigit() and int(width) > PHONE else []
    looks += ["drawing"] * (kind == "image/svg+xml")  # our drawings also suit a dark page
    if kind == "image/png" and (image := image_of(data)):
        counts = image.convert("L").histogram()
        looks += ["chart"] * (sum(counts[:64]) < DARK * sum(counts) < sum(counts[224:]))
    return looks


def image_of(picture: str) -> Image.Image | None:
    """The image of a PNG in base64; None if it is damaged or has more than 50 million pixels."""
    try:  # only as PNG, because Pillow runs programs for some other formats
        image = Image.open(io.BytesIO(b64decode(picture)), formats=("PNG",))
        if image.width * image.height <= MOST_PIXELS:
            image.load()
            return image
    except Exception:  # damaged data raise many types of exception
        pass
    return None


def _pixels(model: dict) -> str:
    """PNG of an image widget in base64, or ""; its bytes are stored next to its state."""
    address = model["state"].get("_data_url", "")
    if isinstance(address, str) and address.startswith("data:image/png;base64,"):
        return address.partition(",")[2]
    buffers = model.get("buffers") or []
    values = [buffer.get("data", "") for buffer in buffers if buffer.get("path") == ["value"]]
    return values[0] if values and model.get("model_name") == "ImageModel" else ""


def _has_content(html: str) -> bool:
    """Whether there is visible content besides notes about what cannot be shown."""
    text = re.sub(r'<span class="not-shown">[^<]*</span>|<(?!img)[^>]*>', "", html)
    return bool(text.strip())


def _pre(text: str) -> str:
    return f'<pre class="result">{escape(text)}</pre>' if text else ""
