"""What a notebook records: metrics and claims, as they are stored and loaded.

This module does not import Keras or Matplotlib, so that every reader of records can import it.
"""

import math
from dataclasses import asdict, dataclass, field, fields
from typing import Self

from ae_lab.lab.verdicts import FEWEST_SEEDS, NOT_JUDGED

# Our media types for scripts of a page: a decoder to run, and the positions of sliders.
DECODER = "application/vnd.ae-lab.decoder+json"
POSITIONS = "application/vnd.ae-lab.positions+json"
ANCHOR = "claim-"  # prefix of the id of a claim in a page
DIRECTIONS = ("lower", "higher", None)


@dataclass(frozen=True)
class Record:
    """A record, stored as JSON; missing fields get defaults, unknown ones are ignored."""

    @classmethod
    def from_json(cls, stored: dict) -> Self:
        """The record described by ``stored``, which is from `to_json`."""
        known = {one.name for one in fields(cls)}
        return cls(**{name: value for name, value in stored.items() if name in known})

    def to_json(self) -> dict:
        """The fields by name, ready for ``json.dump``."""
        return asdict(self)


@dataclass(frozen=True)
class Metric(Record):
    """One recorded value of a notebook.

    Parameters
    ----------
    name, value, unit, better, baselines, best, published, source : as in `logbook.Lab.record`.
    notebook : name of the notebook that recorded it.
    goal : "at_most" and "at_least", each to a bound in ``unit`` for the full profile; None without
        a goal.
    words : comparison of the value with all of these, in one or two sentences.
    seeds : backend to summary over seeds, added by a report; None outside a report.
    """

    name: str
    value: float
    unit: str = ""
    notebook: str = ""
    better: str | None = "lower"
    baselines: dict[str, float] = field(default_factory=dict)
    best: dict[str, float] = field(default_factory=dict)
    published: float | None = None
    source: str | None = None
    goal: dict[str, float] | None = None
    words: str = ""
    seeds: dict | None = None

    def is_better(self, value: float, other: float) -> bool:
        """Whether ``value`` is better than ``other``; without a direction, whether it is lower."""
        return value > other if self.better == "higher" else value < other

    @property
    def goal_in_words(self) -> str:
        """For example "at most 0.0935"; "" without a goal."""
        goal = self.goal or {}
        return " and ".join(f"{name.replace('_', ' ')} {goal[name]:g}" for name in sorted(goal))

    def goal_mark(self, profile: str) -> str:
        """ "reached", "missed" or "not in this profile"; "" without a goal.

        Parameters
        ----------
        profile : profile of the run. Goals are for the full profile; only there can one be missed.
        """
        if not self.goal:
            return ""
        low, high = self.goal.get("at_least", -math.inf), self.goal.get("at_most", math.inf)
        if low <= self.value <= high:
            return "reached"
        return "missed" if profile == "full" else "not in this profile"


@dataclass(frozen=True)
class Claim(Record):
    """One claim and its verdict.

    Parameters
    ----------
    id : id of a claim of the handout in ``claims.toml``, or of a prediction.
    verdict : "holds", "holds in part", "does not hold", "undecided" (the seeds do not settle it),
        "untested" or "not judged in smoke".
    kind : "handout", or "prediction" for a claim of the notebook.
    sentence : what is claimed.
    written : sentence about when a prediction was written.
    evidence : sentence with the numbers behind the verdict.
    conditions : name to margin, without controls.
    tests : all conditions, including controls: the fields of `conditions.Condition`, with value,
        bounds, unit and reason, and the margin.
    notebook : name of the notebook that tested it; None if untested.
    link : address of the cell that tested it, added by a report, or None.
    seeds : results over the seeds of a sweep, added by a report; None without a sweep.
    """

    id: str
    verdict: str
    kind: str = "handout"
    sentence: str = ""
    written: str = ""
    evidence: str = ""
    conditions: dict[str, float] = field(default_factory=dict)
    tests: list[dict] = field(default_factory=list)
    notebook: str | None = None
    link: str | None = None
    seeds: dict | None = None

    @property
    def provisional(self) -> bool:
        """Whether the verdict is based on fewer than five seeds."""
        judged = self.verdict not in ("untested", NOT_JUDGED)
        return judged and (self.seeds or {"runs": 1})["runs"] < FEWEST_SEEDS

    @property
    def parts(self) -> str:
        """The conditions that explain the verdict, or "".

        These are the conditions that are met for "holds in part", and the undecided ones for
        "undecided".
        """
        wanted = {"holds in part": True, "undecided": None}
        if self.verdict not in wanted:
            return ""
        met = {name: margin > 0 for name, margin in self.conditions.items()}
        if self.seeds:
            met = {name: found["met"] for name, found in self.seeds["conditions"].items()}
        return "; ".join(name for name in met if met[name] is wanted[self.verdict])

    @property
    def anchor(self) -> str:
        """The id of the claim in a page."""
        return ANCHOR + self.id
