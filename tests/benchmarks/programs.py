"""Whole programs: each unit of work is a new process."""

import subprocess
import sys
from tempfile import TemporaryDirectory

from ae_lab.errors import LabError
from ae_lab.report.execute.environment import THREADS, process_environment
from ae_lab.settings import Settings

PROFILES = {False: "quick", True: "smoke"}
SCRATCH = TemporaryDirectory()
PROJECT = Settings.from_environment().project_folder


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
    unchanged_report(workload, tick)


def unchanged_report(workload, tick):
    """The command ``report`` again, with nothing changed."""
    options = dict.fromkeys(THREADS, "")  # a report gives a kernel one thread; a side has two
    options |= {"AE_LAB_REPORTS": SCRATCH.name, "AE_LAB_PROFILE": PROFILES[workload.small]}
    while True:
        run("-m", "ae_lab", "report", **options)
        tick()


def nbconvert(workload, tick):
    """``jupyter nbconvert --execute``, one notebook after the other."""
    tick()
    command = "-m", "nbconvert", "--execute", "--to=html", f"--output-dir={SCRATCH.name}"
    for notebook in sorted((PROJECT / "notebooks").glob("*.ipynb")):
        run(*command, str(notebook), AE_LAB_PROFILE=PROFILES[workload.small])
    tick()


def run(*arguments: str, **changes: str) -> None:
    """Run Python in the project's folder to the end; a LabError if it fails."""
    options = {"capture_output": True, "text": True, "errors": "replace", "cwd": PROJECT}
    options["env"] = process_environment(**changes)
    done = subprocess.run([sys.executable, *arguments], **options)
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:]
        raise LabError(f"{' '.join(arguments[:3])} must end well, received: {last}")
