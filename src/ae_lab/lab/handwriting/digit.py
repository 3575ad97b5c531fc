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
    photo : grey image (height, width) in [0, 1], dark on light or light on dark.

    Raises
    ------
    LabError
        If no digit is found.
    """
    found = find_digit(photo)
    small = _fit(found.ink[found.box])
    rows, columns = (
        _place(centre, size)
        for centre, size in zip(ndimage.center_of_mass(small), small.shape, strict=True)
    )
    x = np.zeros((1, SIDE, SIDE, 1), np.float32)
    x[0, rows, columns, 0] = small
    return x


def find_digit(photo: np.ndarray) -> Found:
    """The strokes of the largest drawing that does not run out of the picture.

    Paper that is lighter on one side than on the other is evened out, noise left behind.

    Parameters
    ----------
    photo : grey image (height, width) in [0, 1].

    Raises
    ------
    LabError
        If nothing stands out from the paper.
    """
    ink, noise = _ink(np.asarray(photo, np.float32))
    smooth = ndimage.gaussian_filter(ink, max(ink.shape) / 500)
    positive = smooth[smooth > 0]
    core = smooth > (threshold_otsu(positive) if positive.size else 0)
    strength = float(np.median(ink[core])) if core.any() else 0.0
    if strength < max(LEAST_CONTRAST, NOISE_FACTOR * noise):
        raise _none(f"a contrast of {max(strength, 0):.2f} with noise of {noise:.2f}")
    strokes = _strokes(smooth > FAINT * strength, smooth)
    box = ndimage.find_objects(strokes.astype(int))[0]
    if max(_sides(box)) < _least_side(ink.shape):
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
    weights = np.zeros(6, np.float32)
    weights[0] = np.median(values)
    for _ in range(8):
        rest = np.abs(values - some @ weights)
        kept = rest <= max(np.quantile(rest, 0.7), 1e-3)
        weights = np.linalg.lstsq(some[kept], values[kept], rcond=None)[0]
    return (terms @ weights).reshape(photo.shape)


def _strokes(mask: np.ndarray, ink: np.ndarray) -> np.ndarray:
    """The component with most ink that touches no edge, and those strokes that belong to it."""
    labels, count = ndimage.label(mask, np.ones((3, 3)))
    if not count:
        raise _none("an empty page")
    boxes = ndimage.find_objects(labels)
    weight = ndimage.sum_labels(ink, labels, range(1, count + 1))
    inside = np.array([_is_inside(box, mask.shape) for box in boxes])
    drawings = inside & [max(_sides(box)) >= _least_side(mask.shape) for box in boxes]
    chosen = np.where(drawings, weight, 0) if drawings.any() else weight
    main = int(np.argmax(chosen))
    reach = NEAR * max(_sides(boxes[main]))
    own = [
        i + 1
        for i, box in enumerate(boxes)
        if i == main
        or (inside[i] and weight[i] > SPECK * weight[main] and _gap(box, boxes[main]) < reach)
    ]
    return np.isin(labels, own)


def _least_side(shape) -> float:
    return max(6, max(shape) / 50)


def _is_inside(box, shape) -> bool:
    return all(part.start > 0 and part.stop < n for part, n in zip(box, shape, strict=True))


def _sides(box) -> tuple[int, int]:
    return tuple(part.stop - part.start for part in box)


def _gap(one, other) -> float:
    """Pixels between two boxes, 0 where they overlap."""
    gaps = [max(b.start - a.stop, a.start - b.stop, 0) for a, b in zip(one, other, strict=True)]
    return float(np.hypot(*gaps))


def _fit(ink: np.ndarray) -> np.ndarray:
    """Shrink or enlarge to 20 pixels on the longer side, averaging; the strongest ink is 1."""
    scale = BOX / max(ink.shape)
    height, width = (max(1, round(n * scale)) for n in ink.shape)
    image = Image.fromarray(np.ascontiguousarray(ink, np.float32))
    small = np.asarray(image.resize((width, height), Image.Resampling.HAMMING))
    return np.clip(small / max(float(small.max()), 1e-6), 0, 1)


def _place(centre: float, size: int) -> slice:
    start = int(np.clip(CENTRE - round(centre), 0, SIDE - size))
    return slice(start, start + size)


def _none(received: str) -> LabError:
    return LabError(
        f"the photo must show one digit that stands out from its paper, found {received}: "
        "write larger and darker, and leave paper around it."
    )
