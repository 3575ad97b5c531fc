"""The handout's claims, and how a verdict is computed from the conditions of a test."""

import math
import numbers
import tomllib
from collections.abc import Collection
from pathlib import Path

import numpy as np

from ae_lab.errors import LabError

BY_KIND = tomllib.loads(Path(__file__).with_name("claims.toml").read_text(encoding="utf-8"))
NOT_JUDGED = "not judged in smoke"  # a verdict of the profile in which nothing has learned
PRIMARY = (  # named before the runs that judge them; their chances of error are corrected together
    "autoencoder.nonlinear_beats_pca",
    "autoencoder.output_feeds_cnn",
    "undercomplete.captures_features",
    "denoising.removes_noise",
    "sparse.discovers_features",
    "deep.pretraining_helps",
    "contractive.better_features_than_denoising",
    "variational.samples",
)
FEWEST_SEEDS = 5  # with fewer, a verdict is provisional
CLAIMS = {  # id to sentence, in the ledger's order
    f"{kind}.{name}": sentence
    for kind, sentences in BY_KIND.items()
    for name, sentence in sentences.items()
}


def checked_margin(id: str, value: object) -> bool | float:
    """``value`` as a bool or a rounded float; a LabError that names ``id`` if it is neither."""
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if not isinstance(value, numbers.Real) or not math.isfinite(value):
        raise LabError(
            f"a condition of {id} must be a finite number or a bool, received {value!r}: pass the "
            "margin, positive if the claim holds and negative if not."
        )
    return float(f"{value:.6g}")


def is_met(condition: bool | float) -> bool:
    """Whether a condition, a margin or a bool, is met: a margin is if it is above 0."""
    return condition > 0


def verdict(met: Collection[bool | None]) -> str:
    """The verdict on a claim whose conditions are ``met``, not met, or left open by the seeds."""
    if None in met:
        return "undecided"
    if len(set(met)) == 2:
        return "holds in part"
    return "holds" if True in met else "does not hold"
