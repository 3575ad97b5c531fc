"""Find the digits in a photograph and prepare each exactly as MNIST's were."""

from typing import NamedTuple

import numpy as np
from PIL import Image
from scipy import ndimage
from skimage.filters import threshold_otsu
from skimage.morphology import skeletonize

from ae_lab.errors import LabError

SIDE, BOX, CENTRE = 28, 20, 14  # MNIST: a 20x20 box, its centre of mass on pixel (14, 14)
STROKE = 2.2  # pixels of the box: most strokes of MNIST are wider
WIDEST_STROKE = 0.4  # of the photo's longer side: what is wider is paper, a table or a shadow
LEAST_CONTRAST = 0.08  # of ink against paper, black to white being 1
NOISE_FACTOR = 4  # ink is so many standard deviations of the paper's noise away from it
FAINT = 0.35  # of the ink's strength: what still belongs to a stroke
NEAR = 0.25  # of the digit's height: how far a separate stroke of it may lie
SPECK = 0.04  # of the digit's ink: less than that is dirt
RULE = 0.3  # of the photo's width or height: a straight thin run so long may be a printed line
SLANTS = np.tan(np.deg2rad(np.arange(-10, 11)))  # of a photo that is not held straight


class Found(NamedTuple):
    """``ink`` float (height, width), 0 paper and 1 ink, without printed lines; ``labels`` int of
    that shape, 1 on the strokes of the first digit and so on, 0 elsewhere; ``boxes`` the digits'
    slices (rows, columns), from left to right; ``left_out`` how many other drawings of about the
    same size there are; ``strength`` the ink's contrast to the paper."""

    ink: np.ndarray
    labels: np.ndarray
    boxes: list[tuple[slice, slice]]
    left_out: int
    strength: float


def like_mnist(photo: np.ndarray) -> np.ndarray:
    """The digits as a network of this package takes them: float32 (n, 28, 28, 1) in [0, 1].

    As LeCun et al. (1998) describe MNIST's: white on black, fitted into a 20x20 box with its
    aspect kept, grey from anti-aliasing, and moved by whole pixels so that its centre of mass
    comes to the centre of 28x28. Strokes thinner than MNIST's are widened.

    Parameters
    ----------
    photo : grey image (height, width) in [0, 1], dark on light or light on dark, with a digit or
        several in a line; a LabError if none is found.
    """
    return prepare(find_digits(photo))


def prepare(found: Found) -> np.ndarray:
    """`like_mnist` of what `find_digits` found."""
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
    """The same strokes, at least as wide as MNIST's will be when the box is shrunk to 20x20."""
    strokes = ink > 0.5
    width = strokes.sum() / max(skeletonize(strokes).sum(), 1)  # area by length
    side = max(ink.shape)
    more = (STROKE * side - BOX * width) / (2 * (BOX - STROKE))  # on either side, in pixels
    if more < 0.5:
        return ink.astype(np.float32)
    ink, strokes = (np.pad(array, int(np.ceil(more))) for array in (ink, strokes))
    wide = np.clip(more + 0.5 - ndimage.distance_transform_edt(~strokes), 0, 1)
    return np.maximum(ink, wide).astype(np.float32)


def find_digits(photo: np.ndarray) -> Found:
    """The strokes of the main drawing in a ``photo``, and those beside it that are as high.

    A photo of one brightness, or with lines or noise alone, is a LabError that says what was found.
    """
    photo = np.asarray(photo, np.float32)
    if photo.ndim != 2 or min(photo.shape) < 8:
        raise _none(f"an image of shape {photo.shape}", "give a grey one of at least 8x8 pixels")
    found, prominent, errors = [], [], []
    for light in (photo, 1 - photo):  # dark on light, light on dark
        try:
            found.append(_find_dark(light))
            prominent.append(_prominence(found[-1], light))
        except LabError as error:
            errors.append(error)
    if not found:
        raise errors[int(np.sum((photo - np.median(photo)) ** 3) > 0)]
    return found[int(np.argmax(prominent))]


