"""Which verdicts have changed since the last published report.

A report stores in ``before.json`` its own commit, and the commit and verdicts of the report before
it. Both reports are in the repository, so the table can be reproduced.
"""

from pathlib import Path

from ae_lab.files import read_json
from ae_lab.lab.records import Claim

NAME = "before.json"


def report_before(folder: Path, commit: str) -> dict:
    """What the next report from ``commit`` stores about the one published in ``folder`` before.

    If it is built again from the same commit, it is compared with the same report as before.
    """
    kept = read_json(folder / NAME) or {}
    claims, before = read_json(folder / "claims.json", list), kept.get("before")
    try:
        if claims is not None and kept.get("commit") != commit:
            verdicts = {claim.id: _short(claim) for claim in map(Claim.from_json, claims)}
            before = {"commit": kept.get("commit", ""), "claims": verdicts}
        for one in before["claims"].values() if before else ():
            texts = [before["commit"], one["verdict"], *one["conditions"]]
            if type(one["runs"]) is not int or not all(isinstance(text, str) for text in texts):
                before = None
                break
    except (AttributeError, KeyError, TypeError):
        before = None  # the file has another form
    return {"commit": commit, "before": before}


def changes(kept: dict, claims: list[Claim]) -> dict | None:
    """The verdicts that changed, as rows, and the numbers of new and removed claims.

    Parameters
    ----------
    kept : from `report_before`; the result is None if there was no report before.
    claims : the ledger of the new report.
    """
    if not (before := kept["before"]):
        return None
    old, now = before["claims"], {claim.id: claim for claim in claims}
    rows = [
        {
            "sentence": claim.sentence,
            "before": old[id],
            "now": _short(claim),
            "test": "the same" if old[id]["conditions"] == sorted(claim.conditions) else "another",
        }
        for id, claim in now.items()
        if id in old and old[id]["verdict"] != claim.verdict
    ]
    new, gone = len(now.keys() - old.keys()), len(old.keys() - now.keys())
    return {"commit": before["commit"], "rows": rows, "new": new, "gone": gone}


def _short(claim: Claim) -> dict:
    """A claim's verdict, its number of seeds or runs, and its conditions."""
    runs = (claim.seeds or {"runs": 1})["runs"]
    return {"verdict": claim.verdict, "runs": runs, "conditions": sorted(claim.conditions)}
