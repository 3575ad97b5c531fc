"""The top of the index page: the assignment, its two parts, the conclusion, author and date."""

import json
from dataclasses import replace

import pytest

from ae_lab.lab.records import Claim, Metric
from ae_lab.report.build import describe_making
from ae_lab.report.front.answer import NEEDED, TASKS, conclusion, counted, parts, tally
from ae_lab.report.front.index import commands, write_index
from ae_lab.report.front.ledger import WORDS, figure_row, finding, grouped, plain_sentence
from ae_lab.report.numbers import as_people_write, number
from ae_lab.settings import Settings
from helpers import NOTEBOOKS, PIXEL, PROJECT, executed, figure, index_of, notebook, with_output

DENSE, CNN = (TASKS[letter][1] for letter in "ab")
ERROR = Metric("dense.test_sse", 7.4909, notebook=DENSE, baselines={"PCA, 32 components": 13.1942})
PRINTED = Metric(
    "dense.handout_code_bce", 0.693119, notebook=DENSE, baselines={"0.5 everywhere": 0.693147}
)
FIGURES = [
    ERROR,
    Metric("dense.test_bce", 0.0913, notebook=DENSE),
    PRINTED,
    Metric("cnn.reconstruction_accuracy", 0.9878, "share of test images", CNN),
    Metric("cnn.raw_accuracy", 0.9941, "share of test images", CNN),
    Metric("cnn.code_accuracy", 0.9822, "share of test images", CNN),
]


def claim(id, verdict, bar=1.0, margin=-1.0, **more):
    test = {"name": "a", "measured": "m", "asked": "q", "because": "b", "control": False}
    test |= {"unit": "dB", "low": bar, "high": None, "margin": margin}
    return Claim(id, verdict, sentence=f"{id} is so.", tests=[test], link=f"{id}.html", **more)


def test_each_part_has_a_number_and_at_most_three_sentences():
    a, b = parts(FIGURES, [DENSE, CNN])
    assert (
        a["number"] == "43\u00a0%" and a["what"] == "less squared error than PCA with 32 components"
    )
    assert b["number"] == "98.78\u00a0%" and "costs 0.63 points" in b["sentences"][1]
    assert "32 numbers" in a["sentences"][0] and "7.491" in a["sentences"][1]
    assert "learns next to nothing" in a["sentences"][2]
    assert len(a["sentences"]) <= 3 and len(b["sentences"]) <= 3


def test_the_words_follow_the_numbers():
    worse = [replace(ERROR, value=20.0), replace(PRINTED, value=0.2), *FIGURES]
    figures = {metric.name: metric for metric in reversed(worse)}.values()
    better = [
        replace(one, value=0.98) if one.name == "cnn.raw_accuracy" else one for one in figures
    ]
    a, b = parts(better, [DENSE, CNN])
    assert a["number"] == "52\u00a0%" and a["what"].startswith("more squared error")
    assert "nothing" not in a["sentences"][2] and "gains 0.78 points" in b["sentences"][1]


def test_a_part_names_what_is_missing():
    a, b = parts([metric for metric in FIGURES if metric is not ERROR], [DENSE, "own"])
    assert a["sentences"][0].startswith("Missing") and "dense.test_sse" in a["sentences"][0]
    assert not a["number"] and a["link"]
    assert b["sentences"][0].startswith("Missing") and CNN in b["sentences"][0] and not b["link"]


def test_the_distributed_notebooks_have_the_pictures_and_figures_of_the_parts():
    paths = {path.stem: path for path in NOTEBOOKS}
    for letter, (_, name, cell) in TASKS.items():
        cells = json.loads(paths[name].read_text(encoding="utf-8"))["cells"]
        assert any(one["id"] == cell and "lab.show(" in "".join(one["source"]) for one in cells)
        code = "".join("".join(one["source"]) for one in cells)
        for figure_name in NEEDED[letter]:
            kind, _, quantity = figure_name.partition(".")
            assert figure_name in code or f'f"{kind}.{{name}}_{quantity.split("_")[-1]}"' in code


def test_the_conclusion_counts_verdicts_and_names_the_main_claims_and_the_surprise():
    claims = [
        claim("autoencoder.output_feeds_cnn", "holds"),
        claim("deep.pretraining_helps", "does not hold", bar=10, margin=-1),
        claim("own", "does not hold", bar=0.1, margin=-1, kind="prediction"),
        claim("untold", "untested"),
    ]
    met_in_this_run = claim("met", "does not hold", bar=10, margin=5, kind="prediction")
    assert conclusion([met_in_this_run])["surprise"] is None
    found = conclusion(claims)
    assert found["tally"] == {"holds": 1, "does not hold": 1, "untested": 1}
    assert [one["link"] for one in found["main"]["does not hold"]] == [
        "deep.pretraining_helps.html"
    ]
    assert found["surprise"].id == "own", "it missed its bound by ten times the bound"
    assert found["provisional"] and found["judged"]
    assert tally([]) == {} and not conclusion([])["judged"]


