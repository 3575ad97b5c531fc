"""Our side: `models` and `training`, as the notebooks use them.

Validation, which ``fit`` insists on, is on one image, so that what is timed is the training.
"""

from ae_lab import evaluation, layers, losses, models, rbm, training
from ae_lab.errors import LabError
from ae_lab.upkeep.bench.setting import load, load_flat, load_test

SEED = 8


def dense(setting, clock):
    """784-32-784, or of other sizes."""
    x, _ = load(setting)
    training.seed_everything(SEED)
    model = models.undercomplete(latent_dim=setting.latent_dim, image_shape=x.shape[1:])
    _fit(model, x, setting, clock)


def deep(setting, clock):
    """784-1000-500-250-30 and back, in GELU units."""
    training.seed_everything(SEED)
    model = models.deep(latent_dim=setting.latent_dim, hidden=setting.hidden)
    _fit(model, load(setting)[0], setting, clock, learning_rate=1e-3)


def variational(setting, clock):
    """Gaussian code, Bernoulli pixels; the loss is the negative evidence lower bound."""
    training.seed_everything(SEED)
    sizes = {"latent_dim": setting.latent_dim, "hidden": setting.hidden, "activation": "relu"}
    _fit(models.variational(**sizes), load(setting)[0], setting, clock, learning_rate=1e-3)


def k_sparse(setting, clock):
    """1,000 linear units of which 25 survive, squared error."""
    training.seed_everything(SEED)
    model = models.sparse(
        bottleneck=layers.KSparse(25),
        latent_dim=setting.latent_dim,
        code_activation="linear",
        output_activation="linear",
    )
    options = {"learning_rate": 1e-3, "loss": losses.squared_error}
    _fit(model, load(setting)[0], setting, clock, **options)


def contractive(setting, clock):
    """A sigmoid code with a price of 0.1 on its Jacobian, which the loss includes."""
    training.seed_everything(SEED)
    model = models.contractive(weight=0.1, latent_dim=setting.latent_dim)
    _fit(model, load(setting)[0], setting, clock, learning_rate=2e-3)


def cnn(setting, clock):
    """The classifier of notebook 02."""
    x, labels = load(setting)
    training.seed_everything(SEED)
    training.fit_classifier(
        models.classifier(),
        x,
        labels,
        validation=x[:1],
        validation_labels=labels[:1],
        epochs=setting.epochs,
        batch_size=setting.batch_size,
        on_epoch=lambda epoch, logs: clock.tick(logs["loss"]),
    )


def boltzmann(setting, clock):
    """One epoch of a Bernoulli machine from the start, CD-1; loss: its squared error a row."""
    v = load_flat(setting)
    while True:
        options = {"seed": SEED, "epochs": 1, "batch_size": setting.batch_size}
        _, errors = rbm.fit_rbm(v, setting.latent_dim, **options)
        clock.tick(errors[-1])


def dense_to_target(setting, clock):
    """784-32-784 from nothing to a cross-entropy a test pixel, compiling included."""

    def measure(model, x_test, logs):
        return logs["val_loss"] / x_test[0].size

    def build():
        return models.undercomplete(latent_dim=setting.latent_dim)

    _to_target(build, setting, clock, measure, learning_rate=3e-3)


def deep_to_target(setting, clock):
    """The deep autoencoder on cross-entropy, from nothing to a squared error a test image."""

    def measure(model, x_test, logs):
        return evaluation.sse_per_image(x_test, evaluation.reconstruct(model, x_test))

    def build():
        return models.deep(latent_dim=setting.latent_dim, hidden=setting.hidden)

    _to_target(build, setting, clock, measure, learning_rate=1e-3)


def _fit(model, x, setting, clock, **options):
    training.fit(
        model,
        x,
        validation=x[:1],
        epochs=setting.epochs,
        batch_size=setting.batch_size,
        on_epoch=lambda epoch, logs: clock.tick(logs["loss"]),
        **options,
    )


class _Reached(Exception):
    """The target is met: the rest of the epochs need not be run."""


def _to_target(build, setting, clock, measure, **options):
    x, x_test = load(setting)[0], load_test(setting)
    clock.tick()
    while True:
        training.seed_everything(SEED)
        clock.tick(_end(build(), x, x_test, setting, measure, options))


def _end(model, x, x_test, setting, measure, options) -> float:
    """Train until what is measured on the test images is at the target; that figure.

    Raises
    ------
    LabError
        If the epochs do not lead there.
    """
    seen = []

    def watch(epoch, logs):
        seen.append(measure(model, x_test, logs))
        if seen[-1] <= setting.target:
            raise _Reached

    try:
        options = {"epochs": setting.epochs, "batch_size": setting.batch_size} | options
        training.fit(model, x, validation=x_test, on_epoch=watch, **options)
    except _Reached:
        return seen[-1]
    raise LabError(
        f"the error must fall to {setting.target:g} within {setting.epochs} epochs, "
        f"received {min(seen):.4g}: train longer, on MNIST itself."
    )
