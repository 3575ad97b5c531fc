"""Claims of the handout, our predictions with their dates, and verdicts from conditions."""

import tomllib
from collections.abc import Collection
from pathlib import Path

BY_KIND = tomllib.loads(Path(__file__).with_name("claims.toml").read_text(encoding="utf-8"))
PREDICTIONS = tomllib.loads(
    Path(__file__).with_name("predictions.toml").read_text(encoding="utf-8")
)
NOT_JUDGED = "not judged in smoke"  # verdict in the smoke profile, which learns almost nothing
PRIMARY = (  # chosen before the runs that judge them; corrected together for multiple testing
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
CLAIMS = {  # id to sentence, in the order of the ledger
    f"{kind}.{name}": sentence
    for kind, sentences in BY_KIND.items()
    for name, sentence in sentences.items()
}


def when_written(id: str, sentence: str) -> str:
    """A sentence about when a prediction was written.

    ``id`` is the prediction's name in ``predictions.toml``. Only a prediction with exactly this
    ``sentence`` counts as written before the run.
    """
    entry = PREDICTIONS.get(id, {})
    if entry.get("sentence") != sentence:
        return "Not written down before this run."
    if "changed" not in entry:
        return f"Written on {entry['written']}, before this run."
    then = f"Written on {entry['written']}; changed on {entry['changed']}, after earlier runs"
    return f"{then} and before this one. Before the change: {entry['was']}."


def verdict(met: Collection[bool | None]) -> str:
    """The verdict on a claim; ``met`` has True, False or None (undecided) for each condition."""
    if None in met:
        return "undecided"
    if len(set(met)) == 2:
        return "holds in part"
    return "holds" if True in met else "does not hold"