def test_the_first_screen_names_author_date_machine_and_data(tmp_path):
    content = with_output(notebook("# T", "%%draw()"), *figure("A dot."))
    content.metadata["ae_lab"] = executed(content).metadata["ae_lab"]
    content.metadata["ae_lab"]["run"] = {"machine": "A loom, 2 cores", "data": "MNIST, all"}
    made = {"author": "Ada <L>", "date": "1843-09-01"}
    write_index(tmp_path, {DENSE: content}, "quick", "abc1234", made=made)
    page = (tmp_path / "index.html").read_text()
    first = page.split('class="made"')[0].split("<h1")[1]
    assert "Assignment 8" in first and PIXEL[:20] in page and 'alt="A dot."' in first
    assert first.index('id="part-a"') < first.index('id="part-b"') < first.index('id="conclusion"')
    for text in ("Ada &lt;L&gt;", "1843-09-01", "A loom, 2 cores", "MNIST, all", "abc1234"):
        assert text in page.split('class="made"')[1].split("</p>")[0]


def test_a_report_without_the_two_notebooks_says_so(tmp_path):
    page = index_of(tmp_path)
    assert page.count("Missing") == 2 and 'id="conclusion"' in page


def test_the_author_is_gits_user_or_the_given_one(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "user.name")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "Ada")
    assert describe_making(Settings(project_folder=tmp_path)) == {"author": "Ada", "date": ""}
    assert describe_making(Settings(project_folder=tmp_path, author="Bo"))["author"] == "Bo"


@pytest.mark.parametrize(
    ("value", "unit", "written"),
    [
        (13.866, "squared error/image", "13.87"),
        (0.9939, "share of test images", "99.39\u00a0%"),
        (1.4, "% of test images", "1.40\u00a0%"),
        (-1.3695e6, "", "\u22121,369,500"),
        (20.0, "", "20"),
        (0.0837057, "nats/pixel", "0.08371"),
        (-0.00001, "share of test images", "0.00\u00a0%"),
        (None, "", ""),
    ],
)
def test_numbers_are_formatted_for_readers(value, unit, written):
    assert number(value, unit) == written


def test_a_rounded_zero_has_no_sign():
    told = as_people_write("It returns -0% and -0.00, not -0.01, -0.5 or 1-0.")
    assert told == "It returns 0\u00a0% and 0.00, not \u22120.01, \u22120.5 or 1-0."


def test_words_in_brackets_at_the_end_of_a_sentence_are_omitted():
    assert plain_sentence(Claim("a", "holds", sentence="It (a) can (b).")) == "It (a) can."


def test_every_reference_value_has_a_description():
    kept = json.loads((PROJECT / "reports" / "reference.json").read_text(encoding="utf-8"))
    del kept["about"]
    assert {name for figures in kept.values() for name in figures} <= WORDS.keys()
    row = figure_row(FIGURES[3], True, "full")
    assert row["words"].startswith("CNN on reconstructions") and row["unit"] == "of test images"
    assert row["better"] == "lower is better"
    own = figure_row(Metric("own.name", 3, "nats/pixel", better=None), True, "full")
    assert (own["words"], own["unit"], own["better"]) == ("own.name", "nats per pixel", "")


def test_goals_are_in_the_unit_of_their_value():
    metric = Metric("a", 0.99, "share of images", goal={"at_least": 0.985})
    assert figure_row(metric, True, "full")["goal"] == "at least 98.50\u00a0%"
    near = Metric("own.name", 86.3003, "nats/image", better="lower", goal={"at_most": 86.3})
    row = figure_row(near, True, "full")
    assert (row["value"], row["goal"], row["mark"]) == ("86.3003", "at most 86.3", "missed")
    assert figure_row(near, False, "full")["value"] == "86.3"


