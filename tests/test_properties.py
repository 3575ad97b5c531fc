"""Properties that hold for every input, tested with hypothesis on a few examples."""

import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from keras import ops

from ae_lab import data, evaluation, layers, models, rbm, validation
from ae_lab.errors import LabError
from ae_lab.lab import wilson_interval
from ae_lab.models.saving import load_autoencoder
from ae_lab.report.render.cleaning import clean_text, play_terminal
from ae_lab.report.render.sanitise import sanitise
from helpers import same_draw

few = settings(
    max_examples=15,
    deadline=None,
    derandomize=True,  # the same examples on every machine
    suppress_health_check=list(HealthCheck),
)
very_few = settings(few, max_examples=4)
pixels = st.floats(0, 1, width=32)
shares = st.floats(0, 1)
seeds = st.integers(0, 2**32 - 1)


@st.composite
def images(draw, least=1):
    """Float32 images (n, height, width, channels) in [0, 1]."""
    shape = draw(st.tuples(st.integers(least, 5), *[st.integers(2, 7)] * 2, st.integers(1, 3)))
    return draw(arrays.arrays("float32", shape, elements=pixels))


@st.composite
def pairs(draw):
    """Two arrays of images of one shape."""
    x = draw(images(least=2))
    return x, draw(arrays.arrays("float32", x.shape, elements=pixels))


# Corruption: output within [0, 1], input unchanged


CORRUPTIONS = {
    "gaussian": lambda amount, seed: layers.GaussianCorruption(3 * amount, seed=seed),
    "masking": lambda amount, seed: layers.MaskingCorruption(amount, seed=seed),
    "salt and pepper": lambda amount, seed: layers.SaltAndPepperCorruption(amount, seed=seed),
    "shift": lambda amount, seed: layers.RandomShift(round(9 * amount), seed=seed),
    "slant": lambda amount, seed: layers.RandomSlant(amount, seed=seed),
}
NOISES = {
    "gaussian": lambda x, amount, seed: data.add_gaussian_noise(x, 3 * amount, seed),
    "masking": evaluation.add_masking_noise,
    "salt and pepper": evaluation.add_salt_and_pepper_noise,
    "hole": lambda x, amount, seed: evaluation.add_square_hole(
        x, 1 + round(amount * (min(x.shape[1:3]) - 1)), seed
    ),
}


@pytest.mark.parametrize("kind", CORRUPTIONS)
@few
@given(x=images(), amount=shares, seed=st.integers(0, 2**31 - 1))
def test_a_corruption_stays_in_range_and_does_not_change_its_input(kind, x, amount, seed):
    before = x.copy()
    tensor = ops.convert_to_tensor(x)
    found = ops.convert_to_numpy(CORRUPTIONS[kind](amount, seed)(tensor, training=True))
    assert found.shape == x.shape and found.min() >= 0 and found.max() <= 1
    np.testing.assert_array_equal(x, before)
    np.testing.assert_array_equal(ops.convert_to_numpy(tensor), before)
    still = ops.convert_to_numpy(CORRUPTIONS[kind](amount, seed)(tensor, training=False))
    np.testing.assert_array_equal(still, before)


@pytest.mark.parametrize("kind", NOISES)
@few
@given(x=images(), amount=shares, seed=seeds)
def test_a_noise_stays_in_range_is_seeded_and_does_not_change_its_input(kind, x, amount, seed):
    before = x.copy()
    found = NOISES[kind](x, amount, seed)
    assert found.shape == x.shape and found.dtype == x.dtype
    assert found.min() >= 0 and found.max() <= 1
    np.testing.assert_array_equal(x, before)
    np.testing.assert_array_equal(found, NOISES[kind](x, amount, seed))


# Models: for all valid sizes, shapes are correct and saving works


@st.composite
def dense_sizes(draw):
    shape = draw(st.tuples(st.integers(1, 7), st.integers(1, 7), st.integers(1, 3)))
    hidden = draw(st.lists(st.integers(1, 6), max_size=2))
    return {"image_shape": shape, "latent_dim": draw(st.integers(1, 6)), "hidden": tuple(hidden)}


@st.composite
def convolutional_sizes(draw):
    widths = draw(st.lists(st.integers(1, 4), max_size=2))
    sides = st.integers(2 ** (len(widths) + 1), 19)
    shape = draw(st.tuples(sides, sides, st.integers(1, 3)))
    return {"image_shape": shape, "widths": tuple(widths), "code_channels": draw(st.integers(1, 3))}


DENSE = [name for name in models.AUTOENCODERS if name != "convolutional"]


def check_shapes_and_file(build, sizes, folder):
    keras.utils.set_random_seed(5)
    model = build(**sizes)
    x = np.random.default_rng(0).random((3, *sizes["image_shape"])).astype("float32")
    x_hat = ops.convert_to_numpy(same_draw(model)(x))
    assert x_hat.shape == x.shape and x_hat.min() >= 0 and x_hat.max() <= 1
    z = keras.tree.flatten(model.get_layer("encoder")(x))[0]
    assert z.shape[1:] == model.get_layer("decoder").input_shape[1:]
    assert evaluation.reconstruct(model, x).shape == x.shape
    model.save(folder / "model.keras")
    again = load_autoencoder(folder / "model.keras", sizes["image_shape"])
    np.testing.assert_array_equal(ops.convert_to_numpy(same_draw(again)(x)), x_hat)


