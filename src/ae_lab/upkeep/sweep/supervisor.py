"""Sends tasks to checked workers, one at a time per worker, and receives their results.

The functions at the end run on the workers.

The supervisor, not Dask, chooses the worker for each task. Dask would send tasks to workers before
they are checked, and several at once to a worker with many threads. Workers send text, so nothing
is unpickled, and each result is checked against its task.
"""

import json
import time
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import CancelledError
from dataclasses import replace
from functools import cache
from pathlib import Path

from distributed import Client, Future, get_worker

from ae_lab import data
from ae_lab.errors import LabError
from ae_lab.files import write_text
from ae_lab.report.execute.notebook import execute
from ae_lab.report.execute.run import build_font_cache
from ae_lab.report.failure import failure
from ae_lab.report.keys import EXECUTED_WITH, PACKAGE, digest_of_files, versions
from ae_lab.report.workplace import Workplace
from ae_lab.settings import Settings
from ae_lab.upkeep.sweep.task import Task, result_from, result_of

LOOK_SECONDS = 0.5  # time between two checks of workers and tasks
MOST_LOST = 3  # a task that lost this many workers counts as the cause and fails
PATIENCE_SECONDS = 60.0  # waiting time if all workers are refused
NAMED = 3  # number of differing files that a refusal names


class Supervisor:
    """One sweep on one client. Workers may join and leave during the sweep.

    Parameters
    ----------
    client : connected to the scheduler.
    identity : what every worker must have: the arguments of ``vet``.
    keep : function called once with (task, result) for each finished task.
    say : function that prints the progress.
    patience : seconds to wait for other workers while all present ones are refused.
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
        # By worker: the future of its check, or the reason for its refusal ("" if accepted).
        self.workers: dict[str, Future | str] = {}
        self.at_work: dict[str, tuple[Future, Task]] = {}  # by worker

    def run(self, tasks: list[Task]) -> list[dict]:
        """Run all tasks to the end; return the results of those that failed."""
        self.left, self.done, self.start = len(tasks), 0, time.monotonic()
        self.failures: list[dict] = []
        waiting, lost, failed = deque(tasks), Counter(), Counter()
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
                        self._end(task, _failed(task, "LostWorkers", f"lost {MOST_LOST} workers"))
                elif future.done():
                    del self.at_work[worker]
                    result = outcome(task, future)
                    failed[task.label] += bool(result["error"])
                    if failed[task.label] == 1 and result["error"]:
                        waiting.appendleft(task)  # try once more
                    else:
                        self._end(task, result)
            for worker in sorted(self.workers):
                if waiting and self.workers[worker] == "" and worker not in self.at_work:
                    task = waiting.popleft()
                    self.at_work[worker] = self._submit(worker, run_task, task), task
            time.sleep(LOOK_SECONDS)
        return self.failures

    def _submit(self, worker: str, function: Callable, *arguments: object) -> Future:
        return self.client.submit(function, *arguments, workers=[worker], pure=False)

    def _vet(self, present: set[str]) -> None:
        """Start checks of new workers, collect the answers, give up if all are refused."""
        self.workers = {name: state for name, state in self.workers.items() if name in present}
        for worker in sorted(present - self.workers.keys()):
            self.workers[worker] = self._submit(worker, vet, *self.identity)
        for worker, asked in self.workers.items():
            if isinstance(asked, Future) and asked.done():
                try:
                    refused = str(asked.result())
                except CancelledError as error:
                    raise _unreachable(error) from None
                except Exception as error:  # for example, no package there, or damaged data
                    refused = str(error) or type(error).__name__
                self.workers[worker] = refused
                if refused:
                    self.say(f"  worker {worker} refused: {refused}\n")
        reasons = set(self.workers.values())
        if not reasons or any(not why or isinstance(why, Future) for why in reasons):
            self.last_hope = time.monotonic()
        elif time.monotonic() - self.last_hope > self.patience:
            raise LabError(
                "a worker must have the package, versions and data of this machine, but all were "
                f"refused: {'; '.join(sorted(reasons))}; install the same there and start the "
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
    """A task's result; any exception becomes a failed result."""
    try:
        return result_from(task, future.result())
    except CancelledError as error:
        raise _unreachable(error) from None
    except Exception as error:
        return _failed(task, type(error).__name__, str(error))


def _failed(task: Task, name: str, message: str) -> dict:
    return result_of(task, None, failure(task.notebook, name, message), 0.0)


def _unreachable(error: BaseException) -> LabError:
    reason = (str(error) or type(error).__name__).splitlines()[0]
    return LabError(
        f"the scheduler must stay reachable, received {reason}: "
        "start the sweep again, it continues from the stored results."
    )


def identity(backends: tuple[str, ...], dataset: str) -> dict:
    """What two machines must have in common so that their results are comparable."""
    return {
        "versions": versions(("ae_lab", *EXECUTED_WITH, *backends)),
        "files": digest_of_files(PACKAGE),
        "data": dataset,
    }


def vet(expected: dict, backends: tuple[str, ...], dataset: str) -> str:
    """On a worker: its differences from ``expected`` in words, "" if there are none.

    Raises a LabError for damaged data.
    """
    found = identity(backends, data_here(dataset)[1])
    reasons = [
        f"{name} {found['versions'].get(name)} in place of {version}"
        for name, version in expected["versions"].items()
        if found["versions"].get(name) != version
    ]
    if names := sorted({name for name, _ in expected["files"].items() ^ found["files"].items()}):
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        reasons.append(f"another source of ae_lab in {', '.join(names[:NAMED])}{more}")
    if found["data"] != expected["data"]:
        here, there = found["data"][:12], expected["data"][:12]
        reasons.append(f"data with SHA-256 {here}… in place of {there}…")
    return "; ".join(reasons)


def run_task(task: Task) -> str:
    """On a worker: execute the notebook and return its result, a few KB of JSON.

    A notebook that loaded other data than the sweep's fails.
    """
    folder = Path(get_worker().local_directory) / "ae_lab"  # removed by Dask with the worker
    settings = replace(data_here(task.dataset)[0], profile=task.profile, seed=task.seed)
    place = Workplace(replace(settings, report_folder=folder))
    path = folder / "notebooks" / f"{task.notebook}.ipynb"
    place.make_folders()
    write_text(path, task.text)
    build_font_cache(place)
    executed = execute(place, path, task.key, lambda text: None, task.numeric)
    lab = executed["metadata"]["ae_lab"]
    error = lab["error"]
    loaded = ((lab["record"] or {}).get("run") or {}).get("data_sha256", task.data)
    if not error and loaded != task.data:
        message = f"the notebook loaded data {loaded[:12]}…, the sweep has {task.data[:12]}…"
        error = failure(task.notebook, "OtherData", message)
    return json.dumps(result_of(task, lab["record"], error, lab["seconds"]))


@cache
def data_here(dataset: str) -> tuple[Settings, str]:
    """This process's settings, including the folder of the data, and the data's SHA-256.

    A kernel runs in another folder and does not find the project's ``data`` folder from there.
    """
    settings = replace(Settings.from_environment(), dataset=dataset)
    loaded = data.load_mnist(settings)
    if not settings.data_folder and (settings.download_folder / f"{dataset}.npz").is_file():
        settings = replace(settings, data_folder=settings.download_folder)
    return settings, loaded.sha256
