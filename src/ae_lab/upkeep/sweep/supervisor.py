"""Hands tasks to the workers that were vetted, one at a time each, and takes their ends.

Which worker gets a task is chosen here and not left to Dask: it would send tasks to a worker
before that was vetted, and several at once to one of many threads.
"""

import math
import queue
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import CancelledError
from contextlib import suppress
from dataclasses import dataclass, replace

from distributed import Client, Future

from ae_lab.errors import LabError
from ae_lab.report.execute.run import Say
from ae_lab.report.failure import failure, sentence_of
from ae_lab.report.seeds.results import result_of
from ae_lab.upkeep.sweep.counter import Progress
from ae_lab.upkeep.sweep.task import Task
from ae_lab.upkeep.sweep.worker import run_task, vet

LOOK_SECONDS = 1.0  # between two looks for new workers, and for lost ones
ATTEMPTS = 2
MOST_LOST = 3  # workers that one task may lose: it is then taken for the cause
PATIENCE_SECONDS = 60.0  # with refused workers only


@dataclass(frozen=True)
class Errand:
    """A task on its way: ``attempt`` counts its runs, ``lost`` the workers lost with it."""

    task: Task
    attempt: int = 1
    lost: int = 0


class Supervisor:
    """One sweep on one client. Workers may come and go while it is at work.

    Parameters
    ----------
    client : connected to the scheduler.
    expected : the identity that every worker must have.
    backends, dataset : of the tasks.
    keep : takes (task, result) of each task that came to its end, once.
    say : takes the progress.
    patience : seconds to go on while every worker there is was refused.
    """

    def __init__(
        self,
        client: Client,
        expected: dict,
        backends: tuple[str, ...],
        dataset: str,
        keep: Callable[[Task, dict], None],
        say: Say,
        patience: float = PATIENCE_SECONDS,
    ):
        self.client, self.identity = client, (expected, backends, dataset)
        self.keep, self.say, self.patience = keep, say, patience
        self.ended: queue.SimpleQueue[Future] = queue.SimpleQueue()
        self.asked: dict[str, Future] = {}  # by worker, as all that follows
        self.at_work: dict[str, tuple[Future, Errand]] = {}
        self.accepted: set[str] = set()
        self.refused: dict[str, str] = {}
        self.last_hope = time.monotonic()

    def run(self, tasks: list[Task]) -> list[dict]:
        """Bring every task to its end; return the results of those that failed."""
        self.waiting = deque(Errand(task) for task in tasks)
        self.progress, self.failures = Progress(len(tasks), self.say), []
        looked = -math.inf
        while self.waiting or self.at_work:
            if time.monotonic() - looked >= LOOK_SECONDS:
                self._look()
                looked = time.monotonic()
            self._hand_out()
            with suppress(queue.Empty):
                self._take(self.ended.get(timeout=LOOK_SECONDS))
        return self.failures

    def _look(self) -> None:
        """Who is there: take lost tasks back, ask new workers what they have."""
        try:
            present = set(self.client.nthreads())
        except OSError as error:
            raise _unreachable(error) from None
        for worker in sorted(self.at_work.keys() - present):
            self._take_back(worker)
        self.accepted &= present
        self.refused = {worker: why for worker, why in self.refused.items() if worker in present}
        self.asked = {worker: asked for worker, asked in self.asked.items() if worker in present}
        for worker in sorted(present - self.accepted - self.refused.keys() - self.asked.keys()):
            self.asked[worker] = self._submit(worker, vet, *self.identity)
        self._check_hope()

    def _submit(self, worker: str, function: Callable, *arguments: object) -> Future:
        future = self.client.submit(function, *arguments, workers=[worker], pure=False)
        future.add_done_callback(self.ended.put)
        return future

    def _hand_out(self) -> None:
        for worker in sorted(self.accepted - self.at_work.keys()):
            if self.waiting:
                errand = self.waiting.popleft()
                self.at_work[worker] = self._submit(worker, run_task, errand.task), errand

    def _take(self, future: Future) -> None:
        """Take an answer or a result; what comes from a lost worker's task is not waited for."""
        for worker, asked in self.asked.items():
            if asked.key == future.key:
                return self._greet(worker)
        for worker, (running, errand) in self.at_work.items():
            if running.key == future.key:
                del self.at_work[worker]
                return self._end(errand, outcome(errand.task, future))

    def _greet(self, worker: str) -> None:
        """Accept or refuse a worker; one that cannot even answer is refused."""
        try:
            reasons = self.asked.pop(worker).result()
        except CancelledError as error:
            raise _unreachable(error) from None
        except Exception as error:  # no package there, or damaged data
            reasons = [str(error) or type(error).__name__]
        if reasons:
            self.refused[worker] = "; ".join(reasons)
            self.say(f"  worker {worker} refused: {self.refused[worker]}\n")
        else:
            self.accepted.add(worker)

    def _take_back(self, worker: str) -> None:
        future, errand = self.at_work.pop(worker)
        future.cancel()
        self.say(f"  {errand.task.label}  its worker {worker} was lost\n")
        errand = replace(errand, lost=errand.lost + 1)
        if errand.lost < MOST_LOST:
            self.waiting.appendleft(errand)
            return
        problem = failure(errand.task.notebook, "LostWorkers", f"{errand.lost} workers were lost")
        self._end(replace(errand, attempt=ATTEMPTS), result_of(errand.task, None, problem, 0.0))

    def _end(self, errand: Errand, result: dict) -> None:
        """Keep a result, or send the task once more."""
        task, error = errand.task, result["error"]
        if error and errand.attempt < ATTEMPTS:
            self.say(f"  {task.label}  {sentence_of(error)}; it is tried once more\n")
            self.waiting.appendleft(replace(errand, attempt=errand.attempt + 1))
            return
        self.keep(task, result)
        if error:
            self.failures.append(result)
        self.progress.step(task.label, failed=bool(error))

    def _check_hope(self) -> None:
        """Give up where workers are there and all of them were refused for a while."""
        if self.accepted or self.asked or not self.refused:
            self.last_hope = time.monotonic()
        elif time.monotonic() - self.last_hope > self.patience:
            reasons = "; ".join(sorted(set(self.refused.values())))
            raise LabError(
                "a worker must have this package, these versions and these data, every one "
                f"was refused: {reasons}; install the same there and start the sweep again."
            )


def outcome(task: Task, future: Future) -> dict:
    """A task's result; whatever else it ended with becomes a failed one."""
    try:
        return future.result()
    except CancelledError as error:
        raise _unreachable(error) from None
    except Exception as error:
        problem = failure(task.notebook, type(error).__name__, str(error))
        return result_of(task, None, problem, 0.0)


def _unreachable(error: BaseException) -> LabError:
    reason = (str(error) or type(error).__name__).splitlines()[0]
    return LabError(
        f"the scheduler must stay reachable, received {reason}: "
        "start the sweep again, it goes on from what was kept."
    )
