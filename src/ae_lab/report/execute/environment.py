"""The environment of a report's kernels: everything that could change a page is fixed."""

import os
import platform
import re
from pathlib import Path

from ae_lab.settings import KNOB, Settings

# Results depend on these, so they are fixed unless the caller sets them. One thread per kernel: a
# report runs one notebook per core, and on two cores two kernels with two threads each take 20 %
# longer than with one.
NUMERIC_DEFAULTS = {
    "KERAS_BACKEND": "tensorflow",
    "OMP_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
}
THREADS = [name for name in NUMERIC_DEFAULTS if "THREADS" in name]
# The caller may set these for an experiment; otherwise the libraries choose.
NUMERIC_OPTIONS = ("TF_ENABLE_ONEDNN_OPTS", "ONEDNN_MAX_CPU_ISA", "XLA_FLAGS")

QUIET = {
    "PYTHONHASHSEED": "0",
    "PYTHONUTF8": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "MATPLOTLIBRC": str(Path(__file__).parents[1] / "matplotlibrc"),
}


def numeric_environment() -> dict[str, str]:
    """The environment variables that determine a run's results, besides code, data and seed."""
    chosen = {name: os.environ.get(name) or value for name, value in NUMERIC_DEFAULTS.items()}
    options = {name: os.environ[name] for name in NUMERIC_OPTIONS if os.environ.get(name)}
    return chosen | options


def usable_cores() -> int:
    """Number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def machine() -> str:
    """Description of the processor, cores and system."""
    cpuinfo = Path("/proc/cpuinfo")
    text = cpuinfo.read_text(encoding="utf-8") if cpuinfo.is_file() else ""
    model = re.search(r"model name\s*: (.*)", text)
    processor = model[1] if model else platform.processor() or platform.machine()
    return f"{processor}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}"


def process_environment(**changes: str) -> dict[str, str]:
    """The caller's environment, with less output, fixed numeric variables, and ``changes``."""
    found = {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"}
    return found | QUIET | numeric_environment() | changes


def set_environment(**changes: str) -> None:
    """Set the environment of this process to ``process_environment``; call it at the start."""
    os.environ.update(process_environment(**changes))


def kernel_environment(
    settings: Settings, records: Path, homes: Path, numeric: dict[str, str] | None = None
) -> dict[str, str]:
    """The environment of a kernel: the caller's, with everything fixed that could change a page.

    Parameters
    ----------
    settings : settings of the run, passed on as ``AE_LAB_*``.
    records : folder for the records of the notebook.
    homes : folder for the libraries' own files, so that a user's start-up files and settings have
        no effect and no home folder is needed.
    numeric : numeric variables to use instead of those of this process, or None.
    """
    folders = {
        "IPYTHONDIR": homes / "ipython",
        "MPLCONFIGDIR": homes / "matplotlib",
        "KERAS_HOME": homes / "keras",
        "AE_LAB_RECORDS": records,
    }
    for folder in folders.values():
        folder.mkdir(parents=True, exist_ok=True)
    folders["AE_LAB_REPORTS"] = settings.report_folder
    return process_environment(
        **(numeric or {}),
        **{name: str(folder.absolute()) for name, folder in folders.items()},
        AE_LAB_PROFILE=settings.profile,
        AE_LAB_SEED=str(settings.seed),
        AE_LAB_DATA=str(settings.data_folder or ""),
        AE_LAB_DATASET=settings.dataset,
        **{f"{KNOB}{name.upper()}": value for name, value in settings.knobs},
        AE_LAB_OFFLINE="1",  # the data were prepared before; notebooks must not download again
    )
