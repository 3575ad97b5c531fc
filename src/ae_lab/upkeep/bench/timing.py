"""Timings of a row, taken in turn, and what may be said of their ratio."""

import statistics
from contextlib import ExitStack
from dataclasses import asdict, dataclass

import numpy as np

from ae_lab.upkeep.bench.rows import Against, Row
from ae_lab.upkeep.bench.setting import Setting
from ae_lab.upkeep.bench.side import Answer, Side

KEYS = ("row", "against", "ours_s", "other_s", "ratio", "low", "high", "reach", "reached")
SLACK = 1.05  # our loss at the end may be so many times theirs and still count as the same work


@dataclass(frozen=True)
class Result:
    """One row against one peer.

    ``ours_s`` and ``other_s`` are medians in seconds (in the row's unit where it has another),
    ``low``, ``ratio`` and ``high`` are the quartiles of other over ours, each of neighbouring
    timings: on a shared machine some timings are another program's. ``reached`` is None where no
    verdict is given; ``note`` says why.
    """

    row: str
    against: str
    ours_s: float
    other_s: float
    ratio: float
    low: float
    high: float
    reach: float
    reached: bool | None
    note: str = ""
    unit: str = "s"
    ours_loss: float | None = None
    other_loss: float | None = None

    @property
    def verdict(self) -> str:
        """In words."""
        return self.note or ("reached" if self.reached else "missed")

    def exported(self) -> dict:
        """What ``bench.json`` holds of it."""
        return {key: value for key, value in asdict(self).items() if key in KEYS}


def measure(row: Row, setting: Setting, repeats: int) -> list[Result]:
    """Have ours and every peer of a row work in turn; judge ours against each.

    Raises
    ------
    LabError
        If a side fails.
    """
    peers = [against for against in row.against if against.work]
    with ExitStack() as stack:
        sides = [
            stack.enter_context(Side(work, setting))
            for work in (row.ours, *(peer.work for peer in peers))
        ]
        ours, *theirs = in_turn(sides, repeats, row.again)
    answers = dict(zip((peer.label for peer in peers), theirs, strict=True))
    return [
        compare(row, against, ours, answers.get(against.label), setting.small)
        for against in row.against
    ]


def in_turn(sides: list[Side], repeats: int, again: int = 0) -> list[list[Answer]]:
    """``repeats`` answers of each side; every other round goes backwards, so that a machine
    that grows slower or faster meanwhile favours none."""
    answers = [[] for _ in sides]
    for turn in range(repeats):
        order = range(len(sides))
        for i in reversed(order) if turn % 2 else order:
            answers[i].append(sides[i].ask(again))
    return answers


def compare(
    row: Row, against: Against, ours: list[Answer], other: list[Answer] | None, small: bool = False
) -> Result:
    """Medians, the ratio and its spread; without ``other``, against the row's own limit."""
    if other is None:
        other = [Answer(against.limit, None)] * len(ours)
    ratios = [b.value / a.value for a, b in zip(ours, other, strict=True)]
    ours_s, other_s = (statistics.median(a.value for a in side) for side in (ours, other))
    low, ratio, high = (float(q) for q in np.percentile(ratios, (25, 50, 75)))
    note = reservation(low, high, against.reach, ours[-1].loss, other[-1].loss, small)
    return Result(
        row=row.name,
        against=against.label,
        ours_s=ours_s,
        other_s=other_s,
        ratio=ratio,
        low=low,
        high=high,
        reach=against.reach,
        reached=None if note else ratio >= against.reach,
        note=note,
        unit=row.unit,
        ours_loss=ours[-1].loss,
        other_loss=other[-1].loss,
    )


def reservation(low, high, reach, ours_loss, other_loss, small=False) -> str:
    """Why a ratio is not called; empty if it is."""
    if small:
        return "not called: a try-out with few images"
    if ours_loss is not None and other_loss is not None and not ours_loss <= SLACK * other_loss:
        return f"not called: we learned less, {ours_loss:.4g} against {other_loss:.4g}"
    if low <= 1 <= high:
        within = ", all of it within reach" if low >= reach else ""
        return f"not called: the spread, {low:.2f} to {high:.2f}, covers 1{within}"
    return ""
