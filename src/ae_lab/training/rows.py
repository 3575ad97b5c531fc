"""What a training program holds in memory: training rows, then validation rows."""

import numpy as np

from ae_lab.errors import LabError
from ae_lab.validation import check_images


def joined(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Training rows, then validation rows; as bytes where that loses nothing."""
    _check_alike(first, second)
    parts = [as_bytes(part) for part in (first, second)]
    if any(part is None for part in parts):
        parts = [first.astype("float32"), second.astype("float32")]
    return np.concatenate(parts)


def _check_alike(first: np.ndarray, second: np.ndarray) -> None:
    if first.shape[1:] != second.shape[1:]:
        raise LabError(
            f"training and validation rows must have the same shape, received {first.shape[1:]} "
            f"and {second.shape[1:]}: prepare both in the same way."
        )


def as_bytes(rows: np.ndarray, at_once: int = 2_000) -> np.ndarray | None:
    """``rows`` times 255 as bytes, or None if they are no bytes divided by 255.

    A few rows at once: a second copy of all of them as floats would be the most memory that a
    training takes.
    """
    found = np.empty(rows.shape, np.uint8)
    for start in range(0, len(rows), at_once):
        some = rows[start : start + at_once]
        if not (some.min() >= 0 and some.max() <= 1):
            return None
        scaled = np.round(some * 255).astype(np.uint8)
        if not np.array_equal(scaled.astype("float32") / np.float32(255), some):
            return None
        found[start : start + at_once] = scaled
    return found


class Shards:
    """Of each shard the rows that a program holds: its images, then the validation images.

    Raises
    ------
    LabError
        If there is no shard, one is not what ``fit_shards`` asks for, or it differs from the first.
    """

    def __init__(self, shards, validation: np.ndarray):
        if not len(shards):
            raise LabError("shards must be at least one array, received none: pass one.")
        first = np.asarray(shards[0])
        _check_alike(first, validation)
        self.shards, self.shape, self.dtype = shards, first.shape, first.dtype
        self.images = len(first)
        self.validation = self._as_held(validation)

    def __len__(self) -> int:
        return len(self.shards)

    def __getitem__(self, i: int) -> np.ndarray:
        shard = np.asarray(self.shards[i])
        if (shard.shape, shard.dtype) != (self.shape, self.dtype):
            raise LabError(
                f"shard {i} must be of shape {self.shape} and {self.dtype} like the first, "
                f"received {shard.shape} and {shard.dtype}: cut all alike."
            )
        if shard.dtype != np.uint8:
            shard = check_images(shard, f"shard {i}").astype("float32")
        return np.concatenate([shard, self.validation])

    def _as_held(self, validation: np.ndarray) -> np.ndarray:
        if self.dtype != np.uint8:
            return validation.astype("float32")
        held = as_bytes(validation)
        if held is None:
            raise LabError(
                "validation must hold bytes divided by 255 as the shards hold bytes, received "
                "values between those: round it, or pass shards of floats."
            )
        return held
