"""Documents and faces from installed packages, and your own texts."""

import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
import skimage.data

from ae_lab import data
from ae_lab.data import texts
from ae_lab.errors import LabError


@pytest.fixture(scope="module")
def documentation():
    return data.load_texts()


@pytest.fixture
def folder(tmp_path):
    """240 texts on two topics, and some to leave out: a rare topic, a short text, a copy."""

    def write(topic, name, text):
        (tmp_path / topic).mkdir(exist_ok=True)
        (tmp_path / topic / f"{name}.txt").write_text(text, encoding="utf-8")

    for topic in ("birds", "boats"):
        for i in range(120):
            write(topic, f"{i:03}", f"{topic} {i} " * 30)
    for i in range(19):
        write("rare", str(i), f"rare {i} " * 30)
    write("birds", "short", "birds " * 49)
    write("boats", "copy", "birds 0 " * 30)
    return tmp_path


def test_the_documentation_has_many_documents_on_many_topics(documentation):
    counts = Counter(documentation.topics)
    assert len(documentation.texts) == len(documentation.topics) == len(set(documentation.texts))
    assert len(counts) >= 15 and min(counts.values()) >= texts.FEWEST_DOCUMENTS
    assert {"scipy.signal", "skimage.filters", "sklearn.cluster"} <= set(counts)
    assert f"{len(documentation.texts):,}" in documentation.source
    assert not any("\nExamples\n---" in text for text in documentation.texts)


@pytest.mark.slow
def test_the_documentation_is_the_same_in_another_process(documentation):
    """There, sets have another order, and classes may be imported in another order."""
    program = "from ae_lab.data import load_texts; print(load_texts().sha256)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.split() == [documentation.sha256], done.stderr


def test_own_texts_are_read_by_folder(folder):
    read = data.load_texts(str(folder))
    assert Counter(read.topics) == {"birds": 120, "boats": 120} and folder.name in read.source
    assert all(
        text.split()[0] == topic for text, topic in zip(read.texts, read.topics, strict=True)
    )
    assert read.topics[:20].tolist() != sorted(read.topics[:20])  # mixed, in a fixed order
    again = data.load_texts(str(folder))
    assert again.texts == read.texts and again.sha256 == read.sha256
    (folder / "birds" / "000.txt").write_text("other " * 60)
    assert data.load_texts(str(folder)).sha256 != read.sha256


def test_unusable_texts_are_refused_with_advice(folder, monkeypatch):
    with pytest.raises(LabError, match="no folder.*one .txt file"):
        data.load_texts(str(folder / "none"))
    for i in range(60):
        (folder / "birds" / f"{i:03}.txt").unlink()
    with pytest.raises(LabError, match="at least 200.*received 181 of 2 topics.*one .txt file"):
        data.load_texts(str(folder))
    monkeypatch.setattr(texts, "LARGEST", 100)
    with pytest.raises(LabError, match="at most 100 bytes, received more in .*060.txt"):
        data.load_texts(str(folder))


def test_faces_are_verified_by_their_content(monkeypatch):
    faces, patches = data.load_faces()
    for pictures in (faces, patches):
        assert pictures.shape == (100, 25, 25, 1) and pictures.dtype == np.float32
        assert 0 <= pictures.min() < pictures.max() <= 1
    other = skimage.data.lfw_subset() / 2
    monkeypatch.setattr(skimage.data, "lfw_subset", lambda: other)
    with pytest.raises(LabError, match="SHA-256.*install scikit-image"):
        data.load_faces()
