"""scikit-learn's restricted Boltzmann machine."""

import numpy as np
from scipy.special import expit
from sklearn.neural_network import BernoulliRBM

from ae_lab.upkeep.bench.setting import load_flat


def boltzmann(setting, clock):
    """One epoch from the start, at our rate and batch; loss: its squared error a row."""
    v = load_flat(setting)
    while True:
        machine = BernoulliRBM(
            n_components=setting.latent_dim,
            batch_size=setting.batch_size,
            learning_rate=0.1,
            n_iter=1,
            random_state=8,
        )
        machine.fit(v)
        clock.tick(lambda machine=machine: _error(machine, v[:2_000]))


def _error(machine, v) -> float:
    h = machine.transform(v)
    again = expit(h @ machine.components_ + machine.intercept_visible_)
    return np.mean(np.sum((v - again) ** 2, axis=1))
