"""Which cells of a notebook differ from the distributed ones, whose hashes are in the package."""

import json
from collections.abc import Collection, Iterable
from hashlib import sha256
from pathlib import Path

from ae_lab.files import write_text

HASHES = Path(__file__).with_name("distributed.json")  # notebook → cell → hash


def differences(name: str, cells: Iterable[dict]) -> dict[str, str]:
    """Id of each cell that differs → "changed", "added" or "removed"; equal cells are omitted.

    The result is empty for a notebook with another name, which was not distributed.
    """
    known = json.loads(HASHES.read_text(encoding="utf-8")).get(name)
    if known is None:
        return {}
    found = {cell["id"]: cell_hash(cell) for cell in cells}
    changed = {
        id: "changed" if id in known else "added"
        for id, digest in found.items()
        if known.get(id) != digest
    }
    return changed | dict.fromkeys(known.keys() - found.keys(), "removed")


def in_words(differences: Collection[str]) -> str:
    """For example "2 changed, 1 added"; "none" if empty."""
    kinds = list(differences)
    counts = {kind: kinds.count(kind) for kind in ("changed", "added", "removed")}
    return ", ".join(f"{count} {kind}" for kind, count in counts.items() if count) or "none"


def cell_hash(cell: dict) -> str:
    """Hash of a cell's type and source, without blanks at line ends."""
    lines = "".join(cell["source"]).rstrip().split("\n")
    text = "\n".join([cell["cell_type"], *(line.rstrip() for line in lines)])
    return sha256(text.encode("utf-8", "replace")).hexdigest()[:12]


def hashes_of(folder: Path) -> str:
    """The content of `HASHES` for the notebooks in ``folder``, one line each."""
    lines = []
    for path in sorted(folder.glob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        known = {cell["id"]: cell_hash(cell) for cell in cells}
        lines.append(f"{json.dumps(path.stem)}:{json.dumps(known, separators=(',', ':'))}")
    return "{" + ",\n".join(lines) + "}\n"


if __name__ == "__main__":  # make cells
    write_text(HASHES, hashes_of(Path("notebooks")))
