"""Publishing: completely or not at all. No kernels: the notebooks contain only text."""

import errno
import json
import os
import sys

import pytest
from filelock import FileLock

from ae_lab.errors import LabError
from ae_lab.files import write_json
from ae_lab.report.build import HANDED_IN, build_report
from ae_lab.report.notebook_file import read_notebook
from ae_lab.report.workplace import Workplace
from helpers import (
    build,
    contents,
    figure,
    notebook,
    project,
    result,
    with_output,
)

pytestmark = pytest.mark.usefixtures("as_executed")


def test_a_second_run_at_the_same_time_is_refused(tmp_path):
    settings = project(tmp_path, one=notebook("# One"))
    build(settings)
    with FileLock(Workplace(settings).build / "report.lock"):
        with pytest.raises(LabError, match="another report run"):
            build(settings)


def test_a_lock_left_by_a_killed_run_does_not_matter(tmp_path):
    settings = project(tmp_path, one=notebook("# One"))
    place = Workplace(settings)
    place.build.mkdir(parents=True)
    (place.build / "report.lock").write_text("99999999")
    build(settings)
    assert (settings.profile_folder / "one.html").exists()


def test_a_kill_between_the_renames_is_repaired(tmp_path):
    settings = project(tmp_path, one=notebook("# One"))
    build(settings)
    place, before = Workplace(settings), contents(settings.profile_folder)
    settings.profile_folder.rename(place.build / "aside")
    (place.build / "new").mkdir()
    (place.build / ".writing-x").mkdir()
    (place.build / ".writing-x" / "one.ipynb").write_text("half")
    build(settings)
    assert contents(settings.profile_folder) == before
    left = {path.name for path in place.build.iterdir()}
    assert not left & {"aside", "new", ".writing-x"}


def test_a_full_disk_destroys_nothing(tmp_path, monkeypatch):
    settings = project(tmp_path, one=notebook("# One"))
    build(settings)
    before = contents(settings.profile_folder)
    project(tmp_path, one=notebook("# One, changed"))

    def full(source, target):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(target))

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left on device"):
        build(settings)
    assert contents(settings.profile_folder) == before


def test_a_reader_of_the_output_that_ends_is_not_a_full_disk(tmp_path):
    def say(text):
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    with pytest.raises(BrokenPipeError):
        build_report(project(tmp_path, one=notebook("# One")), say=say)


def test_an_impossible_report_folder_is_named(tmp_path):
    settings = project(tmp_path, one=notebook("# One"))
    settings.report_folder.write_text("a file where the folder should be")
    with pytest.raises(OSError, match="reports"):
        build(settings)


def test_a_run_of_a_single_notebook_keeps_the_other_pages(tmp_path):
    settings = project(tmp_path, one=notebook("# One"), two=notebook("# Two"))
    build(settings)
    project(tmp_path, one=notebook("# One, changed"), two=notebook("# Two, changed"))
    build(settings, "one")
    pages = contents(settings.profile_folder)
    assert b"One, changed" in pages["one.html"]
    assert b"Two" in pages["two.html"] and b"Two, changed" not in pages["two.html"]


def test_the_page_of_a_removed_notebook_is_removed(tmp_path):
    settings = project(tmp_path, one=notebook("# One"), two=notebook("# Two"))
    build(settings)
    (tmp_path / "notebooks" / "two.ipynb").unlink()
    build(settings)
    assert "two.html" not in contents(settings.profile_folder)


def test_a_figure_without_alt_text_fails_the_build_and_names_the_cell(tmp_path):
    settings = project(
        tmp_path, one=with_output(notebook("# One", "## Plot", "%%draw()"), *figure(""))
    )
    with pytest.raises(LabError, match=r"one, cell 1 \(Plot\) failed with .* no alt text"):
        build(settings)
    assert "no alt text" in (tmp_path / "reports/quick/index.html").read_text()


def test_a_page_added_later_is_linked_without_execution(tmp_path):
    settings = project(tmp_path, one=notebook("# One"))
    build(settings)
    (settings.report_folder / "bench.html").write_text("<!DOCTYPE html>")
    assert "unchanged" in build(settings)
    assert "../bench.html" in (settings.profile_folder / "index.html").read_text()


def test_unknown_and_absent_notebooks(tmp_path):
    settings = project(tmp_path, one=notebook("# One"))
    with pytest.raises(LabError, match="one of one, received two"):
        build(settings, "two")
    (tmp_path / "notebooks" / "one.ipynb").write_text("{")
    with pytest.raises(LabError, match="one.ipynb must be a notebook"):
        build(settings)
    assert "must be a notebook" in (settings.profile_folder / "one.html").read_text()
    (tmp_path / "notebooks" / "one.ipynb").unlink()
    with pytest.raises(LabError, match="found none"):
        build(settings)


