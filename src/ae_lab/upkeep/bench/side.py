"""One side of a row: a process of its own, which stays alive between two timings; and its sizes.

Nothing here imports a numeric library: each reads its number of threads when it is imported.
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

SETTLE = 0.3  # seconds: threads of the other side spin on for a moment after their work
PATIENCE = 10  # seconds a process gets to end by itself
CORES = min(2, usable_cores())  # and threads of each side: two where there are, as on a laptop


@dataclass(frozen=True)
class Workload:
    """The sizes of one piece of work.

    Parameters
    ----------
    epochs : how many will be run at most, the one that warms up included.
    images : how many of the training images; None for all.
    height : of the images in pixels, and their width: 28 or a multiple or even part of it.
    batch_size, latent_dim, hidden : of the network.
    target : loss on the test images at which a training ends; 0 for one that is timed by epochs.
    small : a try-out in seconds, whose figures mean nothing.
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
        """The training images as rows (n, pixels), as most tutorials want them."""
        images, _ = self.load()
        return images.reshape(len(images), -1)

    def load_test(self):
        """The test images (n, 28, 28, 1); in a try-out only some."""
        from ae_lab.data import load_mnist

        return load_mnist().x_test[: 200 if self.small else None]


def resized(images, height: int):
    """Every n-th pixel, or every pixel n times: the amount of work is what counts here."""
    now = images.shape[1]
    if height < now:
        return images[:, :: now // height, :: now // height].copy()
    return images.repeat(height // now, axis=1).repeat(height // now, axis=2)


@dataclass(frozen=True)
class Answer:
    """``value`` in seconds (or the row's own unit) and the ``loss`` at that time, or None."""

    value: float
    loss: float | None


class Side:
    """Starts the process of a piece of work and lets it warm up; use it as a context.

    A LabError says that the work failed, at its start or when it was asked for more.
    """

    def __init__(self, work: str, workload: Workload):
        spawn = multiprocessing.get_context("spawn")
        self.work, (self.pipe, theirs) = work, spawn.Pipe()
        self.process = spawn.Process(target=serve, args=(work, workload, theirs))
        self.process.start()
        theirs.close()  # or its end would not be noticed here

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
        """Have one unit of work done, or two of which the second is answered."""
        time.sleep(SETTLE)
        return self._unit() and self._unit() if again else self._unit()

    def ask_until(self, target: float) -> Answer:
        """The seconds until a loss is at the target, and the loss; all of them if it never is."""
        seconds, loss = 0.0, math.inf
        while not loss <= target and (answer := self._unit()):
            seconds, loss = seconds + answer.value, answer.loss
        return Answer(seconds, loss)

    def _unit(self) -> Answer | None:
        with suppress(BrokenPipeError):  # it has ended: what it sent last says why
            self.pipe.send("go")
        return self._answer()

    def _answer(self) -> Answer | None:
        try:
            answer = self.pipe.recv()
        except EOFError:
            self.process.join()
            answer = f"exit code {self.process.exitcode}"
        if isinstance(answer, str):
            raise LabError(f"{self.work} ended before it answered: {answer}")
        return answer


def isolate() -> None:
    """Give this process its number of threads and cores, and let no library write to the screen."""
    set_environment(AE_LAB_OFFLINE="1", **dict.fromkeys(THREADS, str(CORES)))  # data are ready
    if hasattr(os, "sched_setaffinity"):  # whatever a library takes for itself
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    for stream in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream)


def find(work: str):
    """The function behind ``script.name`` of the project's folder ``tests/benchmarks``.

    A LabError says that there is no such script, as in an installation without the project.
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
    """In the process: do one unit of work whenever it is asked for, until nobody asks.

    Sends an `Answer` after each, None once the work has come to its end, or an error in words.
    """
    isolate()
    start = time.perf_counter()

    def tick(loss=None, value=None):
        """Answer with the time since the last tick (or ``value``); wait until more is wanted.

        ``loss`` is a number, or a function that gives it, called off the clock.
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
        pass  # nobody asks any more
    except Exception as error:
        pipe.send(f"{type(error).__name__}: {error}")
