"""Restricted Boltzmann machines, contrastive divergence, and greedy pre-training.

Written in NumPy with single precision, not in Keras: an RBM learns from Gibbs steps, not from the
gradient of a loss. Hinton (2002, 2010); Hinton & Salakhutdinov (2006); Nair & Hinton (2010) for
rectified units. A ``LabError`` names an invalid argument, or reports that a training diverged.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ae_lab.errors import LabError
from ae_lab.validation import check_between, check_finite, check_same_length, check_whole

UNITS = ("bernoulli", "gaussian", "rectified")


@dataclass
class RBM:
    """Visible units v and hidden units h with energy ``-v'Wh - b'v - c'h`` (Bernoulli units).

    Sampling uses an ``rng``, a ``numpy.random.Generator``; `fit_rbm` creates one from its seed,
    and all steps of a chain use the same one.

    Parameters
    ----------
    kernel : W (visible, hidden).
    visible_bias, hidden_bias : b (visible,) and c (hidden,).
    visible : "bernoulli" (pixels as probabilities) or "gaussian" (real values with variance 1,
        which adds ``v'v / 2`` to the energy).
    hidden : "bernoulli", "gaussian" (linear, for the code) or "rectified".
    """

    kernel: np.ndarray
    visible_bias: np.ndarray
    hidden_bias: np.ndarray
    visible: str = "bernoulli"
    hidden: str = "bernoulli"

    def __post_init__(self):
        for name, known in (("visible", UNITS[:2]), ("hidden", UNITS)):
            if (kind := getattr(self, name)) not in known:
                raise LabError(f"{name} must be one of {', '.join(known)}, received {kind!r}.")

    def mean_hidden(self, v: np.ndarray) -> np.ndarray:
        """Mean of the hidden units (n, hidden) given v (n, visible)."""
        return _mean(self._hidden_input(v), self.hidden)

    def mean_visible(self, h: np.ndarray) -> np.ndarray:
        """Mean of the visible units (n, visible) given h (n, hidden)."""
        return _mean(self._visible_input(h), self.visible)

    def sample_hidden(self, v: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Sampled hidden states (n, hidden) given v (n, visible), from ``rng``."""
        return _sample(self._hidden_input(v), self.hidden, rng)

    def gibbs_step(self, v: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """One step v -> h -> v of the chain, both sampled with ``rng``; v is (n, visible)."""
        return self._sample_visible(self.sample_hidden(v, rng), rng)

    def free_energy(self, v: np.ndarray) -> np.ndarray:
        """``-log sum_h exp(-E(v, h))`` in nats (n,) of v (n, visible).

        For Gaussian h, up to a constant. For rectified h the sum has no closed form, so a LabError
        is raised.
        """
        if self.hidden == "rectified":
            raise LabError(
                "hidden must be bernoulli or gaussian for a free energy, received rectified: "
                "use the reconstruction error instead."
            )
        given = self._hidden_input(v)
        terms = np.logaddexp(0, given) if self.hidden == "bernoulli" else given**2 / 2
        hidden = terms.sum(axis=1)
        if self.visible == "gaussian":
            return ((v - self.visible_bias) ** 2).sum(axis=1) / 2 - hidden
        return -(v @ self.visible_bias) - hidden

    def contrastive_divergence(
        self, v: np.ndarray, k: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Contrastive divergence (CD-k): estimates of the gradients of log p(v) w.r.t. W, b and c.

        Each is a statistic of the data v (n, visible) minus the same statistic after ``k`` Gibbs
        steps (at least 1) sampled with ``rng``, as a mean over the rows. The estimates are biased;
        the bias shrinks as k grows (Hinton, 2002). As Hinton (2010, section 3) recommends, the last
        hidden values are means, and the first reconstruction starts from sampled states.
        """
        check_whole(k, "k")
        given = self._hidden_input(v)  # used twice, to save a matrix product
        data_hidden = _mean(given, self.hidden)
        model = self._sample_visible(_sample(given, self.hidden, rng), rng)
        for _ in range(k - 1):
            model = self.gibbs_step(model, rng)
        model_hidden = self.mean_hidden(model)
        by_kernel = v.T @ (data_hidden / len(v))
        by_kernel -= model.T @ (model_hidden / len(v))
        return by_kernel, (v - model).mean(axis=0), (data_hidden - model_hidden).mean(axis=0)

    # Transposed products: BLAS is 20 % faster if the batch is the last axis.
    def _hidden_input(self, v):
        return (self.kernel.T @ v.T).T + self.hidden_bias

    def _visible_input(self, h):
        return (self.kernel @ h.T).T + self.visible_bias

    def _sample_visible(self, h, rng):
        return _sample(self._visible_input(h), self.visible, rng)


def fit_rbm(
    v: np.ndarray,
    units: int,
    *,
    seed: int,
    visible: str = "bernoulli",
    hidden: str = "bernoulli",
    epochs: int = 5,
    k: int = 1,
    batch_size: int = 100,
    learning_rate: float = 0.1,
    weight_decay: float = 2e-4,
) -> tuple[RBM, list[float]]:
    """Train an RBM by CD-k with momentum 0.5 for two epochs and 0.9 afterwards.

    Returns the RBM, and for each epoch the squared error per row of the one-step reconstruction.
    The program of Hinton & Salakhutdinov has learning rates of 0.1, and 0.001 with Gaussian units.

    Parameters
    ----------
    v : rows (n, visible); in [0, 1] for Bernoulli visible units, else real values.
    units : number of hidden units.
    seed : whole number that determines the initial weights, the order of the rows and the Gibbs
        steps; or a ``numpy.random.Generator`` to continue with.
    visible, hidden : kinds of units, as in `RBM`.
    epochs : number of passes over the rows, at least 1.
    k : Gibbs steps of `RBM.contrastive_divergence`.
    batch_size : rows per step; a few more if it does not divide the number of rows.
    learning_rate : learning rate of the gradient steps, from 0 to 1,000.
    weight_decay : this number times the kernel is subtracted from the gradient of the kernel.
    """
    rng = np.random.default_rng(seed)
    v = check_finite(v, "v").astype("float32", copy=False)
    check_between(learning_rate, "learning_rate", 0, 1e3)
    kernel = rng.normal(0, 0.01, (v.shape[1], check_whole(units, "units"))).astype("float32")
    bias = v.mean(axis=0)
    if visible != "gaussian":  # Hinton (2010, section 8): log odds of the data
        mean = np.clip(bias, 0.01, 0.99)
        bias = np.log(mean / (1 - mean))
    machine = RBM(kernel, bias, np.zeros(units, "float32"), visible, hidden)
    parameters = machine.kernel, machine.visible_bias, machine.hidden_bias
    speeds = [np.zeros_like(parameter) for parameter in parameters]
    watched = v[:2_000]
    errors, lost = [], 100 * float(v.shape[1] + np.mean(np.sum(watched**2, axis=1)))
    for epoch in range(check_whole(epochs, "epochs")):
        momentum = 0.5 if epoch < 2 else 0.9
        for rows in np.array_split(rng.permutation(len(v)), max(1, len(v) // batch_size)):
            by_kernel, *by_biases = machine.contrastive_divergence(v[rows], k, rng)
            by_kernel -= weight_decay * machine.kernel
            steps = by_kernel, *by_biases
            # in place: allocating an array of the kernel's size takes longer than the addition
            for parameter, speed, step in zip(parameters, speeds, steps, strict=True):
                step *= learning_rate
                speed *= momentum
                speed += step
                parameter += speed
        again = machine.mean_visible(machine.mean_hidden(watched))
        errors.append(float(np.mean(np.sum((watched - again) ** 2, axis=1))))
        if not errors[-1] < lost:  # written so that NaN fails too
            raise LabError(
                f"learning_rate must let the RBM converge, received {learning_rate:g}, which "
                f"diverged in epoch {epoch + 1}, error {errors[-1]:.3g}: try a tenth of it."
            )
    return machine, errors


def pretrain_stack(
    x: np.ndarray,
    widths: Sequence[int],
    *,
    seed: int,
    units: Sequence[tuple[str, str]] | None = None,
    binary: bool = False,
    **options,
) -> list[RBM]:
    """Greedy pre-training: each RBM is trained on the hidden means of the one below.

    Parameters
    ----------
    x : rows (n, visible) in [0, 1], or real values if the first visible units are Gaussian.
    widths : number of hidden units of each layer, from bottom to top.
    units : (visible, hidden) kinds of each layer. By default all are Bernoulli except the code, the
        hidden units of the last layer: these are Gaussian (linear; Hinton & Salakhutdinov, 2006).
    binary : True to train the next RBM on samples (0 or 1) of Bernoulli units, not on their means.
    seed : whole number that determines everything random; or a ``numpy.random.Generator``.
    options : as in `fit_rbm`; layers with Gaussian or rectified units use a hundredth of the
        learning rate.
    """
    rng = np.random.default_rng(seed)
    if units is None:
        units = [("bernoulli", "bernoulli")] * (len(widths) - 1) + [("bernoulli", "gaussian")]
    check_same_length(widths, units, "widths", "units")
    rate = options.pop("learning_rate", 0.1)
    stack = []
    for width, (visible, hidden) in zip(widths, units, strict=True):
        slow = {visible, hidden} != {"bernoulli"}
        kinds = {"visible": visible, "hidden": hidden, "learning_rate": rate / (100 if slow else 1)}
        machine, _ = fit_rbm(x, width, seed=rng, **kinds, **options)
        stack.append(machine)
        x = machine.mean_hidden(x)
        if binary and hidden == "bernoulli":
            x = (rng.random(x.shape, dtype="float32") < x).astype("float32")
    return stack


def _mean(given, kind):
    if kind == "bernoulli":
        return _sigmoid(given)
    return np.maximum(given, 0) if kind == "rectified" else given


def _sample(given, kind, rng):
    if kind == "bernoulli":
        return (rng.random(given.shape, dtype="float32") < _sigmoid(given)).astype("float32")
    noise = rng.standard_normal(given.shape, dtype="float32")
    if kind == "rectified":  # Nair & Hinton (2010): the sum of infinitely many tied units
        return np.maximum(given + noise * np.sqrt(_sigmoid(given)), 0)
    return given + noise


def _sigmoid(given):
    """The sigmoid by NumPy's vectorised tanh: six times as fast as SciPy's expit in float32."""
    return np.tanh(given / 2) / 2 + 0.5
