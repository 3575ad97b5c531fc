"""Take out of a cell's outputs what differs from run to run or names the machine.

Addresses, process ids, times and absolute paths tell a reader nothing and make two equal
runs look different. They are removed here, when a page is rendered, and not forbidden:
a ``<Model object at 0x7f…>`` from a library is no reason to lose a page.
"""

import os
import re
import sysconfig
import tempfile
from copy import deepcopy
from itertools import groupby
from pathlib import Path

from nbformat import NotebookNode
from nbformat.v4 import new_output

ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07")
ADDRESS = re.compile(r" at 0x[0-9A-Fa-f]{6,}")
CELL_FILE = re.compile(r"[^\s\"'(]*ipykernel_\d+[/\\]\d+\.py")
CELL_TEMPORARY = re.compile(r"<ipython-input-[\w-]+>")
SITE_PACKAGES = re.compile(r"(?:[A-Za-z]:)?[/\\][^\s\"'(<>]*[/\\](?=(?:site|dist)-packages[/\\])")
# The clock at the end of a bar: Keras's "1s 3ms/step" and tqdm's "[00:01<00:00, 9.5it/s]".
KERAS_CLOCK = re.compile(r"(━\s+)(?:\d+:)*\d+m?s\s+\d+(?:ms|us|s)/(?:step|epoch)(?: - )?")
TQDM_CLOCK = re.compile(r" ?\[\d+:\d\d(?::\d\d)?<[^\]]*\]")
LEFT_OVER = {ord("\b"): None, ord("\x1b"): None}  # what no page can hold
LINE_END = re.compile(r"\r+\n")
OVERWRITTEN = re.compile(r"[^\n]*\r(?!\n|$)")
ERASED = re.compile(r"[^\n\x08]\x08")


def clean_outputs(outputs: list[NotebookNode], folder: str = "") -> list[NotebookNode]:
    """The outputs as a page shows them: streams joined, texts cleaned; the given ones stay.

    The notebook's folder is cut off where a text names it.
    """
    joined = join_streams(outputs)
    for output in joined:
        if output.output_type == "stream":
            output.text = clean_text(output.text, folder)
        elif output.output_type == "error":
            output.evalue = clean_text(output.evalue, folder)
            output.traceback = [clean_text(line, folder) for line in output.traceback]
        else:
            for kind in output.data.keys() & {"text/plain", "text/html", "text/markdown"}:
                output.data[kind] = clean_text(output.data[kind], folder)
    return joined


def join_streams(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """What is printed between two figures becomes one stdout and one stderr, in this order.

    Which of the two pipes is read first, and in how many pieces, is chance.
    """
    joined: list[NotebookNode] = []
    for is_stream, group in groupby(outputs, lambda output: output.output_type == "stream"):
        if not is_stream:
            joined += deepcopy(list(group))
            continue
        texts = {"stdout": "", "stderr": ""}
        for stream in group:
            texts[stream.name] += stream.text
        joined += [new_output("stream", name=n, text=text) for n, text in texts.items() if text]
    return joined


def clean_text(text: str, folder: str = "") -> str:
    """Plain text as a terminal would end up showing it, without clock, address or path."""
    text = _play_terminal(ANSI.sub("", text))
    text = CELL_TEMPORARY.sub("cell", CELL_FILE.sub("cell", text))
    text = KERAS_CLOCK.sub(r"\1", TQDM_CLOCK.sub("", ADDRESS.sub("", text)))
    for path, name in _known_folders(folder):
        text = text.replace(path + os.sep, name + "/" if name else "")
        text = text.replace(path, name or ".")
    return SITE_PACKAGES.sub("", text)


def _play_terminal(text: str) -> str:
    shorter = ERASED.sub("", text)
    while shorter != text:
        text, shorter = shorter, ERASED.sub("", shorter)
    return OVERWRITTEN.sub("", LINE_END.sub("\n", text.translate(LEFT_OVER)))


def _known_folders(folder: str) -> list[tuple[str, str]]:
    """Folders of this machine and what a page calls them, the longest path first."""
    paths = {
        sysconfig.get_path("stdlib"): "python",
        sysconfig.get_path("purelib"): "site-packages",
        str(Path(__file__).absolute().parents[3]): "src",
        tempfile.gettempdir(): "temporary",
        os.path.expanduser("~"): "~",  # itself where there is no home folder
    }
    if folder:
        paths |= {str(Path(folder).absolute().parent): "", str(Path(folder).absolute()): ""}
    usable = [(path, name) for path, name in paths.items() if len(path) > 3]
    return sorted(usable, key=lambda pair: -len(pair[0]))
