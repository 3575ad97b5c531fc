"""The teacher's key: each exercise done, on the 5,000-digit sample and in small.

``KEY`` maps an exercise to a function that does what it asks for and returns the answer;
``WRONG`` to answers of the right form that an inattentive reader might hand in.
"""

import functools

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import confusion_matrix

from ae_lab import data, evaluation, layers, losses, models, rbm, training
from ae_lab.settings import Settings

SEED = 8
IMAGES = 2_000  # to learn from: enough for every order that an exercise is about


@functools.cache
def mnist():
    return data.load_mnist(Settings(offline=True))


def fit(model, x=None, epochs=6, rate=3e-3, batch_size=32, **options):
    x = mnist().x_train[:IMAGES] if x is None else x
    options = {"validation": mnist().x_validation[:200]} | options
    return training.fit(
        model, x, epochs=epochs, learning_rate=rate, batch_size=batch_size, **options
    )


def trained(builder, epochs=6, rate=3e-3, x=None, fitting=None, **options):
    training.seed_everything(SEED)
    model = builder(**options)
    fit(model, x, epochs, rate, **(fitting or {}))
    return model


def sse(model, x=None, clean=None):
    x = mnist().x_test if x is None else x
    return evaluation.sse_per_image(x if clean is None else clean, evaluation.reconstruct(model, x))


def bce(model):
    x = mnist().x_test
    return evaluation.bce_per_pixel(x, evaluation.reconstruct(model, x))


def probe(features, images=IMAGES):
    return evaluation.probe_accuracy(features, mnist(), images=images, strengths=[1e-2])


def probe_code(model, images=IMAGES):
    return probe(lambda x: evaluation.encode(model, x), images)


# 01


@functools.cache
def plain(latent_dim=32, loss=losses.binary_cross_entropy):
    fitting = {"loss": loss}
    return trained(models.undercomplete, latent_dim=latent_dim, fitting=fitting)


def two_numbers():
    return {"2": sse(plain(2)), "32": sse(plain())}


def other_loss():
    after, before = plain(loss=losses.squared_error), plain()
    return {"bce": bce(after) - bce(before), "sse": sse(after) - sse(before)}


def smallest_code():
    size, m = 16, mnist()
    components = evaluation.pca_reconstruction(m.x_train, m.x_test, size)
    error = evaluation.sse_per_image(m.x_test, components)
    return {"size": size, "autoencoder": sse(plain(size)), "PCA": error}


# 02


def cnn_accuracy(x, labels, x_test, epochs=5):
    m = mnist()
    training.seed_everything(SEED)
    model = models.classifier(input_shape=x.shape[1:])
    training.fit_classifier(
        model, x, labels, validation=x[:100], validation_labels=labels[:100],
        epochs=epochs, batch_size=32,
    )  # fmt: skip
    return float(np.mean(evaluation.predict_labels(model, x_test) == m.y_test))


def noise_for_a_cnn():
    m, few, answer = mnist(), 1_000, {}
    for stddev in (0.3, 1):
        denoiser = trained(models.denoising, 10, 1e-3, stddev=stddev, hidden=(128,))
        x, x_test = (
            data.add_gaussian_noise(images, stddev, seed)
            for seed, images in enumerate((m.x_train[:few], m.x_test))
        )
        for name, view in (
            ("noisy", lambda x: x),
            ("denoised", lambda x, d=denoiser: evaluation.reconstruct(d, x)),
        ):
            answer[name, stddev] = cnn_accuracy(view(x), m.y_train[:few], view(x_test))
    return {f"{name} {stddev:g}": share for (name, stddev), share in answer.items()}


def raw_and_reconstructions():
    m, few = mnist(), 400
    x, labels = m.x_train[:few], m.y_train[:few]
    x_hat, shown = (evaluation.reconstruct(plain(), images) for images in (x, m.x_test))
    both = np.stack([x, x_hat], axis=1).reshape(-1, 28, 28, 1)
    return {
        "raw": cnn_accuracy(x, labels, shown),
        "both": cnn_accuracy(both, np.repeat(labels, 2), shown),
    }


def shuffled_code():
    m, few = mnist(), 1_000
    order = np.random.default_rng(SEED).permutation(32)
    codes = [evaluation.encode(plain(), x) for x in (m.x_train[:few], m.x_test)]
    scale = codes[0].std()
    z, z_test = (np.clip(code / scale, 0, None) for code in codes)
    return {
        name: cnn_accuracy(
            z[:, places].reshape(-1, 8, 4, 1), m.y_train[:few],
            z_test[:, places].reshape(-1, 8, 4, 1), epochs=10,
        )
        for name, places in (("in order", np.arange(32)), ("shuffled", order))
    }  # fmt: skip


# 03


