"""Find the digits in a photo and prepare each like those of MNIST."""

from typing import NamedTuple

import numpy as np
from PIL import Image
from scipy import ndimage
from skimage.measure import label, regionprops
from skimage.morphology import reconstruction, skeletonize

from ae_lab.errors import LabError

SIDE, BOX, CENTRE = 28, 20, 14  # MNIST: a 20x20 box, its centre of mass on pixel (14, 14)
STROKE = 2.2  # pixels of the box: most strokes of MNIST are wider
WIDEST_STROKE = 0.4  # of the photo's longer side: wider areas are paper, a table or a shadow
LEAST_CONTRAST = 0.08  # least difference of ink and paper; black and white differ by 1
NOISE_FACTOR = 10  # least contrast of the darkest ink, in standard deviations of the noise
FAINT = 0.3  # of the darkest ink: lighter pixels are not part of a stroke
NEAR = 0.25  # of the digit's height: largest distance of a separate stroke
RULE = 0.3  # of the photo's width or height: least length of a printed line
SLANTS = np.tan(np.deg2rad(np.arange(-10, 11, 2)))  # of the lines in a tilted photo


class Found(NamedTuple):
    """The digits found in a photo.

    Parameters
    ----------
    ink : float (height, width), 0 for paper and 1 for ink, without printed lines.
    labels : int (height, width), 1 on the strokes of the first digit and so on, 0 elsewhere.
    boxes : slices (rows, columns) of each digit, from left to right.
    left_out : number of other drawings of about the same size.
    prominence : score; higher for dark strokes on light paper than for the paper between them.
    """

    ink: np.ndarray
    labels: np.ndarray
    boxes: list[tuple[slice, slice]]
    left_out: int
    prominence: float


def like_mnist(photo: np.ndarray) -> np.ndarray:
    """Digits of a photo as input of the models: float32 (n, 28, 28, 1) in [0, 1].

    Each digit is prepared like MNIST (LeCun et al., 1998). It is made white on black, and scaled
    to fit a 20x20 box, with anti-aliasing and an unchanged aspect ratio. Whole-pixel shifts then
    move its centre of mass to the centre of 28x28. Strokes thinner than MNIST's are widened.

    Parameters
    ----------
    photo : grey image (height, width) in [0, 1], dark on light or light on dark, with one digit
        or several in a line; a LabError if none is found.
    """
    return prepare(find_digits(photo))


def prepare(found: Found) -> np.ndarray:
    """`like_mnist` for ``found``, the result of `find_digits`."""
    x = np.zeros((len(found.boxes), SIDE, SIDE, 1), np.float32)
    for i, box in enumerate(found.boxes):
        ink = _widened(found.ink[box] * (found.labels[box] == i + 1))
        scale = BOX / max(ink.shape)
        height, width = (max(1, round(n * scale)) for n in ink.shape)
        small = Image.fromarray(ink).resize((width, height), Image.Resampling.HAMMING)
        small = np.clip(np.asarray(small) / max(float(np.max(small)), 1e-6), 0, 1)
        top, left = (
            int(np.clip(CENTRE - round(centre), 0, SIDE - n))
            for centre, n in zip(ndimage.center_of_mass(small), small.shape, strict=True)
        )
        x[i, top : top + height, left : left + width, 0] = small
    return x


def _widened(ink: np.ndarray) -> np.ndarray:
    """The strokes, at least as wide as MNIST's after scaling to 20x20."""
    strokes = ink > 0.5
    width = strokes.sum() / max(skeletonize(strokes).sum(), 1)  # area / length
    more = (STROKE * max(ink.shape) - BOX * width) / (2 * (BOX - STROKE))  # pixels on either side
    if more < 0.5:
        return ink.astype(np.float32)
    ink, strokes = (np.pad(array, int(np.ceil(more))) for array in (ink, strokes))
    wide = np.clip(more + 0.5 - ndimage.distance_transform_edt(~strokes), 0, 1)
    return np.maximum(ink, wide).astype(np.float32)


