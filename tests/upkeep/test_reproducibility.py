"""The same numbers: to the bit in a fresh process, and how far they move elsewhere."""

import hashlib
import json
import os
import subprocess
import sys

import pytest

from ae_lab.__main__ import main
from ae_lab.errors import LabError
from ae_lab.models import AUTOENCODERS
from ae_lab.upkeep.reproducibility import reproducibility
from helpers import notebook, project

TRAIN = """
import hashlib, json
import numpy as np
from ae_lab import models, training
x = np.random.default_rng(0).random((64, 8, 8, 1)).astype("float32")
found = {}
for kind, build in models.AUTOENCODERS.items():
    training.seed_everything(3)
    model = build(image_shape=(8, 8, 1))
    training.fit(model, x, validation=x[:16], epochs=2, batch_size=16)
    weights = b"".join(np.ascontiguousarray(w).tobytes() for w in model.get_weights())
    found[kind] = hashlib.sha256(weights).hexdigest()
print(json.dumps(found))
"""


def hashes() -> dict[str, str]:
    """SHA-256 of each kind's weights after a short training, from a process of its own."""
    fixed = {"TF_NUM_INTRAOP_THREADS": "2", "TF_NUM_INTEROP_THREADS": "2", "OMP_NUM_THREADS": "2"}
    done = subprocess.run(
        [sys.executable, "-c", TRAIN],
        env=os.environ | fixed | {"TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
def test_each_kind_has_the_same_weights_to_the_bit_in_two_fresh_processes():
    first, second = hashes(), hashes()
    assert first == second and set(first) == set(AUTOENCODERS)
    assert len(set(first.values())) == len(first)
    assert all(len(digest) == len(hashlib.sha256().hexdigest()) for digest in first.values())


RECORDS = """%%import os
from ae_lab.lab import start_lab
lab = start_lab("one")
lab.record("threads.count", int(os.environ["OMP_NUM_THREADS"]), "threads")
lab.record("always.same", 3.0, "nats")
lab.record("one.dnn", int(os.environ.get("TF_ENABLE_ONEDNN_OPTS", 1)), "switch")
"""
FOUR = {
    "as the report runs": {},
    "the same once more": {},
    "two threads": {"OMP_NUM_THREADS": "2"},
    "without oneDNN": {"TF_ENABLE_ONEDNN_OPTS": "0"},
    "elsewhere": {"KERAS_BACKEND": "no_such_backend"},
}


@pytest.mark.kernel
def test_the_spread_is_that_of_runs_which_really_differ(tmp_path):
    settings = project(tmp_path, one=notebook("# One", RECORDS))
    kept = {"threads.count": {"value": 1, "tolerance": 0.5}, "always.same": {"tolerance": 0.1}}
    (tmp_path / "reports").mkdir()
    sample = "quick, MNIST sample, 5,000: figures below are not comparable with published ones"
    (tmp_path / "reports" / "reference.json").write_text(json.dumps({sample: kept}))
    said = []
    page = reproducibility(settings, "one", FOUR, said.append).read_text()
    found = json.loads((tmp_path / "reports" / "reproducibility.json").read_text())
    figures = {figure["name"]: figure for figure in found["figures"]}
    assert figures["threads.count"]["values"] == [1, 1, 2, 1]
    assert figures["threads.count"]["spread"] == 1
    assert figures["threads.count"]["within"] is False
    assert figures["threads.count"]["strays"] == ["two threads"]
    assert figures["always.same"]["spread"] == 0 and figures["always.same"]["within"] is True
    assert figures["one.dnn"]["values"] == [1, 1, 1, 0] and figures["one.dnn"]["within"] is None
    assert [run["equal"] for run in found["runs"]] == [True, True, False, False]
    names = [run["name"] for run in found["runs"]]
    assert names == list(FOUR)[:4], "a backend that is absent is left out"
    for text in (
        "threads.count",
        "OMP_NUM_THREADS=2",
        "none kept",
        "no: two threads",
        "<h1>The same numbers",
    ):
        assert text in page
    assert "<script" not in page and "Content-Security-Policy" in page
    assert not (tmp_path / "reports" / "quick").exists(), "the report itself is left alone"
    assert "4 of 4" in "".join(said)


@pytest.mark.kernel
def test_a_run_that_fails_is_said_with_its_variation(tmp_path):
    settings = project(tmp_path, one=notebook("# One", "%%1 / 0"))
    with pytest.raises(LabError, match="one must run with {'A': '1'}, received error: .*ZeroDiv"):
        reproducibility(settings, "one", {"a": {"A": "1"}}, lambda text: None)
    assert not (tmp_path / "reports" / "reproducibility.json").exists()


def test_the_verb_refuses_what_is_none(tmp_path, monkeypatch, capsys):
    project(tmp_path, one=notebook("# One"))
    monkeypatch.chdir(tmp_path)
    assert main(["reproducibility", "--profile", "quik"]) == 1
    assert "one of quick, full" in capsys.readouterr().err
