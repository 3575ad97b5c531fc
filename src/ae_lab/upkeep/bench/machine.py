"""What a timing depends on besides the code."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ae_lab.upkeep.bench.side import threads

MEASURED_WITH = ("keras", "tensorflow", "torch", "jax", "numpy", "scikit-learn")


def machine_facts(data: str) -> dict[str, str]:
    """Processor, cores, threads, system, versions and data, each in words."""
    return {
        "Processor": processor(),
        "Cores": str(os.cpu_count()),
        "Threads and cores of each side": str(threads()),
        "Processes at work before": load(),
        "System": f"{platform.system()} {platform.machine()}",
        "Versions": ", ".join(f"{name} {found}" for name, found in versions().items()),
        "Data": data,
    }


def load() -> str:
    """The mean number of running processes in the last minute: near 0 on a quiet machine."""
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "not known"


def processor() -> str:
    """The processor's name, as far as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def versions() -> dict[str, str]:
    """Python's version and those of the libraries in the comparison that are installed."""
    found = {"Python": platform.python_version()}
    for package in MEASURED_WITH:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
