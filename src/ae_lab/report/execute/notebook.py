"""Run one notebook from top to bottom and say how far it came."""

import logging
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from nbformat.v4 import new_output
from traitlets.config import Config

from ae_lab.report.execute.kernel import KERNEL_ARGUMENTS, OwnKernelManager, connection_options
from ae_lab.report.failure import failure

CELL_SECONDS = {"smoke": 5 * 60, "quick": 20 * 60, "full": 60 * 60}
LABEL_WIDTH = 46

_silent = logging.getLogger("ae_lab.nbclient")
_silent.addHandler(logging.NullHandler())
_silent.propagate = False  # what nbclient logs is said by us, in one sentence


def execute_notebook(
    notebook: NotebookNode,
    path: Path,
    *,
    environment: dict[str, str],
    log: Path,
    connection: Path,
    cell_seconds: int,
    say: Callable[[str], None],
) -> dict | None:
    """Execute in place; stop at the first failure.

    Parameters
    ----------
    notebook : the content of ``path``, in whose folder the kernel works.
    environment : the kernel's environment, complete.
    log : file for what the kernel's process writes outside its cells.
    connection : file by which kernel and client find each other; gone when the kernel is.
    cell_seconds : time limit of one cell.
    say : called with text to be shown at once, a line with its end.

    Returns
    -------
    None, or what went wrong: ``notebook, cell, id, heading, name, message``. The
    notebook then holds the outputs up to and in that cell.
    """
    client = NotebookClient(
        notebook,
        kernel_manager_class=OwnKernelManager,
        kernel_name="python3",
        extra_arguments=list(KERNEL_ARGUMENTS),
        config=Config(OwnKernelManager=connection_options(connection)),
        timeout=cell_seconds,
        startup_timeout=120,
        iopub_timeout=30,
        store_widget_state=False,
        record_timing=False,
        coalesce_streams=False,  # done when rendering, without moving text across figures
        shutdown_kernel="immediate",
        log=_silent,
    )
    code = [index for index, cell in enumerate(notebook.cells) if is_run(cell)]
    heading = ""
    with ExitStack() as stack:
        output = stack.enter_context(log.open("wb"))
        options = {"env": environment, "cwd": str(path.parent), "stdout": output, "stderr": output}
        try:
            stack.enter_context(client.setup_kernel(**options))
        except RuntimeError as error:
            return failure(path.stem, "KernelStartError", str(error))
        for index, cell in enumerate(notebook.cells):
            if cell.cell_type == "markdown":
                lines = [line for line in cell.source.splitlines() if line.startswith("#")]
                heading = lines[-1].lstrip("#").strip() if lines else heading
            if index not in code:
                continue
            number, start = code.index(index) + 1, time.monotonic()
            failed = _execute_cell(client, index, number)
            took = f"{time.monotonic() - start:8.1f} s{'  FAILED' if failed else ''}"
            label = f"cell {number}/{len(code)}  {heading[:LABEL_WIDTH]:<{LABEL_WIDTH}}"
            say(f"  {path.stem}  {label}{took}\n")
            if failed:
                place = {"cell": number, "id": cell.get("id"), "heading": heading}
                return failure(path.stem, *failed, **place)
    return None


def is_run(cell: NotebookNode) -> bool:
    """Whether a cell is code with something to run."""
    return cell.cell_type == "code" and bool(cell.source.strip())


def _execute_cell(client: NotebookClient, index: int, number: int) -> tuple[str, str] | None:
    """Name and message of the error, if any: three unrelated exceptions end a cell badly."""
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
    cell.outputs.append(new_output("error", ename=failed[0], evalue=failed[1], traceback=[]))
    return failed
