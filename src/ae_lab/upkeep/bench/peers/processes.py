"""Whole programs: each unit of work is a fresh process."""

import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from ae_lab.errors import LabError
from ae_lab.report.execute.environment import THREADS, process_environment
from ae_lab.settings import Settings

TINY = {
    "cells": [
        {"cell_type": "markdown", "id": "a", "metadata": {}, "source": "# Tiny\n\nA question?"},
        {
            "cell_type": "code",
            "id": "b",
            "metadata": {},
            "source": "print(1 + 1)",
            "execution_count": None,
            "outputs": [],
        },
    ],
    "metadata": {},
    "nbformat": 4,
    "nbformat_minor": 5,
}


def import_package(setting, clock):
    """``import ae_lab``, the interpreter's own start included."""
    while True:
        _run("-c", "import ae_lab")
        clock.tick()


def help_text(setting, clock):
    """``python -m ae_lab --help``."""
    while True:
        _run("-m", "ae_lab", "--help")
        clock.tick()


def quick_report(setting, clock):
    """The verb ``report`` from nothing: every notebook executed, every page rendered."""
    clock.tick()
    while True:
        with TemporaryDirectory() as reports:
            _report(setting, reports)
            clock.tick()


def unchanged_report(setting, clock):
    """The verb ``report`` once more, with nothing changed."""
    with TemporaryDirectory() as reports:
        while True:
            _report(setting, reports)
            clock.tick()


def nbconvert(setting, clock):
    """``jupyter nbconvert --execute``, one notebook after another."""
    clock.tick()
    while True:
        with TemporaryDirectory() as pages:
            for notebook in sorted((_project(setting) / "notebooks").glob("*.ipynb")):
                command = "-m", "nbconvert", "--execute", "--to=html", f"--output-dir={pages}"
                _run(*command, notebook, AE_LAB_PROFILE="quick")
            clock.tick()


def report_memory(setting, clock):
    """The most memory, in GB, that any one process of a report from nothing holds."""
    clock.tick()
    while True:
        with TemporaryDirectory() as reports:
            clock.tick(value=_report(setting, reports))


def fold_memory(setting, clock, times=1):
    """The most memory, in GB, of `fold` with ``times`` the images."""
    clock.tick()
    while True:
        clock.tick(
            value=_run("-m", "ae_lab.upkeep.bench.peers.fold", str(times), setting.to_json())
        )


def ten_fold_memory(setting, clock):
    """`fold_memory` with ten times the images."""
    fold_memory(setting, clock, 10)


def _report(setting, reports) -> float:
    command = "-m", "ae_lab", "report", "--profile", "quick"
    own = dict.fromkeys(THREADS, "")  # it gives a kernel one thread, where a side has two
    return _run(*command, folder=_project(setting), AE_LAB_REPORTS=reports, **own)


def _run(*arguments, folder=None, **changes) -> float:
    """Run Python to its end; the most memory in GB that it or a process below it held.

    Raises
    ------
    LabError
        If it fails.
    """
    command = [sys.executable, *map(str, arguments)]
    with TemporaryDirectory() as scratch, open(Path(scratch) / "log", "w+b") as log:
        environment = process_environment(**changes)
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        log.seek(0)
        words = log.read().decode(errors="replace").strip().splitlines()
    if process.returncode:
        raise LabError(f"{' '.join(command[1:4])} must end well, received: {words[-1:]}")
    return usage.ru_maxrss / (1e9 if sys.platform == "darwin" else 1e9 / 1024)


def _project(setting) -> Path:
    """The project's folder; for a try-out one with a tiny notebook, beside the working folder."""
    if not setting.small:
        return Settings.from_environment().project_folder
    folder = Path(_SCRATCH.name)
    (folder / "notebooks").mkdir(exist_ok=True)
    (folder / "pyproject.toml").touch()
    (folder / "notebooks" / "tiny.ipynb").write_text(json.dumps(TINY))
    return folder


_SCRATCH = TemporaryDirectory()
