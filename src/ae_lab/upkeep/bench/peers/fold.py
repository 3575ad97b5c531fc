"""Ten times the images without ten times the memory: shifted copies, made as they are needed.

The copies are the shards of one training: each is made when its turn comes, and is all that is in
memory of the ten. ``python -m ... TIMES SETTING`` runs one training of five epochs, for its memory:
enough steps to be compiled.
"""

import sys
from dataclasses import replace

import numpy as np

from ae_lab import models, training
from ae_lab.training.rows import as_bytes
from ae_lab.upkeep.bench.setting import Setting, load

SHIFTS = [(row, column) for row in (-1, 0, 1) for column in (-1, 0, 1)] + [(2, 0)]


class Copies:
    """The images (n, height, width, channels), bytes, moved by each of `SHIFTS`.

    Moved over the edges, which are black, and always into the same memory.
    """

    def __init__(self, x):
        self.x, self.moved = x, np.empty_like(x)

    def __len__(self):
        return len(SHIFTS)

    def __getitem__(self, i):
        rows, columns = SHIFTS[i]
        _, _, width, channels = self.x.shape
        ahead = (rows * width + columns) * channels % self.x.size
        old, new = self.x.reshape(-1), self.moved.reshape(-1)
        new[ahead:], new[:ahead] = old[: len(old) - ahead], old[len(old) - ahead :]
        return self.moved


def once(setting, clock):
    """An epoch of 784-32-784."""
    _fit(setting, 1, lambda epoch, logs: clock.tick())


def ten_fold(setting, clock):
    """The same over ten times the images."""
    _fit(setting, 10, lambda epoch, logs: clock.tick())


def _fit(setting, times, on_epoch=None):
    x, _ = load(setting)
    training.seed_everything(8)
    model = models.undercomplete(latent_dim=setting.latent_dim)
    sizes = {"epochs": setting.epochs, "batch_size": setting.batch_size}
    options = {**sizes, "validation": x[:1], "on_epoch": on_epoch}
    if times == 1:
        training.fit(model, x, **options)
    else:
        training.fit_shards(model, Copies(as_bytes(x)), **options)


if __name__ == "__main__":
    _fit(replace(Setting.from_json(sys.argv[2]), epochs=5), int(sys.argv[1]))
