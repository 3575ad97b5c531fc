"""What a failure is called: the same words in a banner, in the index and on screen."""


def failure(notebook: str, name: str, message: str, **place) -> dict:
    """Describe a failure: where, the error's name and what it says.

    ``place`` may name the code ``cell`` by its number (None for text, or outside any cell), its
    ``id`` and the ``heading`` it stands under.
    """
    nowhere = {"cell": None, "id": None, "heading": None}
    return {"notebook": notebook, "name": name, "message": message} | nowhere | place


def sentence_of(error: dict) -> str:
    """Place, as far as it is known, name and message on one line of bearable length."""
    place = f", cell {error['cell']}" if error["cell"] else ""
    if error["id"] and not place:
        place = f", text cell {error['id']}"
    if error["heading"]:
        place += f" ({error['heading']})"
    message = " ".join(f"{error['name']}: {error['message']}".split())
    return f"{error['notebook']}{place} failed with {message[:300]}"