def test_models_are_published_and_kept_without_execution(tmp_path):
    settings = project(tmp_path, one=notebook("# One"), two=notebook("# Two"))
    place = Workplace(settings)
    (place.records / "one").mkdir(parents=True)
    (place.records / "one" / "deep.keras").write_bytes(b"weights")
    build(settings)
    kept = settings.profile_folder / "models" / "deep.keras"
    assert kept.read_bytes() == b"weights"
    build(settings)
    assert kept.read_bytes() == b"weights"
    kept.unlink()
    build(settings)
    assert kept.read_bytes() == b"weights"
    assert "unchanged" in build(settings, "two")
    (place.models / "one" / "deep.keras").write_bytes(b"better weights")
    build(settings)
    assert kept.read_bytes() == b"better weights"


OURS = {"index.html": "", "claims.json": "[]"}


@pytest.mark.parametrize(
    ("folder", "files"),
    [
        ("quick", {"thesis.txt": "mine"}),
        ("quick", {"index.html": "my pages"}),
        ("quick", OURS | {"thesis.txt": "mine"}),
        ("quick", {"metrics.json": "[]", "photos/one.png": "mine"}),
        ("quick-last-good", {"thesis.txt": "mine"}),
    ],
)
def test_a_user_s_folder_is_never_replaced(tmp_path, folder, files):
    settings = project(tmp_path, one=notebook("# One"))
    for name, text in files.items():
        path = settings.report_folder / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    with pytest.raises(LabError, match=f"{folder} must be absent or hold a report") as error:
        build(settings)
    stranger = [name.split("/")[0] for name in files if "mine" in files[name] or len(files) == 1]
    assert stranger[0] in str(error.value)
    found = settings.report_folder / folder
    assert {name: (found / name).read_text() for name in files} == files


@pytest.mark.parametrize("name", [".DS_Store", "Thumbs.db", "sweep/x.json", "models/x.keras"])
def test_files_of_reports_and_desktops_do_not_prevent_a_report(tmp_path, name):
    settings = project(tmp_path, one=notebook("# One"))
    path = settings.profile_folder / name
    path.parent.mkdir(parents=True)
    path.write_text("{}")
    build(settings)
    assert (settings.profile_folder / "one.html").exists()


needs_links = pytest.mark.skipif(os.name != "posix", reason="links need a permission on Windows")


@needs_links
def test_a_report_folder_that_is_a_link_remains_one(tmp_path):
    settings = project(tmp_path, one=notebook("# One"))
    disk = tmp_path / "disk" / "pages"
    disk.mkdir(parents=True)
    settings.report_folder.mkdir()
    settings.profile_folder.symlink_to(disk)
    for text in ("# One", "# One, changed"):
        project(tmp_path, one=notebook(text))
        build(settings)
        assert settings.profile_folder.is_symlink()
        assert text[2:] in (disk / "one.html").read_text()


@needs_links
def test_a_link_in_place_of_a_temporary_folder_is_removed_but_not_its_target(tmp_path):
    settings = project(tmp_path, one=notebook("# One"))
    place, mine = Workplace(settings), tmp_path / "mine"
    build(settings)
    project(tmp_path, one=notebook("# One, changed"))
    mine.mkdir()
    (mine / "thesis.txt").write_text("mine")
    for name in ("new", "copy", "aside"):
        (place.build / name).symlink_to(mine)
    build(settings)
    build(settings)
    assert (mine / "thesis.txt").read_text() == "mine"
    assert (settings.profile_folder / "one.html").exists()


@needs_links
def test_a_notebook_that_is_a_pipe_or_a_link_to_elsewhere_is_refused(tmp_path):
    settings = project(tmp_path, one=notebook("# One"))
    folder, secret = tmp_path / "notebooks", tmp_path / "secret.ipynb"
    (folder / "one.ipynb").rename(secret)
    (folder / "one.ipynb").symlink_to(secret)
    with pytest.raises(LabError, match="one.ipynb"):
        build(settings)
    (folder / "one.ipynb").unlink()
    os.mkfifo(folder / "one.ipynb")
    with pytest.raises(LabError, match="one.ipynb"):
        build(settings)
    with pytest.raises(LabError, match="one.ipynb .*not a regular file"):
        read_notebook(folder / "one.ipynb")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not allow all of these names")
