"""Run one notebook from top to bottom and say how far it came."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from traitlets.config import Config

from ae_lab.report.execute.kernel import KERNEL_ARGUMENTS, OwnKernelManager, connection_options
from ae_lab.report.failure import failure

CELL_SECONDS = {"quick": 20 * 60, "full": 60 * 60}
LABEL_WIDTH = 46

_silent = logging.getLogger("ae_lab.nbclient")
_silent.addHandler(logging.NullHandler())
_silent.propagate = False  # what nbclient logs is said by us, in one sentence


@dataclass(frozen=True)
class Execution:
    """How a notebook is to be run.

    Parameters
    ----------
    name : the notebook's name, without ``.ipynb``.
    folder : the kernel's working folder.
    environment : the kernel's environment, complete.
    log : file for what the kernel's process writes outside its cells.
    connection : file by which kernel and client find each other; gone when the kernel is.
    cell_seconds : time limit of one cell.
    say : called with text to be shown at once, a line with its end.
    """

    name: str
    folder: Path
    environment: dict[str, str]
    log: Path
    connection: Path
    cell_seconds: int
    say: Callable[[str], None]


@dataclass(frozen=True)
class Step:
    """One code cell: the ``number``-th of ``count``, under ``heading``."""

    index: int
    number: int
    count: int
    heading: str
    cell: NotebookNode


def code_steps(notebook: NotebookNode) -> Iterator[Step]:
    """The code cells that have something to run, each with the heading it stands under."""
    count = sum(_is_code(cell) for cell in notebook.cells)
    heading, number = "", 0
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown":
            heading = _last_heading(cell.source) or heading
        if _is_code(cell):
            number += 1
            yield Step(index, number, count, heading, cell)


def execute_notebook(notebook: NotebookNode, execution: Execution) -> dict | None:
    """Execute in place; stop at the first failure.

    Returns
    -------
    None, or what went wrong: ``notebook, cell, id, heading, name, message``. The
    notebook then holds the outputs up to and in that cell.
    """
    client = _client(notebook, execution)
    with ExitStack() as stack:
        log = stack.enter_context(execution.log.open("wb"))
        try:
            stack.enter_context(
                client.setup_kernel(
                    env=execution.environment, cwd=str(execution.folder), stdout=log, stderr=log
                )
            )
        except RuntimeError as error:
            return failure(execution.name, "KernelStartError", str(error))
        for step in code_steps(notebook):
            if failed := _run_step(client, step, execution):
                return failed
    return None


def _failure_at(step: Step, execution: Execution, name: str, message: str) -> dict:
    return failure(
        execution.name,
        name,
        message,
        cell=step.number,
        id=step.cell.get("id"),
        heading=step.heading,
    )


def _client(notebook: NotebookNode, execution: Execution) -> NotebookClient:
    return NotebookClient(
        notebook,
        kernel_manager_class=OwnKernelManager,
        kernel_name="python3",
        extra_arguments=list(KERNEL_ARGUMENTS),
        config=Config(OwnKernelManager=connection_options(execution.connection)),
        timeout=execution.cell_seconds,
        startup_timeout=120,
        iopub_timeout=30,
        store_widget_state=False,
        record_timing=False,
        coalesce_streams=False,  # done when rendering, without moving text across figures
        shutdown_kernel="immediate",
        log=_silent,
    )


def _run_step(client: NotebookClient, step: Step, execution: Execution) -> dict | None:
    start = time.monotonic()
    failed = _execute_cell(client, step, execution)
    label = f"{step.heading[:LABEL_WIDTH]:<{LABEL_WIDTH}}"
    took = f"{time.monotonic() - start:8.1f} s{'  FAILED' if failed else ''}"
    execution.say(f"  {execution.name}  cell {step.number}/{step.count}  {label}{took}\n")
    return failed


def _execute_cell(client: NotebookClient, step: Step, execution: Execution) -> dict | None:
    """The three ways a cell ends badly are three unrelated exceptions."""
    try:
        client.execute_cell(step.cell, step.index, execution_count=step.number)
        return None
    except CellExecutionError as error:
        return _failure_at(step, execution, error.ename, error.evalue)
    except CellTimeoutError:
        limit = f"{execution.cell_seconds / 60:g} minutes"
        name, message = "CellTimeoutError", f"the cell ran longer than its limit of {limit}"
    except DeadKernelError:
        name, message = (
            "DeadKernelError",
            "the kernel ended in this cell (killed, or out of memory)",
        )
    step.cell.outputs.append(
        nbformat.v4.new_output("error", ename=name, evalue=message, traceback=[])
    )
    return _failure_at(step, execution, name, message)


def _is_code(cell: NotebookNode) -> bool:
    return cell.cell_type == "code" and bool(cell.source.strip())


def _last_heading(markdown: str) -> str:
    lines = [line for line in markdown.splitlines() if line.startswith("#")]
    return lines[-1].lstrip("#").strip() if lines else ""
