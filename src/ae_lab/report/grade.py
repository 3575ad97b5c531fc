"""The command ``grade``: many submissions in one table, with each exercise checked again.

A student's report is not trusted, and nothing that a student wrote is executed unless
``run`` is given. The models and arrays that were handed in are loaded as data and measured here.
"""

import csv
import io
import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from xml.etree import ElementTree

from ae_lab.errors import LabError
from ae_lab.files import write_json, write_text
from ae_lab.lab.exercises import EXERCISES, Desk, Outcome, check, digest
from ae_lab.report.build import HANDED_IN, known_figures, say_now
from ae_lab.report.distributed import HASHES, differences, in_words
from ae_lab.report.execute.run import Say, executed
from ae_lab.report.failure import failure_of, sentence_of, valid_text
from ae_lab.report.notebook_file import read_notebook
from ae_lab.report.render.template import render_template
from ae_lab.report.workplace import UNPRINTABLE, Workplace
from ae_lab.settings import Settings

# one point each; the other exercises are answered in words
CHECKED = [id for id in sorted(EXERCISES) if "choices" in EXERCISES[id]]


@dataclass
class Submission:
    """The results of one student's folder.

    Parameters
    ----------
    student : the folder's name.
    outcomes : id of an exercise → the outcome of its check.
    cells : notebook and cell → difference, for cells that differ; None if there is no notebook.
    failures : one sentence per file that could not be read or run.
    """

    student: str
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    cells: dict[str, str] | None = None
    failures: list[str] = field(default_factory=list)

    @property
    def points(self) -> int:
        return sum(self.outcomes[id].right is True for id in CHECKED)

    @property
    def changed(self) -> str:
        """Number of cells that differ, in words."""
        return "no notebook" if self.cells is None else in_words(self.cells.values())


def grade(
    settings: Settings, folders: Sequence[Path], out: Path, run: bool = False, say: Say = say_now
) -> Path:
    """Grade one folder per student; return the page with the table.

    Parameters
    ----------
    settings : profile and data for the checks, and the reference values.
    folders : one per student, with the student's name: a project with its report, or a report.
    out : folder for ``grades.html``, ``grades.csv``, ``grades.xml`` (JUnit) and, per student,
        ``<student>/results.json`` (Gradescope).
    run : True to execute the students' notebooks and check the answers of this run.
    say : function that prints the progress.

    Raises
    ------
    LabError
        If a path is not a folder, if a name has control characters or invalid bytes, or if two
        students have the same name.
    """
    from ae_lab import data

    settings.refuse_changes("grade")
    folders = [Path(os.path.realpath(folder)) for folder in folders]
    for folder in folders:
        if not os.path.isdir(folder):
            raise LabError(f"grade needs a folder per student, found none at {folder}.")
        if UNPRINTABLE.search(folder.name):
            raise LabError(
                f"a folder's name must be text without control characters, received "
                f"{ascii(folder.name)}: rename it."
            )
    names = [folder.name.casefold() for folder in folders]  # some systems ignore case
    if twice := {one.name for one in folders if names.count(one.name.casefold()) > 1}:
        raise LabError(
            f"folders must have different names, received {', '.join(sorted(twice))} twice: "
            "rename one of them."
        )
    dataset = data.load_mnist(settings)
    known = known_figures(settings, say).get(f"{settings.profile}, {dataset.source}", {})
    figures = {name: entry["mean"] for name, entry in known.items()}
    table = []
    for folder in folders:
        judged = settings.profile != "smoke"
        try:
            desk = Desk(dataset, figures, _models_of(settings.profile_folder, folder), judged)
            table.append(_graded(settings, folder, desk, run, say))
        except Exception as error:  # a folder of others may contain anything
            words = f"the folder cannot be read ({type(error).__name__}: {error})"[:300]
            outcomes = dict.fromkeys(sorted(EXERCISES), Outcome(False, words))
            table.append(Submission(folder.name, outcomes, None, [words]))
        say(f"{table[-1].points:3} of {len(CHECKED)}  {table[-1].student}\n")
    return _write(table, settings.profile, out)


def _models_of(*folders: Path) -> dict[str, tuple[str, str]]:
    """Hashes of the models that notebooks save themselves, which are not valid answers."""
    from ae_lab.models import load_model

    found = {}
    for folder in folders:
        for path in folder.rglob("models/*.keras"):
            try:
                found[digest(load_model(path))] = "", "the notebook's own model"
            except LabError:
                continue  # no answer can be equal to it
    return found


