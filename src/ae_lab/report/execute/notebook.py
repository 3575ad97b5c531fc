"""Run one notebook from top to bottom, up to the first failure."""

import logging
import secrets
import shutil
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat.v4 import new_output
from traitlets.config import Config

from ae_lab.files import read_json
from ae_lab.report.execute.environment import kernel_environment
from ae_lab.report.execute.kernel import KERNEL_ARGUMENTS, OwnKernelManager, connection_options
from ae_lab.report.failure import failure
from ae_lab.report.notebook_file import read_notebook
from ae_lab.report.workplace import Workplace

CELL_SECONDS = {"smoke": 5 * 60, "quick": 20 * 60, "full": 60 * 60}
LABEL_WIDTH = 46

_silent = logging.getLogger("ae_lab.nbclient")
_silent.addHandler(logging.NullHandler())
_silent.propagate = False  # failures are reported by `failure` in one sentence


def execute(
    place: Workplace,
    path: Path,
    key: str,
    say: Callable[[str], None],
    numeric: dict[str, str] | None = None,
) -> nbformat.NotebookNode:
    """Run a notebook; return it with the outputs up to the first cell that failed.

    Its ``metadata.ae_lab`` gets ``key``, ``record``, ``seconds`` and ``error``, which is None or
    a dict from `failure`.

    Parameters
    ----------
    place : folders of the report; other output of the kernel's process goes to a log file there.
    path : file of the notebook; the kernel runs in its folder.
    key : key of this execution.
    say : function that prints a text immediately.
    numeric : numeric variables to use instead of ``numeric_environment()``, or None.
    """
    name, record_file = path.stem, place.records / f"{path.stem}.json"
    record_file.unlink(missing_ok=True)
    shutil.rmtree(place.records / name, ignore_errors=True)  # models of a run that failed
    # Unique for this run: a kernel started by a killed run must not find it.
    connection = place.connections / f"{secrets.token_hex(8)}.json"
    client = NotebookClient(
        read_notebook(path),
        kernel_manager_class=OwnKernelManager,
        kernel_name="python3",
        extra_arguments=list(KERNEL_ARGUMENTS),
        config=Config(OwnKernelManager=connection_options(connection)),
        timeout=CELL_SECONDS[place.settings.profile],
        startup_timeout=120,
        iopub_timeout=CELL_SECONDS[place.settings.profile],
        raise_on_iopub_timeout=True,  # missing outputs are a failure
        record_timing=False,
        coalesce_streams=False,  # rendering joins streams, without moving text across figures
        shutdown_kernel="immediate",
        log=_silent,
    )
    start = time.monotonic()
    environment = kernel_environment(place.settings, place.records, place.homes, numeric)
    with ExitStack() as stack:
        log = stack.enter_context((place.build / f"{name}.log").open("wb"))
        options = {"env": environment, "cwd": str(path.parent), "stdout": log, "stderr": log}
        try:
            stack.enter_context(client.setup_kernel(**options))
        except RuntimeError as refused:
            error = failure(name, "KernelStartError", str(refused))
        else:
            error = _run_cells(client, name, say)
            client.set_widgets_metadata()
    client.nb.metadata["ae_lab"] = {
        "key": key,
        "record": read_json(record_file),
        "seconds": round(time.monotonic() - start, 1),
        "error": error,
    }
    return client.nb


def _run_cells(client: NotebookClient, name: str, say: Callable[[str], None]) -> dict | None:
    """Run one cell after the other; stop at the first failure and return it."""
    cells = client.nb.cells
    code = [index for index, cell in enumerate(cells) if is_run(cell)]
    heading = ""
    for index, cell in enumerate(cells):
        if cell.cell_type == "markdown":
            lines = [line for line in cell.source.splitlines() if line.startswith("#")]
            heading = lines[-1].lstrip("#").strip() if lines else heading
        if index not in code:
            continue
        number, start = code.index(index) + 1, time.monotonic()
        failed = _execute_cell(client, index, number)
        took = f"{time.monotonic() - start:8.1f} s{'  FAILED' if failed else ''}"
        label = f"cell {number}/{len(code)}  {heading[:LABEL_WIDTH]:<{LABEL_WIDTH}}"
        say(f"  {name}  {label}{took}\n")
        if failed:
            return failure(name, *failed, cell=number, id=cell.get("id"), heading=heading)
    return None


def is_run(cell: nbformat.NotebookNode) -> bool:
    """Whether a cell is code that is not empty."""
    return cell.cell_type == "code" and bool(cell.source.strip())


def _execute_cell(client: NotebookClient, index: int, number: int) -> tuple[str, str] | None:
    """Name and message of the error, if any; all exceptions count as errors of the cell."""
    cell = client.nb.cells[index]
    try:
        client.execute_cell(cell, index, execution_count=number)
        return None
    except CellExecutionError as error:
        return error.ename, error.evalue
    except CellTimeoutError:
        limit = f"{client.timeout / 60:g} minutes"
        failed = "CellTimeoutError", f"the cell ran longer than its limit of {limit}"
    except DeadKernelError:
        failed = "DeadKernelError", "the kernel ended in this cell (killed, or out of memory)"
    except Exception as error:  # for example, a message that the client cannot decode
        failed = type(error).__name__, str(error)
    cell.outputs.append(new_output("error", ename=failed[0], evalue=failed[1], traceback=[]))
    return failed
