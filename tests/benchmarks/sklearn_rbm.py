"""scikit-learn's restricted Boltzmann machine."""

import numpy as np
from scipy.special import expit
from sklearn.neural_network import BernoulliRBM


def boltzmann(workload, tick):
    """One epoch from the start, with our learning rate and batch; the loss is its squared error."""
    v, _, _ = workload.load(784)
    options = {"batch_size": workload.batch_size, "learning_rate": 0.1, "n_iter": 1}
    while True:
        machine = BernoulliRBM(workload.latent_dim, **options, random_state=8).fit(v)
        tick(lambda machine=machine: error(machine, v[:2_000]))


def error(machine, v) -> float:
    """Squared error per row of one step down from the means of the hidden units."""
    again = expit(machine.transform(v) @ machine.components_ + machine.intercept_visible_)
    return np.mean(np.sum((v - again) ** 2, axis=1))
