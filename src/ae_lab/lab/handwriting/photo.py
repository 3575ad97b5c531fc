"""Read a photo, in any common format, as a grey image of limited size."""

import contextlib
import re
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError
from scipy import ndimage

from ae_lab.errors import LabError

with contextlib.suppress(ImportError):  # the extra "heic"
    import pillow_heif

    pillow_heif.register_heif_opener()

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF")  # where Pillow has them
EXPECTED = "an image in PNG, JPEG, WebP, GIF, BMP, TIFF or AVIF"
SAVE = "save it as JPEG or PNG"
OTHERS = {  # what the first bytes of a file of another kind hold: what it is, and what to do
    b"ftyp": ("a HEIC image or a video", "save it as JPEG (on an iPhone: Settings, Camera, "
              'Formats, Most Compatible), or install pillow-heif: pip install "ae_lab[heic]"'),
    b"%pdf": ("a PDF", "save the page as JPEG or PNG, or take a screenshot of it"),
    b"<svg": ("an SVG drawing", "export it as PNG"),
    b"html": ("a web page", "save the picture itself, not the page that shows it"),
}  # fmt: skip
LARGEST_PIXELS = 60_000_000  # what a good phone camera produces; 600 MB with transparency
MOST_SCANS = 100  # of a JPEG; each is decoded over all pixels, and a progressive one has about ten
# In the data of a scan, ff is followed by 00 or the number of a restart; ff 01 has no length.
MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd7\xff]")
START_OF_SCAN, END_OF_IMAGE = b"\xff\xda", b"\xff\xd9"
LARGEST_BYTES = 100_000_000
WORKING_SIDE = 640  # pixels of the longer side: a digit needs far fewer


def read_photo(path: str | Path) -> np.ndarray:
    """The photo as grey floats (height, width) in [0, 1], at most 640 pixels on the longer side.

    It is rotated according to its EXIF data, and transparent areas become paper. If ink and paper
    are about equally light, the colour channel with the most contrast is used.

    Parameters
    ----------
    path : a PNG, JPEG, WebP, GIF, BMP, TIFF or AVIF file, or HEIC with pillow-heif installed. If it
        has several pictures, the first is used. A LabError if it cannot be read or is too large.
    """
    path = Path(path)
    if not path.is_file():
        raise LabError(f"the photo must be a file, found none at {path}: correct the path.")
    size = path.stat().st_size
    if size == 0:
        raise _wrong(path, EXPECTED, "an empty file", "take another photo")
    if size > LARGEST_BYTES:
        raise _wrong(path, f"a file of at most {LARGEST_BYTES:,} bytes", f"{size:,}", SAVE)
    Image.init()
    formats = [name for name in FORMATS if name in Image.OPEN]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of large images and odd metadata
            with Image.open(path, formats=formats) as image:
                if image.width * image.height > LARGEST_PIXELS:  # before anything is unpacked
                    raise _too_large(path, f"{image.width}x{image.height}")
                jpeg = image.format in ("JPEG", "MPO")  # MPO: a JPEG that contains several
                scans = _scans(path.read_bytes()) if jpeg else 1
                if scans > MOST_SCANS:
                    raise _wrong(path, f"a JPEG of at most {MOST_SCANS} scans", f"{scans}", SAVE)
                return _as_grey(image)
    except LabError:
        raise
    except UnidentifiedImageError:
        with path.open("rb") as file:
            begin = file.read(1_000).lower()
        kinds = (OTHERS[key] for key in OTHERS if key in begin)
        raise _wrong(path, EXPECTED, *next(kinds, ("something else", SAVE))) from None
    except Image.DecompressionBombError:
        raise _too_large(path, "too many pixels") from None
    except Exception as error:  # damaged pixels or EXIF data raise many types of exception
        raise _wrong(path, "a whole image", f"a damaged one ({error})", SAVE) from None


def _scans(jpeg: bytes) -> int:
    """The number of scans of the first image; after it, a file may contain others, or a video."""
    place, scans = 2, 0
    while marker := MARKER.search(jpeg, place):
        place = marker.end() + int.from_bytes(jpeg[marker.end() : marker.end() + 2])
        if marker[0] == END_OF_IMAGE:
            break
        scans += marker[0] == START_OF_SCAN
    return scans


def _as_grey(image: Image.Image) -> np.ndarray:
    image.draft("RGB", (2 * WORKING_SIDE,) * 2)  # a JPEG can be decoded at a smaller size
    image.load()
    if image.mode in ("I", "I;16", "I;16B", "I;16L", "F"):
        grey = np.asarray(image)
        image = Image.fromarray(np.uint8(grey * np.float32(255 / max(float(grey.max()), 1.0))))
    elif image.mode in ("1", "P", "PA"):  # cannot be averaged
        image = image.convert("L" if image.mode == "1" else "RGBA")
    image.thumbnail((2 * WORKING_SIDE,) * 2, Image.Resampling.BOX)  # the rest needs far more memory
    image = ImageOps.exif_transpose(image)
    if image.mode in ("LA", "La", "RGBa", "RGBA"):
        image = _on_paper(image.convert("RGBA"))
    image = image.convert("RGB")
    image.thumbnail((WORKING_SIDE, WORKING_SIDE), Image.Resampling.BOX)
    planes = [image.convert("L"), *image.split()]
    planes = np.stack([np.asarray(plane, np.float32) for plane in planes])
    some = planes[:, ::2, ::2]
    rest = np.abs(some - ndimage.gaussian_filter(some, max(image.size) / 40, axes=(1, 2)))
    contrasts = np.quantile(rest, 0.995, axis=(1, 2))  # of the few pixels that differ most
    best = contrasts.argmax() if contrasts.max() > 2 * contrasts[0] else 0
    return planes[best] / np.float32(255)


def _on_paper(image: Image.Image) -> Image.Image:
    """Put an image with transparency on white or black paper, whichever differs from its ink."""
    pixels = np.asarray(image.convert("LA"), np.float32)
    ink = np.average(pixels[..., 0], weights=pixels[..., 1] + 1e-6)
    paper = Image.new("RGBA", image.size, "white" if ink < 128 else "black")
    return Image.alpha_composite(paper, image)


def _too_large(path: Path, received: str) -> LabError:
    return LabError(
        f"{path} must hold at most {LARGEST_PIXELS:,} pixels, received {received}: "
        "make the image smaller; a few hundred pixels per side are enough."
    )


def _wrong(path: Path, expected: str, received: str, what_to_do: str) -> LabError:
    return LabError(f"{path} must be {expected}, received {received}: {what_to_do}.")
