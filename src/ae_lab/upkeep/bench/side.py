"""One side of a row, seen from outside: a process that stays alive between two timings."""

import json
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass

from ae_lab.errors import LabError
from ae_lab.report.execute.environment import THREADS, process_environment, usable_cores
from ae_lab.upkeep.bench.setting import Setting

SETTLE = 0.3  # seconds: threads of the other side spin on for a moment after their work
PATIENCE = 10  # seconds a process gets to end by itself
ERROR = re.compile(r"[\w.]*(Error|Exception|Interrupt)\b")


@dataclass(frozen=True)
class Answer:
    """``value`` in seconds (or the row's own unit) and the ``loss`` at that time, or None."""

    value: float
    loss: float | None


def threads() -> int:
    """How many threads and cores each side gets: two where there are, as on a small laptop."""
    return min(2, usable_cores())


class Side:
    """Starts the work's process and lets it warm up; use it as a context.

    Raises
    ------
    LabError
        If the process ends; the sentence holds the last line that it wrote.
    """

    def __init__(self, work: str, setting: Setting):
        self.work = work
        self.log = tempfile.TemporaryFile()
        command = ["-m", "ae_lab.upkeep.bench.serve", work, setting.to_json(), str(threads())]
        self.process = subprocess.Popen(
            [sys.executable, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
            # offline: the data were made ready before
            env=process_environment(AE_LAB_OFFLINE="1", **dict.fromkeys(THREADS, str(threads()))),
        )

    def __enter__(self) -> "Side":
        try:
            self._answer()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def ask(self, again: int = 0) -> Answer:
        """Have one unit of work done, after ``again`` others that are not answered."""
        time.sleep(SETTLE)
        for _ in range(again):
            self._unit()
        return self._unit()

    def _unit(self) -> Answer:
        try:
            self.process.stdin.write("go\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # it has ended: what it wrote last says why
        return self._answer()

    def close(self) -> None:
        """End the process, by force if it does not end by itself."""
        try:
            self.process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
        self.log.close()

    def _answer(self) -> Answer:
        line = self.process.stdout.readline()
        if not line:
            raise LabError(f"{self.work} ended before it answered: {self._last_words()}")
        return Answer(**json.loads(line))

    def _last_words(self) -> str:
        self.log.seek(0)
        lines = self.log.read().decode(errors="replace").strip().splitlines()
        errors = [line for line in lines if ERROR.match(line)]
        return (errors or lines or ["it wrote nothing"])[-1]
