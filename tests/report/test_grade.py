"""Many submissions in one table: measured from the answers, whatever a report claims."""

import csv
import json
import os
import shutil
from xml.etree import ElementTree

import nbformat
import numpy as np
import pytest

from ae_lab import models
from ae_lab.__main__ import main
from ae_lab.errors import LabError
from ae_lab.lab import handed_in, start_lab
from ae_lab.lab.exercises import EXERCISES, Outcome, digest
from ae_lab.report import grade as grade_module
from ae_lab.report.build import HANDED_IN
from ae_lab.report.grade import CHECKED, Submission, grade
from ae_lab.settings import Settings
from helpers import NOTEBOOKS, executed, notebook

FIRST = NOTEBOOKS[0]
WORDS = "The encoder is a funnel and the decoder a funnel the other way round, with a code between."


@pytest.fixture
def settings(tmp_path):
    (tmp_path / "teacher").mkdir()
    return Settings(
        project_folder=tmp_path / "teacher", report_folder=tmp_path / "teacher", offline=True
    )


@pytest.fixture
def ada(tmp_path, sample, shown):
    """A project whose student solved 00.1, failed 00.2, and wrote an answer to 00.4."""
    records = tmp_path / "records"
    lab = start_lab(
        FIRST.stem, Settings(project_folder=tmp_path, record_folder=records, offline=True)
    )
    lab._desk.dataset = sample
    lab.check_exercise("00.1", sample.x_test.mean(axis=0), prediction="b")
    lab.check_exercise("00.2", sample.x_test, prediction="a")
    lab.check_exercise("00.4", WORDS)
    folder = tmp_path / "ada"
    (folder / "notebooks").mkdir(parents=True)
    shutil.copytree(records / FIRST.stem, folder / "reports" / "quick" / HANDED_IN)
    changed = nbformat.read(FIRST, as_version=4)
    changed.cells[1].source += " More."
    del changed.cells[2]
    nbformat.write(changed, folder / "notebooks" / FIRST.name)
    return folder


def graded(settings, *folders, **options):
    said = []
    grade(settings, folders, settings.report_folder / "out", say=said.append, **options)
    out = settings.report_folder / "out"
    rows = list(csv.DictReader((out / "grades.csv").open(encoding="utf-8")))
    return rows, (out / "grades.html").read_text(encoding="utf-8"), out


def test_the_table_shows_what_was_handed_in(settings, ada):
    (row,), page, out = graded(settings, ada)
    assert row["student"] == "ada" and row["points"] == "1" and row["of"] == str(len(CHECKED))
    assert [row[id] for id in ("00.1", "00.2", "00.3", "00.4")] == [
        "solved",
        "tried",
        "open",
        "answered",
    ]
    assert row["cells"] == "1 changed, 1 removed" and row["failures"] == "0"
    assert WORDS in page and "<script" not in page
    result = json.loads((out / "ada" / "results.json").read_text(encoding="utf-8"))
    assert result["score"] == 1 and sum(test["score"] for test in result["tests"]) == 1
    assert sum(test["max_score"] for test in result["tests"]) == len(CHECKED)
    suite = ElementTree.parse(out / "grades.xml").getroot()[0]
    assert [case.get("name") for case in suite.iterfind("testcase[failure]")] == ["00.2"]
    assert len(suite) == len(EXERCISES) == len(suite.findall("testcase/skipped")) + 2


def test_a_forged_page_and_record_have_no_effect(settings, ada, tmp_path):
    honest = graded(settings, ada)[0][0]
    report = ada / "reports" / "quick"
    right = {"right": True, "words": "00.3: correct.", "given": True}
    forged = dict.fromkeys(EXERCISES, right)
    for path in (report / "exercises.json", report / HANDED_IN / "exercises.json"):
        path.write_text(json.dumps(forged))
    (report / "index.html").write_text("50 of 50 exercises solved")
    (report / "results.json").write_text(json.dumps({"score": 50}))
    record = {"exercises": forged, "metrics": [{"name": "first.test_sse", "value": 1e9}]}
    for folder in (report / HANDED_IN, ada / "reports" / ".build" / "quick" / "records"):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{FIRST.stem}.json").write_text(json.dumps(record))
    # claims that it was correct, without the object
    (report / HANDED_IN / "00.3.json").write_text(json.dumps(right | {"prediction": "c"}))
    (row,), _, _ = graded(settings, ada)
    assert row == honest | {"00.3": "tried"}


def test_records_of_an_executed_notebook_are_also_not_trusted(settings, ada, monkeypatch, sample):
    def run(place, path, key, say):
        right = {"right": True, "words": "", "given": True}
        record = {"exercises": dict.fromkeys(EXERCISES, right)}
        (place.records / f"{path.stem}.json").write_text(json.dumps(record))
        handed_in.keep(place.records / path.stem, "00.2", np.round(sample.x_test), "a")
        error = {"notebook": path.stem, "name": "ValueError", "message": "no", "cell": 3}
        return executed(notebook("# T"), record, error | {"id": None, "heading": None})

    monkeypatch.setattr(grade_module, "executed", run)
    (row,), page, _ = graded(settings, ada, run=True)
    assert row["points"] == "1" and row["00.2"] == "solved" and row["00.1"] == "open"
    assert row["failures"] == "1" and "cell 3" in page and "ValueError" in page


