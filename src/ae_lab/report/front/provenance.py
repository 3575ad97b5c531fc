"""Which commit a report was made from."""

import subprocess
from pathlib import Path

WATCHED = ("src", "notebooks")


def describe_commit(project: Path) -> str:
    """Short hash of the last commit that touched code or notebooks, "" where there is no git.

    ``", modified"`` is added if either differs from that commit.
    """
    commit = _git(project, "log", "-1", "--format=%h", "--", *WATCHED)
    if not commit:
        return ""
    return commit + (", modified" if _git(project, "status", "--porcelain", "--", *WATCHED) else "")


def _git(project: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(project), *arguments],
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=20,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
