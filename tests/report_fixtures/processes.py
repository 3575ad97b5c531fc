"""Running the command line as a user would, in worse places than most."""

import ctypes
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, PR_CAPBSET_DROP = 1, 2, 24
PATIENCE = 120  # seconds for what takes a few on an idle machine
FORKS = multiprocessing.get_context("forkserver") if os.name == "posix" else None
if FORKS:
    FORKS.set_forkserver_preload(
        ["ae_lab.report.build", "ae_lab.report.execute.notebook", "ae_lab.report.render.folder"]
    )


def environment(**changes: str | None) -> dict[str, str]:
    """This process's environment without a network; None takes a variable away."""
    changed = os.environ | {"AE_LAB_OFFLINE": "1", "AE_LAB_DATA": ""} | changes
    return {name: value for name, value in changed.items() if value is not None}


def obey_permissions() -> None:
    """Give up root's right to ignore them, in a child between fork and exec."""
    if os.geteuid() == 0:
        for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
            ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)


def without_privileges(verb: str, folder: Path, **changes) -> subprocess.CompletedProcess:
    """``python -m ae_lab verb`` in ``folder``, permissions binding even for root."""
    return subprocess.run(
        [sys.executable, "-m", "ae_lab", verb],
        cwd=folder,
        env=environment(**changes),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        preexec_fn=obey_permissions if sys.platform == "linux" else None,
    )


def start(function, *arguments) -> multiprocessing.Process:
    """Run a function in a process forked from one that has the report's modules at hand."""
    process = FORKS.Process(target=function, args=arguments)
    process.start()
    return process


def report(folder: Path, said: Path, changes: dict[str, str]) -> None:
    """``python -m ae_lab report`` in ``folder``, for a forked process; what it says goes to a file.

    Temporary files go to a folder beside the project's.
    """
    from ae_lab.__main__ import main

    signal.signal(signal.SIGINT, signal.default_int_handler)
    for stream in (1, 2):
        os.dup2(os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND), stream)
    os.chdir(folder)
    os.environ.update(environment(TMPDIR=str(temporary(folder)), **changes))
    sys.exit(main(["report"]))


def temporary(folder: Path) -> Path:
    """Where a forked report's temporary files go."""
    place = folder.with_name(f"{folder.name}-temporary")
    place.mkdir(exist_ok=True)
    return place


def wait_for(condition, seconds: float = PATIENCE) -> None:
    """Until ``condition()``, or a failure."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def alive(pid: int) -> bool:
    """Whether a process is there and no mere entry of one that has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        if Path("/proc/self/stat").exists():
            return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
