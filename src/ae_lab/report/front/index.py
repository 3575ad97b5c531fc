"""``index.html``: what was run, the results, and the verdicts on the handout's claims."""

import io
import re
import shlex
from base64 import b64encode
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import count
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote

from PIL import Image

from ae_lab.files import write_json, write_text
from ae_lab.lab.records import Claim
from ae_lab.report.front.answer import conclusion, counted, parts, tally
from ae_lab.report.front.before import NAME, changes
from ae_lab.report.front.ledger import (
    EXPORTED,
    claims_of,
    conditions_in_words,
    figure_row,
    finding,
    grouped,
    metrics_of,
    plain_sentence,
)
from ae_lab.report.front.own import own_work
from ae_lab.report.live.sections import Section
from ae_lab.report.numbers import as_people_write
from ae_lab.report.render.last_look import check
from ae_lab.report.render.markdown import Fragments
from ae_lab.report.render.outline import HEADING
from ae_lab.report.render.outputs import OPENING, image_of, looks_of
from ae_lab.report.render.template import render_template
from ae_lab.report.seeds.cells import (
    interval_in_words,
    parts_in_words,
    seed_rows,
    seeds_in_words,
    sweep_facts,
)
from ae_lab.report.seeds.spread import claims_over_seeds, figures_over_seeds, results_for
from ae_lab.report.workplace import page_file

IMAGE = re.compile(r"!\[([^\]]*)\]\([^)]*\)")  # in a text; a card shows the first figure instead
CARD_WIDTH = 800  # pixels, about twice a card's width, to look sharp


def write_index(
    folder: Path,
    notebooks: dict[str, dict],
    profile: str,
    commit: str,
    results: Sequence[dict] = (),
    siblings: Mapping[str, str] = MappingProxyType({}),
    before: Mapping = MappingProxyType({"before": None}),
    made: Mapping[str, str] = MappingProxyType({}),
    reference: Mapping = MappingProxyType({}),
    sections: Sequence[Section] = (),
) -> None:
    """Write ``index.html``, and metrics, claims and exercises as JSON, next to the pages.

    The executed ``notebooks`` have record and error in ``metadata.ae_lab``. ``results`` are those
    of a sweep; results for other notebooks, profiles or data are ignored. ``siblings`` are pages to
    link to, with descriptions; ``before`` is from `before.report_before`; ``made`` has the
    "author" and the "date" of the commit; ``reference`` has the reference values by profile and
    data; ``sections`` are the interactive ones.
    """
    labs = {name: notebook["metadata"]["ae_lab"] for name, notebook in notebooks.items()}
    records = records_of(notebooks)
    # Facts from the report run, replaced by what the notebook itself recorded.
    runs = [lab.get("run", {}) | (lab["record"] or {}).get("run", {}) for lab in labs.values()]
    swept = results_for(notebooks, profile, results)
    good = [result for result in swept if not result["error"]]
    metrics = metrics_of(records, figures_over_seeds(good))
    claims = judged(notebooks, profile, results)
    exported = [{key: metric.to_json()[key] for key in EXPORTED} for metric in metrics]
    write_json(folder / "metrics.json", exported)
    answers = {id: answer for r in records for id, answer in r.get("exercises", {}).items()}
    write_json(folder / "exercises.json", answers)
    write_json(folder / "claims.json", [claim.to_json() for claim in claims])
    write_json(folder / NAME, dict(before))
    facts = (
        {"author": "", "date": ""}
        | dict(made)
        | run_facts(runs, profile, commit)
        | sweep_facts(swept, len(notebooks))
    )
    key = f"{profile}, {facts['data']}"
    ranges = {} if facts["changed"] else reference.get(key, {})
    rows = [
        row
        for metric in metrics
        for row in seed_rows(figure_row(metric, facts["comparable"], profile), metric, profile)
    ]
    cards = [_card(name, notebook) for name, notebook in notebooks.items()]
    html = render_template(
        "overview.html.j2",
        formulas=any("<math" in card["question"] for card in cards),
        alive=any(OPENING in section.html for section in sections),
        sections=[section.html for section in sections],
        parts_in_words=parts_in_words,
        seeds_in_words=seeds_in_words,
        interval_in_words=interval_in_words,
        conditions_in_words=conditions_in_words,
        facts=facts,
        own=own_work(notebooks, records, metrics, ranges),
        parts=[
            part | dict(zip(("image", "alt"), _picture(notebooks, part), strict=True))
            for part in parts(metrics, notebooks)
        ],
        conclusion=conclusion(claims),
        plain_sentence=plain_sentence,
        as_people_write=as_people_write,
        finding=finding,
        tally=tally,
        counted=counted,
        commands=commands(labs, profile, good),
        siblings=siblings,
        figures=rows,
        swept=any(row["spread"] for row in rows),
        headline=[row for row in rows if row["published"] or row["goal"]],
        cards=cards,
        handout=grouped(claim for claim in claims if claim.kind == "handout" and claim.link),
        absent=[claim for claim in claims if claim.kind == "handout" and not claim.link],
        changed=changes(before, claims),
        predictions=grouped(claim for claim in claims if claim.kind != "handout"),
        predicted=tally(claim for claim in claims if claim.kind != "handout"),
    )
    write_text(folder / "index.html", html)


