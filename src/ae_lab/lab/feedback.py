"""What is good: the floor, the trivial baselines and the telltales of every figure, in words.

A bare 0.0936 says nothing. Each unit that notebooks record has a scale here: which way is
better, what the best possible answer scores, what answers score that have learned nothing, and
what has usually gone wrong where a figure falls on one of those. What depends on the images is
computed from the images at hand, when it is first asked for.
"""

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

CODE_SIZES = {"dense": 32, "deep": 30, "autoencoder": 20}  # of the figures without one in the name
SAME = 1e-3  # share of a mark within which a figure counts as equal to it

DEAD = (
    "the answer hardly depends on the image. Likely causes: a penalty (L1) that is too strong, "
    "ReLU units that died of too large a rate, or, in a variational autoencoder, a "
    "reconstruction error averaged over pixels where it must be summed"
)
UNLEARNED = (
    "nothing was learned. Likely causes: Adadelta at its default rate of 0.001 in Keras 3 (1.0 "
    "in older programs), another rate far too small, too few steps, or weights that no gradient "
    "reaches"
)
GUESSED = (
    "the classifier guesses. Likely causes: images and labels in different orders, a dead code, "
    "or a rate so small or so large that nothing is learned"
)
NOT_FINITE = (
    "Likely causes of NaN and infinity: a learning rate that is too large, pixels outside "
    "[0, 1], the logarithm of a probability that reached 0, a log-variance that ran away, or a "
    "division by an empty set."
)


@dataclass(frozen=True)
class Mark:
    """A value to hold a figure against: what scores it, and why a figure would fall on it."""

    value: float
    name: str
    causes: str = ""
    near: float = 0.02  # share of the value within which a figure counts as fallen on it

    def hit_by(self, value: float) -> bool:
        return abs(value - self.value) <= self.near * abs(self.value)


@dataclass(frozen=True)
class Scale:
    """How figures of one unit are judged.

    ``best`` is what cannot be beaten, or None; ``beyond`` says what a figure beyond it means;
    ``marks`` are baselines; ``form`` writes a value, ``gap_form`` a difference; ``note`` says what
    no mark can.
    """

    higher: bool = False
    best: Mark | None = None
    beyond: str = ""
    marks: tuple[Mark, ...] = ()
    form: Callable[[float], str] = "{:.4g}".format
    gap_form: Callable[[float], str] = "{:.2g}".format
    note: str = ""

    def better(self, value: float, other: float) -> bool:
        return value > other if self.higher else value < other


NOTES = {
    "share of pixels": "no model can score more here: an exact copy of the images does no better",
    "degrees": "0 would be the very plane of the principal components, 90 one at right angles",
    "of the exact step's length": "0 would be the exact step, 1 is what no step at all scores",
    "squared Frobenius norm": "0 would be a code that answers to no change of the image",
    "squared pixel units": "0 would be images that are spread as the real ones are",
    "times the mean squared error": "1 would be no relation",
}
NOTES_BY_NAME = {
    "dense.dead_units": "0 is best: a dead unit is a number lost",
    "sparse.mean_activation": "0 would be a dead code, 0.5 a sigmoid that learned nothing",
    "cnn.flipped_images": "0 would be a classifier that the autoencoder takes nothing from",
}


