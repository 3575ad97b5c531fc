"""The engine "plain": training as a Keras reader knows it, compile and fit.

`training.fit` checks its arguments and calls `fit_plainly` for ``engine="plain"``.
`training.fast` takes the same `Plan`, gives the same results, and is harder to read.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import keras

from ae_lab.errors import LabError
from ae_lab.training.batches import Batches, Examples, loss_itself, orders, whole_batches
from ae_lab.validation import check_between, check_whole


@dataclass(frozen=True)
class Plan:
    """The numbers of a training, as `fit` explains them."""

    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    on_epoch: Callable | None = None

    def __post_init__(self):
        check_whole(self.epochs, "epochs")
        check_whole(self.batch_size, "batch_size")
        check_between(self.learning_rate, "learning_rate", 0, math.inf)
        check_between(self.weight_decay, "weight_decay", 0, math.inf)

    def optimizer(self, steps: int) -> keras.Optimizer:
        """Adam whose rate falls to 0 along half a cosine, with so many steps per epoch."""
        rate = keras.optimizers.schedules.CosineDecay(self.learning_rate, self.epochs * steps)
        if self.weight_decay:
            return keras.optimizers.AdamW(rate, weight_decay=self.weight_decay)
        return keras.optimizers.Adam(rate)


def fit_plainly(model, examples: Examples, loss, plan: Plan, transform, history: "History") -> None:
    """The engine "plain": compile and fit.

    Parameters
    ----------
    model : a Keras model of images; where ``loss`` is None, one that adds its loss itself and
        gives it per image.
    examples : training and validation rows.
    loss : function of (targets, outputs), one number per image, or None.
    plan : numbers of the training.
    transform : layer through which each batch goes, or None.
    history : callback that keeps the figures.
    """
    if transform:
        model, loss = _behind(transform, model, loss, examples.targets is None)
    rows = whole_batches(examples.count, plan.batch_size)
    steps = len(rows) // plan.batch_size
    shown = keras.metrics.MeanMetricWrapper(loss or loss_itself, name="reconstruction")
    model.compile(plan.optimizer(steps), loss, metrics=[shown])
    model.fit(
        Batches(examples.batch, orders(rows, plan.epochs), plan.batch_size),
        steps_per_epoch=steps,
        epochs=plan.epochs,
        validation_data=examples.batch(slice(examples.count, None)),
        validation_batch_size=1_000,
        callbacks=[history],
        shuffle=False,  # the batches bring their order
        verbose=0,
    )


class History(keras.callbacks.Callback):
    """Keeps each epoch's figures and passes them on; stops a training that diverged."""

    def __init__(self, plan: Plan, steps: int):
        super().__init__()
        self.plan, self.steps, self.figures = plan, steps, {}

    def on_epoch_end(self, epoch, logs=None):
        logs = {name: float(value) for name, value in logs.items()}
        if not math.isfinite(logs["loss"]):
            raise LabError(
                f"training diverged: the loss must stay finite, received {logs['loss']} in epoch "
                f"{epoch + 1}, in one of the steps {epoch * self.steps + 1:,} to "
                f"{(epoch + 1) * self.steps:,}; lower the learning rate."
            )
        for name, value in logs.items():
            self.figures.setdefault(name, []).append(value)
        if self.plan.on_epoch:
            self.plan.on_epoch(epoch, logs)


def _behind(transform, model, loss, is_target: bool) -> tuple:
    """``model`` behind ``transform``, whose result the loss compares with if it is the target."""
    x = keras.Input(model.input_shape[1:])
    seen = transform(x)
    if loss is None or not is_target:
        return keras.Model(x, model(seen)), loss
    both = keras.ops.stack([seen, model(seen)], axis=1)
    return keras.Model(x, both), lambda _, both: loss(both[:, 0], both[:, 1])