def find_digits(photo: np.ndarray) -> Found:
    """The main drawing in a grey ``photo`` (height, width), and similar drawings next to it.

    A LabError names what was found instead: no contrast, noise, lines, specks or a stain.
    """
    photo = np.asarray(photo, np.float32)
    if photo.ndim != 2 or min(photo.shape) < 8:
        raise _none(f"an image of shape {photo.shape}", "use a grey image of at least 8x8 pixels")
    found, errors = [], []
    for light in (photo, 1 - photo):  # dark on light, light on dark
        try:
            found.append(_find_dark(light))
        except LabError as error:
            errors.append(error)
    if not found:
        raise errors[0]
    return max(found, key=lambda each: each.prominence)


def _find_dark(light: np.ndarray) -> Found:
    """`find_digits` for ink that is darker than its paper."""
    smooth = ndimage.gaussian_filter(light, max(light.shape) / 640)
    lined = _paper(smooth) - smooth
    ink = _without_rules(lined)
    rules = float(np.max(lined - ink))
    grain = ink - ndimage.gaussian_filter(ink, max(ink.shape) / 200)
    noise = 1.4826 * float(np.median(np.abs(grain)))
    ink = (ink - np.quantile(ink, 0.3)).clip(0)
    least_side = max(6, max(ink.shape) // 50)
    darkest = float(np.partition(ink, -(least_side**2), axis=None)[-(least_side**2)])
    if rules > max(LEAST_CONTRAST, 1.7 * np.median(ink[ink >= FAINT * darkest])):
        raise _none("only printed lines", "write a digit that is darker than the lines")
    specks = _none(f"only specks, smaller than {least_side} pixels", "move the camera closer")
    if darkest < LEAST_CONTRAST < np.max(ink) / 3:
        raise specks
    if darkest < LEAST_CONTRAST:
        said = f"ink that differs from the paper by only {darkest:.2f} (black from white: 1)"
        raise _none(said, "write darker, or use a pen of another colour")
    if darkest < NOISE_FACTOR * noise:
        raise _none(
            f"only noise (standard deviation {noise:.2f})", "take the photo in brighter light"
        )
    parts = regionprops(label(ink > FAINT * darkest), ink)
    parts = [part for part in parts if max(part.image.shape) >= least_side]
    if not parts:
        raise specks
    digits, left_out = _digits(parts, ink.shape)
    boxes = ndimage.find_objects(digits)
    strength = float(np.median(ink[digits > 0]))
    edge = np.median(np.concatenate([light[0], light[-1], light[:, 0], light[:, -1]]))
    contrast = max(edge - np.median(light[digits > 0]), strength / 5)  # on a dark table
    paper = np.mean(ink[boxes[0]] < strength / 2)  # more around strokes than around a sheet
    digits = ndimage.grey_dilation(digits, 3 + 2 * (max(ink.shape) // 400))
    around = (ndimage.grey_dilation(digits, (5, 5)) > 0) & (digits == 0)
    if np.sum(around & (ink > strength / 2)) > np.sum(around) / 2:
        raise _none("only the edge of a dark area", "photograph the paper alone")
    return Found(np.clip(ink / strength, 0, 1), digits, boxes, left_out, float(contrast * paper**2))


def _paper(light: np.ndarray) -> np.ndarray:
    """The brightness of the paper under the ink: a closing fills dark narrow areas.

    Dark wide areas, such as a table or a shadow, are unchanged, including their corners
    (morphological reconstruction). Such areas are continued beyond the edges of the photo; ink is
    not.
    """
    size = int(WIDEST_STROKE * max(light.shape))
    around = light.copy()
    for turned in (around, around.T):
        for i in (0, -1):
            wide = turned.shape[1]
            edge = np.pad(turned[i], wide, mode="edge")
            turned[i] = ndimage.grey_closing(edge, int(0.8 * wide))[wide:-wide]
    around = np.pad(around, size, mode="edge")
    around[size:-size, size:-size] = light
    closed = ndimage.grey_closing(around, (size, size))[size:-size, size:-size]
    return reconstruction(closed, light, method="erosion")


def _without_rules(ink: np.ndarray) -> np.ndarray:
    """The ink without printed lines.

    A printed line is thin and straight. There are at least three, or it goes from edge to edge.
    """
    step = 2 if max(ink.shape) > 300 else 1  # half the resolution takes a quarter of the time
    for _ in range(2):  # along the rows, then along the columns
        wide = ink.shape[1]
        thick = ndimage.grey_dilation(ink, (1 + 2 * step, 1))[::step, ::step]  # bridges two slants
        runs = np.zeros_like(thick)
        for shear in ([[1, slant], [0, 1]] for slant in SLANTS):
            run = ndimage.affine_transform(thick, shear, order=0, mode="grid-wrap")
            run = ndimage.grey_opening(run, (1, int(RULE * wide / step)), mode="nearest")
            run = ndimage.affine_transform(run, np.linalg.inv(shear), order=0, mode="grid-wrap")
            runs = np.maximum(runs, run)
        runs -= ndimage.grey_opening(runs, (max(runs.shape) // 40 + 3, 1))  # thin ones
        runs = runs.repeat(step, 0).repeat(step, 1)[: ink.shape[0], :wide]
        noise = np.median(np.abs(ink - np.median(ink)))
        rules = regionprops(label(runs > max(0.02, 3 * noise)))
        rules = [rule for rule in rules if rule.image.shape[1] > RULE * wide]
        rules = [rule for rule in rules if len(rules) >= 3 or rule.image.shape[1] > 0.9 * wide]
        rest, gap = ink.copy(), max(ink.shape) // 60 + 2
        for rule in rules:  # much darker pixels are ink
            rest[rule.slice][rule.image & (ink < 1.5 * runs)[rule.slice]] = 0
        # close the gaps in strokes that cross a line
        ink = np.maximum(rest, np.minimum(ndimage.grey_closing(rest, (gap, gap)), ink)).T
    return ink


def _digits(parts: list, shape: tuple[int, int]) -> tuple[np.ndarray, int]:
    """Labels of the main drawing and those next to it, and the number of drawings left out."""
    start, stop = np.array([part.bbox for part in parts]).reshape(-1, 2, 2).swapaxes(0, 1)
    (height, _), side = (stop - start).T, (stop - start).max(axis=1)
    weight = np.array([part.area * part.intensity_mean for part in parts])
    thick = [ndimage.distance_transform_edt(np.pad(part.image, 1)).max() for part in parts]
    thick = np.array(thick)  # half the largest stroke width
    extent = np.array([part.extent for part in parts])
    strokes = (extent < 0.65) | (thick < 0.2 * side)  # not a sheet or a stain
    if not strokes.any():
        raise _none("only a filled shape", "photograph strokes of a pen with paper around them")
    inside = ((start > 0) & (stop < shape)).all(axis=1)
    inside |= (stop - start > 0.6 * np.array(shape)).all(axis=1)  # cropped to the digit
    drawn = inside & strokes if (inside & strokes).any() else strokes
    holds = ((start[:, None] < start) & (stop[:, None] > stop)).all(axis=2)
    drawn = drawn & ~(holds & drawn & (side > 0.2 * side[:, None])).any(axis=1)  # a frame
    main = int(np.argmax(weight * drawn))
    like = drawn & (np.abs(np.log(height / height[main])) < 0.5)
    like &= np.abs(np.log(thick / thick[main])) < 0.7
    level = np.abs((start + stop - start[main] - stop[main])[:, 0]) < height[main]
    digits = [main]
    for i in np.flatnonzero(like & level):  # drawings above each other are strokes of one digit
        if all(start[i, 1] > stop[j, 1] or stop[i, 1] < start[j, 1] for j in digits):
            digits.append(int(i))
    digits.sort(key=lambda i: start[i, 1])
    gaps = np.maximum(start[:, None] - stop[digits], start[digits] - stop[:, None]).clip(0)
    owner = np.hypot(*gaps.T).argmin(axis=0)
    down, across = gaps[np.arange(len(parts)), owner].T
    own = inside & (np.hypot(down, across) < NEAR * side[main])
    own &= (side < side[main]) & ((across == 0) | (height < 0.6 * height[main]))
    own[digits] = True
    labels = np.zeros(shape, int)
    for i in np.flatnonzero(own):
        labels[parts[i].slice][parts[i].image] = owner[i] + 1
    return labels, int((like & ~own).sum())


def _none(received: str, what_to_do: str) -> LabError:
    return LabError(
        f"the photo must show one digit, or several in a line, that stand out from the paper, "
        f"found {received}: {what_to_do}."
    )
