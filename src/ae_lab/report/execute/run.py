"""Execute the notebooks that changed, some at once, and keep what came of them."""

import math
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import NamedTuple

from ae_lab.files import read_json
from ae_lab.report.execute.environment import kernel_environment, numeric_environment, usable_cores
from ae_lab.report.execute.kernel import stop_kernels
from ae_lab.report.keys import execution_key
from ae_lab.report.workplace import Workplace, read_notebook

Say = Callable[[str], None]
KERNEL_BYTES = 2 * 2**30  # memory that a notebook's kernel may take


class DataAtHand(NamedTuple):
    """The data a run uses: ``source`` in words, ``fingerprint`` of the content."""

    source: str
    fingerprint: str


def bring_all_up_to_date(
    place: Workplace, paths: dict[str, Path], data: DataAtHand, force: bool, say: Say
) -> dict[str, dict]:
    """Execute the notebooks that changed, ``settings.jobs`` at once; return those that failed.

    Each has a kernel of its own, so that none can tell whether others run beside it. The longest
    go first, so that none is left alone on one core at the end; what never ran could be the
    longest, and among such, the one with most cells.
    """

    def length(path: Path) -> tuple[float, int]:
        return place.read(path.stem).get("seconds", math.inf), len(read_notebook(path)["cells"])

    build_font_cache(place)
    with ThreadPoolExecutor(place.settings.jobs or jobs_that_fit()) as pool:
        tasks = {
            path.stem: pool.submit(bring_up_to_date, place, path, data, force, say)
            for path in sorted(paths.values(), key=length, reverse=True)
        }
        try:
            while wait(tasks.values(), timeout=1).not_done:
                pass  # a wait without end would not hear an interrupt on every system
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            stop_kernels()
            raise
    return {name: failed for name in paths if (failed := tasks[name].result())}


def jobs_that_fit() -> int:
    """One notebook per core, as far as the free memory holds their kernels."""
    import psutil

    return max(1, min(usable_cores(), psutil.virtual_memory().available // KERNEL_BYTES))


def key_of(place: Workplace, path: Path, fingerprint: str) -> str:
    """The key of an execution of this notebook now, with the data of this fingerprint."""
    source = read_notebook(path)
    return execution_key(source, place.settings, fingerprint, numeric_environment())


def bring_up_to_date(
    place: Workplace, path: Path, data: DataAtHand, force: bool, say: Say
) -> dict | None:
    """Execute a notebook unless its key is known; return it if it failed."""
    key = key_of(place, path, data.fingerprint)
    if place.read(path.stem).get("key") == key and not force:
        say(f"  {path.stem}  unchanged, not executed again\n")
        place.failed_execution(path.stem).unlink(missing_ok=True)
        return None
    notebook = execute(place, path, key, say)
    # What a page says of its run even if the notebook came to record nothing.
    run = {"profile": place.settings.profile, "seed": place.settings.seed, "data": data.source}
    notebook["metadata"]["ae_lab"]["run"] = run
    place.store(path.stem, notebook)
    return notebook if notebook["metadata"]["ae_lab"]["error"] else None


def execute(
    place: Workplace, path: Path, key: str, say: Say, numeric: dict[str, str] | None = None
) -> dict:
    """Run a notebook; record, seconds and error go to its ``metadata.ae_lab``.

    ``numeric`` stands in for this process's ``numeric_environment``.
    """
    import nbformat

    from ae_lab.report.execute.notebook import CELL_SECONDS, execute_notebook

    record_file = place.records / f"{path.stem}.json"
    record_file.unlink(missing_ok=True)
    shutil.rmtree(place.records / path.stem, ignore_errors=True)  # models of a run that failed
    notebook = nbformat.read(path, as_version=4)
    start = time.monotonic()
    error = execute_notebook(
        notebook,
        path,
        environment=kernel_environment(place.settings, place.records, place.homes, numeric),
        log=place.build / f"{path.stem}.log",
        # Of this run alone: a kernel that a killed run left starting must not find it.
        connection=place.connections / f"{path.stem}-{secrets.token_hex(8)}.json",
        cell_seconds=CELL_SECONDS[place.settings.profile],
        say=say,
    )
    notebook.metadata["ae_lab"] = {
        "key": key,
        "record": read_json(record_file),
        "seconds": round(time.monotonic() - start, 1),
        "error": error,
    }
    return notebook


def build_font_cache(place: Workplace) -> None:
    """Matplotlib's first import says so on a page if it is slow: let it happen before."""
    if not any((place.homes / "matplotlib").glob("fontlist-*.json")):
        environment = kernel_environment(place.settings, place.records, place.homes)
        command = [sys.executable, "-c", "import matplotlib.font_manager"]
        subprocess.run(command, env=environment, capture_output=True, check=False)
