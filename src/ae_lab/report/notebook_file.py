"""Read any notebook file as format 4.5, or raise an error with the reason."""

import json
import re
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from ae_lab.errors import LabError
from ae_lab.files import read_bytes

ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
CELL_TYPES = ("code", "markdown", "raw")
OUTPUT_TYPES = ("stream", "error", "display_data", "execute_result")


def read_notebook(path: Path) -> NotebookNode:
    """A notebook of any format; a LabError if the file is not JSON or has no cells."""
    try:
        return parse_notebook(read_bytes(path), path.name)
    except OSError as error:
        raise LabError(f"{path.name} cannot be read ({error.strerror}): check the file.") from error


def parse_notebook(content: bytes, name: str) -> NotebookNode:
    """``read_notebook`` for a file's ``content``; ``name`` is the file's name in errors."""
    try:
        found = json.loads(content.decode("utf-8-sig"))
        check_depth(found)
        if found.get("nbformat", 4) < 4 and "cells" not in found:
            found = nbformat.convert(nbformat.from_dict(found), 4)
        if isinstance(found["cells"], list):
            return as_format_4_5(found)
        reason = "no list of cells"
    except Exception as error:  # the converters of older formats raise many types
        reason = f"{type(error).__name__}: {error}"
    raise LabError(
        f"{name} must be a notebook, JSON with cells, received something else "
        f"({reason}): save it again in Jupyter, or remove it from the folder."
    )


def check_depth(found: object, most: int = 100) -> None:
    """Raise a ValueError if JSON is nested deeper than ``most``: recursive functions would fail."""
    if not most:
        raise ValueError("JSON that is nested too deeply")
    for part in found.values() if isinstance(found, dict) else found:
        if isinstance(part, dict | list):
            check_depth(part, most - 1)


def as_format_4_5(found: dict) -> NotebookNode:
    """The notebook with all that format 4.5 requires, for example a unique id for each cell."""
    ids: set[str] = set()
    for number, cell in enumerate(found["cells"]):
        if not isinstance(cell, dict):
            found["cells"][number] = cell = {"cell_type": "unknown", "source": str(cell)}
        cell["source"] = text_of(cell.get("source", "")).replace("\r\n", "\n")
        cell["metadata"] = _dict(cell.get("metadata"))
        tags = cell["metadata"].get("tags", [])
        cell["metadata"]["tags"] = tags if isinstance(tags, list) else []
        if "attachments" in cell:
            cell["attachments"] = _dict(cell["attachments"])
        name = cell.get("id")
        if not isinstance(name, str) or not ID.fullmatch(name) or name in ids:
            name = f"cell-{number + 1}"
            name += "-again" * (name in ids)
        ids.add(name)
        cell["id"] = name
        if cell.get("cell_type") not in CELL_TYPES:
            cell["metadata"]["unknown_type"] = str(cell.get("cell_type"))
            cell["cell_type"] = "raw"
        if cell["cell_type"] == "code":
            cell.setdefault("execution_count", None)
            cell["outputs"] = [_output(output) for output in cell.get("outputs") or []]
    metadata = _dict(found.get("metadata"))
    return nbformat.from_dict(
        {"cells": found["cells"], "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    )


def unexecuted(source: dict, error: dict) -> NotebookNode:
    """A notebook that could not be executed, in the form of a failed execution."""
    notebook = as_format_4_5(source)
    notebook["metadata"]["ae_lab"] = {"key": "", "record": None, "seconds": 0.0, "error": error}
    return notebook


def text_of(value: object) -> str:
    """A text that may be stored as a list of lines, or any other value as JSON."""
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        return "".join(value)
    return value if isinstance(value, str) else json.dumps(value)


def language_of(notebook: dict) -> str:
    """The language that the notebook's metadata name; "python" if none is named."""
    metadata = notebook.get("metadata", {})
    named = [
        _dict(metadata.get("language_info")).get("name"),
        _dict(metadata.get("kernelspec")).get("language"),
    ]
    return next((name for name in named if isinstance(name, str) and name), "python")


def _dict(value: object) -> dict:
    return value if isinstance(value, dict) else {}


def _output(output: object) -> dict:
    """An output with the fields of its type; an unknown type becomes JSON."""
    kind = output.get("output_type") if isinstance(output, dict) else None
    if kind not in OUTPUT_TYPES:
        data = {f"application/x-{kind or 'output'}": json.dumps(output)}
        return {"output_type": "display_data", "data": data, "metadata": {}}
    if kind == "stream":
        output["name"] = "stderr" if output.get("name") == "stderr" else "stdout"
        output["text"] = text_of(output.get("text", ""))
    elif kind == "error":
        output["ename"], output["evalue"] = (
            text_of(output.get(name, "")) for name in ("ename", "evalue")
        )
        output["traceback"] = [text_of(line) for line in output.get("traceback") or []]
    else:
        data = _dict(output.get("data"))
        output["data"] = {
            mime: content if mime.endswith("json") else text_of(content)
            for mime, content in data.items()
        }
        output["metadata"] = _dict(output.get("metadata"))
    return output