@pytest.mark.parametrize("name", [b"a\nb", b"\x1b]0;title\x07", b"\xff"])
def test_a_notebook_with_an_unprintable_name_is_refused(tmp_path, name):
    settings = project(tmp_path, one=notebook("# One"))
    path = tmp_path / "notebooks" / os.fsdecode(name + b".ipynb")
    (tmp_path / "notebooks" / "one.ipynb").rename(path)
    with pytest.raises(LabError, match="without control characters") as error:
        build(settings)
    assert ascii(path.name) in str(error.value)


WRONG = {  # files in the place of a sweep's result
    "list": "[1]",
    "number": "7",
    "nothing": "null",
    "empty": "",
    "cut off": '{"seed": 8',
    "utf-16": "{}".encode("utf-16"),
    "deep": "[" * 200_000,
    "no seed": {"seed": None},
    "seed a text": {"seed": "8"},
    "seed true": {"seed": True},
    "backend nothing": {"backend": None},
    "notebook a list": {"notebook": []},
    "error a text": {"error": "failed"},
    "error a list": {"error": [1]},
    "no metrics": {"metrics": None},
    "metrics of numbers": {"metrics": [1]},
    "no name": {"metrics": [{"value": 1}]},
    "a name that is a number": {"metrics": [{"name": 1, "value": 1}]},
    "value nan": {"metrics": [{"name": "a", "value": float("nan")}]},
    "value infinite": {"metrics": [{"name": "a", "value": float("inf")}]},
    "value too large": {"metrics": [{"name": "a", "value": 1e300}]},
    "value of 400 digits": {"metrics": [{"name": "a", "value": 10**400}]},
    "value a text": {"metrics": [{"name": "a", "value": "1"}]},
    "value a list": {"metrics": [{"name": "a", "value": [1]}]},
    "no claims": {"claims": None},
    "conditions a list": {"claims": [{"id": "a", "verdict": "holds", "conditions": [1]}]},
    "margin a text": {"claims": [{"id": "a", "verdict": "holds", "conditions": {"a": "1"}}]},
    "verdict a number": {"claims": [{"id": "a", "verdict": 1, "conditions": {}}]},
    "half a letter": {"metrics": [{"name": "\ud800", "value": 1}]},
}


@pytest.mark.parametrize("kind", [*WRONG, "a pipe", "a link"])
def test_an_invalid_result_of_a_sweep_is_named_and_ignored(tmp_path, kind):
    settings = project(tmp_path, one=notebook("# One"))
    path = settings.profile_folder / "sweep" / "wrong.json"
    path.parent.mkdir(parents=True)
    write_json(path.with_name("good.json"), result(8, 0.1, notebook="one"))
    content = WRONG.get(kind)
    if kind == "a pipe":
        os.mkfifo(path)
    elif kind == "a link":
        (tmp_path / "secret.json").write_text(json.dumps(result(9, 0.2)))
        path.symlink_to(tmp_path / "secret.json")
    elif isinstance(content, bytes):
        path.write_bytes(content)
    else:
        text = content if isinstance(content, str) else json.dumps(result(9, 0.2) | content)
        path.write_text(text)
    for run in range(2):
        said = build(settings)
        assert run or f"{path} is ignored" in said
        # a pipe cannot be copied into the next report
        assert said.count(f"{path} is ignored") == path.exists() or kind == "a pipe"
        assert "good.json is" not in said
        project(tmp_path, one=notebook("# One, changed"))
    assert (path.parent / "good.json").exists()
    assert path.is_symlink() == (kind == "a link")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not allow such a name")
def test_a_result_of_a_sweep_may_have_any_name(tmp_path):
    settings = project(tmp_path, one=notebook("# One"))
    path = settings.profile_folder / "sweep" / os.fsdecode(b"\xff\x1b.json")
    path.parent.mkdir(parents=True)
    path.write_text("[1]")
    for _ in range(2):
        assert "is ignored" in build(settings)
    assert path.read_text() == "[1]"


def test_invalid_notes_about_the_last_report_are_ignored(tmp_path):
    settings = project(tmp_path, one=notebook("# One"))
    build(settings)
    for text in ("[1]", "7", "{}", '{"key": [], "files": 3}', "[" * 200_000):
        (Workplace(settings).build / "published.json").write_text(text)
        build(settings)


def test_models_and_answers_are_published_with_the_pages(tmp_path, as_executed):
    settings = project(tmp_path, **{"01_a": notebook("# A", "%%x")})
    records = Workplace(settings).records / "01_a"
    records.mkdir(parents=True)
    for name in ("deep.keras", "00.1.json", "00.3.model.keras"):
        (records / name).write_text(name)
    build(settings)
    kept = {path.name for path in (settings.profile_folder / HANDED_IN).iterdir()}
    assert kept == {"00.1.json", "00.3.model.keras"}
    assert [path.name for path in (settings.profile_folder / "models").iterdir()] == ["deep.keras"]
