"""Training shared among devices and processes reaches the loss of one alone.

The batch holds all images, so that every division of the work has the same batches.
"""

import importlib.util
import json
import os
import socket
import subprocess
import sys
from functools import cache
from pathlib import Path

import keras
import numpy as np
import pytest

from ae_lab import training
from ae_lab.errors import LabError

PROGRAM = Path(__file__).with_name("distribution_check.py")


def start(backend: str, *arguments: str, devices: int = 1) -> subprocess.Popen:
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    environment = os.environ | {
        "KERAS_BACKEND": backend,
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "JAX_PLATFORMS": "cpu",
        "CUDA_VISIBLE_DEVICES": "",
        "XLA_FLAGS": f"--xla_force_host_platform_device_count={devices}",
        "DEVICES": str(devices),
    }
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, str(PROGRAM), *arguments], env=environment, **pipes)


def history(process: subprocess.Popen) -> dict:
    said, complaint = process.communicate(timeout=600)
    assert process.returncode == 0, complaint[-3000:]
    return json.loads(said.splitlines()[-1])


@cache
def alone(backend: str) -> dict:
    return history(start(backend, "alone"))


def assert_same(found: dict, expected: dict) -> None:
    assert (found["devices"], expected["devices"]) == (2, 1)
    assert expected["loss"][-1] < expected["loss"][0], "there was something to learn"
    for name in ("loss", "val_loss", "reconstruction"):
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-4)


@pytest.mark.cluster
def test_two_processes_reach_the_loss_of_one():
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = "127.0.0.1:{1}".format(*server.getsockname())
    both = [start("jax", address, "2", place) for place in ("0", "1")]
    first, second = map(history, both)
    assert_same(first, alone("jax"))
    assert first == second


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "tensorflow"])
def test_two_devices_reach_the_loss_of_one(backend):
    assert_same(history(start(backend, devices=2)), alone(backend))


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="JAX can")
def test_several_processes_on_another_backend_are_refused():
    with pytest.raises(LabError, match="must run on jax to be shared among 2 processes"):
        with training.distributed(3, coordinator="127.0.0.1:1", processes=2):
            pass
