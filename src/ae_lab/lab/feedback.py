"""Comparison of a value with its baselines, its best possible value and its goal, in words.

The notebook that records a value supplies what to compare it with. If the value equals a baseline
that stands for a known failure, likely causes are listed.
"""

import math

from ae_lab.errors import LabError
from ae_lab.files import read_json
from ae_lab.lab.records import Metric
from ae_lab.settings import Settings

EQUAL = 1e-3  # relative difference up to which two values count as equal
NEAR = 0.02  # relative difference up to which a value counts as that of a failure
FAR = 0.1  # relative difference from which a value is clearly worse than that of a failure
DIAGNOSES = {  # by the name of the baseline
    "mean image": (
        "the output hardly depends on the image. Likely causes: a penalty (L1) that is too "
        "strong, ReLU units that died at too large a learning rate, or, in a variational "
        "autoencoder, a reconstruction error averaged over pixels instead of summed"
    ),
    "0.5 everywhere": (
        "nothing was learned. Likely causes: Adadelta at its default learning rate of 0.001 in "
        "Keras 3 (1.0 in older programs), another learning rate far too small, too few steps, or "
        "weights that no gradient reaches"
    ),
    "most frequent class": (
        "the classifier guesses. Likely causes: images and labels in different orders, a dead "
        "code, or a learning rate so small or so large that nothing is learned"
    ),
}


def compare(metric: Metric, profile: str, comparable: bool = True) -> str:
    """Compare a recorded value with everything recorded with it, in one or two sentences.

    Parameters
    ----------
    metric : the value, with its baselines, best possible value, published value and goal.
    profile : profile of the run; goals are set for the full profile.
    comparable : False if goals and published values are for other images or other knobs.
    """
    unit, parts = metric.unit, _beside_baselines(metric)
    for name, best in metric.best.items():
        gap = "" if _equal(metric.value, best) else _form(abs(metric.value - best), unit, gap=True)
        away = f", {gap} away" if best and gap else ""
        parts.append(f"best possible: {_form(best, unit)} ({name}){away}")
    if comparable and metric.published is not None:
        gap = abs(metric.value - metric.published)
        by = "" if _equal(metric.value, metric.published) else f" by {_form(gap, unit, gap=True)}"
        parts.append(f"{_word(metric, metric.published)} the published value{by}")
    if metric.goal:
        reason = "not compared: other images or changed knobs"
        mark = metric.goal_mark(profile) if comparable else reason
        parts.append(f"goal ({metric.goal_in_words}): {mark}")
    sentence = "; ".join(parts) + "." if parts else ""
    return f"{sentence[:1].upper()}{sentence[1:]} {diagnosis(metric)}".strip()


def diagnosis(metric: Metric) -> str:
    """Likely causes of the value of ``metric`` if it matches a known failure, else "".

    Known failures are those of its baselines that are listed in `DIAGNOSES`. There is also a text
    for a value that is better than possible, or clearly worse than all these baselines.
    """
    failures = {name: value for name, value in metric.baselines.items() if name in DIAGNOSES}
    for name, value in failures.items():
        if _explains(metric, name, value):
            return f"This is the value of “{name}”: {DIAGNOSES[name]}."
    for name, best in metric.best.items():
        if metric.is_better(metric.value, best) and not _equal(metric.value, best):
            return (
                f"Better than {name} ({_form(best, metric.unit)}), which is impossible: is it in "
                "another unit, or was it measured on other images?"
            )
    if failures and all(_far_worse(metric, value) for value in failures.values()):
        return (
            "Worse than every baseline that learns nothing. Is it in another unit? Are the "
            "pixels in [0, 1]? Do targets and images belong together?"
        )
    return ""


def reference_figures(settings: Settings, source: str) -> dict[str, dict[str, float | None]]:
    """Name → ``mean`` and ``tolerance`` in ``reports/reference.json``; {} if there are none.

    An unknown tolerance is None. ``settings`` and ``source`` are as in `beside_reference`. A
    ``LabError`` is raised if the file has other content.
    """
    path = settings.project_folder / "reports" / "reference.json"
    if (reference := read_json(path)) is None:
        reference = "damaged JSON" if path.exists() else {}
    try:
        kept = reference.get(f"{settings.profile}, {source}", {}).items()
        found = {
            name: {part: entry[part] for part in ("mean", "tolerance")} for name, entry in kept
        }
        if all(
            math.isfinite(e["mean"]) and math.isfinite(e["tolerance"] or 0) for e in found.values()
        ):
            return found
        reason = "a number that is not finite"
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        reason = f"{type(error).__name__}: {error}"
    raise LabError(
        f"{path} must hold a mean and a tolerance for each figure, received something else "
        f"({reason}): restore it with git checkout."
    )


def beside_reference(name: str, value: float, settings: Settings, source: str) -> str:
    """Compare a value with the reference value of this profile and data; "" if there is none.

    Parameters
    ----------
    name, value : name and value of the metric.
    settings : settings of the run; the reference values are in its project folder.
    source : description of the data, as in `data.Dataset.source`.
    """
    try:
        entry = reference_figures(settings, source).get(name)
    except LabError as error:
        return f"No reference value: {error}"
    if entry is None:
        return ""
    words = f"Reference value of the {settings.profile} profile: {entry['mean']:.4g}"
    if (inside := is_within(value, entry)) is None:
        return f"{words}; its spread over seeds is not known."
    words += f" ± {entry['tolerance']:.2g}; "
    return words + ("inside the tolerance." if inside else "outside: what was changed?")


def is_within(value: float, entry: dict) -> bool | None:
    """Whether ``value`` is within the tolerance of an ``entry`` of the reference file.

    None if the entry has no tolerance, because too few seeds are known.
    """
    wide = entry["tolerance"]
    return None if wide is None else bool(abs(value - entry["mean"]) <= wide)


def _beside_baselines(metric: Metric) -> list[str]:
    """Comparison with equal baselines, the best one that is beaten, and the nearest other one."""
    known = {n: v for n, v in metric.baselines.items() if not _explains(metric, n, v)}
    equal = [name for name in known if _equal(metric.value, known[name])]
    others = [name for name in known if name not in equal]
    others.sort(key=lambda name: abs(known[name] - metric.value))
    beaten = [name for name in others if metric.is_better(metric.value, known[name])]
    ahead = [name for name in others if name not in beaten]
    return [
        f"{_word(metric, known[name])} {name} ({_form(known[name], metric.unit)})"
        for name in equal + beaten[:1] + ahead[:1]
    ]


def _explains(metric: Metric, name: str, value: float) -> bool:
    return name in DIAGNOSES and abs(metric.value - value) <= NEAR * abs(value)


def _far_worse(metric: Metric, value: float) -> bool:
    far = abs(metric.value - value) > FAR * abs(value)
    return far and metric.is_better(value, metric.value)


def _word(metric: Metric, other: float) -> str:
    if _equal(metric.value, other):
        return "equal to"
    if metric.better is None:
        return "above" if metric.value > other else "below"
    return "better than" if metric.is_better(metric.value, other) else "worse than"


def _equal(value: float, other: float) -> bool:
    return abs(value - other) <= EQUAL * abs(other)


def _form(value: float, unit: str, gap: bool = False) -> str:
    if unit.startswith("share"):
        return f"{100 * value:.2f} points" if gap else f"{value:.2%}"
    digits = f"{value:.2g}" if gap else f"{value:.4g}"
    return digits + (" points" if gap else " %") * unit.startswith("%")
