"""The command ``sweep``: sends unfinished tasks to Dask workers and stores the results."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from ae_lab import data
from ae_lab.errors import LabError
from ae_lab.report.build import choose, say_now
from ae_lab.report.execute.environment import usable_cores
from ae_lab.report.failure import sentence_of
from ae_lab.report.workplace import Workplace, find_notebooks
from ae_lab.settings import Settings
from ae_lab.upkeep.sweep.task import is_done, plan, result_in_report, store_result
from ae_lab.validation import check_whole

CONNECT_SECONDS = 20
SPARING = {
    # Dask polls its workers 50 times per second for dashboards, but our tasks take minutes.
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "1s",
    # Dask also serves web pages about its workers to everyone.
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
}
TEXT_ONLY = ["msgpack", "error"]  # forms of results that a client accepts; a pickle can run code


def sweep(
    settings: Settings,
    seeds: int,
    names: tuple[str, ...] = (),
    backends: tuple[str, ...] = ("tensorflow",),
    scheduler: str | None = None,
    workers: int | None = None,
    say: Callable[[str], None] = say_now,
) -> None:
    """Run notebooks with many seeds and store every result in ``<profile>/sweep``.

    Parameters
    ----------
    settings : profile, first seed and folders.
    seeds : number of seeds, counted up from the first.
    names : notebooks to run; all if empty.
    backends : each notebook runs on each of these.
    scheduler : address of a running scheduler. None to start a cluster on this machine.
    workers : number of processes of that cluster; None for one per core.
    say : function that prints the progress.

    Raises
    ------
    LabError
        If a name is unknown, if the scheduler cannot be reached, if all workers were refused, or
        if tasks failed twice. The other results are stored; the next sweep continues from them.
    """
    check_whole(seeds, "seeds")
    if workers is not None:
        check_whole(workers, "workers")
    settings.refuse_changes("sweep")
    known = find_notebooks(settings)
    paths = [known[name] for name in choose(names, list(known))]
    place = Workplace(settings)
    failures = []
    with place.alone("sweep"):
        dataset = data.load_mnist(settings)
        say(f"Data: {dataset.source}\n")
        tasks = plan(settings, paths, seeds, backends, dataset.sha256)
        images = data.local_fingerprint(settings)
        for task in tasks:  # what a report has already run is not run again
            if not is_done(place, task) and (found := result_in_report(place, task, images)):
                store_result(place, task, found)
        left = [task for task in tasks if not is_done(place, task)]
        say(f"{len(tasks)} tasks, {len(tasks) - len(left)} of them already done\n")
        if left:
            with connected(scheduler, workers) as client:
                from ae_lab.upkeep.sweep.supervisor import Supervisor, identity

                about = (identity(backends, dataset.sha256), backends, settings.dataset)
                keep = partial(store_result, place)
                failures = Supervisor(client, about, keep, say).run(left)
    say(f"Results are in {place.sweep}; ae-lab report shows them\n")
    if failures:
        named = "; ".join(
            f"{sentence_of(result['error'])} (seed {result['seed']}, {result['backend']})"
            for result in failures
        )
        raise LabError(
            f"{len(failures)} of {len(tasks)} tasks failed twice: {named}; "
            "the other results are stored."
        )


@contextmanager
def connected(scheduler: str | None, workers: int | None) -> Iterator:
    """A Dask client of the scheduler at this address, or of a temporary cluster.

    The keys of the cluster are created for it and stay in memory: no other user can join it.
    """
    try:
        import dask
        from distributed import Client, LocalCluster, Security

        security = None if scheduler else Security.temporary()
    except ImportError:
        raise LabError(
            "a sweep needs the packages distributed and cryptography, at least one is missing: "
            "install them with pip install 'ae_lab[sweep]'."
        ) from None
    reading = {"set_as_default": False, "deserializers": TEXT_ONLY}
    for name in list(logging.root.manager.loggerDict):  # errors are reported by the supervisor
        if name.partition(".")[0] == "distributed":
            logging.getLogger(name).setLevel(logging.CRITICAL)
    if scheduler:
        try:
            client = Client(scheduler, timeout=CONNECT_SECONDS, **reading)
        except (OSError, ValueError) as error:
            raise LabError(
                f"the scheduler must answer at its address, received nothing from {scheduler!r} "
                f"({error}): start one with dask scheduler, or omit the address."
            ) from None
        with client:
            yield client
        return
    options = {"n_workers": workers or usable_cores(), "threads_per_worker": 1, "processes": True}
    options["memory_limit"] = 0  # the kernels are separate processes, which Dask does not see
    options |= {"security": security, "dashboard_address": None}
    quiet = {"silence_logs": logging.CRITICAL}
    with dask.config.set(SPARING), LocalCluster(**options, **quiet) as cluster:
        with Client(cluster, **reading) as client:
            yield client