@pytest.mark.parametrize("kind", DENSE)
@very_few
@given(sizes=dense_sizes())
def test_a_dense_kind_keeps_shapes_and_can_be_saved_and_loaded(tmp_path_factory, kind, sizes):
    check_shapes_and_file(models.AUTOENCODERS[kind], sizes, tmp_path_factory.mktemp("kept"))


@very_few
@given(sizes=convolutional_sizes())
def test_convolutions_keep_shapes_and_can_be_saved_and_loaded(tmp_path_factory, sizes):
    check_shapes_and_file(models.convolutional, sizes, tmp_path_factory.mktemp("kept"))


@few
@given(
    sizes=st.tuples(*[st.integers(1, 6)] * 2),
    rows=st.integers(1, 5),
    kinds=st.tuples(st.sampled_from(rbm.UNITS[:2]), st.sampled_from(rbm.UNITS)),
    seed=seeds,
)
def test_a_boltzmann_machine_keeps_its_shapes(sizes, rows, kinds, seed):
    rng = np.random.default_rng(seed)
    kernel = rng.normal(size=sizes).astype("float32")
    machine = rbm.RBM(kernel, np.zeros(sizes[0]), np.zeros(sizes[1]), *kinds)
    v = rng.random((rows, sizes[0]), dtype="float32")
    assert machine.mean_hidden(v).shape == (rows, sizes[1])
    assert machine.gibbs_step(v, rng).shape == v.shape
    shapes = [step.shape for step in machine.contrastive_divergence(v, 1, rng)]
    assert shapes == [sizes, sizes[:1], sizes[1:]]


# Metrics: neither the order of the images nor the batch size matters


METRICS = ("bce_per_pixel", "sse_per_image", "psnr", "argmax_accuracy", "binary_accuracy")


@pytest.mark.parametrize("metric", METRICS)
@few
@given(both=pairs(), seed=seeds)
def test_a_metric_ignores_the_order_and_is_a_mean_over_batches(metric, both, seed):
    x, x_hat = both
    measure = getattr(evaluation, metric)
    order = np.random.default_rng(seed).permutation(len(x))
    whole = measure(x, x_hat)
    assert measure(x[order], x_hat[order]) == pytest.approx(whole, rel=1e-9, abs=1e-12)
    single = [measure(x[i : i + 1], x_hat[i : i + 1]) for i in range(len(x))]
    assert np.mean(single) == pytest.approx(whole, rel=1e-9, abs=1e-12)


@few
@given(x=images(), x_hat=pixels)
def test_a_perfect_reconstruction_is_the_best(x, x_hat):
    other = np.full_like(x, x_hat)
    assert evaluation.sse_per_image(x, x) == 0
    assert evaluation.bce_floor(x) <= evaluation.bce_per_pixel(x, other) + 1e-6
    assert evaluation.psnr(x, x) == pytest.approx(100)
    assert (evaluation.gradient_energy(x) >= 0).all()


@few
@given(
    z=arrays.arrays("float32", st.tuples(st.integers(2, 6), st.integers(2, 6)), elements=pixels),
    seed=seeds,
)
def test_measures_of_sparsity_are_in_range_for_any_order(z, seed):
    order = np.random.default_rng(seed).permutation(len(z))
    for measure in (evaluation.lifetime_sparsity, evaluation.population_sparsity):
        found = measure(z)
        assert (np.isnan(found) | ((found > -1e-6) & (found < 1 + 1e-6))).all()
    again = evaluation.lifetime_sparsity(z[order])
    np.testing.assert_allclose(again, evaluation.lifetime_sparsity(z), atol=1e-6)


@pytest.fixture(scope="module")
def trained():
    keras.utils.set_random_seed(2)
    return [models.AUTOENCODERS[k](latent_dim=3, image_shape=(6, 5, 1)) for k in DENSE]


@pytest.mark.parametrize("batch", [1, 3, 7, 1_000])
def test_codes_and_images_do_not_depend_on_the_batch(trained, monkeypatch, batch):
    x = np.random.default_rng(4).random((7, 6, 5, 1)).astype("float32")
    for model in trained:
        monkeypatch.undo()
        z, x_hat = evaluation.encode(model, x), evaluation.reconstruct(model, x)
        monkeypatch.setattr(evaluation.reconstruction, "BATCH", batch)
        np.testing.assert_allclose(evaluation.encode(model, x), z, atol=1e-6)
        np.testing.assert_allclose(evaluation.reconstruct(model, x), x_hat, atol=1e-6)
        backwards = evaluation.reconstruct(model, x[::-1])[::-1]
        np.testing.assert_allclose(backwards, x_hat, atol=1e-6)


