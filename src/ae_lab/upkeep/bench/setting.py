"""What both sides of a row are told: sizes, batches and how many epochs."""

import json
from dataclasses import asdict, dataclass

import numpy as np


@dataclass(frozen=True)
class Setting:
    """The sizes of one piece of work.

    Parameters
    ----------
    epochs : how many will be run at most, the one that warms up included.
    images : how many of the training images; None for all.
    side : height and width of the images in pixels, 28 or a multiple or even part of it.
    batch_size, latent_dim, hidden : of the network.
    target : of a run that ends when a loss on the test images is reached.
    small : a try-out in seconds, whose figures mean nothing.
    """

    epochs: int = 6
    images: int | None = None
    side: int = 28
    batch_size: int = 256
    latent_dim: int = 32
    hidden: tuple[int, ...] = ()
    target: float = 0.0
    small: bool = False

    def to_json(self) -> str:
        """One line, for the command of another process."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, line: str) -> "Setting":
        """What ``to_json`` wrote."""
        fields = json.loads(line)
        return cls(**fields | {"hidden": tuple(fields["hidden"])})


def load(setting: Setting) -> tuple[np.ndarray, np.ndarray]:
    """The training images (n, side, side, 1), float32 in [0, 1], and their labels (n,)."""
    from ae_lab.data import load_mnist

    mnist = load_mnist()
    return resized(mnist.x_train[: setting.images], setting.side), mnist.y_train[: setting.images]


def load_flat(setting: Setting) -> np.ndarray:
    """The training images as rows (n, pixels), as most tutorials want them."""
    images, _ = load(setting)
    return images.reshape(len(images), -1)


def load_test(setting: Setting) -> np.ndarray:
    """The test images (n, side, side, 1); in a try-out only some."""
    from ae_lab.data import load_mnist

    return resized(load_mnist().x_test[: 200 if setting.small else None], setting.side)


def resized(images: np.ndarray, side: int) -> np.ndarray:
    """Every n-th pixel, or every pixel n times: the amount of work is what counts here."""
    height = images.shape[1]
    if side < height:
        step = height // side
        return np.ascontiguousarray(images[:, ::step, ::step])
    times = side // height
    return images if times == 1 else images.repeat(times, axis=1).repeat(times, axis=2)
