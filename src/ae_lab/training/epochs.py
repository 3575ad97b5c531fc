"""The run of a training program: its steps and rates, its epochs, and the watch over them."""

import logging
import math
from dataclasses import dataclass

import keras
import numpy as np

from ae_lab.errors import LabError
from ae_lab.training.distribution import own_share
from ae_lab.training.program import compiles_well, let_go, reconstruction, refill
from ae_lab.training.whole import WholeEpochs, can_loop, endless
from ae_lab.validation import check_between, check_whole

WORTH_COMPILING = 1_000  # steps: with fewer, XLA compiles for longer than it saves


@dataclass(frozen=True)
class Plan:
    """The numbers of a training, as `fit` explains them.

    Raises
    ------
    LabError
        If one is out of range.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float

    def __post_init__(self):
        check_whole(self.epochs, "epochs")
        check_whole(self.batch_size, "batch_size")
        check_between(self.learning_rate, "learning_rate", 0, math.inf)
        check_between(self.weight_decay, "weight_decay", 0, math.inf)

    def optimizer(self, steps):
        """Adam, whose rate falls to 0 along half a cosine of so many steps."""
        schedule = keras.optimizers.schedules.CosineDecay(self.learning_rate, steps)
        if self.weight_decay:
            return keras.optimizers.AdamW(schedule, weight_decay=self.weight_decay)
        return keras.optimizers.Adam(schedule)


def run(program, images, validation_images, plan, on_epoch):
    """Train on what the program holds; its history, a list a name."""
    watch = _Watch(math.ceil(images / plan.batch_size), on_epoch)
    return _run(program, images, validation_images, plan, watch)


def run_shards(program, shards, plan, on_epoch):
    """The same where the program holds one shard at a time: each is a pass of its own."""
    watch = _ShardWatch(math.ceil(shards.images / plan.batch_size), on_epoch, program, shards)
    return _run(program, shards.images, len(shards.validation), plan, watch)


def _run(program, images, validation_images, plan, watch):
    program = _compiled(program, plan, watch.steps, plan.epochs * watch.passes)
    try:
        _fit(program, images, validation_images, plan, watch)
        return watch.history
    finally:
        let_go(program)


def _compiled(program, plan, steps, passes):
    """The program, ready for so many passes of so many steps."""
    # Each training is a new program; TensorFlow takes that for carelessness and warns at length.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    eager = keras.backend.backend() == "torch"  # which knows neither of the two below
    jit_compile = not eager and passes * steps >= WORTH_COMPILING and compiles_well(program)
    if whole := can_loop():
        program = WholeEpochs(program, plan.batch_size)
    program.compile(
        optimizer=plan.optimizer(passes * steps),
        metrics=[keras.metrics.MeanMetricWrapper(reconstruction, name="reconstruction")],
        jit_compile=jit_compile,
        steps_per_execution=1 if eager or whole else steps,
    )
    return program


def _fit(program, images, validation_images, plan, watch):
    """Go over what the program holds, once a pass; validate after the last of each epoch."""
    index = np.arange(images + validation_images, dtype="int32")
    train, held_out = _whole_batches(index[:images], plan.batch_size), index[images:]
    at_once = min(validation_images, 1_000)
    if isinstance(program, WholeEpochs):
        fed = endless(train, held_out, at_once)
    else:
        train, share = own_share(train, plan.batch_size)
        fed = {
            "x": train,
            "y": train,  # a metric is only asked where there is a target
            "validation_data": (held_out, held_out) if validation_images else None,
            "validation_batch_size": at_once,
            "batch_size": share,
        }
    passes = {"epochs": plan.epochs * watch.passes, "validation_freq": watch.passes}
    program.fit(**fed, **passes, callbacks=[watch], verbose=0)


def _whole_batches(index, batch_size):
    """Fill the last batch up from the front: a batch of another size is compiled anew."""
    return np.resize(index, math.ceil(len(index) / batch_size) * batch_size)


class _Watch(keras.callbacks.Callback):
    """Keeps each epoch's figures and passes them on; stops a training that diverged."""

    passes = 1  # over what the program holds, an epoch

    def __init__(self, steps, on_epoch):
        super().__init__()
        self.steps, self.on_epoch = steps, on_epoch
        self.history, self.seen = {}, []

    def on_epoch_end(self, epoch, logs=None):
        """Keras's epoch is one of our passes."""
        if not math.isfinite(logs["loss"]):
            raise LabError(
                f"training diverged: the loss must stay finite, received {logs['loss']} in epoch "
                f"{epoch // self.passes + 1}, in one of the steps {epoch * self.steps + 1:,} to "
                f"{(epoch + 1) * self.steps:,}; lower the learning rate."
            )
        self.seen.append(logs)
        if len(self.seen) < self.passes:
            return
        figures = _mean_of(self.seen)
        self.seen = []
        for name, value in figures.items():
            self.history.setdefault(name, []).append(value)
        if self.on_epoch:
            self.on_epoch(epoch // self.passes, figures)


class _ShardWatch(_Watch):
    """Before each pass has the program hold another shard, in a new order each epoch."""

    def __init__(self, steps, on_epoch, program, shards):
        super().__init__(steps, on_epoch)
        self.program, self.shards, self.passes = program, shards, len(shards)

    def on_epoch_begin(self, epoch, logs=None):
        if epoch % self.passes == 0:
            self.order = np.random.permutation(self.passes)
        refill(self.program, self.shards[self.order[epoch % self.passes]])


def _mean_of(passes):
    """An epoch's figures from its passes'; only the last has been validated."""
    return {
        name: float(np.mean([logs[name] for logs in passes if name in logs])) for name in passes[-1]
    }
