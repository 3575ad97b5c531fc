"""Read a photograph, whatever it may be, as a grey image of bounded size."""

import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from ae_lab.errors import LabError

FORMATS = ("PNG", "JPEG", "WEBP")
LARGEST_PIXELS = 60_000_000  # what a good telephone takes; unpacked, 180 MB
LARGEST_BYTES = 100_000_000
WORKING_SIDE = 640  # pixels of the longer side: a digit needs far fewer


def read_photo(path: str | Path) -> np.ndarray:
    """The photograph as floats (height, width) in [0, 1], its longer side at most 640 pixels.

    Turned upright as the camera says; what is transparent becomes paper.

    Parameters
    ----------
    path : a PNG, JPEG or WebP file; a LabError if it cannot be read, or is too large.
    """
    path = Path(path)
    if not path.is_file():
        raise LabError(f"the photo must be a file, found none at {path}: correct the path.")
    size = path.stat().st_size
    if size == 0:
        raise _wrong(path, "an image in PNG, JPEG or WebP", "an empty file")
    if size > LARGEST_BYTES:
        raise _wrong(path, f"a file of at most {LARGEST_BYTES:,} bytes", f"{size:,}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path, formats=FORMATS) as image:
                if image.width * image.height > LARGEST_PIXELS:  # before anything is unpacked
                    raise _too_large(path, f"{image.width}x{image.height}")
                return _as_grey(image)
    except LabError:
        raise
    except UnidentifiedImageError:
        raise _wrong(path, "an image in PNG, JPEG or WebP", "something else") from None
    except Image.DecompressionBombError:
        raise _too_large(path, "far more") from None
    except Exception as error:  # damaged pixels or EXIF data raise many kinds
        raise _wrong(path, "a whole image", f"a damaged one ({error})") from None


def _as_grey(image: Image.Image) -> np.ndarray:
    image.draft("L", (2 * WORKING_SIDE, 2 * WORKING_SIDE))  # a JPEG can be read smaller at once
    image.load()
    if image.mode in ("I", "I;16", "I;16B", "I;16L", "F"):
        grey = np.asarray(image, np.float32)
        image = Image.fromarray(np.uint8(255 * grey / max(float(grey.max()), 1.0)))
    image = ImageOps.exif_transpose(image)
    if image.mode in ("P", "PA", "LA", "La", "RGBa", "RGBA"):
        image = _on_paper(image.convert("RGBA"))
    grey = image.convert("L")
    grey.thumbnail((WORKING_SIDE, WORKING_SIDE), Image.Resampling.BOX)
    return np.asarray(grey, np.float32) / np.float32(255)


def _on_paper(image: Image.Image) -> Image.Image:
    """Lay an image with transparency on paper that its ink stands out from."""
    image.thumbnail((2 * WORKING_SIDE,) * 2, Image.Resampling.BOX)  # floats of all pixels are large
    pixels = np.asarray(image.convert("LA"), np.float32)
    ink = np.average(pixels[..., 0], weights=pixels[..., 1] + 1e-6)
    paper = Image.new("RGBA", image.size, "white" if ink < 128 else "black")
    return Image.alpha_composite(paper, image)


def _too_large(path: Path, received: str) -> LabError:
    return LabError(
        f"{path} must hold at most {LARGEST_PIXELS:,} pixels, received {received}: "
        "make the image smaller; a few hundred pixels a side are enough."
    )


def _wrong(path: Path, expected: str, received: str) -> LabError:
    return LabError(f"{path} must be {expected}, received {received}: take another photo.")
