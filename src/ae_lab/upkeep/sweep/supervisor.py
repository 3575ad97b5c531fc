"""Hands tasks to the workers that were vetted, one at a time each, and takes their results.

Which worker gets a task is chosen here and not left to Dask: it would send tasks to a worker
before that was vetted, and several at once to one of many threads. A task that fails is Dask's to
try once more (``retries``).
"""

import time
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import CancelledError

from distributed import Client, Future

from ae_lab.errors import LabError
from ae_lab.report.failure import failure
from ae_lab.upkeep.sweep.task import Task, result_of
from ae_lab.upkeep.sweep.worker import TaskFailed, run_task, vet

LOOK_SECONDS = 0.5  # between two looks at workers and tasks
MOST_LOST = 3  # workers that one task may lose: it is then taken for the cause
PATIENCE_SECONDS = 60.0  # with refused workers only


class Supervisor:
    """One sweep on one client. Workers may come and go while it is at work.

    Parameters
    ----------
    client : connected to the scheduler.
    identity : what every worker must have: the arguments of ``vet``.
    keep : takes (task, result) of each task that came to its end, once.
    say : takes the progress.
    patience : seconds to go on while every worker there is was refused.
    """

    def __init__(
        self,
        client: Client,
        identity: tuple,
        keep: Callable[[Task, dict], None],
        say: Callable[[str], None],
        patience: float = PATIENCE_SECONDS,
    ):
        self.client, self.identity, self.keep, self.say = client, identity, keep, say
        self.patience, self.last_hope = patience, time.monotonic()
        # By worker: what it was asked and has not answered, or why it was refused ("": it was not).
        self.workers: dict[str, Future | str] = {}
        self.at_work: dict[str, tuple[Future, Task]] = {}  # by worker

    def run(self, tasks: list[Task]) -> list[dict]:
        """Bring every task to its end; return the results of those that failed."""
        self.left, self.done, self.start = len(tasks), 0, time.monotonic()
        self.failures: list[dict] = []
        waiting, lost = deque(tasks), Counter()
        while waiting or self.at_work:
            try:
                present = set(self.client.nthreads())
            except OSError as error:
                raise _unreachable(error) from None
            self._vet(present)
            for worker, (future, task) in list(self.at_work.items()):
                if worker not in present:
                    del self.at_work[worker]
                    future.cancel()
                    self.say(f"  {task.label}  its worker {worker} was lost\n")
                    lost[task.label] += 1
                    if lost[task.label] < MOST_LOST:
                        waiting.appendleft(task)
                    else:
                        self._end(task, _failed(task, "LostWorkers", f"{MOST_LOST} were lost"))
                elif future.done():
                    del self.at_work[worker]
                    self._end(task, outcome(task, future))
            for worker in sorted(self.workers):
                if waiting and self.workers[worker] == "" and worker not in self.at_work:
                    task = waiting.popleft()
                    self.at_work[worker] = self._submit(worker, run_task, task), task
            time.sleep(LOOK_SECONDS)
        return self.failures

    def _submit(self, worker: str, function: Callable, *arguments: object) -> Future:
        return self.client.submit(function, *arguments, workers=[worker], pure=False, retries=1)

    def _vet(self, present: set[str]) -> None:
        """Ask new workers what they have, take answers, and give up where all were refused."""
        self.workers = {name: state for name, state in self.workers.items() if name in present}
        for worker in sorted(present - self.workers.keys()):
            self.workers[worker] = self._submit(worker, vet, *self.identity)
        for worker, asked in self.workers.items():
            if isinstance(asked, Future) and asked.done():
                try:
                    refused = asked.result()
                except CancelledError as error:
                    raise _unreachable(error) from None
                except Exception as error:  # no package there, or damaged data
                    refused = str(error) or type(error).__name__
                self.workers[worker] = refused
                if refused:
                    self.say(f"  worker {worker} refused: {refused}\n")
        reasons = set(self.workers.values())
        if not reasons or any(not why or isinstance(why, Future) for why in reasons):
            self.last_hope = time.monotonic()
        elif time.monotonic() - self.last_hope > self.patience:
            raise LabError(
                "a worker must have this package, these versions and these data, every one "
                f"was refused: {'; '.join(sorted(reasons))}; install the same there and start the "
                "sweep again."
            )

    def _end(self, task: Task, result: dict) -> None:
        self.keep(task, result)
        failed = bool(result["error"])
        self.failures += [result] if failed else []
        self.left, self.done = self.left - 1, self.done + (not failed)
        ended = self.done + len(self.failures)
        minutes = (time.monotonic() - self.start) / ended * self.left / 60
        self.say(
            f"  {task.label}  {'FAILED' if failed else 'done'}: {self.done} done, "
            f"{len(self.failures)} failed, {self.left} left"
            f"{f', about {minutes:.0f} minutes to go' if self.left else ''}\n"
        )


def outcome(task: Task, future: Future) -> dict:
    """A task's result; whatever else it ended with becomes a failed one."""
    try:
        return future.result()
    except CancelledError as error:
        raise _unreachable(error) from None
    except TaskFailed as error:
        return error.args[0]
    except Exception as error:
        return _failed(task, type(error).__name__, str(error))


def _failed(task: Task, name: str, message: str) -> dict:
    return result_of(task, None, failure(task.notebook, name, message), 0.0)


def _unreachable(error: BaseException) -> LabError:
    reason = (str(error) or type(error).__name__).splitlines()[0]
    return LabError(
        f"the scheduler must stay reachable, received {reason}: "
        "start the sweep again, it goes on from what was kept."
    )
