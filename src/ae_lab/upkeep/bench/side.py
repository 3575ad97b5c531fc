"""One side of a row: its sizes, and its process, which stays alive between two timings.

This module imports no numeric library, because these read their number of threads at import.
"""

import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from runpy import run_path

from ae_lab.errors import LabError
from ae_lab.report.execute.environment import THREADS, set_environment, usable_cores
from ae_lab.settings import Settings

PEERS = "tests/benchmarks"  # in the project's folder: the work that is timed
PATIENCE = 10  # seconds for a process to end before it is killed
CORES = min(2, usable_cores())  # cores and threads of each side: at most two, as on a laptop


@dataclass(frozen=True)
class Workload:
    """The sizes of one task.

    epochs : largest number of epochs, including the one for warming up.
    batch_size, latent_dim, hidden : sizes of the network.
    target : test loss at which a training ends; 0 if epochs are measured.
    memory : True to measure the peak memory in GB, not the time.
    small : True for a test run of seconds, whose results have no meaning.
    """

    epochs: int = 6
    batch_size: int = 256
    latent_dim: int = 32
    hidden: tuple[int, ...] = ()
    target: float = 0.0
    memory: bool = False
    small: bool = False

    def load(self, *shape: int):
        """Training images (n, *shape), float32 in [0, 1], their labels (n,), and test images."""
        from ae_lab.data import load_mnist

        mnist, few, shape = load_mnist(), 256 if self.small else None, shape or (28, 28, 1)
        x, x_test = (x[:few].reshape(-1, *shape) for x in (mnist.x_train, mnist.x_test))
        return x, mnist.y_train[:few], x_test


@contextmanager
def started(work: str, workload: Workload) -> Iterator[Callable[[], tuple | None]]:
    """Start the process of a task, let it warm up, and yield a function that runs one unit of it.

    It returns seconds (or GB) and a loss or None; or None after the last unit. Or raises LabError.
    """
    spawn = multiprocessing.get_context("spawn")
    pipe, theirs = spawn.Pipe()
    process = spawn.Process(target=serve, args=(work, workload, theirs))
    process.start()
    theirs.close()  # otherwise the end of the process would not be noticed

    def unit():
        with suppress(BrokenPipeError):  # the process has ended; its last message has the reason
            pipe.send("go")
        try:
            answer = pipe.recv()
        except EOFError:
            process.join()
            answer = f"exit code {process.exitcode}"
        if isinstance(answer, str):
            raise LabError(f"{work} ended without a result: {answer}")
        return answer

    try:
        unit()
        yield unit
    finally:
        pipe.close()
        process.join(PATIENCE)
        process.kill()
        process.join()


def find(work: str):
    """The function ``script.name``, from the project's folder ``tests/benchmarks``."""
    script, name = work.split(".")
    path = Settings.from_environment().project_folder / PEERS / f"{script}.py"
    if not path.is_file():
        raise LabError(f"the bench needs {path}, found none: run it from the project's folder.")
    return run_path(str(path))[name]


def isolate() -> None:
    """Limit the threads and cores of this process, and suppress all output of libraries."""
    set_environment(AE_LAB_OFFLINE="1", **dict.fromkeys(THREADS, str(CORES)))  # no download
    if hasattr(os, "sched_setaffinity"):  # also limits libraries that ignore the variables
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    for stream in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream)


def serve(work: str, workload: Workload, pipe) -> None:
    """In the process: run one unit of work at each request, until the pipe is closed.

    Sends what `started` returns, or an error message.
    """
    isolate()
    pipe.recv()
    start = time.perf_counter()

    def tick(loss=None):
        """Answer and wait for the next request; the time of a ``loss`` function is not counted."""
        nonlocal start
        value = peak_memory() if workload.memory else time.perf_counter() - start
        loss = loss() if callable(loss) else loss
        pipe.send((value, None if loss is None else float(loss)))
        pipe.recv()
        start = time.perf_counter()

    try:
        find(work)(workload, tick)
        pipe.send(None)
    except (EOFError, BrokenPipeError):
        pass  # the pipe was closed
    except Exception as error:
        pipe.send(f"{type(error).__name__}: {error}")


def peak_memory() -> float:
    """The largest memory, in GB, that this process or one of its children has used."""
    import resource  # not on Windows

    who = resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN
    used = max(resource.getrusage(one).ru_maxrss for one in who)
    return used / (1e9 if sys.platform == "darwin" else 1e9 / 1024)
