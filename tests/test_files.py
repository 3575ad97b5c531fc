"""A file is there whole or not at all; an archive is measured before it is unpacked."""

import zipfile

import numpy as np
import pytest

from ae_lab.files import check_archive, write_whole


def test_a_file_is_written_whole_into_a_new_folder(tmp_path):
    path = tmp_path / "new" / "a.npz"
    assert write_whole(path, lambda temporary: np.savez(temporary, x=[1, 2])) == path
    assert np.load(path)["x"].tolist() == [1, 2]
    assert list(path.parent.iterdir()) == [path]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def half(temporary):
        assert temporary.name == "a.txt"
        temporary.write_text("ne")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_whole(path, half)
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def archive(path, **members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, size in members.items():
            file.writestr(name, bytes(size))
    return path


def test_an_archive_tells_its_sizes(tmp_path):
    path = archive(tmp_path / "a.zip", a=3, b=4)
    assert check_archive(path, 7, ("b",)) == {"a": 3, "b": 4}


def test_an_archive_is_refused_for_its_size_or_its_names(tmp_path, monkeypatch):
    path = archive(tmp_path / "a.zip", a=5_000_000, b=4)
    monkeypatch.setattr(zipfile.ZipFile, "open", None)  # nothing is unpacked
    with pytest.raises(ValueError, match="5,000,004 bytes.*5,000,003"):
        check_archive(path, 5_000_003)
    with pytest.raises(ValueError, match="no c, d"):
        check_archive(path, 10**9, ("a", "c", "d"))
    (tmp_path / "b.zip").write_text("not an archive")
    with pytest.raises(zipfile.BadZipFile):
        check_archive(tmp_path / "b.zip", 10)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_that_is_there_twice_is_refused(tmp_path):
    path = archive(tmp_path / "a.zip", a=3)
    with zipfile.ZipFile(path, "a") as file:
        file.writestr("a", b"another")
    with pytest.raises(ValueError, match="same name"):
        check_archive(path, 100)
