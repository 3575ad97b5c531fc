"""What the formats made for photographs do to digits, in bytes and in error."""

import io

import numpy as np
from PIL import Image

from ae_lab.errors import LabError
from ae_lab.evaluation.reconstruction import sse_per_image
from ae_lab.validation import check_images, check_whole


def bytes_and_error(x, file_format: str, quality: int, columns: int = 20) -> tuple[float, float]:
    """(bytes an image, squared error an image) of grey images x packed as one mosaic.

    One file for all: the few hundred bytes of its header are shared, which is the kindest way to
    treat a format made for large pictures. ``file_format`` is one of Pillow's names, such as
    "JPEG" or "WEBP"; "PNG" loses nothing and heeds no ``quality`` (1 to 100).

    Raises
    ------
    LabError
        If x holds no grey images, or their number is no multiple of ``columns``.
    """
    mosaic, packed = _mosaic(check_images(x), check_whole(columns, "columns")), io.BytesIO()
    Image.fromarray(mosaic).save(packed, format=file_format, quality=quality, optimize=True)
    again = np.asarray(Image.open(packed).convert("L"), np.float32) / 255
    height, width = x.shape[1:3]
    tiles = again.reshape(-1, height, columns, width).swapaxes(1, 2)
    return len(packed.getvalue()) / len(x), sse_per_image(x, tiles.reshape(x.shape))


def _mosaic(x, columns):
    if x.shape[3] != 1 or len(x) % columns:
        raise LabError(
            f"x must hold grey images, a multiple of {columns} of them, received {x.shape}: "
            "hand in fewer."
        )
    rows = np.uint8(np.round(255 * x[..., 0])).reshape(-1, columns, *x.shape[1:3])
    return rows.swapaxes(1, 2).reshape(-1, columns * x.shape[2])
