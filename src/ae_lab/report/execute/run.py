"""Execute the notebooks that changed, some at once, and keep what came of them."""

import json
import math
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import NamedTuple

from nbformat import NotebookNode

from ae_lab.report.execute.environment import (
    kernel_environment,
    machine,
    numeric_environment,
    usable_cores,
)
from ae_lab.report.execute.kernel import stop_kernels
from ae_lab.report.failure import failure, failure_of
from ae_lab.report.keys import execution_key
from ae_lab.report.notebook_file import language_of, read_notebook, unexecuted
from ae_lab.report.workplace import Workplace

Say = Callable[[str], None]
PYTHON = ("python", "python3", "ipython")  # as notebooks name it
KERNEL_BYTES = 2 * 2**30  # memory that a notebook's kernel may take


class DataAtHand(NamedTuple):
    """The data a run uses: ``source`` in words, ``fingerprint`` of the content."""

    source: str
    fingerprint: str


def bring_all_up_to_date(
    place: Workplace, paths: dict[str, Path], data: DataAtHand, force: bool, say: Say
) -> None:
    """Execute the notebooks that changed, ``settings.jobs`` at once.

    Each has a kernel of its own, so that none can tell whether others run beside it. The longest
    go first, so that none is left alone on one core at the end; what never ran could be the
    longest, and among such, the one with most cells.
    """

    def length(path: Path) -> tuple[float, int]:
        return place.read(path.stem).get("seconds", math.inf), path.read_bytes().count(
            b'"cell_type"'
        )

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
    for task in tasks.values():
        task.result()


def jobs_that_fit() -> int:
    """One notebook per core, as far as the free memory holds their kernels."""
    import psutil

    return max(1, min(usable_cores(), psutil.virtual_memory().available // KERNEL_BYTES))


def key_of(place: Workplace, path: Path, fingerprint: str) -> str:
    """The key of an execution of this notebook now, with the data of this fingerprint."""
    source = read_notebook(path)
    return execution_key(source, place.settings, fingerprint, numeric_environment())


def bring_up_to_date(place: Workplace, path: Path, data: DataAtHand, force: bool, say: Say) -> None:
    """Execute a notebook unless its key is known.

    Whatever goes wrong is this notebook's failure: the others are executed all the same.
    """
    try:
        key = key_of(place, path, data.fingerprint)
        if place.read(path.stem).get("key") == key and not force:
            say(f"  {path.stem}  unchanged, not executed again\n")
            place.failed_execution(path.stem).unlink(missing_ok=True)
            return
        notebook = executed(place, path, key, say)
    except OSError:
        raise  # a full disk is no fault of the notebook
    except Exception as error:
        notebook = unexecuted({"cells": []}, failure_of(path.stem, error))
        say(f"  {path.stem}  FAILED: {error}\n")
    # A kernel may send what no file can hold: half a character, or NaN in JSON.
    text = json.dumps(notebook, ensure_ascii=False).encode("utf-8", "replace")
    notebook = json.loads(text, parse_constant=str)
    lab = notebook["metadata"]["ae_lab"]
    # What a page says of its run even if the notebook came to record nothing.
    lab["run"] = {
        "profile": place.settings.profile,
        "seed": place.settings.seed,
        "data": data.source,
        "machine": machine(),
        "knobs": dict(place.settings.knobs),
        "dataset": Path(place.settings.dataset).name,
    }
    place.store(path.stem, notebook)


def executed(place: Workplace, path: Path, key: str, say: Say) -> NotebookNode:
    """The notebook after its run; one that is not written in Python stays as it is stored."""
    from ae_lab.report.execute.notebook import execute

    source = read_notebook(path)
    if (language := language_of(source)).lower() in PYTHON:
        return execute(place, path, key, say)
    message = f"it is written in {language}, and a report runs Python: shown as it is stored"
    say(f"  {path.stem}  FAILED: {message}\n")
    return unexecuted(source, failure(path.stem, "LanguageError", message))


def build_font_cache(place: Workplace) -> None:
    """Matplotlib's first import says so on a page if it is slow: let it happen before."""
    if not any((place.homes / "matplotlib").glob("fontlist-*.json")):
        environment = kernel_environment(place.settings, place.records, place.homes)
        command = [sys.executable, "-P", "-c", "import matplotlib.font_manager"]
        subprocess.run(command, env=environment, capture_output=True, check=False)
