"""Remove from a cell's outputs what differs between runs or identifies the machine.

Memory addresses, process ids, times and absolute paths do not help a reader and make equal runs
look different. They are not forbidden, but removed when a page is rendered: a
``<Model object at 0x7f…>`` from a library is no reason to reject a page. Only the forms that tools
print are removed, and paths only in the output of tools (stderr and tracebacks). What a notebook
prints is never changed. The time for each pattern is proportional to the length of the text.
"""

import os
import re
import sysconfig
from copy import deepcopy
from itertools import groupby
from pathlib import Path

from nbformat import NotebookNode
from nbformat.v4 import new_output

ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
# "at 0x…" at the end of Python's reprs, or inside them.
ADDRESS = re.compile(r" at 0x[0-9A-Fa-f]{6,16}(?=>|&gt;|; to '|, file \")")
# The times after a progress bar: Keras's "1s 3ms/step" and tqdm's "[00:01<00:00, 9.5it/s]",
# which contains figure spaces in a widget.
KERAS_CLOCK = re.compile(r"(━ {1,9})(?:\d+:)*\d+m?s +\d+(?:ms|us|s)/(?:step|epoch)(?: - )?")
TQDM_CLOCK = re.compile(
    r"(?<=\w)[ \u2007]\[(?:\d+:)+\d\d(?:(?:<|&lt;)[\d:?]+)?,"
    r"[ \u2007]+[^\],\s]{1,20}/\w+(?:, ([^\]\n]*))?\]"
)
# TensorFlow's C++ code writes to file descriptor 2, with times and process ids.
CPP_LOG = re.compile(
    r"^(?:\d{4}-\d\d-\d\d [\d:.]+: )?[IWEF](?:\d{4} [\d:.]+ +\d+)? "
    r"[\w./+-]+\.(?:cc|cpp|h):\d+\].*\n?"
    r"|^WARNING: All log messages before absl::InitializeLog.*\n?",
    re.MULTILINE,
)
WORD = re.compile(r"[^\s\"'()<>]+")
CELL_FILE = re.compile(r".*ipykernel_\d+[/\\]\d+\.py")
ABSOLUTE = re.compile(r"(?:[A-Za-z]:)?[/\\]")
PACKAGES = re.compile(r"(?:site|dist)-packages[/\\]")
LINE_END = re.compile(r"\r+\n")


def clean_outputs(outputs: list[NotebookNode], folder: str = "") -> list[NotebookNode]:
    """The outputs as a page shows them: streams joined, texts cleaned; ``outputs`` is unchanged.

    The notebook's ``folder`` is removed from paths in the output of tools.
    """
    joined = join_streams(outputs)
    for output in joined:
        if output.output_type == "stream":
            shown = play_terminal(output.text)
            is_tool = output.name == "stderr"
            output.text = clean_message(shown, folder) if is_tool else clean_text(shown)
        elif output.output_type == "error":
            output.evalue = clean_message(play_terminal(output.evalue), folder)
            output.traceback = [
                clean_message(play_terminal(line), folder) for line in output.traceback
            ]
        else:
            for kind in output.data.keys() & {"text/plain", "text/html", "text/markdown"}:
                output.data[kind] = clean_text(ANSI.sub("", output.data[kind]))
    return joined


def join_streams(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Join what is printed between two figures into one stdout and one stderr, in this order.

    The order in which the two pipes are read, and in how many pieces, is random.
    """
    joined: list[NotebookNode] = []
    for is_stream, group in groupby(outputs, lambda output: output.output_type == "stream"):
        if not is_stream:
            joined += deepcopy(list(group))
            continue
        texts: dict[str, list[str]] = {"stdout": [], "stderr": []}
        for stream in group:
            texts[stream.name].append(stream.text)
        joined += [
            new_output("stream", name=name, text="".join(pieces))
            for name, pieces in texts.items()
            if pieces
        ]
    return joined


def clean_text(text: str) -> str:
    """A text without the addresses in reprs and the times of progress bars."""
    text = ADDRESS.sub("", text) if " at 0x" in text else text
    text = KERAS_CLOCK.sub(r"\1", text) if "━" in text else text
    return TQDM_CLOCK.sub(lambda bar: f" [{bar[1]}]" if bar[1] else "", text)


def clean_message(text: str, folder: str = "") -> str:
    """The output of a tool, also without process ids and folders of this machine."""
    text = clean_text(CPP_LOG.sub("", text))
    if "/" not in text and "\\" not in text:
        return text
    names = _known_folders(folder)
    return WORD.sub(lambda word: _without_folders(word[0], names), text)


def play_terminal(text: str) -> str:
    """Plain text in the final state that a terminal would show."""
    text = LINE_END.sub("\n", ANSI.sub("", text))
    if "\r" in text or "\b" in text:
        text = "\n".join(map(_final_state, text.split("\n")))
    return text.replace("\x1b", "")


def _final_state(line: str) -> str:
    line = line.rstrip("\r").rpartition("\r")[2]
    kept: list[str] = []
    for letter in line if "\b" in line else "":
        if letter != "\b":
            kept.append(letter)
        elif kept:
            kept.pop()
    return "".join(kept) if "\b" in line else line


def _without_folders(word: str, names: list[tuple[str, str]]) -> str:
    if not ABSOLUTE.match(word):
        return word
    if "ipykernel_" in word and (cell := CELL_FILE.match(word)):
        return "cell" + word[cell.end() :]
    if package := PACKAGES.search(word):
        return word[package.start() :]
    for path, name in names:
        if word.startswith(path) and word[len(path) : len(path) + 1] in ("", "/", "\\", ":", ","):
            rest = word[len(path) :]
            return (name + rest if name else rest.lstrip("/\\")) or "."
    return word


def _known_folders(folder: str) -> list[tuple[str, str]]:
    """Folders of this machine and their names on a page, the longest path first."""
    paths = {
        sysconfig.get_path("stdlib"): "python",
        str(Path(__file__).absolute().parents[3]): "src",
        os.path.expanduser("~"): "~",  # returns "~" if there is no home folder
    }
    if folder:
        paths |= {str(Path(folder).absolute().parent): "", str(Path(folder).absolute()): ""}
    usable = [(path, name) for path, name in paths.items() if len(path) > 3]
    return sorted(usable, key=lambda pair: -len(pair[0]))
