"""Figures and claims of all notebooks as the rows an index shows."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from urllib.parse import quote

from ae_lab.lab.records import Claim, Metric
from ae_lab.lab.verdicts import CLAIMS
from ae_lab.report.workplace import page_file

EXPORTED = ("notebook", "name", "value", "unit", "better", "published", "source", "goal")
EXPORTED += ("baselines", "best", "words", "seeds")


def metrics_of(records: Iterable[dict], over_seeds: Mapping = MappingProxyType({})) -> list[Metric]:
    """Every metric, by notebook and name, with its ``seeds`` from (notebook, name) → summary."""
    metrics = [
        replace(
            Metric.from_json(stored),
            notebook=record["notebook"],  # a link: never what the record calls itself
            seeds=over_seeds.get((record["notebook"], stored["name"])),
        )
        for record in records
        for stored in record.get("metrics", [])
    ]
    return sorted(metrics, key=lambda metric: (metric.notebook, metric.name))


def figure_row(metric: Metric, marked: bool, profile: str) -> dict:
    """A metric as text for a table, ``marked`` if the figures may be compared with goals at all."""
    return {
        "notebook": metric.notebook,
        "link": quote(page_file(metric.notebook)),
        "name": metric.name,
        "unit": metric.unit,
        "source": metric.source or "",
        "value": number(metric.value),
        "published": number(metric.published),
        "goal": metric.goal_in_words,
        "mark": metric.goal_mark(profile) if marked else "",
    }


def conditions_in_words(claim: Claim) -> str:
    """For example "1 of 2 conditions met", the controls not counted."""
    counted = [test for test in claim.tests if not test["control"]]
    met = sum(test["margin"] > 0 for test in counted)
    return f"{met} of {len(counted)} condition{'s' * (len(counted) != 1)} met"


def number(value: float | None) -> str:
    """Five significant digits, enough to tell a figure from its goal."""
    return "" if value is None else f"{value:.5g}"


def claims_of(records: Iterable[dict]) -> list[Claim]:
    """Every verdict in the ledger's order; a claim of the handout without one is untested."""
    claims = []
    for record in records:
        name = record["notebook"]
        for claim in map(Claim.from_json, record.get("claims", [])):
            link = f"{quote(page_file(name))}#{quote(claim.anchor)}"  # the very cell that tested it
            claims.append(replace(claim, notebook=name, link=link))
    evidence = "no notebook of this report puts it to the test"
    for id in CLAIMS.keys() - {claim.id for claim in claims}:
        claims.append(Claim(id, "untested", sentence=CLAIMS[id], evidence=evidence))
    order = {id: place for place, id in enumerate(CLAIMS)}
    return sorted(claims, key=lambda claim: order.get(claim.id, len(order)))
