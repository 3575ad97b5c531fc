"""One side of a row: its sizes, and its process, which stays alive between two timings.

This module imports no numeric library, because these read their number of threads at import.
"""

import math
import multiprocessing
import os
import time
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location

from ae_lab.errors import LabError
from ae_lab.report.execute.environment import THREADS, set_environment, usable_cores
from ae_lab.settings import Settings

SETTLE = 0.3  # seconds; threads of the other side stay busy for a moment after their work
PATIENCE = 10  # seconds for a process to end before it is killed
CORES = min(2, usable_cores())  # cores and threads of each side: at most two, as on a laptop


@dataclass(frozen=True)
class Workload:
    """The sizes of one task.

    Parameters
    ----------
    epochs : largest number of epochs, including the one for warming up.
    images : number of training images; None for all.
    height : height and width of the images in pixels: 28, or a multiple or a half of it.
    batch_size, latent_dim, hidden : sizes of the network.
    target : test loss at which a training ends; 0 if epochs are timed.
    small : True for a test run of seconds, whose results have no meaning.
    """

    epochs: int = 6
    images: int | None = None
    height: int = 28
    batch_size: int = 256
    latent_dim: int = 32
    hidden: tuple[int, ...] = ()
    target: float = 0.0
    small: bool = False

    def load(self):
        """The training images (n, height, height, 1), float32 in [0, 1], and labels (n,)."""
        from ae_lab.data import load_mnist

        mnist = load_mnist()
        images = resized(mnist.x_train[: self.images], self.height)
        return images, mnist.y_train[: self.images]

    def load_flat(self):
        """The training images as rows (n, pixels), the form used by most tutorials."""
        images, _ = self.load()
        return images.reshape(len(images), -1)

    def load_test(self):
        """The test images (n, 28, 28, 1); only some if ``small``."""
        from ae_lab.data import load_mnist

        return load_mnist().x_test[: 200 if self.small else None]


def resized(images, height: int):
    """Every n-th pixel, or every pixel n times: only the amount of computation matters."""
    now = images.shape[1]
    if height < now:
        return images[:, :: now // height, :: now // height].copy()
    return images.repeat(height // now, axis=1).repeat(height // now, axis=2)


@dataclass(frozen=True)
class Answer:
    """``value`` in seconds (or the row's unit), and the ``loss`` at that time or None."""

    value: float
    loss: float | None


class Side:
    """Starts the process of a task and lets it warm up; use it as a context manager.

    Raises a LabError if the task fails, whether at its start or later.
    """

    def __init__(self, work: str, workload: Workload):
        spawn = multiprocessing.get_context("spawn")
        self.work, (self.pipe, theirs) = work, spawn.Pipe()
        self.process = spawn.Process(target=serve, args=(work, workload, theirs))
        self.process.start()
        theirs.close()  # otherwise the end of the process would not be noticed

    def __enter__(self) -> "Side":
        try:
            self._answer()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_) -> None:
        self.pipe.close()
        self.process.join(PATIENCE)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()

    def ask(self, again: bool = False) -> Answer:
        """Run one unit of work; if ``again``, run two and answer with the second."""
        time.sleep(SETTLE)
        return self._unit() and self._unit() if again else self._unit()

    def ask_until(self, target: float) -> Answer:
        """Seconds until the loss reaches the target, or of all units, and the last loss."""
        seconds, loss = 0.0, math.inf
        while not loss <= target and (answer := self._unit()):
            seconds, loss = seconds + answer.value, answer.loss
        return Answer(seconds, loss)

    def _unit(self) -> Answer | None:
        with suppress(BrokenPipeError):  # the process has ended; its last message has the reason
            self.pipe.send("go")
        return self._answer()

    def _answer(self) -> Answer | None:
        try:
            answer = self.pipe.recv()
        except EOFError:
            self.process.join()
            answer = f"exit code {self.process.exitcode}"
        if isinstance(answer, str):
            raise LabError(f"{self.work} ended without a result: {answer}")
        return answer


def isolate() -> None:
    """Limit the threads and cores of this process, and suppress all output of libraries."""
    set_environment(AE_LAB_OFFLINE="1", **dict.fromkeys(THREADS, str(CORES)))  # no download
    if hasattr(os, "sched_setaffinity"):  # also limits libraries that ignore the variables
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    for stream in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream)


def find(work: str):
    """The function ``script.name`` in the project's folder ``tests/benchmarks``.

    Raises a LabError if there is no such script, as in an installation without the project.
    """
    script, name = work.split(".")
    path = Settings.from_environment().project_folder / "tests" / "benchmarks" / f"{script}.py"
    if not path.is_file():
        raise LabError(f"the bench needs {path}, found none: run it from the project's folder.")
    spec = spec_from_file_location(script, path)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, name)


def serve(work: str, workload: Workload, pipe) -> None:
    """In the process: run one unit of work at each request, until the pipe is closed.

    Sends an `Answer` after each unit, None at the end of the work, or an error message.
    """
    isolate()
    start = time.perf_counter()

    def tick(loss=None, value=None):
        """Send the time since the last tick (or ``value``) and wait for the next request.

        ``loss`` is a number, or a function that computes it, whose time is not counted.
        """
        nonlocal start
        value = time.perf_counter() - start if value is None else value
        loss = loss() if callable(loss) else loss
        pipe.send(Answer(float(value), None if loss is None else float(loss)))
        pipe.recv()
        start = time.perf_counter()

    try:
        find(work)(workload, tick)
        pipe.send(None)
    except (EOFError, BrokenPipeError):
        pass  # the pipe was closed
    except Exception as error:
        pipe.send(f"{type(error).__name__}: {error}")