def other_noise():
    x, noise = mnist().x_test[:200], {}
    noise["Gaussian"] = data.add_gaussian_noise(x, 0.4, SEED)
    noise["salt"] = evaluation.add_salt_and_pepper_noise(x, 0.3, SEED)
    learned = {"Gaussian": layers.GaussianCorruption(0.4)}
    learned["salt"] = layers.SaltAndPepperCorruption(0.3)
    models_ = {
        name: trained(models.denoising, 4, 2e-3, corruption=layer, latent_dim=200, hidden=())
        for name, layer in learned.items()
    }
    return {
        f"{kind} by {name}": evaluation.psnr(x, evaluation.reconstruct(model, noise[kind]))
        for kind in noise
        for name, model in models_.items()
    }


def amounts():
    sizes = {"latent_dim": 200, "hidden": ()}
    return {
        f"{amount:g}": probe_code(trained(models.denoising, 3, 2e-3, stddev=amount, **sizes))
        for amount in (0.1, 0.4, 1)
    }


def arrows():
    angle = np.random.default_rng(SEED).uniform(0, 2 * np.pi, 2_000)
    radius = 0.25 + 0.06 * np.cos(3 * angle)
    curve = np.stack([0.5 + radius * np.cos(angle), 0.5 + radius * np.sin(angle)], axis=1)
    ticks = np.linspace(0.12, 0.88, 17)
    grid = np.stack(np.meshgrid(ticks, ticks), axis=-1).reshape(-1, 2)
    distance = ((grid[:, None] - curve[None]) ** 2).sum(axis=2)
    distance -= distance.min(axis=1, keepdims=True)
    answer = {}
    for sigma in (0.16, 0.02):
        weight = np.exp(-distance / (2 * sigma**2))
        step = weight @ curve / weight.sum(axis=1, keepdims=True) - grid
        answer[f"{sigma:g}"] = float(np.linalg.norm(step, axis=1).mean())
    return answer


# 04


def targets():
    answer = {}
    for target in (0.05, 0.5):
        bottleneck = layers.KLSparsity(target, 1.0)
        model = trained(models.sparse, 5, 1e-3, bottleneck=bottleneck, latent_dim=200)
        answer[f"{target:g}"] = float(evaluation.encode(model, mnist().x_test).mean())
    return answer


def deadly_weight():
    for weight in (10, 100):
        bottleneck = layers.L1Sparsity(weight)
        options = {"latent_dim": 100, "code_activation": "relu", "bottleneck": bottleneck}
        model = trained(models.sparse, 20, 0.03, **options)
        z = evaluation.encode(model, mnist().x_test)
        if evaluation.dead_units(z).all():
            return {"weight": weight, "bce": bce(model)}
    raise AssertionError("no weight killed every unit")


def more_units():
    answer = {}
    linear = {"code_activation": "linear", "output_activation": "linear", "latent_dim": 200}
    for alpha in (1.0, 4.0):
        training.seed_everything(SEED)
        model = models.sparse(bottleneck=layers.KSparse(10, alpha), **linear)
        models.start_from_images(model, mnist().x_train[:200])
        fit(model, epochs=6, rate=1e-3, loss=losses.squared_error)
        answer[f"sse {alpha:g}"] = sse(model)
        code = functools.partial(evaluation.encode, model)
        answer[f"wrong {alpha:g}"] = 1 - probe(code)
    return answer


# 05

WIDTHS, CODE, FEW = (100, 50), 10, 1_000


@functools.cache
def end_of_finetuning(pretrain, epochs=4):
    x = mnist().x_train[:FEW]
    training.seed_everything(SEED)
    model = models.deep(activation="sigmoid", latent_dim=CODE, hidden=WIDTHS)
    if pretrain:
        flat = x.reshape(FEW, -1)
        stack = rbm.pretrain_stack(flat, [*WIDTHS, CODE], seed=SEED, epochs=pretrain)
        models.unroll(model, stack)
    return fit(model, x, epochs, 1e-3)["val_reconstruction"][-1]


def one_epoch_of_pretraining():
    none, one, all_ = (end_of_finetuning(epochs) for epochs in (0, 1, 4))
    return {"none": none, "one epoch": one, "all": all_}


def ten_times_as_long():
    return {
        "pre-trained": end_of_finetuning(4),
        "random": end_of_finetuning(0),
        "random, ten times": end_of_finetuning(0, 40),
    }


def hardest_digits():
    m = mnist()
    model = trained(models.deep, 30, 1e-3, latent_dim=2, hidden=(200, 50))
    z, z_test = (evaluation.encode(model, x) for x in (m.x_train, m.x_test))
    answers = LogisticRegression(max_iter=500).fit(z, m.y_train).predict(z_test)
    mistakes = confusion_matrix(m.y_test, answers, labels=range(10))
    np.fill_diagonal(mistakes, 0)
    first, second = np.unravel_index(np.argmax(mistakes + mistakes.T), mistakes.shape)
    return {"first": int(first), "second": int(second)}


