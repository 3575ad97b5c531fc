"""How many units are active, and whether different images activate different units.

Codes ``z`` are (images, units), as returned by `encode`; ``labels`` are whole numbers (images,).
Activity is the absolute value of an activation.
"""

import numpy as np

from ae_lab.errors import LabError
from ae_lab.validation import check_at_most, check_classes, check_same_length


def dead_units(z: np.ndarray) -> np.ndarray:
    """For each unit of ReLU codes ``z``, whether it is inactive on all images: (units,)."""
    return np.asarray(z).max(axis=0) <= 0


def mean_activation(z: np.ndarray) -> np.ndarray:
    """Mean activation (units,) of the codes ``z``, which a KL penalty moves towards its target."""
    return _code(z).mean(axis=0, dtype=np.float64)


def lifetime_sparsity(z: np.ndarray) -> np.ndarray:
    """Treves-Rolls sparsity (units,) of each unit of ``z`` over the images, from 0 to 1.

    ``(1 - mean(a)**2 / mean(a**2)) / (1 - 1/n)`` with activities ``a``, as rescaled by Vinje &
    Gallant (2000): 0 for a unit equally active on all images, 1 for a unit active on one image
    only, NaN for a unit that is never active.
    """
    return _treves_rolls(_code(z), axis=0)


def population_sparsity(z: np.ndarray) -> np.ndarray:
    """The same measure (images,) for each row of ``z`` over the units: 1 if one unit is active."""
    return _treves_rolls(_code(z), axis=1)


def class_selectivity(z: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """``(a_best - a_rest) / (a_best + a_rest)`` (units,), from 0 to 1 (Morcos et al., 2018).

    ``a_best`` is the mean activity on the class for which the unit is most active, ``a_rest`` the
    mean over the other classes, computed from ``z`` and ``labels``; NaN for inactive units.
    """
    means = np.sort(class_means(z, labels), axis=0)
    best, rest = means[-1], means[:-1].mean(axis=0)
    with np.errstate(invalid="ignore"):
        return (best - rest) / (best + rest)


def class_means(z: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Mean activity (classes, units) of ``z`` on the images of each class in ``labels``."""
    check_same_length(z, labels, "z", "labels")
    classes = check_classes(labels)
    return np.stack([np.abs(_code(z)[labels == c]).mean(axis=0) for c in classes])


def shared_units(z: np.ndarray, labels: np.ndarray, strongest: int) -> tuple[float, float]:
    """Share of the ``strongest`` units that two rows of ``z`` have in common.

    Returns the means over pairs of different images of the same class and of different classes in
    ``labels``. The value expected by chance is ``strongest / units``.
    """
    check_same_length(z, labels, "z", "labels")
    activity = np.abs(_code(z))
    check_at_most(strongest, "strongest", activity.shape[1], "number of units")
    member = np.zeros(activity.shape, "float32")
    top = np.argpartition(-activity, strongest - 1, axis=1)[:, :strongest]
    np.put_along_axis(member, top, 1, axis=1)
    common = member @ member.T / strongest
    same = np.equal.outer(labels, labels)
    return float(common[same & ~np.eye(len(z), dtype=bool)].mean()), float(common[~same].mean())


def sparsity_summary(z: np.ndarray, labels: np.ndarray, strongest: int) -> dict[str, float]:
    """The measures of this file in one row.

    The activation is a median over all units. The sparsities and the selectivity are means over the
    units (or images) that are ever active. ``z``, ``labels``, ``strongest`` as in ``shared_units``.
    """
    same, other = shared_units(z, labels, strongest)
    return {
        "median activation": float(np.median(mean_activation(z))),
        "lifetime sparsity": float(np.nanmean(lifetime_sparsity(z))),
        "population sparsity": float(np.nanmean(population_sparsity(z))),
        "class selectivity": float(np.nanmean(class_selectivity(z, labels))),
        "shared, same class": same,
        "shared, other class": other,
    }


def _treves_rolls(z, axis):
    activity = np.abs(z).astype(np.float64)
    mean, square = activity.mean(axis=axis), (activity**2).mean(axis=axis)
    with np.errstate(invalid="ignore"):
        return (1 - mean**2 / square) / (1 - 1 / z.shape[axis])


def _code(z) -> np.ndarray:
    z = np.asarray(z)
    if z.ndim != 2 or min(z.shape) < 2:
        raise LabError(
            f"z must be codes of shape (images, units), at least 2 of each, received shape "
            f"{z.shape}: flatten them, or encode more images."
        )
    return z
