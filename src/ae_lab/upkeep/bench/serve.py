"""The inside of a side's process: does one unit of work whenever it is asked.

``python -m ae_lab.upkeep.bench.serve WORK SETTING THREADS`` runs ``peers.WORK``, for example
``torch_loop.dense``, which calls ``clock.tick`` after every unit of work. Inside a training that
is a callback: the epoch loop waits in it until the next epoch is wanted.
"""

import importlib
import json
import os
import sys
import time

from ae_lab.upkeep.bench.setting import Setting


class Clock:
    """Times the work between two ticks; one line comes in for each, one line goes out.

    Parameters
    ----------
    asks : lines, each of which asks for a unit of work; the end of them ends the process.
    answers : takes one line of JSON a unit.
    """

    def __init__(self, asks, answers):
        self.asks, self.answers, self.start = asks, answers, time.perf_counter()

    def tick(self, loss=None, value=None) -> None:
        """Say what the work since the last tick took; wait until more is wanted.

        Parameters
        ----------
        loss : what came of it, a number or a function that gives it, called off the clock.
        value : the figure itself, where it is not a time.

        Raises
        ------
        SystemExit
            If no more is wanted.
        """
        seconds = time.perf_counter() - self.start
        loss = loss() if callable(loss) else loss
        answer = {
            "value": seconds if value is None else float(value),
            "loss": None if loss is None else float(loss),
        }
        print(json.dumps(answer), file=self.answers, flush=True)
        if not self.asks.readline():
            raise SystemExit
        self.start = time.perf_counter()


def find(work: str):
    """The function behind ``module.name`` of the peers."""
    module, name = work.split(".")
    return getattr(importlib.import_module(f"ae_lab.upkeep.bench.peers.{module}"), name)


def hold_to(threads: int) -> None:
    """Let this process use that many cores, whatever the library in it takes for itself."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def main(work: str, setting: str, threads: str) -> None:
    """Serve until nobody asks."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints must not pass for an answer
    hold_to(int(threads))
    find(work)(Setting.from_json(setting), Clock(sys.stdin, answers))


if __name__ == "__main__":
    main(*sys.argv[1:])
