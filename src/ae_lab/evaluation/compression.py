"""What image formats made for photographs do to digits, in bytes and in error."""

import io

import numpy as np
from PIL import Image

from ae_lab.errors import LabError
from ae_lab.evaluation.reconstruction import sse_per_image
from ae_lab.validation import check_images, check_whole


def bytes_and_error(
    x: np.ndarray, file_format: str, quality: int, columns: int = 20
) -> tuple[float, float]:
    """(bytes per image, squared error per image) of grey images packed as one mosaic.

    All are in one file, so that they share the few hundred bytes of its header: the treatment
    that favours a format made for large pictures most.

    Parameters
    ----------
    x : float images (n, height, width, 1) in [0, 1].
    file_format : one of Pillow's names, such as "JPEG" or "WEBP"; "PNG" loses nothing.
    quality : from 1 to 100; "PNG" ignores it.
    columns : images per row of the mosaic; n must be a multiple of it.
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
            "pass fewer."
        )
    rows = np.uint8(np.round(255 * x[..., 0])).reshape(-1, columns, *x.shape[1:3])
    return rows.swapaxes(1, 2).reshape(-1, columns * x.shape[2])
