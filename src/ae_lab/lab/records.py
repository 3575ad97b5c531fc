"""What a notebook records: figures and claims, as they are stored and read again.

Nothing here needs Keras or Matplotlib, so that whoever reads a record can import it.
"""

import math
from dataclasses import asdict, dataclass, field, fields
from typing import Self

from ae_lab.lab.verdicts import FEWEST_SEEDS, NOT_JUDGED

# Our media types for what a page's script shows: a decoder that it runs, the positions of a slider.
DECODER = "application/vnd.ae-lab.decoder+json"
POSITIONS = "application/vnd.ae-lab.positions+json"
ANCHOR = "claim-"  # what the id of a claim's place in a page begins with
DIRECTIONS = ("lower", "higher", None)


@dataclass(frozen=True)
class Record:
    """A record as JSON and back. Fields that are absent get their defaults, unknown ones go."""

    @classmethod
    def from_json(cls, stored: dict) -> Self:
        """The record that ``stored``, from `to_json`, describes."""
        known = {one.name for one in fields(cls)}
        return cls(**{name: value for name, value in stored.items() if name in known})

    def to_json(self) -> dict:
        """The fields by name, ready for ``json.dump``."""
        return asdict(self)


@dataclass(frozen=True)
class Metric(Record):
    """One figure of a notebook.

    Parameters
    ----------
    name, value, unit, better, baselines, best, published, source : as in `logbook.Lab.record`.
    notebook : name of the notebook that recorded it.
    goal : "at_most" and "at_least", each to a bound in ``unit``: what the full profile should
        reach; None without a goal.
    words : how the value compares with all of these, in one or two sentences.
    seeds : backend to summary over seeds, as a report adds it; None outside a report.
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
        """Whether ``value`` is better than ``other``; where neither way is, whether it is less."""
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
        profile : the run's. Goals are set for the full profile; another one misses nothing.
        """
        if not self.goal:
            return ""
        low, high = self.goal.get("at_least", -math.inf), self.goal.get("at_most", math.inf)
        if low <= self.value <= high:
            return "reached"
        return "missed" if profile == "full" else "not in this profile"


@dataclass(frozen=True)
class Claim(Record):
    """One claim and what became of it.

    Parameters
    ----------
    id : a claim of the handout, as in ``claims.toml``, or one of the notebook's own.
    verdict : "holds", "holds in part", "does not hold", "undecided" (the seeds do not settle it),
        "untested" or "not judged in smoke".
    kind : "handout", or "prediction" for the notebook's own.
    sentence : what is claimed.
    written : when a prediction was written down, in words.
    evidence : the numbers behind the verdict, in words.
    conditions : name to margin, of those that count.
    tests : each condition in full, controls among them: the fields of `conditions.Condition`, with
        its value, bar, unit and reason, and its margin.
    notebook : name of the notebook that tested it; None if none did.
    link : address of the cell that tested it, as a report adds it; None without one.
    seeds : what the seeds of a sweep say of it, as a report adds it; None without a sweep.
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
        """Whether the verdict stands on fewer than five seeds."""
        judged = self.verdict not in ("untested", NOT_JUDGED)
        return judged and (self.seeds or {"runs": 1})["runs"] < FEWEST_SEEDS

    @property
    def parts(self) -> str:
        """What a verdict leaves to be named: which part holds, or what is undecided."""
        wanted = {"holds in part": True, "undecided": None}
        if self.verdict not in wanted:
            return ""
        met = {name: margin > 0 for name, margin in self.conditions.items()}
        if self.seeds:
            met = {name: found["met"] for name, found in self.seeds["conditions"].items()}
        return "; ".join(name for name in met if met[name] is wanted[self.verdict])

    @property
    def anchor(self) -> str:
        """The id of its place in a page."""
        return ANCHOR + self.id
