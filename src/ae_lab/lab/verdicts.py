"""Claims of the handout, our predictions with their dates, and how conditions make a verdict."""

import tomllib
from collections.abc import Collection
from pathlib import Path

BY_KIND = tomllib.loads(Path(__file__).with_name("claims.toml").read_text(encoding="utf-8"))
PREDICTIONS = tomllib.loads(
    Path(__file__).with_name("predictions.toml").read_text(encoding="utf-8")
)
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


def when_written(id: str, sentence: str) -> str:
    """When a prediction was written, in words; only one with this very ``sentence`` was before.

    ``id`` is the prediction's name in ``predictions.toml``.
    """
    entry = PREDICTIONS.get(id, {})
    if entry.get("sentence") != sentence:
        return "Not written down before this run."
    if "changed" not in entry:
        return f"Written on {entry['written']}, before this run."
    then = f"Written on {entry['written']}; changed on {entry['changed']}, after earlier runs"
    return f"{then} and before this one. Before the change: {entry['was']}."


def verdict(met: Collection[bool | None]) -> str:
    """The verdict on a claim whose conditions are ``met``, not met, or left open by the seeds."""
    if None in met:
        return "undecided"
    if len(set(met)) == 2:
        return "holds in part"
    return "holds" if True in met else "does not hold"
