"""Which verdicts changed since the report that was published before.

A report keeps in ``before.json`` its own commit, and of the report before it the commit and the
verdicts. Both reports are in the repository, so that the table can be made again from it.
"""

from pathlib import Path

from ae_lab.files import read_json
from ae_lab.lab.records import Claim

NAME = "before.json"


def report_before(folder: Path, commit: str) -> dict:
    """What the next report from ``commit`` keeps of those published in ``folder`` before.

    Made again from the same commit, a report is compared with the same one as the first time.
    """
    kept = read_json(folder / NAME) or {}
    claims = read_json(folder / "claims.json", list)
    if claims is None or kept.get("commit") == commit:
        return {"commit": commit, "before": kept.get("before")}
    verdicts = {claim.id: _short(claim) for claim in map(Claim.from_json, claims)}
    return {"commit": commit, "before": {"commit": kept.get("commit", ""), "claims": verdicts}}


def changes(kept: dict, claims: list[Claim]) -> dict | None:
    """The verdicts that changed, as rows, and how many claims are new or gone.

    Parameters
    ----------
    kept : from `report_before`; without a report before, the answer is None.
    claims : the new report's ledger.
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
    """A claim's verdict, over how many seeds or runs, and what it tests."""
    runs = (claim.seeds or {"runs": 1})["runs"]
    return {"verdict": claim.verdict, "runs": runs, "conditions": sorted(claim.conditions)}
