"""The engine "plain": training as a Keras reader knows it, compile and fit."""

import math

import keras

from ae_lab.errors import LabError
from ae_lab.training.batches import Plan

MOMENTUM = 0.9


def fit_plainly(model: keras.Model, plan: Plan, history: "History") -> None:
    """Train ``model`` as ``plan`` says, while ``history`` keeps the figures."""
    loss = plan.loss
    if plan.transform:
        model, loss = _behind(plan.transform, model, loss, plan.targets is None)
    measure = loss or (lambda _, output: output)  # without a loss the output is the loss itself
    shown = keras.metrics.MeanMetricWrapper(measure, name="reconstruction")
    model.compile(optimizer_of(plan), loss, metrics=[shown])
    model.fit(
        plan.batches(plan.batch),
        steps_per_epoch=plan.steps,
        epochs=plan.epochs,
        validation_data=plan.batch(slice(plan.count, None)),
        validation_batch_size=1_000,
        callbacks=[history],
        shuffle=False,  # the batches bring their order
        verbose=0,
    )


def optimizer_of(plan: Plan) -> keras.Optimizer:
    """Adam, or steps with momentum, at a rate that falls to 0 along half a cosine (``plan``)."""
    rate = keras.optimizers.schedules.CosineDecay(plan.learning_rate, plan.epochs * plan.steps)
    decay = plan.weight_decay or None
    if plan.optimizer == "sgd":
        return keras.optimizers.SGD(rate, momentum=MOMENTUM, weight_decay=decay)
    return keras.optimizers.Adam(rate, weight_decay=decay)


class History(keras.callbacks.Callback):
    """Keeps the figures of each epoch of ``plan`` and passes them on; stops if they diverge."""

    def __init__(self, plan: Plan):
        super().__init__()
        self.plan, self.figures = plan, {}

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Keras calls this with the number of the ``epoch`` and its figures, the ``logs``."""
        logs = {name: float(value) for name, value in logs.items()}
        if not math.isfinite(logs["loss"]):
            raise LabError(
                f"training diverged: the loss must stay finite, received {logs['loss']} in epoch "
                f"{epoch + 1}, in one of the steps {epoch * self.plan.steps + 1:,} to "
                f"{(epoch + 1) * self.plan.steps:,}; lower the learning rate."
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
