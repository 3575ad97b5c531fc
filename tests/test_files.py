"""Files are written completely or not at all; archives are checked before unpacking."""

import os
import struct
import zipfile

import numpy as np
import pytest

from ae_lab import files
from ae_lab.files import check_archive, read_json, read_text, write_json, write_whole


def test_a_file_is_written_completely_to_a_new_folder(tmp_path):
    path = tmp_path / "new" / "a.npz"
    assert write_whole(path, lambda temporary: np.savez(temporary, x=[1, 2])) == path
    assert np.load(path)["x"].tolist() == [1, 2]
    assert list(path.parent.iterdir()) == [path]


def test_after_a_failure_only_the_old_file_remains(tmp_path):
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


def test_the_sizes_of_an_archive_are_returned(tmp_path):
    path = archive(tmp_path / "a.zip", a=3, b=4)
    assert check_archive(path, 7, ("b",)) == {"a": 3, "b": 4}


def test_too_large_and_incomplete_archives_are_refused(tmp_path, monkeypatch):
    path = archive(tmp_path / "a.zip", a=5_000_000, b=4)
    monkeypatch.setattr(zipfile.ZipFile, "open", None)  # nothing may be unpacked
    with pytest.raises(ValueError, match="5,000,004 bytes.*5,000,003"):
        check_archive(path, 5_000_003)
    with pytest.raises(ValueError, match="no c, d"):
        check_archive(path, 10**9, ("a", "c", "d"))
    (tmp_path / "b.zip").write_text("not an archive")
    with pytest.raises(zipfile.BadZipFile):
        check_archive(tmp_path / "b.zip", 10)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_repeated_member_is_refused(tmp_path):
    path = archive(tmp_path / "a.zip", a=3)
    with zipfile.ZipFile(path, "a") as file:
        file.writestr("a", b"another")
    with pytest.raises(ValueError, match="same name"):
        check_archive(path, 100)


def test_json_is_read_as_written_and_a_truncated_file_is_none(tmp_path):
    path = tmp_path / "new" / "a.json"
    assert read_json(path) is None
    write_json(path, {"b": [1.5], "a": "ü"})
    assert read_json(path) == {"a": "ü", "b": [1.5]}
    path.write_text(path.read_text()[:-4])
    assert read_json(path) is None
    with pytest.raises(ValueError):
        write_json(path, float("nan"))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, 99])
def test_a_member_with_another_compression_is_refused(tmp_path, method):
    path = archive(tmp_path / "a.zip", a=3)
    content = bytearray(path.read_bytes())
    struct.pack_into("<H", content, content.index(b"PK\x01\x02") + 10, method)
    path.write_bytes(content)
    with pytest.raises(ValueError, match="a compressed by another method"):
        check_archive(path, 100)


def test_a_long_list_of_members_is_refused_before_it_is_read(tmp_path, monkeypatch):
    path = archive(tmp_path / "a.zip", **{f"a{number}": 1 for number in range(30)})
    monkeypatch.setattr(files, "LARGEST_DIRECTORY", 1_000)
    monkeypatch.setattr(zipfile.ZipFile, "infolist", None)
    with pytest.raises(ValueError, match="list of members"):
        check_archive(path, 10**9)


@pytest.mark.skipif(os.name != "posix", reason="needs named pipes")
def test_a_pipe_and_a_device_are_refused_immediately(tmp_path):
    os.mkfifo(tmp_path / "a.json")
    for path in (tmp_path / "a.json", files.Path("/dev/zero")):
        for read in (read_text, lambda path: check_archive(path, 100)):
            with pytest.raises(OSError, match="not a regular file"):
                read(path)


def test_a_text_of_more_than_the_limit_is_refused(tmp_path, monkeypatch):
    (tmp_path / "a.json").write_text("[1, 2]")
    monkeypatch.setattr(files, "LARGEST_TEXT", 5)
    with pytest.raises(OSError, match="more than 5 bytes"):
        read_text(tmp_path / "a.json")


@pytest.mark.parametrize("text", ["[1]", "7", "null", "[" * 200_000])
def test_json_of_another_type_is_none(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    assert read_json(tmp_path / "a.json") is None
