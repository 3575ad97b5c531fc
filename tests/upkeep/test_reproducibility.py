"""Bit-identical results in two new processes."""

import hashlib
import json
import os
import subprocess
import sys

import pytest

from ae_lab.models import AUTOENCODERS

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
    """SHA-256 of each kind's weights after a short training, from a separate process."""
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
def test_each_kind_has_identical_weights_in_two_new_processes():
    first, second = hashes(), hashes()
    assert first == second and set(first) == set(AUTOENCODERS)
    assert len(set(first.values())) == len(first)
    assert all(len(digest) == len(hashlib.sha256().hexdigest()) for digest in first.values())
