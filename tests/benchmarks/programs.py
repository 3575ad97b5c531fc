"""Whole programs: each unit of work is a new process."""

import json
import resource
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from ae_lab.errors import LabError
from ae_lab.report.execute.environment import THREADS, process_environment
from ae_lab.settings import Settings

CODE = {"cell_type": "code", "id": "a", "metadata": {}, "execution_count": None, "outputs": []}
TINY = {"cells": [CODE | {"source": "1 + 1"}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
SCRATCH = TemporaryDirectory()


def import_package(workload, tick):
    """``import ae_lab``, including the start of the interpreter."""
    while True:
        run("-c", "import ae_lab")
        tick()


def help_text(workload, tick):
    """``python -m ae_lab --help``."""
    while True:
        run("-m", "ae_lab", "--help")
        tick()


def quick_report(workload, tick):
    """The command ``report`` without stored results: all notebooks run, all pages rendered."""
    tick()
    report(workload, SCRATCH.name)
    tick()


def report_memory(workload, tick):
    """Peak memory, in GB, of any process of a report without stored results."""
    tick()
    report(workload, SCRATCH.name)
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    tick(value=most / (1e9 if sys.platform == "darwin" else 1e9 / 1024))


def unchanged_report(workload, tick):
    """The command ``report`` again, with nothing changed."""
    while True:
        report(workload, SCRATCH.name)
        tick()


def nbconvert(workload, tick):
    """``jupyter nbconvert --execute``, one notebook after the other."""
    tick()
    command = "-m", "nbconvert", "--execute", "--to=html", f"--output-dir={SCRATCH.name}"
    for notebook in sorted((project(workload) / "notebooks").glob("*.ipynb")):
        run(*command, str(notebook), AE_LAB_PROFILE="quick")
    tick()


def report(workload, folder: str) -> None:
    """A quick report in a folder."""
    command = "-m", "ae_lab", "report", "--profile", "quick"
    own = dict.fromkeys(THREADS, "")  # a report gives a kernel one thread, while a side has two
    run(*command, cwd=project(workload), AE_LAB_REPORTS=folder, **own)


def run(*arguments: str, cwd=None, **changes: str) -> None:
    """Run Python to the end; a LabError if it fails."""
    environment = process_environment(**changes)
    options = {"capture_output": True, "text": True, "errors": "replace", "env": environment}
    done = subprocess.run([sys.executable, *arguments], cwd=cwd, **options)
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:]
        raise LabError(f"{' '.join(arguments[:3])} must end well, received: {last}")


def project(workload) -> Path:
    """The project's folder; for a test run, a folder with a tiny notebook."""
    if not workload.small:
        return Settings.from_environment().project_folder
    folder = Path(SCRATCH.name, "project")
    (folder / "notebooks").mkdir(parents=True, exist_ok=True)
    (folder / "pyproject.toml").touch()
    (folder / "notebooks" / "tiny.ipynb").write_text(json.dumps(TINY))
    return folder
