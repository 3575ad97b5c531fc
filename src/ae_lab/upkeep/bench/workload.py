"""What both sides of a row are told: sizes, batches and epochs; and the images they load for it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Workload:
    """The sizes of one piece of work.

    Parameters
    ----------
    epochs : how many will be run at most, the one that warms up included.
    images : how many of the training images; None for all.
    height : of the images in pixels, and their width: 28 or a multiple or even part of it.
    batch_size, latent_dim, hidden : of the network.
    target : loss on the test images at which a training ends; 0 for one that is timed by epochs.
    small : a try-out in seconds, whose figures mean nothing.
    """

    epochs: int = 6
    images: int | None = None
    height: int = 28
    batch_size: int = 256
    latent_dim: int = 32
    hidden: tuple[int, ...] = ()
    target: float = 0.0
    small: bool = False

    def load(self):
        """The training images (n, height, height, 1), float32 in [0, 1], and labels (n,)."""
        from ae_lab.data import load_mnist

        mnist = load_mnist()
        images = resized(mnist.x_train[: self.images], self.height)
        return images, mnist.y_train[: self.images]

    def load_flat(self):
        """The training images as rows (n, pixels), as most tutorials want them."""
        images, _ = self.load()
        return images.reshape(len(images), -1)

    def load_test(self):
        """The test images (n, 28, 28, 1); in a try-out only some."""
        from ae_lab.data import load_mnist

        return load_mnist().x_test[: 200 if self.small else None]


def resized(images, height: int):
    """Every n-th pixel, or every pixel n times: the amount of work is what counts here."""
    now = images.shape[1]
    if height < now:
        return images[:, :: now // height, :: now // height].copy()
    return images.repeat(height // now, axis=1).repeat(height // now, axis=2)
