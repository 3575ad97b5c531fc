"""The engine "plain": training with Keras's ``compile`` and ``fit``."""

import math

import keras

from ae_lab.errors import LabError
from ae_lab.training.batches import Plan

MOMENTUM = 0.9


def fit_plainly(model: keras.Model, plan: Plan, history: "History") -> None:
    """Train ``model`` as described by ``plan``; ``history`` records the losses."""
    loss = plan.loss
    if plan.transform:
        model, loss = _behind(plan.transform, model, loss, plan.targets is None)
    measure = loss or (lambda _, output: output)  # without a loss function, the output is the loss
    shown = keras.metrics.MeanMetricWrapper(measure, name="reconstruction")
    model.compile(optimizer_of(plan), loss, metrics=[shown])
    model.fit(
        plan.batches(plan.batch),
        steps_per_epoch=plan.steps,
        epochs=plan.epochs,
        validation_data=plan.batch(slice(plan.count, None)),
        validation_batch_size=1_000,
        callbacks=[history],
        shuffle=False,  # the batches are already in random order
        verbose=0,
    )


def optimizer_of(plan: Plan) -> keras.Optimizer:
    """Adam, or gradient descent with momentum, with the cosine learning rate of ``plan``."""
    rate = keras.optimizers.schedules.CosineDecay(plan.learning_rate, plan.epochs * plan.steps)
    decay = plan.weight_decay or None
    if plan.optimizer == "sgd":
        return keras.optimizers.SGD(rate, momentum=MOMENTUM, weight_decay=decay)
    return keras.optimizers.Adam(rate, weight_decay=decay)


class History(keras.callbacks.Callback):
    """Records the losses of each epoch and calls ``plan.on_epoch``; stops if the loss diverges."""

    def __init__(self, plan: Plan):
        super().__init__()
        self.plan, self.figures = plan, {}

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Called by Keras with the number of the ``epoch`` and its losses, the ``logs``."""
        logs = {name: float(value) for name, value in logs.items()}
        if not math.isfinite(logs["loss"]):
            raise LabError(
                f"training diverged: the loss must stay finite, received {logs['loss']} in epoch "
                f"{epoch + 1} (steps {epoch * self.plan.steps + 1:,} to "
                f"{(epoch + 1) * self.plan.steps:,}); lower the learning rate."
            )
        for name, value in logs.items():
            self.figures.setdefault(name, []).append(value)
        if self.plan.on_epoch:
            self.plan.on_epoch(epoch, logs)


def _behind(transform, model, loss, is_target: bool) -> tuple:
    """``model`` applied after ``transform``; the loss compares with the transformed images."""
    x = keras.Input(model.input_shape[1:])
    seen = transform(x)
    if loss is None or not is_target:
        return keras.Model(x, model(seen)), loss
    both = keras.ops.stack([seen, model(seen)], axis=1)
    return keras.Model(x, both), lambda _, both: loss(both[:, 0], both[:, 1])
