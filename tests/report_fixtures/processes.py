"""Running the command line as a user would, in worse places than most."""

import ctypes
import os
import subprocess
import sys

CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, PR_CAPBSET_DROP = 1, 2, 24


def environment(**changes: str | None) -> dict[str, str]:
    """This process's environment without a network; None takes a variable away."""
    changed = os.environ | {"AE_LAB_OFFLINE": "1", "AE_LAB_DATA": ""} | changes
    return {name: value for name, value in changed.items() if value is not None}


def obey_permissions() -> None:
    """Give up root's right to ignore them, in a child between fork and exec."""
    if os.geteuid() == 0:
        for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
            ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)


def without_privileges(verb: str, folder, **changes) -> subprocess.CompletedProcess:
    """``python -m ae_lab verb`` in ``folder``, permissions binding even for root."""
    return subprocess.run(
        [sys.executable, "-m", "ae_lab", verb],
        cwd=folder,
        env=environment(**changes),
        capture_output=True,
        text=True,
        timeout=100,
        preexec_fn=obey_permissions if sys.platform == "linux" else None,
    )
