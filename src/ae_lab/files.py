"""Files that are written completely or not at all; archives that are checked before unpacking."""

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

LARGEST_TEXT = 100_000_000  # bytes; executed notebooks with figures have several million
LARGEST_DIRECTORY = 1_000_000  # bytes of a zip file's list of its members
METHODS = zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED  # zipfile does not limit the size of others


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file for reading; raise an OSError for a FIFO, a device and the like."""
    wait_for_nothing = getattr(os, "O_NONBLOCK", 0)
    file = open(path, "rb", opener=lambda name, flags: os.open(name, flags | wait_for_nothing))
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return file


def read_bytes(path: Path) -> bytes:
    """Content of a regular file of up to 100 MB; raise an OSError for others."""
    with open_regular(path) as file:
        content = file.read(LARGEST_TEXT + 1)
    if len(content) > LARGEST_TEXT:
        raise OSError(errno.EFBIG, f"more than {LARGEST_TEXT:,} bytes", str(path))
    return content


def read_text(path: Path) -> str:
    """Text of a regular UTF-8 file of up to 100 MB; raise an OSError or ValueError for others."""
    return read_bytes(path).decode("utf-8")


def write_whole(path: Path, write: Callable[[Path], object]) -> Path:
    """Write a file in a temporary folder next to ``path``, then move it to ``path``.

    A reader sees the old file or the new one, never a part of one. If ``write`` fails, or if the
    file cannot be written (``OSError``), the error is passed on and no temporary file remains.

    Parameters
    ----------
    path : file to write, returned by the function; its folder is created if necessary.
    write : function called with a temporary path, to which it writes; the file name is the same.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".writing-") as folder:
        temporary = Path(folder) / path.name
        write(temporary)
        return temporary.replace(path)


def check_not_read(target: str | Path, source: str | Path) -> None:
    """Raise a LabError if ``target``, a file to write, is the same file as ``source``."""
    if os.path.exists(target) and os.path.samefile(target, source):
        raise LabError(f"{target} is the input file {source}: name another file to write.")


def check_archive(
    path: Path | BinaryIO, largest: int, names: tuple[str, ...] = ()
) -> dict[str, int]:
    """Check the declared sizes of a zip file before unpacking anything.

    Parameters
    ----------
    path : the zip file, or its name. ``.npz`` and ``.keras`` files are zip files.
    largest : largest total size in bytes of all unpacked members.
    names : required members.

    Returns
    -------
    dict of member name to declared size in bytes.

    Raises
    ------
    ValueError, BadZipFile or OSError
        With a short reason: it is not a zip file, a required member is missing, a name occurs
        twice, a member uses another compression than deflate, or the total size is too large.
    """
    with open_regular(path) if isinstance(path, str | Path) else nullcontext(path) as file:
        end = zipfile._EndRecData(file)  # the record that ZipFile itself uses
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
    """Write sorted, indented JSON, completely or not at all."""
    text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    write_text(path, text + "\n")


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 with "\\n" as line end, completely or not at all."""
    write_whole(path, lambda part: part.write_text(text, encoding="utf-8", newline="\n"))


def read_json(path: Path, kind: type = dict) -> Any:
    """The content of a JSON file; None if it is missing, truncated, or not of this ``kind``."""
    try:
        found = json.loads(read_text(path))
    except (FileNotFoundError, ValueError, RecursionError):
        return None
    return found if isinstance(found, kind) else None