class Yardsticks:
    """The scales for one data set.

    Parameters
    ----------
    dataset : a `data.Dataset`, or None before one is loaded: then only what holds for any
        images is known.
    """

    def __init__(self, dataset=None):
        self.dataset = dataset

    def scale(self, name: str, unit: str) -> Scale | None:
        """How a figure is judged, or None where nothing is known of its unit."""
        note = NOTES_BY_NAME.get(name) or NOTES.get(unit)
        if note:
            return Scale(note=note)
        known = {
            "nats/pixel": self._cross_entropy,
            "squared error/image": lambda: self._squared_error(name),
            "share of test images": self._accuracy,
            "% of test images": self._error,
        }
        if unit in known:
            return known[unit]()
        if unit.startswith("nats/image"):
            return self._likelihood()
        return self._psnr() if unit.startswith("dB") else None

    @cached_property
    def mean_image(self) -> np.ndarray:
        """The mean training image, once for each test image."""
        x_test = self.dataset.x_test
        return np.broadcast_to(self.dataset.x_train.mean(axis=0), x_test.shape)

    @cached_property
    def mean_image_bce(self) -> float:
        """Nats a pixel of answering with the mean image: 0.2626 on MNIST."""
        return _evaluation().bce_per_pixel(self.dataset.x_test, self.mean_image)

    @cached_property
    def mean_image_sse(self) -> float:
        """Squared error an image of answering with the mean image: 52.7 on MNIST."""
        return _evaluation().sse_per_image(self.dataset.x_test, self.mean_image)

    @cached_property
    def commonest(self) -> float:
        """Share of the test images in the largest class: what guessing always the same scores."""
        return float(np.bincount(self.dataset.y_test).max() / len(self.dataset.y_test))

    @lru_cache(maxsize=4)  # noqa: B019 - lives as long as the notebook
    def pca_sse(self, components: int) -> float:
        """Squared error an image of that many principal components."""
        evaluation, data = _evaluation(), self.dataset
        through = evaluation.pca_reconstruction(data.x_train, data.x_test, components)
        return evaluation.sse_per_image(data.x_test, through)

    def _cross_entropy(self) -> Scale:
        half = Mark(math.log(2), "0.5 everywhere", UNLEARNED, near=0.015)
        if self.dataset is None:
            return Scale(marks=(half,))
        floor = _evaluation().bce_floor(self.dataset.x_test)
        return Scale(
            best=Mark(floor, "a perfect reconstruction"),
            beyond="other images were measured (binary ones have no floor), or not all pixels",
            marks=(Mark(self.mean_image_bce, "the mean image", DEAD), half),
        )

    def _squared_error(self, name: str) -> Scale:
        if self.dataset is None:
            return Scale(best=Mark(0, "a perfect reconstruction"))
        found = re.search(r"(\d+)", name)
        size = int(found[1]) if found else CODE_SIZES.get(name.split(".")[0])
        marks = [Mark(self.mean_image_sse, "the mean image", DEAD)]
        itself = name.partition(".")[2].startswith("pca")
        if size and size < self.dataset.x_test[0].size and not itself:
            marks.append(Mark(self.pca_sse(size), f"PCA with {size} numbers", near=0))
        return Scale(best=Mark(0, "a perfect reconstruction"), marks=tuple(marks))

    def _likelihood(self) -> Scale:
        if self.dataset is None:
            return Scale()
        pixels = self.dataset.x_test[0].size
        mean = Mark(pixels * self.mean_image_bce, "each pixel on its own (the mean image)", DEAD)
        half = Mark(pixels * math.log(2), "a coin for each pixel", UNLEARNED)
        return Scale(marks=(mean, half))

    def _accuracy(self) -> Scale:
        every = Mark(1, "every image right")
        beyond = "a share is at most 1; was it given in per cent?"
        guess = () if self.dataset is None else (self._guess(self.commonest),)
        forms = {"form": "{:.2%}".format, "gap_form": lambda gap: f"{100 * gap:.2f} points"}
        return Scale(True, every, beyond, guess, **forms)

    def _error(self) -> Scale:
        guess = () if self.dataset is None else (self._guess(100 * (1 - self.commonest)),)
        forms = {"form": "{:.3g} %".format, "gap_form": "{:.2g} points".format}
        return Scale(best=Mark(0, "every image right"), marks=guess, **forms)

    def _guess(self, value: float) -> Mark:
        return Mark(value, "guessing the commonest class", GUESSED, near=0.03)

    def _psnr(self) -> Scale:
        if self.dataset is None:
            return Scale(higher=True)
        blank = _evaluation().psnr(self.dataset.x_test, self.mean_image)
        return Scale(higher=True, marks=(Mark(blank, "the mean image"),), form="{:.1f}".format)


def judge(metric: dict, yardsticks: Yardsticks, profile: str) -> str:
    """What a recorded figure is worth, in one or two sentences; "" where nothing is known.

    Parameters
    ----------
    metric : dict with name, value, unit, published and goal ({"at_most", "at_least"} or None).
    profile : goals are set for the full one.
    """
    scale = yardsticks.scale(metric["name"], metric["unit"])
    parts = _beside_marks(metric["value"], scale) if scale else []
    comparable = yardsticks.dataset is None or yardsticks.dataset.comparable
    if comparable:
        parts += _beside_print(metric, scale) + _beside_goal(metric, profile)
    elif metric["published"] is not None or metric["goal"]:
        parts.append("not to be compared with print or goal, for these are other images")
    telltale = _telltale(metric["value"], scale) if scale else ""
    return " ".join(filter(None, [_sentence("; ".join(parts)), telltale]))


