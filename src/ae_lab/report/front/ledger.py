"""Metrics and claims of all notebooks as rows of the index."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote

from ae_lab.lab.records import Claim, Metric
from ae_lab.lab.verdicts import BY_KIND, CLAIMS
from ae_lab.report.numbers import as_people_write, number, unit_in_words
from ae_lab.report.workplace import page_file

WORDS = tomllib.loads(Path(__file__).with_name("figures.toml").read_text(encoding="utf-8"))
KINDS = {kind: f"{kind.capitalize()} autoencoders" for kind in BY_KIND}  # headings of the claims
KINDS["autoencoder"] = "Autoencoders in general"
EXPORTED = ("notebook", "name", "value", "unit", "better", "published", "source", "goal")
EXPORTED += ("baselines", "best", "words", "seeds")


def metrics_of(records: Iterable[dict], over_seeds: Mapping = MappingProxyType({})) -> list[Metric]:
    """All metrics, by notebook and name, with ``seeds`` from (notebook, name) → summary."""
    metrics = [
        replace(
            Metric.from_json(stored),
            notebook=record["notebook"],  # used for links, so the record's own text is not trusted
            seeds=over_seeds.get((record["notebook"], stored["name"])),
        )
        for record in records
        for stored in record.get("metrics", [])
    ]
    return sorted(metrics, key=lambda metric: (metric.notebook, metric.name))


def figure_row(metric: Metric, marked: bool, profile: str) -> dict:
    """A metric as text for a table, ``marked`` if the run can be compared with goals."""
    mark = metric.goal_mark(profile) if marked else ""
    value = number(metric.value, metric.unit)
    bounds = {
        name: number(bound, metric.unit) for name, bound in sorted((metric.goal or {}).items())
    }
    if mark == "missed" and value in bounds.values():  # by less than the digits show
        value = number(metric.value, metric.unit, digits=4)
    return {
        "notebook": metric.notebook,
        "link": quote(page_file(metric.notebook)),
        "name": metric.name,
        "words": WORDS.get(metric.name, metric.name),
        "unit": unit_in_words(metric.unit),
        "better": f"{metric.better} is better" if metric.better else "",
        "source": as_people_write(metric.source or ""),
        "value": value,
        "published": number(metric.published, metric.unit),
        "goal": " and ".join(f"{name.replace('_', ' ')} {bounds[name]}" for name in bounds),
        "mark": mark,
    }


def conditions_in_words(claim: Claim) -> str:
    """For example "1 of 2 conditions met", without controls."""
    counted = [test for test in claim.tests if not test["control"]]
    met = sum(test["margin"] > 0 for test in counted)
    return f"{met} of {len(counted)} condition{'s' * (len(counted) != 1)} met"


def finding(claim: Claim) -> str:
    """What was measured, in one line: the first three conditions, or the reason if none."""
    counted = [test for test in claim.tests if not test["control"]]
    words = [f"{test['name']}: {test['measured']}" for test in counted[:3]]
    words += [f"and {len(counted) - 3} more"] * (len(counted) > 3)
    line = as_people_write("; ".join(words) or claim.evidence)
    return line[:1].upper() + line[1:]


def grouped(claims: Iterable[Claim]) -> dict[str, list[Claim]]:
    """Heading → claims, by kind of autoencoder; predictions by notebook."""
    groups: dict[str, list[Claim]] = {}
    for claim in claims:
        kind = claim.id.partition(".")[0]
        heading = KINDS.get(kind) or claim.notebook or kind
        groups.setdefault(heading, []).append(claim)
    return groups


def plain_sentence(claim: Claim) -> str:
    """The claim's sentence without the words in brackets, which explain how it is interpreted."""
    return re.sub(r" \([^()]*\)(?=\W*$)", "", claim.sentence)


def claims_of(records: Iterable[dict]) -> list[Claim]:
    """All verdicts in the order of the ledger; claims of the handout without one are untested."""
    claims = []
    for record in records:
        name = record["notebook"]
        for claim in map(Claim.from_json, record.get("claims", [])):
            link = f"{quote(page_file(name))}#{quote(claim.anchor)}"  # the cell that tested it
            claims.append(replace(claim, notebook=name, link=link))
    evidence = "no notebook of this report tests it"
    for id in CLAIMS.keys() - {claim.id for claim in claims}:
        claims.append(Claim(id, "untested", sentence=CLAIMS[id], evidence=evidence))
    order = {id: place for place, id in enumerate(CLAIMS)}
    return sorted(claims, key=lambda claim: order.get(claim.id, len(order)))
