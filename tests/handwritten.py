"""Artificial photos of handwritten digits: pen strokes on paper, on a table, with uneven light.

The functions use a random generator ``rng``. Images are floats (height, width) in [0, 1].
"""

import numpy as np
from scipy import ndimage
from scipy.interpolate import CubicSpline
from skimage.draw import line
from skimage.transform import ProjectiveTransform, warp

# strokes as points (x, y), y downwards, height 1; a stroke is a smooth curve through its points
FORMS = {
    "0": [[[(0.33, 0), (0.08, 0.2), (0.02, 0.55), (0.15, 0.9), (0.35, 1), (0.57, 0.85),
            (0.64, 0.45), (0.52, 0.1), (0.32, 0.01)]]],
    "1": [[[(0.3, 0), (0.29, 0.5), (0.28, 1)]],
          [[(0.12, 0.24), (0.25, 0.12), (0.34, 0)], [(0.34, 0), (0.33, 0.5), (0.33, 1)]]],
    "2": [[[(0.04, 0.24), (0.15, 0.04), (0.4, 0.01), (0.56, 0.2), (0.45, 0.48), (0.2, 0.78),
            (0.02, 1)], [(0.02, 1), (0.3, 0.98), (0.62, 0.98)]],
          [[(0.06, 0.2), (0.25, 0.01), (0.5, 0.1), (0.5, 0.35), (0.3, 0.7), (0.1, 0.93),
            (0.05, 0.85), (0.2, 0.83), (0.4, 0.97), (0.65, 0.93)]]],
    "3": [[[(0.06, 0.12), (0.25, 0), (0.48, 0.08), (0.5, 0.28), (0.22, 0.45)],
           [(0.22, 0.45), (0.5, 0.53), (0.58, 0.75), (0.4, 0.97), (0.18, 1), (0.02, 0.86)]]],
    "4": [[[(0.22, 0), (0.12, 0.3), (0.03, 0.58)], [(0.03, 0.58), (0.3, 0.57), (0.62, 0.55)],
           [(0.46, 0.22), (0.43, 0.6), (0.41, 1)]],
          [[(0.45, 0), (0.2, 0.35), (0.01, 0.66)], [(0.01, 0.66), (0.3, 0.65), (0.64, 0.64)],
           [(0.45, 0), (0.45, 0.5), (0.44, 1)]]],
    "5": [[[(0.55, 0.01), (0.3, 0.02), (0.12, 0.02)], [(0.12, 0.02), (0.1, 0.25), (0.08, 0.43)],
           [(0.08, 0.43), (0.3, 0.36), (0.54, 0.52), (0.56, 0.8), (0.3, 1), (0.02, 0.9)]]],
    "6": [[[(0.46, 0), (0.2, 0.25), (0.04, 0.62), (0.14, 0.95), (0.4, 0.98), (0.55, 0.76),
            (0.4, 0.55), (0.18, 0.6), (0.06, 0.78)]]],
    "7": [[[(0.02, 0.03), (0.3, 0.02), (0.6, 0.02)], [(0.6, 0.02), (0.4, 0.45), (0.24, 1)]],
          [[(0.02, 0.03), (0.3, 0.02), (0.6, 0.02)], [(0.6, 0.02), (0.4, 0.45), (0.24, 1)],
           [(0.18, 0.5), (0.38, 0.48), (0.56, 0.47)]]],
    "8": [[[(0.5, 0.12), (0.3, 0), (0.1, 0.12), (0.13, 0.32), (0.35, 0.48), (0.55, 0.7),
            (0.48, 0.93), (0.27, 1), (0.06, 0.9), (0.08, 0.68), (0.3, 0.48),
            (0.48, 0.3), (0.5, 0.12)]]],
    "9": [[[(0.52, 0.2), (0.32, 0.01), (0.08, 0.15), (0.1, 0.42), (0.32, 0.48), (0.5, 0.3),
            (0.53, 0.14)], [(0.53, 0.14), (0.51, 0.6), (0.42, 1)]]],
    "A": [[[(0, 1), (0.2, 0.5), (0.36, 0)], [(0.36, 0), (0.55, 0.5), (0.72, 1)],
           [(0.15, 0.62), (0.35, 0.6), (0.58, 0.6)]]],
    "H": [[[(0.02, 0), (0.03, 0.5), (0.02, 1)], [(0.62, 0), (0.62, 0.5), (0.63, 1)],
           [(0.02, 0.5), (0.3, 0.49), (0.62, 0.48)]]],
    "K": [[[(0.04, 0), (0.03, 0.5), (0.04, 1)], [(0.58, 0), (0.3, 0.3), (0.05, 0.55)],
           [(0.2, 0.42), (0.4, 0.7), (0.62, 1)]]],
    "M": [[[(0, 1), (0.03, 0.5), (0.08, 0)], [(0.08, 0), (0.25, 0.35), (0.42, 0.7)],
           [(0.42, 0.7), (0.6, 0.35), (0.76, 0)], [(0.76, 0), (0.8, 0.5), (0.84, 1)]]],
    "X": [[[(0.02, 0), (0.3, 0.5), (0.6, 1)], [(0.6, 0), (0.3, 0.5), (0.02, 1)]]],
    "scribble": [[[(0, 0.5), (0.2, 0), (0.35, 0.9), (0.5, 0.1), (0.65, 1), (0.8, 0.2), (0.95, 0.8),
                   (0.3, 0.4), (0.7, 0.55), (0.15, 0.85), (0.9, 0.35), (0.5, 0.6)]]],
}  # fmt: skip