@few
@given(share=shares, count=st.integers(1, 10**6))
def test_an_interval_contains_its_share(share, count):
    share = round(share * count) / count
    low, high = wilson_interval(share, count)
    assert -1e-9 <= low <= share + 1e-9 and share - 1e-9 <= high <= 1 + 1e-9


# Errors that docstrings announce are raised


not_whole = st.one_of(
    st.integers(max_value=0), st.floats(), st.booleans(), st.none(), st.text(max_size=3)
)
not_shares = st.one_of(
    st.floats().filter(lambda v: not 0 <= v <= 1), st.booleans(), st.none(), st.text(max_size=3)
)
GREY = np.full((2, 4, 4, 1), 0.5, "float32")
WHOLE = {
    "latent_dim": lambda v: models.undercomplete(latent_dim=v),
    "hidden": lambda v: models.deep(hidden=(v,)),
    "variational": lambda v: models.variational(latent_dim=v),
    "width": lambda v: models.convolutional(widths=(v,)),
    "code_channels": lambda v: models.convolutional(code_channels=v),
    "units": lambda v: models.perceptron(units=v),
    "classes": lambda v: models.classifier(classes=v),
    "k": layers.KSparse,
    "side": lambda v: evaluation.add_square_hole(GREY, v, 0),
    "size": lambda v: evaluation.median_filter(GREY, v),
    "times": lambda v: evaluation.repeated(None, GREY, v),
    "components": lambda v: evaluation.principal_subspace(GREY, v),
    "columns": lambda v: evaluation.bytes_and_error(GREY, "PNG", 90, v),
    "epochs": lambda v: rbm.fit_rbm(GREY[..., 0, 0], 2, seed=0, epochs=v),
}
SHARES = {
    "masking layer": layers.MaskingCorruption,
    "salt and pepper layer": layers.SaltAndPepperCorruption,
    "winners": lambda v: layers.WinnerTakeAll(v),
    "masking": lambda v: evaluation.add_masking_noise(GREY, v, 0),
    "salt and pepper": lambda v: evaluation.add_salt_and_pepper_noise(GREY, v, 0),
    "interval": lambda v: wilson_interval(v, 10),
    "dropout": lambda v: models.perceptron(dropout=v),
}


@pytest.mark.parametrize("name", WHOLE)
@few
@given(value=not_whole)
def test_invalid_whole_numbers_are_refused(name, value):
    with pytest.raises(LabError):
        WHOLE[name](value)


@pytest.mark.parametrize("name", SHARES)
@few
@given(value=not_shares)
def test_invalid_shares_are_refused(name, value):
    with pytest.raises(LabError):
        SHARES[name](value)


TAKES_IMAGES = {
    "noise": lambda x: data.add_gaussian_noise(x, 0.1, 0),
    "masking": lambda x: evaluation.add_masking_noise(x, 0.1, 0),
    "hole": lambda x: evaluation.add_square_hole(x, 1, 0),
    "binarise": evaluation.binarise,
    "energy": evaluation.gradient_energy,
    "median": lambda x: evaluation.median_filter(x, 3),
    "check": validation.check_images,
}
no_images = st.one_of(
    arrays.arrays("uint8", (2, 4, 4, 1)),
    arrays.arrays("float32", (2, 4, 4), elements=pixels),
    arrays.arrays("float32", (0, 4, 4, 1)),
    arrays.arrays("float64", (2, 4, 4, 1), elements=st.floats(1.01, 1e300)),
    arrays.arrays("float64", (1, 2, 2, 1), elements=st.sampled_from([np.nan, np.inf, -np.inf])),
    arrays.arrays("float32", (2, 4, 4, 1), elements=st.floats(-1000, -0.5, width=32)),
)


@pytest.mark.parametrize("name", TAKES_IMAGES)
@few
@given(x=no_images)
def test_arrays_that_are_not_images_are_refused(name, x):
    with pytest.raises(LabError):
        TAKES_IMAGES[name](x)


@few
@given(first=images(), rows=st.integers(1, 9))
def test_arrays_of_different_lengths_or_shapes_are_refused(first, rows):
    other = np.zeros((len(first) + rows, *first.shape[1:]), "float32")
    for metric in METRICS:
        with pytest.raises(LabError, match="same shape"):
            getattr(evaluation, metric)(first, other)


# Text from kernels


@settings(few, max_examples=200)
@given(
    text=st.text(st.sampled_from("<>&\"'/=! ab\x00\n-scriptonloadimghref:javau#;x"), max_size=60)
)
def test_no_text_becomes_a_script(text):
    html = sanitise(text).lower()
    assert "<script" not in html and "<img" not in html.replace("<img alt", "")
    assert sanitise(sanitise(text)) == sanitise(text)


@settings(few, max_examples=200)
@given(text=st.text(st.sampled_from("ab \r\n\b\x1b[0m]\x07%|━"), max_size=40))
def test_cleaning_a_text_twice_changes_nothing_more(text):
    once = clean_text(play_terminal(text))
    assert clean_text(play_terminal(once)) == once and "\b" not in once and "\x1b" not in once