def test_invalid_answer_files_are_failures_and_are_not_executed(settings, ada):
    folder = ada / "reports" / "quick" / HANDED_IN

    class Bomb:
        def __reduce__(self):
            return (pytest.fail, ("unpickled",))

    np.savez(folder / "00.1.picture.npz", array=np.array([Bomb()], dtype=object))
    (folder / "00.3.json").write_text('{"prediction": "c"}')
    (folder / "00.3.model.keras").write_bytes(b"not a model")
    name = next(iter(EXERCISES["00.3"]["objects"]))
    (folder / f"00.3.{name}.keras").write_bytes(b"not a model")
    (ada / "notebooks" / FIRST.name).write_text("not a notebook")
    (row,), page, _ = graded(settings, ada)
    assert row["points"] == "0" and row["failures"] == "3" and row["cells"] == "no notebook"
    assert "00.1: cannot be checked" in page and FIRST.name in page


def test_an_empty_folder_has_no_points_and_a_reason(settings, tmp_path):
    (tmp_path / "=bo").mkdir()
    (row,), page, _ = graded(settings, tmp_path / "=bo")
    assert row["student"] == "'=bo" and row["points"] == "0" and row["failures"] == "1"
    assert HANDED_IN in page


def test_models_and_arrays_are_read_as_they_were_handed_in(tmp_path):
    model = models.undercomplete(latent_dim=3, hidden=(4,), image_shape=(6, 5, 1))
    handed_in.keep(tmp_path, "00.3", model, "c")
    ((_, again),) = (objects := handed_in.read(tmp_path, "00.3"))[0].items()
    assert digest(again) == digest(model) and objects[1] == "c"
    handed_in.keep(tmp_path, "00.3", 7, "b")
    assert handed_in.read(tmp_path, "00.3") == ({}, "b"), "the earlier answer is gone"
    handed_in.keep(tmp_path, "00.3", None, None)
    assert handed_in.read(tmp_path, "00.3") == (None, None)


def test_a_model_saved_by_the_notebook_is_refused(settings, ada, tmp_path):
    model = models.undercomplete(latent_dim=3, hidden=(4,))
    handed_in.keep(ada / "reports" / "quick" / HANDED_IN, "00.3", model, "c")
    (settings.profile_folder / "models").mkdir(parents=True)
    model.save(settings.profile_folder / "models" / "undercomplete.keras")
    _, page, _ = graded(settings, ada)
    assert "the notebook&#39;s own model" in page


@pytest.mark.skipif(os.name != "posix", reason="links need a permission on Windows")
@pytest.mark.parametrize("what", ["the folder", "a file"])
def test_answers_of_another_student_are_not_read(settings, ada, tmp_path, what):
    path = ada / "reports" / "quick" / HANDED_IN
    path = path if what == "the folder" else path / "00.2.json"
    path.rename(tmp_path / "of another")
    path.symlink_to(tmp_path / "of another")
    (row,), page, _ = graded(settings, ada)
    assert row["points"] == "0" and "links to files of another folder" in page


def test_messages_that_are_no_valid_text_are_shown(tmp_path):
    outcomes = dict.fromkeys(CHECKED, Outcome(False, "half \ud83d a character\x00"))
    grade_module._write([Submission("ada", outcomes, None, ["\udfff"])], "quick", tmp_path)
    assert "half ? a character" in (tmp_path / "grades.html").read_text()
    assert "half ? a character" in (tmp_path / "grades.xml").read_text()


def loop(folder):
    (folder / HANDED_IN).mkdir()
    (folder / HANDED_IN / "x").symlink_to("x")


def too_deep(folder):
    """Folders with a longer path than Linux allows."""
    before = os.getcwd()
    for name in [folder, *17 * ["x" * 250]]:
        os.makedirs(name, exist_ok=True)
        os.chdir(name)
    os.chdir(before)


@pytest.mark.skipif(os.name != "posix", reason="links need a permission on Windows")
@pytest.mark.parametrize("what", [loop, too_deep])
def test_a_folder_that_cannot_be_read_does_not_affect_other_students(settings, ada, tmp_path, what):
    (tmp_path / "bo").mkdir()
    what(tmp_path / "bo")
    (bo, row), page, _ = graded(settings, tmp_path / "bo", ada)
    assert (bo["points"], row["points"]) == ("0", "1") and int(bo["failures"]) > 0
    assert "the folder cannot be read" in page


@pytest.mark.parametrize(
    "given", [["nowhere"], ["a/ada", "b/ada"], ["a/ada", "b/Ada"], ["a\uffff"]]
)
def test_invalid_folders_are_reported_in_one_sentence(
    given, tmp_path, monkeypatch, capsys, settings
):
    monkeypatch.chdir(tmp_path)
    for folder in ("a/ada", "b/ada", "b/Ada", "a\uffff"):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    with pytest.raises(LabError):
        grade(settings, [tmp_path / one for one in given], tmp_path / "out")
    assert main(["grade", *given, "--profile", "quick"]) == 1
    said = capsys.readouterr().err
    assert (
        said.startswith("error: ")
        and said.count("\n") == 1
        and ascii(given[0].split("/")[-1])[1:-1] in said
    )