# 06


@functools.cache
def contractive(weight, noise=0):
    clean = mnist().x_train[:IMAGES]
    x = data.add_gaussian_noise(clean, noise, SEED)
    x_validation = mnist().x_validation[:200]
    fitting = {"targets": clean, "validation": x_validation, "validation_targets": x_validation}
    sizes = {"weight": weight, "latent_dim": 200}
    return trained(models.contractive, 12, 2e-3, x=x, fitting=fitting, **sizes)


def norm(model):
    return evaluation.jacobian_norm(model, mnist().x_test[:5])


def vanished_code():
    weak, strong = contractive(0.1), contractive(10)
    return {
        "norm 0.1": norm(weak),
        "norm 10": norm(strong),
        "bce 0.1": bce(weak),
        "bce 10": bce(strong),
    }


def noise_and_penalty():
    knobs = {"plain": (0, 0), "noise": (0, 0.25), "penalty": (0.1, 0), "both": (0.1, 0.25)}
    return {name: norm(contractive(*knob)) for name, knob in knobs.items()}


def larger_steps():
    x, answer = mnist().x_test, {}
    for move in (0.1, 0.5):
        moved = data.add_gaussian_noise(x, move, SEED)
        for name, weight in (("plain", 0), ("contractive", 0.1)):
            model = contractive(weight)
            answer[f"{name} {move:g}"] = float(evaluation.contraction(model, x, moved))
    return answer


# 07


def damaged(x):
    half = len(x) // 2
    holed = evaluation.add_square_hole(x[:half], 10, SEED)
    return np.concatenate([holed, data.add_gaussian_noise(x[half:], 0.4, SEED)])


def repairer(builder, epochs, **options):
    clean, x_validation = mnist().x_train[:IMAGES], mnist().x_validation[:200]
    fitting = {"targets": clean, "validation": x_validation, "validation_targets": x_validation}
    return trained(builder, epochs, 4e-3, x=damaged(clean), fitting=fitting, **options)


def larger_hole():
    network, x = repairer(models.convolutional, 4, widths=(4, 8), code_channels=16), mnist().x_test
    return {
        str(hole): sse(network, evaluation.add_square_hole(x, hole, SEED), x) for hole in (10, 14)
    }


def dense_repair():
    network, x, answer = repairer(models.undercomplete, 5, latent_dim=128), mnist().x_test, {}
    spoiled = {"hole": evaluation.add_square_hole(x, 10, SEED)}
    spoiled["noise"] = data.add_gaussian_noise(x, 0.4, SEED)
    for name, images in spoiled.items():
        answer[f"{name}, nothing"] = evaluation.sse_per_image(x, images)
        answer[f"{name}, dense"] = sse(network, images, x)
    return answer


def blur():
    x, answer = mnist().x_test, {}
    for name, loss in (
        ("cross-entropy", losses.binary_cross_entropy),
        ("squared error", losses.squared_error),
    ):
        fitting = {"loss": loss}
        network = trained(models.convolutional, 8, 2e-3, widths=(8, 16), fitting=fitting)
        made = evaluation.gradient_energy(evaluation.reconstruct(network, x)).mean()
        answer[name] = float(made / evaluation.gradient_energy(x).mean())
    return answer


# 08


@functools.cache
def variational(beta=1.0, epochs=6):
    sizes = {"latent_dim": 10, "hidden": (100,), "beta": beta}
    return trained(models.variational, epochs, fitting={"transform": layers.Binarise()}, **sizes)


def mean_over_pixels():
    model = variational(784.0, 30)
    z_mean = evaluation.encode(model, mnist().x_test)
    return {"active": int(evaluation.active_units(z_mean).sum()), "bce": bce(model)}


def from_three_to_eight():
    m, model = mnist(), variational(epochs=20)
    reader = LogisticRegression(max_iter=200).fit(m.x_train.reshape(-1, 784), m.y_train)
    three, eight = (
        evaluation.encode(model, m.x_test[m.y_test == digit]).mean(axis=0) for digit in (3, 8)
    )
    way = np.linspace(0, 1, 101)[:, None]
    z = ((1 - way) * three + way * eight).astype("float32")
    images = evaluation.decode(model, z).reshape(-1, 784)
    eights = reader.predict(images) == 8
    return float(way[np.argmax(eights), 0])


