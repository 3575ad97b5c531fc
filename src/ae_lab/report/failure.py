"""Descriptions of failures: the same words in a banner, in the index and on the terminal."""

import re

from ae_lab.errors import LabError

CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]+")  # a terminal may act on them


def valid_text(text: str) -> str:
    """``text`` with "?" for each character that UTF-8 cannot encode."""
    return text.encode("utf-8", "replace").decode()


def failure(notebook: str, name: str, message: str, **place) -> dict:
    """Describe a failure: its place, the name of the error and its message.

    ``place`` may contain the number of the code ``cell`` (None for text, or outside of cells), the
    ``id`` of the cell and the ``heading`` above it.
    """
    nowhere = {"cell": None, "id": None, "heading": None}
    return {"notebook": notebook, "name": name, "message": message} | nowhere | place


def failure_of(notebook: str, error: Exception) -> dict:
    """Describe an exception that concerns a whole notebook, for example an invalid file."""
    name = "FileError" if isinstance(error, LabError) else type(error).__name__
    return failure(notebook, name, str(error))


def place_of(error: dict) -> str:
    """Notebook, cell and heading of a failure, if known."""
    place = f", cell {error['cell']}" if error["cell"] else ""
    if error["id"] and not place:
        place = f", text cell {error['id']}"
    return error["notebook"] + place + (f" ({error['heading']})" if error["heading"] else "")


def sentence_of(error: dict) -> str:
    """Place, name and message of a failure in one line, shortened if necessary."""
    message = " ".join(f"{error['name']}: {error['message']}".split())
    return f"{place_of(error)} failed with {message[:300]}"
