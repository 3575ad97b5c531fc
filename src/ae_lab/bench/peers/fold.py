"""Ten times the images without ten times the memory: shifted copies, made as they are needed.

A copy is made inside the training program (`layers.RandomShift`), anew at every epoch, so that
ten times the images are ten epochs of one time the images. ``python -m ... TIMES SETTING`` runs
one training of five epochs, for its memory: enough steps to be compiled.
"""

import sys
from dataclasses import replace

from ae_lab import layers, models, training
from ae_lab.bench.setting import Setting, load


def once(setting, clock, times=1):
    """An epoch of 784-32-784 over ``times`` the images."""
    _fit(setting, times, lambda epoch, logs: (epoch + 1) % times or clock.tick())


def ten_fold(setting, clock):
    """The same over ten times the images."""
    once(setting, clock, 10)


def _fit(setting, times, on_epoch=None):
    x, _ = load(setting)
    training.seed_everything(8)
    training.fit(
        models.undercomplete(latent_dim=setting.latent_dim),
        x,
        validation=x[:1],
        epochs=setting.epochs * times,
        batch_size=setting.batch_size,
        transform=layers.RandomShift(1),
        on_epoch=on_epoch,
    )


if __name__ == "__main__":
    _fit(replace(Setting.from_json(sys.argv[2]), epochs=5), int(sys.argv[1]))