def more_samples():
    x = evaluation.binarise(mnist().x_test[:50], SEED)
    model = variational()
    moments = evaluation.posterior(model, x)
    log_p = evaluation.bernoulli_log_likelihood(model, x)
    return {
        str(samples): float(
            evaluation.importance_nll(*moments, log_p, samples=samples, seed=SEED).mean()
        )
        for samples in (1, 10, 1_000)
    }


# 09


def two_prices():
    answer = {}
    for beta in (1, 16):
        model = variational(float(beta))
        answer[f"right {beta}"] = probe_code(model)
        answer[f"error {beta}"] = sse(model)
    return answer


def few_labels():
    return {"few": probe_code(plain(20), 30), "many": probe_code(plain(20))}


def four_bits():
    x, model, answer = mnist().x_test, plain(20), {}
    z_train, z = (evaluation.encode(model, images) for images in (mnist().x_train, x))
    low, high = z_train.min(axis=0), z_train.max(axis=0)
    span = np.maximum(high - low, 1e-6)
    for bits in (8, 4):
        steps = 2**bits - 1
        rounded = np.round(steps * np.clip((z - low) / span, 0, 1)) / steps
        decoded = evaluation.decode(model, low + rounded * span)
        answer[str(bits)] = evaluation.sse_per_image(x, decoded)
    return answer


KEY = {
    "01.1": two_numbers,
    "01.2": other_loss,
    "01.3": smallest_code,
    "02.1": noise_for_a_cnn,
    "02.2": raw_and_reconstructions,
    "02.3": shuffled_code,
    "03.1": other_noise,
    "03.2": amounts,
    "03.3": arrows,
    "04.1": targets,
    "04.2": deadly_weight,
    "04.3": more_units,
    "05.1": one_epoch_of_pretraining,
    "05.2": ten_times_as_long,
    "05.3": hardest_digits,
    "06.1": vanished_code,
    "06.2": noise_and_penalty,
    "06.3": larger_steps,
    "07.1": larger_hole,
    "07.2": dense_repair,
    "07.3": blur,
    "08.1": mean_over_pixels,
    "08.2": from_three_to_eight,
    "08.3": more_samples,
    "09.1": two_prices,
    "09.2": few_labels,
    "09.3": four_bits,
}


def swapped(first, second):
    """The answer with two of its numbers exchanged."""
    return lambda answer: answer | {first: answer[second], second: answer[first]}


def times(factor):
    """All numbers in another unit."""

    def scaled(answer):
        if isinstance(answer, dict):
            return {name: factor * value for name, value in answer.items()}
        return factor * answer

    return scaled


WRONG = {
    "01.1": [swapped("2", "32"), times(1 / 784)],
    "01.2": [times(-1)],
    "01.3": [times(1 / 784), lambda answer: answer | {"PCA": 0.8 * answer["PCA"]}],
    "02.1": [swapped("noisy 0.3", "noisy 1"), times(100)],
    "02.2": [times(0.1), lambda answer: answer | {"both": answer["raw"] - 0.1}],
    "02.3": [times(100), lambda answer: answer | {"shuffled": answer["in order"] / 1.5}],
    "03.1": [swapped("salt by salt", "salt by Gaussian"), times(-1)],
    "03.2": [times(100), lambda answer: dict.fromkeys(answer, 0.9)],
    "03.3": [swapped("0.16", "0.02"), times(28)],
    "04.1": [swapped("0.05", "0.5"), times(-1)],
    "04.2": [lambda answer: answer | {"bce": 0.1}, times(784)],
    "04.3": [swapped("sse 1", "sse 4"), times(100)],
    "05.1": [swapped("none", "all"), times(1 / 784)],
    "05.2": [swapped("random", "random, ten times"), times(1 / 784)],
    "05.3": [
        lambda answer: {"first": 0, "second": 1},
        lambda answer: {"first": 4, "second": 4},
        lambda answer: {"first": 4.5, "second": 9},
    ],
    "06.1": [swapped("norm 0.1", "norm 10"), swapped("bce 0.1", "bce 10")],
    "06.2": [swapped("noise", "both"), swapped("plain", "penalty")],
    "06.3": [swapped("plain 0.1", "contractive 0.1"), times(-1)],
    "07.1": [swapped("10", "14"), times(1 / 784)],
    "07.2": [swapped("noise, nothing", "noise, dense"), times(1 / 784)],
    "07.3": [times(100), lambda answer: dict.fromkeys(answer, 0.7)],
    "08.1": [lambda answer: answer | {"active": 9}, lambda answer: answer | {"bce": 0.12}],
    "08.2": [times(100), times(-1)],
    "08.3": [swapped("1", "1000"), times(-1)],
    "09.1": [swapped("error 1", "error 16"), times(100)],
    "09.2": [swapped("few", "many"), times(100)],
    "09.3": [swapped("8", "4"), lambda answer: answer | {"4": 20 * answer["8"]}],
}
