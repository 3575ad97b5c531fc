"""Files written whole or not at all, and archives measured before they are unpacked."""

import json
import os
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from ae_lab.errors import LabError


def write_whole(path: Path, write: Callable[[Path], object]) -> Path:
    """Write a file under its own name in a temporary folder beside it, then move it to its place.

    A reader finds the old file or the new one, never half of one. An error of ``write``, or an
    ``OSError`` where nothing can be written, is passed on and leaves nothing behind.

    Parameters
    ----------
    path : the file to write, which is returned; its folder is made if need be.
    write : function that writes the file at the path it is given, whose name is that of ``path``.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".writing-") as folder:
        temporary = Path(folder) / path.name
        write(temporary)
        return temporary.replace(path)


def check_not_read(target: str | Path, *sources: str | Path) -> None:
    """Raise a LabError if ``target``, to be written, is one of ``sources``, by whatever name."""
    for source in sources:
        if os.path.exists(target) and os.path.samefile(target, source):
            raise LabError(f"{target} is {source}, which is read: name another file to write.")


def check_archive(path: Path, largest: int, names: tuple[str, ...] = ()) -> dict[str, int]:
    """Measure a zip file by what it declares, before anything of it is unpacked.

    Parameters
    ----------
    path : the zip file; ``.npz`` and ``.keras`` files are such.
    largest : bytes that all members together may have when unpacked.
    names : members that must be there.

    Returns
    -------
    dict of member name to declared size in bytes. A ValueError, BadZipFile or OSError says in
    words, for the caller's own sentence, that it is not a zip file, that a member is missing or
    twice there, or that there are more bytes than ``largest``.
    """
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
    sizes = {entry.filename: entry.file_size for entry in entries}
    if missing := [name for name in names if name not in sizes]:
        raise ValueError(f"no {', '.join(missing)} in it")
    if len(sizes) < len(entries):
        raise ValueError("two members of the same name")
    if (total := sum(sizes.values())) > largest:
        raise ValueError(f"{total:,} bytes when unpacked, more than {largest:,}")
    return sizes


def write_json(path: Path, content: object) -> None:
    """Write sorted, indented JSON, whole or not at all."""
    text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    write_text(path, text + "\n")


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 with plain line ends, whole or not at all."""
    write_whole(path, lambda part: part.write_text(text, encoding="utf-8", newline="\n"))


def read_json(path: Path) -> dict | None:
    """The file's content, or None if it is absent or was cut off."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