def _prominence(found: Found, light: np.ndarray) -> float:
    """High for strokes with paper around, low for paper that strokes or lines enclose."""
    edge = np.median(np.concatenate([light[0], light[-1], light[:, 0], light[:, -1]]))
    level = np.average(light, weights=found.ink * (found.labels > 0) + 1e-9)
    stands_out = (edge - level) / found.strength
    box = max(found.boxes, key=lambda box: box[0].stop - box[0].start)
    side = max(part.stop - part.start for part in box)
    around = tuple(slice(max(0, part.start - side // 10), part.stop + side // 10) for part in box)
    paper = np.mean(found.ink[around] < 0.5)
    return float(found.strength * side * paper**2 * np.clip(stands_out, 0.1, 1))


def _find_dark(light: np.ndarray) -> Found:
    """`find_digits` for ink that is darker than its paper."""
    smooth = ndimage.gaussian_filter(light, max(light.shape) / 640)
    ink = _paper(smooth) - smooth
    lined, ink = ink, _without_rules(ink)
    rules = float(np.max(lined - ink))
    grain = ink - ndimage.gaussian_filter(ink, max(ink.shape) / 200)
    noise = 1.4826 * float(np.median(np.abs(grain)))
    ink = (ink - np.quantile(ink, 0.3)).clip(0)
    least_side = max(6, max(ink.shape) / 50)
    strength = _strength(ink, least_side)
    if strength < NOISE_FACTOR * noise and noise > LEAST_CONTRAST / NOISE_FACTOR:
        raise _none(f"noise of {noise:.2f} and no ink beyond it", "take it in more light")
    if rules > LEAST_CONTRAST and strength < 0.4 * rules:  # what is left of them
        raise _none("printed lines alone", "write on them, darker than they are")
    if strength < max(LEAST_CONTRAST, NOISE_FACTOR * noise):
        raise _none(
            f"ink that differs from its paper by {strength:.2f} of 1",
            "write darker, or with a pen that is not as light as the paper",
        )
    labels, boxes, left_out = _digits(ink, ink > FAINT * strength, least_side, light)
    near = ndimage.grey_dilation(labels, 3 + 2 * (max(ink.shape) // 400))
    return Found(np.clip(ink / strength, 0, 1), near, boxes, left_out, strength)


def _paper(light: np.ndarray) -> np.ndarray:
    """The brightness of the paper under the ink: a closing, which fills what is dark and narrow.

    A shadow or a table at the picture's edge goes on outside of it, and is not narrow then; ink
    that touches the edge does not.
    """
    size = int(WIDEST_STROKE * max(light.shape))
    around = light.copy()
    for turned in (around, around.T):
        for i in (0, -1):
            turned[i] = ndimage.grey_closing(turned[i], int(0.8 * turned.shape[1]), mode="nearest")
    around = np.pad(around, size, mode="edge")
    around[size:-size, size:-size] = light
    return ndimage.grey_closing(around, (size, size))[size:-size, size:-size]


def _without_rules(ink: np.ndarray) -> np.ndarray:
    """The ink without printed lines: thin straight runs, three or from edge to edge."""
    for turned in (False, True):
        ink = ink.T if turned else ink
        step = 2 if max(ink.shape) > 300 else 1  # half as fine a picture takes a quarter of time
        tall = ndimage.grey_dilation(ink, (2 * step - 1, 1))  # a line between two slants is one too
        rules = _runs(tall[::step, ::step], int(RULE * ink.shape[1] / step))
        rules -= ndimage.grey_opening(rules, (max(rules.shape) // 40 + 3, 1))  # thin ones
        rules = rules.repeat(step, 0).repeat(step, 1)[: ink.shape[0], : ink.shape[1]]
        noise = 1.4826 * np.median(np.abs(ink - np.median(ink)))
        labels, count = ndimage.label(rules > max(0.02, 2 * noise), np.ones((3, 3)))
        if count:
            boxes = ndimage.find_objects(labels)
            long = np.array([box[1].stop - box[1].start for box in boxes])
            thick = ndimage.sum_labels(labels > 0, labels, range(1, count + 1)) / long
            thin = (thick < max(ink.shape) / 30) & (long >= RULE * ink.shape[1])
            drawn = thin & ((thin.sum() >= 3) | (long > 0.9 * ink.shape[1]))
            if drawn.any():
                on = np.isin(labels, np.flatnonzero(drawn) + 1)
                rest = ink - np.where(on, 1.5 * np.minimum(rules, np.median(rules[on])), 0)
                gap = int(np.ceil(thick[drawn].max())) + 3  # a stroke crossed by a line goes on
                ink = np.maximum(rest, np.minimum(ndimage.grey_closing(rest, (gap, gap)), ink))
        ink = ink.T if turned else ink
    return ink


def _runs(ink: np.ndarray, length: int) -> np.ndarray:
    """What lies in straight runs of ``length`` along the rows or nearly so: an opening."""
    rows, columns = np.arange(ink.shape[0])[:, None], np.arange(ink.shape[1])
    best = np.full_like(ink, -np.inf)
    for slant in SLANTS:
        shift = np.round(slant * (columns - columns.mean())).astype(int)
        sheared = np.take_along_axis(ink, (rows + shift) % len(ink), axis=0)
        run = ndimage.minimum_filter1d(sheared, length, mode="nearest")
        run = ndimage.maximum_filter1d(run, length, mode="nearest")
        best = np.maximum(best, np.take_along_axis(run, (rows - shift) % len(ink), axis=0))
    return best


def _strength(ink: np.ndarray, least_side: float) -> float:
    """The ink's contrast to its paper: Otsu's threshold, again where lines and ink are above it."""
    core, strength = ink[ink > 0], 0.0
    for _ in range(6):
        if core.size == 0 or np.ptp(core) < 1e-3:
            break
        core = core[core > threshold_otsu(core)]
        if strength and core.size < least_side**2 / 2:
            break
        if (middle := float(np.median(core))) > 1.6 * strength:
            strength = middle
    return strength


def _digits(ink, mask, least_side, light) -> tuple[np.ndarray, list, int]:
    """The main drawing, its strokes and what stands beside it, as `Found` has them."""
    labels, count = ndimage.label(mask, np.ones((3, 3)))
    if not count:
        raise _none("an empty page", "write a digit on it")
    ids = np.arange(1, count + 1)
    boxes = ndimage.find_objects(labels)
    start = np.array([[part.start for part in box] for box in boxes])
    stop = np.array([[part.stop for part in box] for box in boxes])
    side = (stop - start).max(axis=1)
    weight = ndimage.sum_labels(ink, labels, ids)
    thick = np.zeros(count + 1)
    np.maximum.at(thick, labels[mask], ndimage.distance_transform_edt(mask)[mask])
    thick = thick[1:]
    inside = ((start > 0) & (stop < mask.shape)).all(axis=1)
    fills = (stop - start > 0.6 * np.array(mask.shape)).all(axis=1)  # cropped to the digit
    full = ndimage.sum_labels(mask, labels, ids) / (stop - start).prod(axis=1)
    solid = (full > 0.65) & (thick > 0.2 * side)  # a sheet or a stain, not strokes
    drawn = (inside | fills) & (side >= least_side) & ~solid
    drawn = drawn if drawn.any() else (side >= least_side) & ~solid
    for i in np.flatnonzero(drawn):  # a frame or circle holds another drawing, and is not one
        held = (start > start[i]).all(axis=1) & (stop < stop[i]).all(axis=1)
        drawn[i] = not (held & drawn & (side > 0.2 * side[i])).any()
    for i in np.flatnonzero(drawn):
        drawn[i] = _has_an_edge(light, labels, i + 1, boxes[i])
    if not drawn.any():
        if side.max() < 2 * least_side:
            raise _none(f"specks alone, the largest of {side.max()} pixels", "come closer")
        raise _none("the edge of a sheet or of a shadow alone", "crop the picture to the paper")
    main = int(np.argmax(np.where(drawn, weight, 0)))
    height = stop[:, 0] - start[:, 0]
    like = drawn & (height > 0.6 * height[main]) & (height < 1.6 * height[main])
    like &= (thick > 0.5 * thick[main]) & (thick < 2 * thick[main])
    shared = np.minimum(stop, stop[main])[:, 0] - np.maximum(start, start[main])[:, 0]
    beside = like & (shared > 0.5 * np.minimum(height, height[main]))
    firsts = [main]
    for i in np.flatnonzero(beside):  # not over one another: another digit, no stroke of one
        if all(start[i, 1] > stop[j, 1] or stop[i, 1] < start[j, 1] for j in firsts):
            firsts.append(int(i))
    firsts.sort(key=lambda i: start[i, 1])
    gaps = np.array(
        [np.hypot(*np.maximum(start - stop[i], start[i] - stop).clip(0).T) for i in firsts]
    )
    owner = gaps.argmin(axis=0)
    own = (inside | drawn) & (gaps.min(axis=0) < NEAR * side[main])
    own &= weight > SPECK * weight[main]
    own &= (side < side[main]) | beside  # a frame around is none of its strokes
    apart = (start[:, 1] > stop[main, 1]) | (stop[:, 1] < start[main, 1])
    own &= ~apart | (height < 0.6 * height[main])  # a cell's line is none either
    own[firsts], owner[firsts] = True, np.arange(len(firsts))
    digits = np.r_[0, np.where(own, owner + 1, 0)][labels]
    return digits, ndimage.find_objects(digits), int((like & ~own).sum())


def _has_an_edge(light, labels, label, box) -> bool:
    """Whether the paper is lighter on all sides, as it is not at the corner of a sheet."""
    reach = 2 + max(light.shape) // 200
    around = tuple(slice(max(0, part.start - reach), part.stop + reach) for part in box)
    light, strokes = light[around], labels[around] == label
    wide, wider = (ndimage.binary_dilation(strokes, iterations=n) for n in (reach - 1, reach))
    steps = light[wider & ~wide] - np.median(light[strokes])
    return np.median(steps) > 0 and np.mean(steps > 0.4 * np.median(steps)) > 0.7


def _none(received: str, what_to_do: str) -> LabError:
    return LabError(
        f"the photo must show one digit, or several in a line, that stand out from the paper, "
        f"found {received}: {what_to_do}."
    )