def beside_reference(name: str, value: float, settings, source: str) -> str:
    """A figure beside the one kept for this profile and data, in words; "" if there is none."""
    path = settings.project_folder / "reports" / "reference.json"
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        entry = kept[f"{settings.profile}, {source}"][name]
    except (OSError, ValueError, KeyError):
        return ""
    inside = abs(value - entry["value"]) <= entry["tolerance"]
    where = "this one is inside" if inside else "this one is outside: what was changed?"
    return (
        f"The {settings.profile} profile is known to reach {entry['value']:.4g} ± "
        f"{entry['tolerance']:.2g}; {where}."
    ).replace("?.", "?")


def _beside_marks(value: float, scale: Scale) -> list[str]:
    """The best mark that is beaten, the next one that is not, and the way to the best possible."""
    marks = [m for m in scale.marks if not (m.causes and m.hit_by(value))]
    equal = [m for m in marks if abs(value - m.value) <= SAME * abs(m.value)]
    beaten = [m for m in marks if m not in equal and scale.better(value, m.value)]
    ahead = [m for m in marks if m not in equal and scale.better(m.value, value)]
    rank = max if scale.higher else min
    said = [f"as good as {m.name} ({scale.form(m.value)})" for m in equal]
    if beaten and not equal:
        mark = rank(beaten, key=lambda m: m.value)
        said.append(f"better than {mark.name} ({scale.form(mark.value)})")
    if ahead:
        mark = (min if scale.higher else max)(ahead, key=lambda m: m.value)
        said.append(f"worse than {mark.name} ({scale.form(mark.value)})")
    if scale.best and (scale.best.value != 0 or not said):
        said += _beside_best(value, scale)
    return said + ([scale.note] if scale.note else [])


def _beside_best(value: float, scale: Scale) -> list[str]:
    if scale.better(value, scale.best.value):
        return []
    gap = abs(value - scale.best.value)
    if scale.higher:
        return [f"{scale.gap_form(gap)} short of {scale.best.name}"]
    if scale.best.value == 0:
        return [f"0 would be {scale.best.name}"]
    floor = f"the floor of {scale.best.name} ({scale.form(scale.best.value)})"
    return [f"{scale.gap_form(gap)} above {floor}"]


def _beside_print(metric: dict, scale: Scale | None) -> list[str]:
    if metric["published"] is None or scale is None or scale.note:
        return []
    gap = metric["value"] - metric["published"]
    if not gap:
        return ["as good as the published figure"]
    word = "better" if (gap > 0) == scale.higher else "worse"
    return [f"{word} than the published figure by {scale.gap_form(abs(gap))}"]


def _beside_goal(metric: dict, profile: str) -> list[str]:
    goal = metric["goal"] or {}
    low, high = goal.get("at_least", -math.inf), goal.get("at_most", math.inf)
    wanted = " and ".join(f"{bound.replace('_', ' ')} {goal[bound]:g}" for bound in sorted(goal))
    if not goal:
        return []
    if low <= metric["value"] <= high:
        return [f"the goal, {wanted}, is reached"]
    aside = "" if profile == "full" else ", which is set for the full profile"
    return [f"the goal, {wanted}, is not reached{aside}"]


def _telltale(value: float, scale: Scale) -> str:
    for mark in scale.marks:
        if mark.causes and mark.hit_by(value):
            return f"This is what {mark.name} scores ({scale.form(mark.value)}): {mark.causes}."
    best = scale.best
    beyond = best and scale.better(value, best.value - (SAME * best.value) * (not scale.higher))
    if beyond:
        what = scale.beyond or "it cannot be negative"
        return f"Beyond {best.name} ({scale.form(best.value)}), which cannot be: {what}."
    worst = [m for m in scale.marks if m.causes]
    if worst and all(scale.better(m.value, value) for m in worst):
        return (
            "Worse than every answer that has learned nothing: is it in another unit, are the "
            "pixels in [0, 1], do targets and images belong together?"
        )
    return ""


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:] + "." if words else ""


def _evaluation():
    """Imported when it is needed: it brings Keras, which this module must not."""
    from ae_lab import evaluation

    return evaluation
