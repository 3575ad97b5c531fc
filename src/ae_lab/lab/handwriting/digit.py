"""Find the digit in a photograph and prepare it exactly as MNIST's were."""

from typing import NamedTuple

import numpy as np
from PIL import Image
from scipy import ndimage
from skimage.filters import threshold_otsu

from ae_lab.errors import LabError

SIDE, BOX, CENTRE = 28, 20, 14  # MNIST: a 20x20 box, its centre of mass on pixel (14, 14)
LEAST_CONTRAST = 0.12  # of ink against paper, black to white being 1
NOISE_FACTOR = 4  # ink is so many standard deviations of the paper's noise away from it
FAINT = 0.35  # of the ink's strength: what still belongs to a stroke
NEAR = 0.25  # of the digit's height: how far a separate stroke of it may lie
SPECK = 0.04  # of the digit's ink: less than that is dirt


class Found(NamedTuple):
    """``ink`` float (height, width), 0 paper and 1 ink, the digit's own strokes alone; ``box``
    its slices (rows, columns)."""

    ink: np.ndarray
    box: tuple[slice, slice]


def like_mnist(photo: np.ndarray) -> np.ndarray:
    """One digit as a network of this package takes it: float32 (1, 28, 28, 1) in [0, 1].

    As LeCun et al. (1998) describe MNIST's: white on black, fitted into a 20x20 box with its
    aspect kept, grey from anti-aliasing, and moved by whole pixels so that its centre of mass
    comes to the centre of 28x28.

    Parameters
    ----------
    photo : grey image (height, width) in [0, 1], dark on light or light on dark; a LabError if no
        digit is found.
    """
    found = find_digit(photo)
    ink = np.ascontiguousarray(found.ink[found.box], np.float32)
    scale = BOX / max(ink.shape)
    height, width = (max(1, round(n * scale)) for n in ink.shape)
    small = np.asarray(Image.fromarray(ink).resize((width, height), Image.Resampling.HAMMING))
    small = np.clip(small / max(float(small.max()), 1e-6), 0, 1)
    top, left = (
        int(np.clip(CENTRE - round(centre), 0, SIDE - n))
        for centre, n in zip(ndimage.center_of_mass(small), small.shape, strict=True)
    )
    x = np.zeros((1, SIDE, SIDE, 1), np.float32)
    x[0, top : top + height, left : left + width, 0] = small
    return x


def find_digit(photo: np.ndarray) -> Found:
    """The strokes of the largest drawing in a ``photo`` that does not run out of the picture.

    Paper that is lighter on one side than on the other is evened out, noise left behind. A
    LabError says that nothing stands out from the paper.
    """
    ink, noise = _ink(np.asarray(photo, np.float32))
    smooth = ndimage.gaussian_filter(ink, max(ink.shape) / 500)
    positive = smooth[smooth > 0]
    core = smooth > (threshold_otsu(positive) if positive.size else 0)
    strength = float(np.median(ink[core])) if core.any() else 0.0
    if strength < max(LEAST_CONTRAST, NOISE_FACTOR * noise):
        raise _none(f"a contrast of {max(strength, 0):.2f} with noise of {noise:.2f}")
    least_side = max(6, max(ink.shape) / 50)
    strokes = _strokes(smooth > FAINT * strength, smooth, least_side)
    box = ndimage.find_objects(strokes.astype(int))[0]
    if max(part.stop - part.start for part in box) < least_side:
        raise _none("specks alone")
    edge = ndimage.binary_dilation(strokes, iterations=1 + max(ink.shape) // 250)
    return Found(np.clip(ink / strength, 0, 1) * edge, box)


def _ink(photo: np.ndarray) -> tuple[np.ndarray, float]:
    """What differs from the paper, positive for ink, and the deviation of the paper's noise."""
    if photo.ndim != 2 or min(photo.shape) < 8:
        raise _none(f"an image of shape {photo.shape}")
    rest = photo - _paper(photo)
    noise = 1.4826 * float(np.median(np.abs(rest - np.median(rest))))
    dark_ink = np.sum(rest**3) < 0  # the few pixels that differ much are the ink
    return (-rest if dark_ink else rest), noise


def _paper(photo: np.ndarray) -> np.ndarray:
    """The paper's brightness: a quadratic surface through most pixels, the ink left out."""
    y, x = (np.linspace(-1, 1, n, dtype=np.float32) for n in photo.shape)
    y, x = np.meshgrid(y, x, indexing="ij")
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1).reshape(-1, 6)
    step = max(1, photo.size // 20_000)
    some, values = terms[::step], photo.reshape(-1)[::step]
    fitted = np.median(values)
    for _ in range(8):
        rest = np.abs(values - fitted)
        kept = rest <= max(np.quantile(rest, 0.7), 1e-3)
        weights = np.linalg.lstsq(some[kept], values[kept], rcond=None)[0]
        fitted = some @ weights
    return (terms @ weights).reshape(photo.shape)


def _strokes(mask: np.ndarray, ink: np.ndarray, least_side: float) -> np.ndarray:
    """The component with most ink that touches no edge, and those strokes that belong to it."""
    labels, count = ndimage.label(mask, np.ones((3, 3)))
    if not count:
        raise _none("an empty page")
    boxes = ndimage.find_objects(labels)
    start = np.array([[part.start for part in box] for box in boxes])
    stop = np.array([[part.stop for part in box] for box in boxes])
    side = (stop - start).max(axis=1)
    weight = ndimage.sum_labels(ink, labels, range(1, count + 1))
    inside = ((start > 0) & (stop < mask.shape)).all(axis=1)
    drawings = inside & (side >= least_side)
    main = np.argmax(np.where(drawings, weight, 0) if drawings.any() else weight)
    gap = np.maximum(start - stop[main], start[main] - stop).clip(0)  # 0 where boxes overlap
    near = np.hypot(*gap.T) < NEAR * side[main]
    own = inside & near & (weight > SPECK * weight[main])
    own[main] = True
    return np.isin(labels, np.flatnonzero(own) + 1)


def _none(received: str) -> LabError:
    return LabError(
        f"the photo must show one digit that stands out from its paper, found {received}: "
        "write larger and darker, and leave paper around it."
    )
