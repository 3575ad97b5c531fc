"""Execute the notebooks that changed, several at once, and store the results."""

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
from ae_lab.report.notebook_file import check_depth, language_of, read_notebook, unexecuted
from ae_lab.report.workplace import Workplace

Say = Callable[[str], None]
PYTHON = ("python", "python3", "ipython")  # names of the language in notebooks
KERNEL_BYTES = 2 * 2**30  # memory that one notebook's kernel may need


class DataAtHand(NamedTuple):
    """The data of a run: ``source`` describes them, ``fingerprint`` is a hash of their content."""

    source: str
    fingerprint: str


def bring_all_up_to_date(
    place: Workplace, paths: dict[str, Path], data: DataAtHand, force: bool, say: Say
) -> None:
    """Execute the notebooks that changed, ``settings.jobs`` at once.

    Each has its own kernel, so other notebooks that run at the same time have no effect. The
    longest start first, so that no core is idle at the end. Notebooks that have never run count as
    longest, larger files before others.
    """

    def length(path: Path) -> tuple[float, int]:
        return place.read(path.stem).get("seconds", math.inf), path.stat().st_size

    build_font_cache(place)
    with ThreadPoolExecutor(place.settings.jobs or jobs_that_fit()) as pool:
        tasks = {
            path.stem: pool.submit(bring_up_to_date, place, path, data, force, say)
            for path in sorted(paths.values(), key=length, reverse=True)
        }
        try:
            while wait(tasks.values(), timeout=1).not_done:
                pass  # without a timeout, some systems do not notice an interrupt
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            stop_kernels()
            raise
    for task in tasks.values():
        task.result()


def jobs_that_fit() -> int:
    """One notebook per core, but no more than fit into the free memory."""
    import psutil

    return max(1, min(usable_cores(), psutil.virtual_memory().available // KERNEL_BYTES))


def key_of(place: Workplace, source: NotebookNode, fingerprint: str) -> str:
    """The key of an execution of ``source`` now, with data of this ``fingerprint``."""
    return execution_key(source, place.settings, fingerprint, numeric_environment())


def bring_up_to_date(place: Workplace, path: Path, data: DataAtHand, force: bool, say: Say) -> None:
    """Execute a notebook unless an execution with its key is stored.

    An error counts as a failure of this notebook; the others are executed anyway.
    """
    try:
        source = read_notebook(path)
        key = key_of(place, source, data.fingerprint)
        if place.read(path.stem).get("key") == key and not force:
            say(f"  {path.stem}  unchanged, not executed again\n")
            place.renew_text(path.stem, source)
            place.failed_execution(path.stem).unlink(missing_ok=True)
            return
        # A kernel may send what a file cannot contain: half a character, or NaN in JSON.
        text = json.dumps(executed(place, path, key, say), ensure_ascii=False)
        notebook = json.loads(text.encode("utf-8", "replace"), parse_constant=str)
        check_depth(notebook)
    except OSError:
        raise  # for example a full disk, which is not the notebook's fault
    except Exception as error:
        notebook = unexecuted({"cells": []}, failure_of(path.stem, error))
        say(f"  {path.stem}  FAILED: {error}\n")
    lab = notebook["metadata"]["ae_lab"]
    # What a page shows about its run even if the notebook recorded nothing.
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
    """The notebook after its run; if it is not in Python, it is returned without a run."""
    from ae_lab.report.execute.notebook import execute

    source = read_notebook(path)
    if (language := language_of(source)).lower() in PYTHON:
        return execute(place, path, key, say)
    message = f"it is written in {language}, but a report runs only Python; it is shown as stored"
    say(f"  {path.stem}  FAILED: {message}\n")
    return unexecuted(source, failure(path.stem, "LanguageError", message))


def build_font_cache(place: Workplace) -> None:
    """Build Matplotlib's font cache now, because a slow first import prints a message on a page."""
    if not any((place.homes / "matplotlib").glob("fontlist-*.json")):
        environment = kernel_environment(place.settings, place.records, place.homes)
        command = [sys.executable, "-P", "-c", "import matplotlib.font_manager"]
        subprocess.run(command, env=environment, capture_output=True, check=False)