def test_the_result_of_a_claim_comes_first_and_its_numbers_are_folded(tmp_path):
    tests = [
        {"name": f"n{k}", "measured": f"-{k}.5%", "asked": "q", "because": "b", "margin": 1}
        | {"control": k == 0}
        for k in range(5)
    ]
    found = finding(Claim("sparse.x", "holds", tests=tests))
    assert found == "N1: \u22121.5\u00a0%; n2: \u22122.5\u00a0%; n3: \u22123.5\u00a0%; and 1 more"
    assert finding(Claim("a", "untested", evidence="no corpus")) == "No corpus"
    groups = grouped([Claim("sparse.x", "holds"), Claim("03.y", "holds", notebook="03_b")])
    assert list(groups) == ["Sparse autoencoders", "03_b"]
    page = index_of(tmp_path)
    ours = page.split('id="predictions"')[1].split("</section>")[0]
    card = ours.split('<li class="card verdict does-not-hold">')[1].split("</li>")[0]
    assert card.index("1 of 2") < card.index("Ours.")
    assert 'aria-label="1 does not hold"' in ours and counted("holds", 2) == "2 hold"
    assert counted("does not hold", 3) == "3 do not hold"


def test_the_page_shows_the_commands_that_made_it():
    runs = {
        "01_a": {"run": {"seed": 8, "knobs": {}}, "record": None},
        "02_b": {"run": {"seed": 8, "knobs": {"sizes": "2, 4"}}, "record": None},
        "03_c": {"run": {"seed": 8}, "record": {"run": {"backend": "jax", "seed": 9}}},
        "04_d": {"run": {"seed": 8, "knobs": {}}, "record": {"run": {"changed": {}}}},
    }
    verb = "ae-lab report --profile full --seed"
    one = {"notebook": "01_a", "backend": "tensorflow"}
    swept = [one | {"seed": seed} for seed in (9, 12, 8)]
    swept += [one | {"seed": seed, "backend": "jax"} for seed in (8, 9)]
    assert commands(runs, "full", swept) == [
        "AE_LAB_SEED=8 ae-lab sweep --profile full --seeds 2 --backend jax,tensorflow",
        "AE_LAB_SEED=12 ae-lab sweep --profile full --seeds 1",
        f"{verb} 8",
        f"{verb} 8 --set 'sizes=2, 4' --notebook 02_b",
        f"KERAS_BACKEND=jax {verb} 9 --notebook 03_c",
    ]
    clothes = {"01_a": {"run": {"seed": 3, "dataset": "fashion_mnist"}, "record": None}}
    assert commands(clothes | {"02_b": runs["01_a"]}, "quick", [one | {"seed": 3}])[:2] == [
        "AE_LAB_DATASET=fashion_mnist AE_LAB_SEED=3 ae-lab sweep --profile quick --seeds 1",
        "AE_LAB_DATASET=fashion_mnist ae-lab report --profile quick --seed 3",
    ]
    changed = {"01_a": runs["02_b"]}
    assert commands(changed, "quick", []) == [
        "ae-lab report --profile quick --seed 8 --set 'sizes=2, 4' --notebook 01_a"
    ]


def test_the_authors_own_work_is_counted(tmp_path):
    name, text = NOTEBOOKS[0].stem, "The encoder is a funnel & the decoder is one the other way."
    content = notebook("# T", "%%x")
    exercises = {
        "00.1": {"right": True, "words": "00.1: correct.", "given": True},
        "00.2": {"right": False, "words": "00.2: not yet: -3%", "given": True},
        "00.4": {"right": None, "words": text, "given": True},
        "00.3": {"right": None, "words": "00.3: no answer yet.", "given": False},
        "<b>": {"right": True, "words": "forged"},
    }
    metric = {"name": "first.test_sse", "value": 30.0, "unit": "squared error/image"}
    run = {"data": "MNIST, all", "profile": "quick"}
    recorded = {"run": run, "exercises": exercises, "metrics": [metric]}
    entry = {"mean": 17.0, "deviation": 0.2, "seeds": 5, "tolerance": 0.6}
    known = {"quick, MNIST, all": {"first.test_sse": entry}}

    def page(**changes):
        write_index(
            tmp_path, {name: executed(content, recorded | changes)}, "quick", "", reference=known
        )
        return (tmp_path / "index.html").read_text()

    shown = page()
    made = shown.split('id="own"')[0].split('class="made"')[-1]
    assert "1 solved, 1 tried, 1 answered, 1 open" in made and "1 of 1" in made
    assert "2 added" in made and "removed" in made
    own = shown.split('id="own"')[1].split("<h2")[0]
    assert "funnel &amp; the" in own and "forged" not in shown and "\u22123\u00a0%" in own
    assert "16.4 to 17.6" in own and "30" in own
    assert "of 1" not in page(run=run | {"changed": {"epochs": "2"}}).split('id="own"')[0]
    inside = page(metrics=[metric | {"value": 17.5}])
    assert "0 of 1" in inside and "16.4 to 17.6" not in inside


def test_the_published_report_has_no_changes_by_a_student(tmp_path):
    assert 'id="own"' not in index_of(tmp_path)
