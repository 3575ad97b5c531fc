"""The verb ``sweep``: sends what is not done yet to Dask's workers and keeps what comes back."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from ae_lab.errors import LabError
from ae_lab.report import workplace
from ae_lab.report.build import choose, say_now
from ae_lab.report.execute.environment import usable_cores
from ae_lab.report.execute.run import Say
from ae_lab.report.failure import sentence_of
from ae_lab.report.files import one_sentence
from ae_lab.report.seeds.results import is_done, result_in_report, store_result
from ae_lab.report.workplace import Workplace
from ae_lab.settings import Settings
from ae_lab.upkeep.sweep.task import Task, plan
from ae_lab.validation import check_whole

CONNECT_SECONDS = 20
# Dask looks at its workers fifty times a second, for dashboards: our tasks take minutes.
SPARING = {"distributed.worker.profile.enabled": False, "distributed.admin.tick.interval": "1s"}


def sweep(
    settings: Settings,
    seeds: int,
    names: tuple[str, ...] = (),
    backends: tuple[str, ...] = ("tensorflow",),
    scheduler: str | None = None,
    workers: int | None = None,
    say: Say = say_now,
) -> None:
    """Run notebooks under many seeds and keep every result in ``<profile>/sweep``.

    Parameters
    ----------
    settings : profile, first seed and folders.
    seeds : how many, counted up from the first.
    names : notebooks to run; all if empty.
    backends : each notebook runs on each of these.
    scheduler : address of a running one; without, a cluster on this machine is started,
        of ``workers`` processes (one for each core).
    say : takes the progress.

    Raises
    ------
    LabError
        If a name is unknown, the scheduler cannot be reached, every worker was refused, or
        tasks failed twice; the other results are kept, and the next sweep goes on from them.
    """
    check_whole(seeds, "seeds")
    if workers is not None:
        check_whole(workers, "workers")
    known = workplace.find_notebooks(settings)
    chosen = {name: known[name] for name in choose(names, list(known))}
    place = Workplace(settings)
    with one_sentence(settings.report_folder), alone(place):
        digest = _digest_of_data(settings, say)
        tasks = plan(settings, chosen, seeds, backends, digest)
        _take_from_report(place, tasks)
        left = [task for task in tasks if not is_done(place, task)]
        say(f"{len(tasks)} tasks, {len(tasks) - len(left)} of them done before\n")
        failures = _run(place, left, digest, backends, scheduler, workers, say) if left else []
    say(f"Results are in {place.sweep}; python -m ae_lab report shows them\n")
    if failures:
        raise LabError(failed_tasks(failures, len(tasks)))


def _take_from_report(place: Workplace, tasks: list[Task]) -> None:
    """What a report ran under its own seed needs no second run."""
    from ae_lab import data

    images = data.local_fingerprint(place.settings)
    for task in tasks:
        found = None if is_done(place, task) else result_in_report(place, task, images)
        if found:
            store_result(place, task, found)


def _digest_of_data(settings: Settings, say: Say) -> str:
    from ae_lab import data

    dataset = data.load_mnist(settings)
    say(f"Data: {dataset.source}\n")
    return dataset.sha256


def _run(
    place: Workplace,
    left: list[Task],
    digest: str,
    backends: tuple[str, ...],
    scheduler: str | None,
    workers: int | None,
    say: Say,
) -> list[dict]:
    """Run the tasks; return the results of those that failed."""

    def keep(task: Task, result: dict) -> None:
        store_result(place, task, result)

    with connected(scheduler, workers) as client:
        from ae_lab.upkeep.sweep.supervisor import Supervisor
        from ae_lab.upkeep.sweep.worker import identity

        expected, images = identity(backends, digest), place.settings.dataset
        return Supervisor(client, expected, backends, images, keep, say).run(left)


@contextmanager
def alone(place: Workplace) -> Iterator[None]:
    """Keep a second sweep of the same profile out; a report run may go on beside it."""
    from filelock import FileLock, Timeout

    place.build.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(place.build / "sweep.lock", timeout=0):
            yield
    except Timeout:
        raise LabError(
            f"another sweep is at work in {place.settings.report_folder}: "
            "wait for it to end, or stop it."
        ) from None


@contextmanager
def connected(scheduler: str | None, workers: int | None) -> Iterator:
    """A Dask client: of the scheduler at this address, or of a cluster that ends with it."""
    try:
        from distributed import Client
    except ImportError:
        raise LabError(
            "a sweep needs the package distributed, received none: "
            "install it with pip install 'ae_lab[sweep]'."
        ) from None
    _quieten("distributed")
    if scheduler:
        with _client(Client, scheduler) as client:
            yield client
        return
    with _local_cluster(workers) as cluster, Client(cluster, set_as_default=False) as client:
        yield client


@contextmanager
def _local_cluster(workers: int | None) -> Iterator:
    import dask
    from distributed import LocalCluster

    with (
        dask.config.set(SPARING),
        LocalCluster(
            n_workers=workers or usable_cores(),
            threads_per_worker=1,
            processes=True,
            memory_limit=0,  # the kernels are processes of their own, which Dask does not weigh
            dashboard_address=None,
            silence_logs=logging.CRITICAL,
        ) as cluster,
    ):
        yield cluster


def _quieten(package: str) -> None:
    """What goes wrong is said by us, in one sentence; each of Dask's loggers has a level."""
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] == package:
            logging.getLogger(name).setLevel(logging.CRITICAL)


def _client(kind, scheduler: str):
    try:
        return kind(scheduler, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise LabError(
            f"the scheduler must answer at its address, received nothing from {scheduler!r} "
            f"({error}): start one with dask scheduler, or leave the address out."
        ) from None


def failed_tasks(failures: list[dict], total: int) -> str:
    """The failures in one sentence: notebook, cell, seed and backend of each."""
    named = "; ".join(
        f"{sentence_of(result['error'])} (seed {result['seed']}, {result['backend']})"
        for result in failures
    )
    return f"{len(failures)} of {total} tasks failed twice: {named}; the other results are kept."
