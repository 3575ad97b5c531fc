"""A training on more images than the process may hold: prints what became of it as JSON.

Run by test_shards.py: arguments are a file of shards, bytes (shards, n, 28, 28, 1), and how many
bytes of memory the process may take beyond what it has when it begins.
"""

import json
import resource
import sys
from pathlib import Path

import numpy as np

from ae_lab import losses, models, training


def memory() -> int:
    """Bytes of memory of its own that this process has asked for."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmData"))


def fits(path: str) -> bool:
    try:
        np.load(path)
    except MemoryError:
        return False
    return True


if __name__ == "__main__":
    path, more = sys.argv[1], int(sys.argv[2])
    shards = np.load(path, mmap_mode="r")
    held_out = shards[0][:256].astype("float32") / np.float32(255)
    training.seed_everything(3)
    model = models.deep(hidden=(48, 24), latent_dim=6)
    training.fit(model, held_out, validation=held_out, epochs=1)  # so that TensorFlow has begun
    resource.setrlimit(resource.RLIMIT_DATA, (memory() + more,) * 2)
    before = float(np.mean(losses.binary_cross_entropy(held_out, model(held_out))))
    options = {"validation": held_out, "epochs": 1, "batch_size": 1_024}
    history = training.fit_shards(model, shards, **options)
    print(json.dumps({"fits": fits(path), "before": before, "after": history["val_loss"][-1]}))
