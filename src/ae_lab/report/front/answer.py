"""The top of the index page: parts (a) and (b) of the assignment, and the conclusion."""

import math
from collections.abc import Iterable, Mapping
from urllib.parse import quote

from ae_lab.lab.records import Claim, Metric
from ae_lab.lab.verdicts import NOT_JUDGED, PRIMARY
from ae_lab.report.front.ledger import plain_sentence
from ae_lab.report.numbers import number
from ae_lab.report.workplace import page_file

VERDICTS = ("holds", "holds in part", "does not hold", "undecided", "untested", NOT_JUDGED)
TASKS = {  # letter → task, notebook that answers it, and cell with its picture
    "a": ("Develop an autoencoder for MNIST", "01_dense_autoencoder", "evaluate"),
    "b": ("Use its output as the input of a CNN", "02_autoencoder_to_cnn", "views-figure"),
}
DIFFERENCES = ("probability", "images of", "points")  # units of differences, with bounds near 0
NEEDED = {
    "a": ("dense.test_sse", "dense.test_bce", "dense.handout_code_bce"),
    "b": ("cnn.reconstruction_accuracy", "cnn.raw_accuracy", "cnn.code_accuracy"),
}


def parts(metrics: Iterable[Metric], notebooks: Iterable[str]) -> list[dict]:
    """Parts (a) and (b): at most three sentences and one number each, or what is missing.

    Parameters
    ----------
    metrics : all metrics of the report.
    notebooks : names of the report's notebooks.
    """
    found, answers = {(one.notebook, one.name): one for one in metrics}, []
    for letter, (asked, notebook, cell) in TASKS.items():
        known = {name: found.get((notebook, name)) for name in NEEDED[letter]}
        missing = [name for name, one in known.items() if one is None]
        part = {"letter": letter, "asked": asked, "notebook": notebook, "cell": cell}
        part |= {"link": "", "number": "", "what": "", "sentences": []}
        if notebook not in notebooks:
            part["sentences"] = [f"Missing: this report has no notebook {notebook}."]
        else:
            part["link"] = quote(page_file(notebook))
            if missing:
                part["sentences"] = [f"Missing: {notebook} did not record {', '.join(missing)}."]
            else:
                part |= (_part_a if letter == "a" else _part_b)(*known.values())
        answers.append(part)
    return answers


def _part_a(error: Metric, entropy: Metric, printed: Metric) -> dict:
    rival = next((name for name in error.baselines if name.startswith("PCA")), None)
    if rival is None:
        size, beside, share = "few", "", number(error.value)
        words = "squared error per test image"
    else:
        theirs, name = error.baselines[rival], rival.replace(", ", " with ")
        gain = 1 - error.value / theirs
        size = "".join(letter for letter in rival if letter.isdigit())
        beside = f", compared with {number(theirs)} for {name}"
        share = number(abs(gain), "share", 0)
        words = f"{'less' if gain > 0 else 'more'} squared error than {name}"
    blank = printed.baselines.get("0.5 everywhere", math.inf)
    learned = printed.value < 0.95 * blank
    little = f"; the constant output 0.5 has {number(blank)}, so it learns next to nothing."
    return {
        "number": share,
        "what": words,
        "sentences": [
            f"A dense network was trained to reconstruct each image from {size} numbers.",
            f"Its squared error is {number(error.value)} per test image{beside}; its cross-entropy "
            f"is {number(entropy.value)} nats per pixel.",
            f"The handout’s program, run as printed, ends at {number(printed.value)} nats per pixel"
            + ("." if learned else little),
        ],
    }


def _part_b(reconstructed: Metric, raw: Metric, code: Metric) -> dict:
    cost = 100 * (raw.value - reconstructed.value)
    lost = f"costs {number(cost)} points" if cost > 0 else f"gains {number(-cost)} points"
    own, other, alone = (number(one.value, "share") for one in (reconstructed, raw, code))
    return {
        "number": own,
        "what": "of the reconstructed test images classified correctly",
        "sentences": [
            f"One CNN was trained and tested on the autoencoder’s output, another on raw images: "
            f"the first classifies {own} of the test images correctly, the second {other}.",
            f"The autoencoder {lost} of accuracy.",
            f"A third CNN, trained on the codes alone, classifies {alone} correctly.",
        ],
    }


def tally(claims: Iterable[Claim]) -> dict[str, int]:
    """Number of claims per verdict, in the order of `VERDICTS`."""
    verdicts = [claim.verdict for claim in claims]
    return {one: verdicts.count(one) for one in VERDICTS if one in verdicts}


def counted(verdict: str, count: int) -> str:
    """For example "1 holds", "3 hold in part"."""
    several = verdict.replace("holds", "hold").replace("does", "do") if count != 1 else verdict
    return f"{count} {several}"


def conclusion(claims: list[Claim]) -> dict:
    """Results about the handout: the counts, the main claims by verdict, the largest surprise.

    Parameters
    ----------
    claims : the ledger, including predictions.

    Returns
    -------
    dict with ``tally``; ``judged``: whether any claim has a verdict; ``main``: verdict → claims
    of `verdicts.PRIMARY`; ``surprise``: the claim that missed its bound by the largest share of
    that bound, or None; ``provisional``: whether all verdicts are provisional.
    """
    judged = [one for one in claims if one.verdict not in ("untested", NOT_JUDGED)]
    main = {
        verdict: [one for one in judged if one.id in PRIMARY and one.verdict == verdict]
        for verdict in VERDICTS
    }
    failed = [one for one in judged if one.verdict == "does not hold" and _miss(one) > 0]
    return {
        "tally": tally(one for one in claims if one.kind == "handout"),
        "judged": bool(judged),
        "main": {verdict: _once(found) for verdict, found in main.items() if found},
        "surprise": max(failed, key=_miss, default=None),
        "provisional": all(one.provisional for one in judged),
    }


def _once(claims: list[Claim]) -> list[dict]:
    """The claims without repetitions: a claim that two notebooks test is listed once."""
    links: Mapping[str, str] = {plain_sentence(one): one.link for one in reversed(claims)}
    return [{"sentence": sentence, "link": links[sentence]} for sentence in reversed(links)]


def _miss(claim: Claim) -> float:
    """By what share of its bound a failed claim missed it; bounds on differences do not count."""
    misses = [
        -test["margin"] / abs(bar)
        for test in claim.tests
        if not test["control"] and not test.get("unit", "").startswith(DIFFERENCES)
        for bar in (test.get("low"), test.get("high"))
        if bar
    ]
    return max(misses, default=0.0)
