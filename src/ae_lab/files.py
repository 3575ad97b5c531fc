"""Files written whole or not at all, and archives measured before they are unpacked."""

import errno
import json
import os
import stat
import tempfile
import zipfile
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any, BinaryIO

from ae_lab.errors import LabError

LARGEST_TEXT = 100_000_000  # bytes of a text file; an executed notebook with its figures has some
LARGEST_DIRECTORY = 1_000_000  # bytes of a zip file's list of its members
METHODS = zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED  # zipfile unpacks others without a limit


def open_regular(path: Path) -> BinaryIO:
    """Open a file for reading; an OSError refuses what may have no end, as a FIFO or a device."""
    wait_for_nothing = getattr(os, "O_NONBLOCK", 0)
    file = open(path, "rb", opener=lambda name, flags: os.open(name, flags | wait_for_nothing))
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return file


def read_text(path: Path) -> str:
    """A regular file's UTF-8; an OSError or ValueError refuses another, or one over 100 MB."""
    with open_regular(path) as file:
        content = file.read(LARGEST_TEXT + 1)
    if len(content) > LARGEST_TEXT:
        raise OSError(errno.EFBIG, f"more than {LARGEST_TEXT:,} bytes", str(path))
    return content.decode("utf-8")


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


def check_not_read(target: str | Path, source: str | Path) -> None:
    """Raise a LabError if ``target``, to be written, is the file ``source``, by whatever name."""
    if os.path.exists(target) and os.path.samefile(target, source):
        raise LabError(f"{target} is {source}, which is read: name another file to write.")


def check_archive(
    path: Path | BinaryIO, largest: int, names: tuple[str, ...] = ()
) -> dict[str, int]:
    """Measure a zip file by what it declares, before anything of it is unpacked.

    Parameters
    ----------
    path : the zip file, or its name; ``.npz`` and ``.keras`` files are such.
    largest : bytes that all members together may have when unpacked.
    names : members that must be there.

    Returns
    -------
    dict of member name to declared size in bytes. A ValueError, BadZipFile or OSError says in
    words, for the caller's own sentence, that it is not a zip file, that a member is missing,
    twice there or compressed by another method than deflate, or that there are more bytes than
    ``largest``.
    """
    with open_regular(path) if isinstance(path, str | Path) else nullcontext(path) as file:
        end = zipfile._EndRecData(file)  # what ZipFile itself goes by
        if end and (size := end[zipfile._ECD_SIZE]) > LARGEST_DIRECTORY:
            raise ValueError(f"a list of members of {size:,} bytes")
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
    sizes = {entry.filename: entry.file_size for entry in entries}
    if missing := [name for name in names if name not in sizes]:
        raise ValueError(f"no {', '.join(missing)} in it")
    if len(sizes) < len(entries):
        raise ValueError("two members of the same name")
    if others := [entry.filename for entry in entries if entry.compress_type not in METHODS]:
        raise ValueError(f"{others[0]} compressed by another method than deflate")
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


def read_json(path: Path, kind: type = dict) -> Any:
    """The file's content, or None if it is absent, was cut off, or is not of this ``kind``."""
    try:
        found = json.loads(read_text(path))
    except (FileNotFoundError, ValueError, RecursionError):
        return None
    return found if isinstance(found, kind) else None
