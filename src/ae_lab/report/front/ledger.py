"""Figures and claims of all notebooks as the rows an index shows."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from urllib.parse import quote

from ae_lab.lab.verdicts import CLAIMS

EXPORTED = ("notebook", "name", "value", "unit", "published", "source", "words", "seeds")
ABSENT = {"published": None, "source": None, "goal": None, "words": ""}


def metrics_of(records: Iterable[dict], over_seeds: Mapping = MappingProxyType({})) -> list[dict]:
    """Every metric, by notebook and name, with its ``seeds`` from (notebook, name) → summary."""
    rows = [
        ABSENT
        | metric
        | {"notebook": record["notebook"]}  # a link: never what the record calls itself
        | {"seeds": over_seeds.get((record["notebook"], metric["name"]))}
        for record in records
        for metric in record.get("metrics", [])
    ]
    return sorted(rows, key=lambda row: (row["notebook"], row["name"]))


def exported_metrics(metrics: list[dict]) -> list[dict]:
    """What ``metrics.json`` holds."""
    return [{key: metric[key] for key in EXPORTED} for metric in metrics]


def figure_row(metric: dict, marked: bool, profile: str) -> dict:
    """A metric as text for a table.

    Parameters
    ----------
    marked : whether the figures may be held against goals at all.
    profile : goals are set for the full profile; another one misses nothing.
    """
    goal = metric["goal"] or {}
    return {
        "notebook": metric["notebook"],
        "name": metric["name"],
        "unit": metric["unit"],
        "source": metric["source"] or "",
        "value": number(metric["value"]),
        "published": number(metric["published"]),
        "goal": " and ".join(f"{name.replace('_', ' ')} {goal[name]:g}" for name in sorted(goal)),
        "mark": _mark(metric["value"], goal, profile) if goal and marked else "",
    }


def number(value: float | None) -> str:
    """Five significant digits, enough to tell a figure from its goal."""
    return "" if value is None else f"{value:.5g}"


def claims_of(records: Iterable[dict]) -> list[dict]:
    """Every verdict in the ledger's order; a claim of the handout without one is untested."""
    rows = [
        claim | {"notebook": record["notebook"], "link": claim_link(record["notebook"], claim)}
        for record in records
        for claim in record.get("claims", [])
    ]
    tested = {row["id"] for row in rows}
    rows += [_untested(id, CLAIMS[id]) for id in CLAIMS if id not in tested]
    order = {id: place for place, id in enumerate(CLAIMS)}
    return sorted(rows, key=lambda row: order.get(row["id"], len(order)))


def claim_link(notebook: str, claim: dict) -> str:
    """The very cell that put the claim to its test."""
    return f"{quote(notebook)}.html#claim-{quote(claim['id'])}"


def _untested(id: str, sentence: str) -> dict:
    return {
        "id": id,
        "kind": "handout",
        "sentence": sentence,
        "verdict": "untested",
        "evidence": "no notebook of this report puts it to the test",
        "notebook": None,
        "link": None,
    }


def _mark(value: float, goal: dict, profile: str) -> str:
    low, high = goal.get("at_least", float("-inf")), goal.get("at_most", float("inf"))
    if low <= value <= high:
        return "reached"
    return "missed" if profile == "full" else "not in this profile"
