"""Our side: `models` and `training`, used as in the notebooks.

If epochs are timed, the validation that ``fit`` requires uses a single image, so that only the
training is timed.
"""

import numpy as np

from ae_lab import evaluation, layers, losses, models, rbm, training

SEED = 8
training.seed_everything(SEED)


def dense(workload, tick, times=1):
    """784-32-784; the test loss is the cross-entropy per pixel."""
    options = {"measure": lambda model, x, logs: logs["val_loss"] / 784, "learning_rate": 3e-3}
    train(workload, tick, models.undercomplete, {}, times=times, **options)


def ten_times(workload, tick):
    """The same with ten times the images."""
    dense(workload, tick, times=10)


def deep(workload, tick):
    """784-1000-500-250-30 and back, GELU; the test loss is the squared error per image."""

    def measure(model, x, logs):
        return evaluation.sse_per_image(x, evaluation.reconstruct(model, x))

    train(workload, tick, models.deep, {"hidden": workload.hidden}, measure)


def denoising(workload, tick):
    """784-512-128 and back, with Gaussian noise on the input only."""
    sizes = {"hidden": workload.hidden, "code_activation": "linear"}
    train(workload, tick, models.denoising, sizes)


def variational(workload, tick, **options):
    """Gaussian code, Bernoulli pixels; the loss is the negative evidence lower bound."""
    sizes = {"hidden": workload.hidden, "activation": "relu"}
    train(workload, tick, models.variational, sizes, **options)


def binarised(workload, tick):
    """The same on images that are binarised again at each step."""
    variational(workload, tick, transform=layers.Binarise(SEED))


def k_sparse(workload, tick):
    """1,000 linear units of which 25 are kept, squared error."""
    sizes = {"code_activation": "linear", "output_activation": "linear"}
    sizes["bottleneck"] = layers.KSparse(25)
    train(workload, tick, models.sparse, sizes, loss=losses.squared_error)


def contractive(workload, tick):
    """A sigmoid code with a penalty of weight 0.1 on its Jacobian, included in the loss."""
    train(workload, tick, models.contractive, {"weight": 0.1}, learning_rate=2e-3)


def train(workload, tick, kind, sizes, measure=None, times=1, **options):
    """``training.fit`` with a tick after each epoch; ``measure`` computes the test loss."""
    x, _, x_test = workload.load()
    if times > 1:  # as bytes, which need a quarter of the memory
        x = np.tile(np.rint(255 * x).astype("uint8"), (times, 1, 1, 1))
    if workload.target:
        tick()
    model = kind(latent_dim=workload.latent_dim, **sizes)

    def end(epoch, logs):
        tick(measure(model, x_test, logs) if workload.target else logs["loss"])

    options = {"learning_rate": 1e-3, "batch_size": workload.batch_size} | options
    options["validation"] = x_test if workload.target else x[:1]
    training.fit(model, x, epochs=workload.epochs, on_epoch=end, **options)


def cnn(workload, tick):
    """The classifier of notebook 02."""
    classify(workload, tick, models.classifier())


def fine_tuning(workload, tick):
    """784-1000-10 with dropout on pixels and units."""
    classify(workload, tick, models.perceptron(units=workload.latent_dim))


def classify(workload, tick, model):
    """``training.fit_classifier`` with a tick after each epoch."""
    x, labels, _ = workload.load()
    options = {"validation": x[:1], "validation_labels": labels[:1], "epochs": workload.epochs}
    options |= {"batch_size": workload.batch_size, "on_epoch": lambda _, logs: tick(logs["loss"])}
    training.fit_classifier(model, x, labels, **options)


def boltzmann(workload, tick):
    """One epoch of a Bernoulli RBM from the start, CD-1; the loss is its squared error per row."""
    v, _, _ = workload.load(784)
    options = {"seed": SEED, "batch_size": workload.batch_size, "epochs": 1}
    while True:
        tick(rbm.fit_rbm(v, workload.latent_dim, **options)[1][-1])
