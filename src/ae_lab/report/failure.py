"""What a failure is called: the same words in a banner, in the index and on screen."""

from ae_lab.errors import LabError


def failure(notebook: str, name: str, message: str, **place) -> dict:
    """Describe a failure: where, the error's name and what it says.

    ``place`` may name the code ``cell`` by its number (None for text, or outside any cell), its
    ``id`` and the ``heading`` it stands under.
    """
    nowhere = {"cell": None, "id": None, "heading": None}
    return {"notebook": notebook, "name": name, "message": message} | nowhere | place


def failure_of(notebook: str, error: Exception) -> dict:
    """Describe an exception that concerns a whole notebook, such as a file that is not one."""
    name = "FileError" if isinstance(error, LabError) else type(error).__name__
    return failure(notebook, name, str(error))


def place_of(error: dict) -> str:
    """Notebook, cell and heading of a failure, as far as they are known."""
    place = f", cell {error['cell']}" if error["cell"] else ""
    if error["id"] and not place:
        place = f", text cell {error['id']}"
    return error["notebook"] + place + (f" ({error['heading']})" if error["heading"] else "")


def sentence_of(error: dict) -> str:
    """Place, as far as it is known, name and message on one line of bearable length."""
    message = " ".join(f"{error['name']}: {error['message']}".split())
    return f"{place_of(error)} failed with {message[:300]}"