def records_of(notebooks: dict[str, dict]) -> list[dict]:
    """The records of the notebooks, each with the notebook's name."""
    labs = {name: notebook["metadata"]["ae_lab"] for name, notebook in notebooks.items()}
    return [lab["record"] | {"notebook": name} for name, lab in labs.items() if lab["record"]]


def judged(notebooks: dict[str, dict], profile: str, results: Sequence[dict]) -> list[Claim]:
    """The ledger of these notebooks: each claim with its verdict over all seeds."""
    good = [result for result in results_for(notebooks, profile, results) if not result["error"]]
    return claims_over_seeds(claims_of(records_of(notebooks)), good)


def run_facts(runs: list[dict], profile: str, commit: str) -> dict:
    """What was run. If notebooks were run at different times and differ, all values are named."""

    def named(key: str) -> str:
        return " / ".join(
            sorted({str(run[key]) for run in runs if run.get(key) not in (None, "none")})
        )

    versions = {name: v for run in runs for name, v in run.get("versions", {}).items()}
    return {
        "profile": profile,
        "commit": commit,
        "data": named("data"),
        "seed": named("seed"),
        "machine": named("machine"),
        "backend": named("backend"),
        "versions": ", ".join(f"{name} {versions[name]}" for name in sorted(versions)),
        "comparable": all(run.get("comparable", True) and not run.get("changed") for run in runs),
        "changed": {name: value for run in runs for name, value in run.get("changed", {}).items()},
    }


def commands(labs: dict[str, dict], profile: str, swept: Sequence[dict]) -> list[str]:
    """Commands that reproduce this report: sweep, notebooks, notebooks with other settings."""
    groups: dict[str, list[str]] = {}
    images = ""
    for name, lab in labs.items():
        run = lab.get("run", {}) | (lab["record"] or {}).get("run", {})
        changes = run.get("knobs", run.get("changed", {}))
        given = [f"--seed {run['seed']}"] if "seed" in run else []
        given += [f"--set {shlex.quote(f'{knob}={text}')}" for knob, text in changes.items()]
        other = {"AE_LAB_DATASET": ("dataset", "mnist"), "KERAS_BACKEND": ("backend", "tensorflow")}
        before = [
            f"{variable}={shlex.quote(str(run[key]))}"
            for variable, (key, usual) in other.items()
            if run.get(key, usual) not in (usual, "none")
        ]
        if name in {result["notebook"] for result in swept}:
            images = "".join(f"{part} " for part in before if part.startswith("AE_LAB_DATASET"))
        verb = "ae-lab report --profile"
        groups.setdefault(" ".join([*before, verb, profile, *given]), []).append(name)
    unchanged = [command for command in groups if " --set " not in command]
    plain = max(unchanged, key=lambda command: len(groups[command]), default="")
    lines = [plain] * bool(plain)
    for command, names in groups.items():
        if command != plain:
            lines.append(
                " ".join([command, *(f"--notebook {shlex.quote(name)}" for name in names)])
            )
    return _sweep_commands(images, profile, swept) + lines