def curve(sign: str, rng) -> np.ndarray:
    """Points (n, 2) of a sign of height 1: one of its forms, with random slant and wobble."""
    slant, wide = rng.normal(0, 0.08), rng.uniform(0.85, 1.15)
    strokes = []
    for stroke in FORMS[sign][rng.integers(len(FORMS[sign]))]:
        points = np.array(stroke) + rng.normal(0, 0.012, (len(stroke), 2))
        along = np.r_[0, np.cumsum(np.hypot(*np.diff(points, axis=0).T))]
        strokes.append(CubicSpline(along, points)(np.linspace(0, along[-1], 200)))
    x, y = np.concatenate(strokes).T
    return np.stack([wide * (x - slant * (y - 0.5)), y], axis=-1)


def pen(points: np.ndarray, height: float, width: float, rng) -> np.ndarray:
    """Ink (h, w) in [0, 1] of a pen through the points; ``height`` and ``width`` in pixels."""
    border = int(np.ceil(width)) + 2
    points = np.round((points - points.min(0)) * height).astype(int) + border
    far = np.ones(tuple(points.max(0)[::-1] + border + 1))
    for (x0, y0), (x1, y1) in zip(points[:-1], points[1:], strict=True):
        if np.hypot(x1 - x0, y1 - y0) < 0.12 * height:  # at a larger distance, the pen was lifted
            far[line(y0, x0, y1, x1)] = 0
    press = ndimage.gaussian_filter(rng.normal(0, 1, far.shape), height / 6)
    press *= 0.12 / max(press.std(), 1e-9)
    return np.clip(width / 2 * (1 + press) - ndimage.distance_transform_edt(far) + 0.5, 0, 1)


def ink_of(sign: str, height: float, width: float, rng) -> np.ndarray:
    return pen(curve(sign, rng), height, width, rng)


def lay(page: np.ndarray, ink: np.ndarray, centre) -> tuple[slice, slice]:
    """Add ink to a page of ink, centred at ``centre`` (row, column); return its place as slices."""
    start = [
        int(np.clip(c - n / 2, 0, size - n))
        for c, n, size in zip(centre, ink.shape, page.shape, strict=True)
    ]
    box = tuple(slice(a, a + n) for a, n in zip(start, ink.shape, strict=True))
    page[box] = np.maximum(page[box], ink)
    return box


def rules(shape, step: float, width: float, *, down: bool = False, offset: float = 0) -> np.ndarray:
    """Ink of horizontal lines, ``step`` pixels apart; with ``down`` also of vertical lines."""
    pages = []
    for n, other in (shape, shape[::-1])[: 1 + down]:
        near = np.abs((np.arange(n) - offset + step / 2) % step - step / 2)
        profile = np.clip(width / 2 - near + 0.5, 0, 1)
        pages.append(np.repeat(profile[:, None], other, axis=1))
    return np.maximum(pages[0], pages[1].T) if down else pages[0]


def photo_of(*inks, paper=0.88, noise=0.01, shade=0.0, blur=0.6, tilt=0.0, rng=None) -> np.ndarray:
    """A photo of paper, whose brightness is ``paper``, with ``inks``, pairs of (ink, darkness).

    ``shade`` is the share of light that is missing at one side. ``tilt`` is from `camera`.
    """
    rng = rng or np.random.default_rng(0)
    shape = inks[0][0].shape
    light = np.full(shape, paper)
    for ink, darkness in inks:
        light *= 1 - darkness * ink
    light = camera(light, tilt, rng)
    y, x = np.meshgrid(*(np.linspace(0, 1, n) for n in shape), indexing="ij")
    turn = rng.uniform(0, 2 * np.pi)
    light = light * (
        1 - shade * np.clip(0.5 + (x - 0.5) * np.cos(turn) + (y - 0.5) * np.sin(turn), 0, 1)
    )
    return np.clip(ndimage.gaussian_filter(light, blur) + rng.normal(0, noise, shape), 0, 1)


def camera(page: np.ndarray, tilt: float, rng, around: float | None = None) -> np.ndarray:
    """A page seen from a slight angle: each corner is moved by up to ``tilt`` of the side."""
    if not tilt:
        return page
    h, w = page.shape
    corners = np.array([(0, 0), (w, 0), (w, h), (0, h)], float)
    moved = corners + rng.uniform(-tilt, tilt, (4, 2)) * (w, h)
    seen = ProjectiveTransform.from_estimate(corners, moved)
    around = {"mode": "edge"} if around is None else {"mode": "constant", "cval": around}
    return warp(page, seen, order=1, **around)


def sheet_on_table(sheet: np.ndarray, table: float, share: float, rng) -> np.ndarray:
    """A slightly rotated sheet on a table; ``share`` is its share of the picture's width."""
    h, w = (int(n / share) for n in sheet.shape)
    grain = ndimage.gaussian_filter(rng.normal(0, 1, (h, w)), (1, 12))
    page = table * (1 + 0.08 * grain / grain.std())
    angle, (rows, columns) = np.deg2rad(rng.uniform(-8, 8)), sheet.shape
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = np.array([h, w]) * rng.uniform(0.46, 0.54, 2)
    start = np.array([rows, columns]) / 2 - turn @ middle
    laid = ndimage.affine_transform(sheet, turn, start, (h, w), order=1, cval=-1)
    inside = ndimage.affine_transform(np.ones_like(sheet), turn, start, (h, w), order=1)
    return np.clip(np.where(inside > 0.99, laid, page), 0, 1)
