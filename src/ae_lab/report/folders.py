"""Folders that are replaced as a whole, so that a killed run cannot leave half of one."""

import ctypes
import os
import shutil
from pathlib import Path

from ae_lab.errors import LabError

AT_CWD, RENAME_EXCHANGE = -100, 2  # from Linux's fcntl.h and stdio.h
# Files of every report, and files and folders of some reports.
PAGES = {"index.html", "claims.json"}
KEPT = set("metrics.json exercises.json before.json models handed-in sweep".split())
OF_DESKTOPS = {"Thumbs.db", "desktop.ini"}


def move_files(source: Path, target: Path) -> None:
    """Move the files of ``source`` to ``target`` and remove all other files there."""
    files = sorted(source.iterdir()) if source.is_dir() else []
    target.mkdir(parents=True, exist_ok=True)
    for path in files:
        os.replace(path, target / path.name)
    for path in set(target.iterdir()) - {target / path.name for path in files}:
        path.unlink()


def check_ours(folder: Path) -> None:
    """Raise a LabError if ``folder``, which will be replaced, contains more than a report."""
    if not folder.is_dir():
        return
    names = {path.name for path in folder.iterdir() if path.name[0] != "."} - OF_DESKTOPS
    pages = {name for name in names if name in PAGES or name.endswith(".html")}
    others = names - pages - KEPT or (names if pages and not pages >= PAGES else set())
    if others:
        raise LabError(
            f"{folder} must be absent or hold a report, received a folder with "
            f"{', '.join(sorted(others)[:3])}: move them, or name another folder in AE_LAB_REPORTS."
        )


def remove(path: Path) -> None:
    """Remove a folder, file or link if it exists; the target of a link is kept."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    shutil.rmtree(path, ignore_errors=True)


def replace_folder(new: Path, target: Path, aside: Path) -> None:
    """Replace ``target`` by ``new``, in a single step if the system supports it.

    Otherwise it takes two renames; :func:`recover_folder` repairs what a kill between them leaves.
    """
    if target.exists() and _exchange(new, target):
        os.rename(new, aside)
    else:
        if target.exists():
            os.rename(target, aside)
        os.rename(new, target)
    remove(aside)


def _exchange(first: Path, second: Path) -> bool:
    """Swap two folders in one step with Linux's renameat2; return False if it is unavailable."""
    try:
        swap = ctypes.CDLL(None).renameat2
    except (AttributeError, OSError, TypeError):
        return False
    return swap(AT_CWD, os.fsencode(first), AT_CWD, os.fsencode(second), RENAME_EXCHANGE) == 0


def recover_folder(target: Path, aside: Path) -> None:
    """Finish or undo a :func:`replace_folder` that was killed."""
    if aside.exists() and not target.exists():
        os.rename(aside, target)
    remove(aside)