def _sweep_commands(images: str, profile: str, swept: Sequence[dict]) -> list[str]:
    """Commands that repeat a sweep: one for each row of consecutive seeds."""
    rows = defaultdict(list)  # (first seed, number of seeds): backends
    for backend in sorted({result["backend"] for result in swept}):
        seeds = {result["seed"] for result in swept if result["backend"] == backend}
        for first in seeds:
            if first - 1 not in seeds:
                rows[first, next(n for n in count() if first + n not in seeds)].append(backend)
    return [
        f"{images}AE_LAB_SEED={first} ae-lab sweep --profile {profile} --seeds {number}"
        + f" --backend {','.join(backends)}" * (backends != ["tensorflow"])
        for (first, number), backends in sorted(rows.items())
    ]


def _card(name: str, notebook: dict) -> dict:
    link = quote(page_file(name))
    try:
        title, question = _introduction(notebook, link)
    except Exception:  # the problem is reported on the notebook's page
        title = question = ""
    image, alt = first_figure(notebook)
    lab = notebook["metadata"]["ae_lab"]
    return {
        "name": name,
        "link": link,
        "title": title or name,
        "question": question,
        "image": image,
        "look": " chart" * ("chart" in looks_of("image/png", image.partition(",")[2])),
        "alt": alt,
        "errors": [lab["error"]] * bool(lab["error"]) + lab.get("problems", []),
    }


def _introduction(notebook: dict, link: str) -> tuple[str, str]:
    """A notebook's title, and its question as HTML with links to its page."""
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "markdown"]
    texts = [cell["source"] for cell in cells]
    fragments = Fragments()  # problems are reported on the notebook's page
    title = HEADING.search(fragments.markdown(texts[0])) if texts else None
    for text in texts[1:]:
        fragments.formulas.lift(text)  # they may define macros
    question = IMAGE.sub(r"\1", question_of(texts))
    asked = fragments.markdown(question).replace('href="#', f'href="{link}#')
    (asked,) = fragments.finish([asked])
    check(asked)
    return fragments.text(title[3]) if title else "", asked


def question_of(texts: list[str]) -> str:
    """The paragraph with the notebook's question, or else its first paragraph."""
    paragraphs = [part.strip() for text in texts for part in text.split("\n\n") if part.strip()]
    beginnings = ("#", "$$", "|", "```", "![", "<")
    plain = [part for part in paragraphs if not part.startswith(beginnings)]
    asked = [part for part in plain if part.lower().startswith(("**question", "question"))]
    return (asked or plain or [""])[0]


def _picture(notebooks: dict[str, dict], part: dict) -> tuple[str, str]:
    """The picture of a part of the assignment: from its cell, or else the notebook's first one."""
    notebook = notebooks.get(part["notebook"], {"cells": []})
    one = {"cells": [cell for cell in notebook["cells"] if cell.get("id") == part["cell"]]}
    found = first_figure(one)
    return found if found[0] else first_figure(notebook)


def first_figure(notebook: dict) -> tuple[str, str]:
    """Data address and alt text of the first figure, reduced in size; empty if there is none."""
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            if picture := output.get("data", {}).get("image/png"):
                details = output["metadata"].get("image/png")
                alt = details.get("alt", "") if isinstance(details, dict) else ""
                return (small_png("".join(picture)), str(alt)) if alt else ("", "")
    return "", ""


@lru_cache(32)
def small_png(picture: str) -> str:
    """Data address of a PNG in base64, at most as large as a card; "" if it is not an image."""
    if not (image := image_of(picture)):
        return ""
    image = image.convert("RGB")
    image.thumbnail((CARD_WIDTH, CARD_WIDTH), Image.Resampling.LANCZOS)
    packed = io.BytesIO()
    image.quantize(64, dither=Image.Dither.NONE).save(packed, format="png", optimize=True)
    return "data:image/png;base64," + b64encode(packed.getvalue()).decode()