def _graded(settings: Settings, folder: Path, desk: Desk, run: bool, say: Say) -> Submission:
    found = Submission(folder.name)
    names = json.loads(HASHES.read_text(encoding="utf-8"))
    paths = {
        path.stem: path
        for path in sorted(folder.rglob("*.ipynb"), reverse=True)  # "notebooks" before "reports"
        if path.stem in names and not any(part[0] == "." for part in path.relative_to(folder).parts)
    }
    for name, path in sorted(paths.items()):
        try:
            cells = differences(name, read_notebook(path).cells)
        except LabError as error:
            found.failures.append(str(error))
            del paths[name]
            continue
        found.cells = (found.cells or {}) | {f"{name}, {id}": how for id, how in cells.items()}
    if not run:
        kept = [path for path in sorted(folder.rglob(HANDED_IN)) if path.is_dir()]
        kept.sort(key=lambda path: path.parent.name != settings.profile)
        files = [file for path in kept[:1] for file in (path, *path.iterdir())]
        if any(not file.resolve().is_relative_to(folder) for file in files):
            found.failures.append(f"{HANDED_IN} has links to files of another folder")
            kept = []
        elif not kept:
            found.failures.append(f"no folder {HANDED_IN}: hand in the report, too")
        found.outcomes = {
            id: _checked(kept[0] if kept else folder / HANDED_IN, id, desk, found.failures)
            for id in sorted(EXERCISES)
        }
        return found
    with tempfile.TemporaryDirectory() as temporary:
        place = Workplace(replace(settings, report_folder=Path(temporary)))
        place.make_folders()
        for name, path in paths.items():
            try:
                error = executed(place, path, "", say).metadata["ae_lab"]["error"]
            except Exception as refused:  # a failure of one notebook must not affect the others
                error = failure_of(name, refused)
            found.failures += [sentence_of(error)] if error else []
        for id in sorted(EXERCISES):
            name = next((name for name in sorted(names) if name.startswith(id[:2])), "")
            kept = place.records / name
            found.outcomes[id] = _checked(kept, id, desk, found.failures)
    return found


def _checked(folder: Path, id: str, desk: Desk, failures: list[str]) -> Outcome:
    """Check an exercise from its files; any error is added to ``failures``."""
    from ae_lab.lab import handed_in

    try:
        answer, prediction = handed_in.read(folder, id)
        return check(id, answer, prediction, desk)
    except Exception as error:  # models and arrays of others may raise anything
        unknown = f"this profile has no reference value of {error}"
        reason = unknown if isinstance(error, KeyError) else str(error).partition("\n")[0]
        failures.append(f"{id}: {reason[:300]}")
        return Outcome(False, f"{id}: cannot be checked: {reason[:300]}")


def _write(table: list[Submission], profile: str, out: Path) -> Path:
    rows = io.StringIO()
    writer = csv.writer(rows, lineterminator="\n")
    writer.writerow(["student", "points", "of", *sorted(EXERCISES), "cells", "failures"])
    suites = ElementTree.Element("testsuites", name="ae_lab")
    for one in table:  # messages may quote a file that is no valid UTF-8
        one.failures = [valid_text(failure) for failure in one.failures]
        for id, outcome in one.outcomes.items():
            one.outcomes[id] = outcome._replace(words=valid_text(outcome.words))
        # a spreadsheet would interpret such a name as a formula
        name = f"'{one.student}" if one.student.startswith(("=", "+", "-", "@")) else one.student
        states = [outcome.state for outcome in one.outcomes.values()]
        failures = len(one.failures)
        writer.writerow([name, one.points, len(CHECKED), *states, one.changed, failures])
        suite = ElementTree.SubElement(suites, "testsuite", name=one.student)
        tests = []  # answers in words are graded by a person
        for id, outcome in one.outcomes.items():
            score, most = int(outcome.right is True), int(id in CHECKED)
            tests.append({"name": id, "score": score, "max_score": most, "output": outcome.words})
            case = ElementTree.SubElement(suite, "testcase", classname=one.student, name=id)
            if not outcome.right:
                kind = "skipped" if outcome.right is None else "failure"
                words = "".join(c if c.isprintable() else " " for c in outcome.words)
                ElementTree.SubElement(case, kind, message=words)
        lines = [f"Cells that differ: {one.changed}.", *one.failures]
        marks = {"score": one.points, "output": "\n".join(lines), "tests": tests}
        write_json(out / one.student / "results.json", marks)
    write_text(out / "grades.csv", rows.getvalue())
    text = ElementTree.tostring(suites, encoding="unicode", xml_declaration=True)
    write_text(out / "grades.xml", text)
    page = render_template("grades.html.j2", table=table, profile=profile, checked=CHECKED)
    write_text(out / "grades.html", page)
    return out / "grades.html"
