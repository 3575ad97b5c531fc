"""Publishing: whole or not at all. No kernels here: notebooks of text have nothing to run."""

import errno
import os

import pytest
from filelock import FileLock

from ae_lab.errors import LabError
from ae_lab.report.workplace import Workplace
from helpers import (
    build,
    contents,
    figure,
    notebook,
    project,
    with_output,
)

pytestmark = pytest.mark.usefixtures("as_executed")


def test_a_second_run_at_once_says_that_one_is_going_on(tmp_path):
    settings = project(tmp_path, one=notebook("# One"))
    build(settings)
    with FileLock(Workplace(settings).build / "report.lock"):
        with pytest.raises(LabError, match="another report run is at work"):
            build(settings)


def test_a_lock_left_by_a_killed_run_does_not_matter(tmp_path):
    settings = project(tmp_path, one=notebook("# One"))
    place = Workplace(settings)
    place.build.mkdir(parents=True)
    (place.build / "report.lock").write_text("99999999")
    build(settings)
    assert (settings.profile_folder / "one.html").exists()


def test_a_kill_between_the_renames_is_mended(tmp_path):
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


def test_a_full_disk_is_one_sentence_and_harms_nothing(tmp_path, monkeypatch):
    settings = project(tmp_path, one=notebook("# One"))
    build(settings)
    before = contents(settings.profile_folder)
    project(tmp_path, one=notebook("# One, changed"))

    def full(source, target):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(target))

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(LabError, match="No space left on device"):
        build(settings)
    assert contents(settings.profile_folder) == before


def test_a_report_folder_that_cannot_be_made_is_one_sentence(tmp_path):
    settings = project(tmp_path, one=notebook("# One"))
    settings.report_folder.write_text("a file where the folder should be")
    with pytest.raises(LabError, match="the report cannot be written"):
        build(settings)


def test_a_single_notebook_s_run_carries_the_other_pages_over(tmp_path):
    settings = project(tmp_path, one=notebook("# One"), two=notebook("# Two"))
    build(settings)
    project(tmp_path, one=notebook("# One, changed"), two=notebook("# Two, changed"))
    build(settings, "one")
    pages = contents(settings.profile_folder)
    assert b"One, changed" in pages["one.html"]
    assert b"Two" in pages["two.html"] and b"Two, changed" not in pages["two.html"]


def test_a_removed_notebook_s_page_goes(tmp_path):
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


def test_a_page_that_comes_later_is_linked_though_nothing_is_executed(tmp_path):
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


def test_models_stand_beside_the_pages_and_stay_when_nothing_is_executed(tmp_path):
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
