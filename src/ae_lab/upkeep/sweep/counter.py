"""How far a sweep has come, in lines."""

import time

from ae_lab.report.execute.run import Say


class Progress:
    """Says after each task how far the sweep has come."""

    def __init__(self, left: int, say: Say):
        self.done = self.failed = 0
        self.left = left
        self.say = say
        self.start = time.monotonic()

    def step(self, label: str, failed: bool) -> None:
        """Count one task that came to its end."""
        self.left -= 1
        self.done += not failed
        self.failed += failed
        elapsed = time.monotonic() - self.start
        rest = duration(elapsed / (self.done + self.failed) * self.left)
        word = "FAILED" if failed else "done"
        self.say(
            f"  {label}  {word}: {self.done} done, {self.failed} failed, {self.left} left"
            f"{f', about {rest} to go' if self.left else ''}\n"
        )


def duration(seconds: float) -> str:
    """Hours, minutes or seconds, as fine as a guess deserves."""
    if seconds >= 3600:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"
