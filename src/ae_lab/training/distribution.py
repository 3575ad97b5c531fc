"""One training on several devices or processes."""

import contextlib

import keras

from ae_lab.errors import LabError
from ae_lab.validation import check_whole


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy and the backend, before a model is built.

    Memory that Keras holds for the models before it is let go; those models still work.
    """
    keras.utils.clear_session()
    keras.utils.set_random_seed(seed)


@contextlib.contextmanager
def distributed(seed, *, coordinator=None, processes=1, place=0):
    """Seed, then build and train inside: all devices, of all processes, share every batch.

    Each process runs the same program on the same images; ``batch_size`` is that of all of them
    together, a multiple of their devices. JAX takes devices and processes, through
    ``keras.distribution``; TensorFlow the devices of one process, through ``tf.distribute``: Keras
    3's ``fit`` does not run under its strategy for several (keras-team/keras #20585).

    Parameters
    ----------
    seed : as of ``seed_everything``, the same in every process.
    coordinator : "host:port" on which the first process listens to the others.
    processes, place : how many there are, and which of them this is, from 0.

    Raises
    ------
    LabError
        If the backend has no such training.
    """
    backend = keras.backend.backend()
    if backend != "jax" and (backend != "tensorflow" or processes > 1):
        raise LabError(
            f"training must run on jax to be shared among {check_whole(processes, 'processes')} "
            f"processes' devices, received {backend}: set KERAS_BACKEND to jax (tensorflow will "
            "do for the devices of one process)."
        )
    if processes > 1:
        keras.distribution.initialize(coordinator, processes, place)
    seed_everything(seed)
    with _all_devices(backend):
        yield


def _all_devices(backend):
    if backend == "tensorflow":
        import tensorflow

        devices = [device.name for device in tensorflow.config.list_logical_devices("CPU")]
        if tensorflow.config.list_logical_devices("GPU"):
            devices = None  # the strategy's own choice: every one of them
        return tensorflow.distribute.MirroredStrategy(devices).scope()
    devices = keras.distribution.list_devices()
    return keras.distribution.DataParallel(devices=devices, auto_shard_dataset=False).scope()


def own_share(index, batch_size):
    """This process's part of every batch, and how many rows of a batch that is."""
    if not keras.distribution.distribution():
        return index, batch_size
    import jax  # whose backend alone knows of distributions

    processes = jax.process_count()
    if processes == 1:
        return index, batch_size
    if batch_size % processes:
        raise LabError(
            f"batch_size must be a multiple of the {processes} processes that share it, "
            f"received {batch_size}: choose one."
        )
    batches = index.reshape(-1, processes, batch_size // processes)
    return batches[:, jax.process_index()].ravel(), batch_size // processes
