"""Our side: `models` and `training`, used as in the notebooks.

If epochs are timed, the validation that ``fit`` requires uses a single image, so that only the
training is timed.
"""

from ae_lab import evaluation, layers, losses, models, rbm, training

SEED = 8


def dense(workload, tick):
    """784-32-784, or other sizes; the loss is the cross-entropy per pixel on test images."""
    shape = (workload.height, workload.height, 1)

    def build():
        return models.undercomplete(latent_dim=workload.latent_dim, image_shape=shape)

    train(build, workload, tick, lambda model, x, logs: logs["val_loss"] / x[0].size)


def deep(workload, tick):
    """784-1000-500-250-30 and back, GELU; the loss is the squared error per test image."""

    def build():
        return models.deep(latent_dim=workload.latent_dim, hidden=workload.hidden)

    def measure(model, x, logs):
        return evaluation.sse_per_image(x, evaluation.reconstruct(model, x))

    train(build, workload, tick, measure, learning_rate=1e-3)


def denoising(workload, tick):
    """784-512-128 and back, with Gaussian noise on the input only."""

    def build():
        sizes = {"latent_dim": workload.latent_dim, "hidden": workload.hidden}
        return models.denoising(**sizes, code_activation="linear")

    train(build, workload, tick, learning_rate=1e-3)


def variational(workload, tick, **options):
    """Gaussian code, Bernoulli pixels; the loss is the negative evidence lower bound."""

    def build():
        sizes = {"latent_dim": workload.latent_dim, "hidden": workload.hidden}
        return models.variational(**sizes, activation="relu")

    train(build, workload, tick, learning_rate=1e-3, **options)


def binarised(workload, tick):
    """The same on images that are binarised again at each step."""
    variational(workload, tick, transform=layers.Binarise(SEED))


def k_sparse(workload, tick):
    """1,000 linear units of which 25 are kept, squared error."""

    def build():
        linear = {"code_activation": "linear", "output_activation": "linear"}
        bottleneck = layers.KSparse(25)
        return models.sparse(bottleneck=bottleneck, latent_dim=workload.latent_dim, **linear)

    train(build, workload, tick, learning_rate=1e-3, loss=losses.squared_error)


def contractive(workload, tick):
    """A sigmoid code with a penalty of weight 0.1 on its Jacobian, included in the loss."""

    def build():
        return models.contractive(weight=0.1, latent_dim=workload.latent_dim)

    train(build, workload, tick, learning_rate=2e-3)


def train(build, workload, tick, measure=None, **options):
    """``training.fit`` with a tick after each epoch; ``measure`` computes the test loss."""
    x, _ = workload.load()
    x_test = x[:1]
    if workload.target:
        x_test = workload.load_test()
        tick()
    training.seed_everything(SEED)
    model = build()

    def end(epoch, logs):
        tick(measure(model, x_test, logs) if workload.target else logs["loss"])

    options |= {"epochs": workload.epochs, "batch_size": workload.batch_size}
    training.fit(model, x, validation=x_test, on_epoch=end, **options)


def cnn(workload, tick):
    """The classifier of notebook 02."""
    classify(models.classifier, workload, tick)


def fine_tuning(workload, tick):
    """784-1000-10 with dropout on pixels and units."""
    classify(lambda: models.perceptron(units=workload.latent_dim), workload, tick)


def classify(build, workload, tick):
    """``training.fit_classifier`` with a tick after each epoch."""
    x, labels = workload.load()
    training.seed_everything(SEED)
    training.fit_classifier(
        build(),
        x,
        labels,
        validation=x[:1],
        validation_labels=labels[:1],
        epochs=workload.epochs,
        batch_size=workload.batch_size,
        on_epoch=lambda epoch, logs: tick(logs["loss"]),
    )


def boltzmann(workload, tick):
    """One epoch of a Bernoulli RBM from the start, CD-1; the loss is its squared error per row."""
    v = workload.load_flat()
    while True:
        options = {"seed": SEED, "batch_size": workload.batch_size}
        _, errors = rbm.fit_rbm(v, workload.latent_dim, epochs=1, **options)
        tick(errors[-1])
