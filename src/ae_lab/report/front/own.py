"""What a student changed or added in a report: cells, exercises, results out of range."""

from collections.abc import Iterable, Mapping
from urllib.parse import quote

from ae_lab.lab.exercises import EXERCISES, Outcome
from ae_lab.lab.feedback import is_within
from ae_lab.lab.records import Metric
from ae_lab.report.distributed import differences, in_words
from ae_lab.report.front.ledger import figure_row
from ae_lab.report.numbers import number
from ae_lab.report.workplace import page_file

STATES = ("solved", "tried", "answered", "open")


def own_work(
    notebooks: Mapping[str, dict],
    records: Iterable[dict],
    metrics: Iterable[Metric],
    known: Mapping,
) -> dict:
    """What differs from the distributed notebooks: cells, answers, and unusual results.

    Parameters
    ----------
    notebooks : name → executed notebook.
    records : records of the notebooks.
    metrics : metrics of the notebooks.
    known : name of a metric → its entry in the reference file, for this profile and data; empty if
        a knob was changed.

    Returns
    -------
    ``cells`` in words; ``changed``: rows of the notebooks that differ; ``counts``: state → number
    of exercises; ``answers``: those that were answered; ``compared``: number of metrics with a
    range; ``outside``: rows of the metrics that are not within it.
    """
    found = {name: differences(name, notebook["cells"]) for name, notebook in notebooks.items()}
    answers = []
    for record in records:
        for id, stored in record.get("exercises", {}).items():
            if id in EXERCISES:
                known_fields = {key: stored[key] for key in Outcome._fields if key in stored}
                outcome = Outcome(**{"right": None, "words": "", "given": False} | known_fields)
                link = quote(page_file(record["notebook"]))
                answers.append({"id": id, "link": link, "outcome": outcome})
    states = [answer["outcome"].state for answer in answers]
    ranges = {one.name: known[one.name] for one in metrics if "mean" in known.get(one.name, {})}
    outside = [
        figure_row(one, False, "") | {"usual": _range(ranges[one.name], one.unit)}
        for one in metrics
        if one.name in ranges and is_within(one.value, ranges[one.name]) is False
    ]
    return {
        "cells": in_words([how for cells in found.values() for how in cells.values()]),
        "changed": [
            {"name": name, "link": quote(page_file(name)), "words": in_words(cells.values())}
            for name, cells in found.items()
            if cells
        ],
        "counts": {state: states.count(state) for state in STATES if state in states},
        "answers": [one for one in answers if one["outcome"].given],
        "compared": sum(entry["tolerance"] is not None for entry in ranges.values()),
        "outside": outside,
    }


def _range(entry: Mapping, unit: str) -> str:
    low, high = entry["mean"] - entry["tolerance"], entry["mean"] + entry["tolerance"]
    return f"{number(low, unit)} to {number(high, unit)}"
