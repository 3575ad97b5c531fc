"""What a failure is called: the same words in a banner, in the index and on screen."""


def failure(
    notebook: str,
    name: str,
    message: str,
    *,
    cell: int | None = None,
    id: str | None = None,
    heading: str | None = None,
) -> dict:
    """Describe a failure.

    Parameters
    ----------
    notebook, name, message : where, the error's name and what it says.
    cell : the code cell's number; None for text, or outside any cell.
    id, heading : the cell's id and the heading it stands under.
    """
    return {
        "notebook": notebook,
        "name": name,
        "message": message,
        "cell": cell,
        "id": id,
        "heading": heading,
    }


def place_of(error: dict) -> str:
    """Notebook, cell and heading, as far as they are known."""
    cell = f", cell {error['cell']}" if error["cell"] else ""
    if error["id"] and not cell:
        cell = f", text cell {error['id']}"
    return error["notebook"] + cell + (f" ({error['heading']})" if error["heading"] else "")


def sentence_of(error: dict) -> str:
    """Place, name and message on one line of bearable length."""
    message = " ".join(f"{error['name']}: {error['message']}".split())
    return f"{place_of(error)} failed with {message[:300]}"
