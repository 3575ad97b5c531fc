"""Every kind of autoencoder trains, saves and loads on each installed Keras backend."""

import importlib.util
import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from ae_lab.models import AUTOENCODERS

pytestmark = pytest.mark.slow

BACKENDS = ("tensorflow", "jax", "torch")


@cache
def results(backend: str) -> dict:
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    program = Path(__file__).with_name("backend_check.py")
    environment = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, str(program)], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", AUTOENCODERS)
def test_a_fit_lowers_the_loss(backend, kind):
    losses = results(backend)[kind]["losses"]
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", AUTOENCODERS)
def test_a_saved_model_gives_the_same_output(backend, kind):
    assert results(backend)[kind]["difference"] <= 1e-5
