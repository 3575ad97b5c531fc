"""The builders: shapes, names, errors, and models saved and loaded."""

import re

import keras
import numpy as np
import pytest

from ae_lab import models
from ae_lab.errors import LabError
from ae_lab.models import autoencoders
from ae_lab.rbm import RBM
from helpers import SIZES, SMALL, same_draw

SHAPE = SMALL["image_shape"]
X = np.random.default_rng(0).random((4, *SHAPE)).astype("float32")
KINDS = sorted(models.AUTOENCODERS)
DENSE = {name: build for name, build in models.AUTOENCODERS.items() if name != "convolutional"}


@pytest.fixture(scope="module", params=KINDS)
def kind(request):
    keras.utils.set_random_seed(0)
    return request.param, models.AUTOENCODERS[request.param](**SIZES.get(request.param, SMALL))


def test_the_dict_of_builders_has_the_names_of_the_kinds():
    assert {"undercomplete", "denoising"} <= set(models.AUTOENCODERS)
    assert all(build.__name__ == name for name, build in models.AUTOENCODERS.items())


def table():
    """The table in the docstring of `models.autoencoders`: {kind: {column: entry}}."""
    lines = autoencoders.__doc__.splitlines()
    first, second, last = (i for i, line in enumerate(lines) if line.startswith("==="))
    columns, *rows = (line.split() for line in (lines[first + 1], *lines[second + 1 : last]))
    return {row[0]: dict(zip(columns, row, strict=True)) for row in map(joined, rows)}


def joined(words):
    """ "2 Dense" is one entry: join a number and its layer."""
    return re.sub(r"\b(\d+) ", r"\1*", " ".join(words)).split()


def weighted(model):
    """Layers with weights of a part in the table's form: "Dense", "2*Dense"."""
    types = [type(layer).__name__ for layer in model.layers if layer.weights]
    assert len(set(types)) == 1
    return types[0] if len(types) == 1 else f"{len(types)}*{types[0]}"


def test_the_table_names_the_kinds_in_their_order():
    assert list(table()) == list(models.AUTOENCODERS)


@pytest.mark.parametrize("kind", KINDS)
def test_the_table_of_differences_is_correct(kind):
    row, model = table()[kind], models.AUTOENCODERS[kind]()
    inner = [type(layer).__name__ for layer in model.layers[1:]]
    parts = ["Functional", row["bottleneck"], "Functional"]
    assert inner == ([] if row["corruption"] == "-" else [row["corruption"]]) + parts
    encoder, decoder = (weighted(model.get_layer(part)) for part in ("encoder", "decoder"))
    assert encoder == row["encoder"]
    assert decoder.split("*")[-1] == row["decoder"]
    assert decoder.split("*")[:-1] == encoder.split("*")[:-1], "the depths differ"


def from_images(model):
    images = np.random.default_rng(1).random((1_000, 28, 28, 1)).astype("float32")
    models.start_from_images(model, images)


def from_stack(model):
    layers = [layer for layer in model.get_layer("encoder").layers if layer.weights]
    shapes = [tuple(layer.kernel.shape) for layer in layers]
    models.unroll(model, [RBM(np.ones(s), np.zeros(s[0]), np.zeros(s[1])) for s in shapes])


STARTS = {"start_from_images": from_images, "unroll": from_stack}


@pytest.mark.parametrize("kind", KINDS)
def test_the_start_is_as_in_the_table(kind):
    start, (one, two) = table()[kind]["start"], (built(kind, seed) for seed in (0, 1))
    kernels = [model.get_layer("encoder").get_weights()[0] for model in (one, two)]
    assert not np.array_equal(*kernels), "random before the start is set"
    if start != "random":
        STARTS[start](one)
        assert not np.array_equal(one.get_layer("encoder").get_weights()[0], kernels[0])


def built(kind, seed):
    keras.utils.set_random_seed(seed)
    return models.AUTOENCODERS[kind]()


def test_each_kind_has_encoder_bottleneck_and_decoder(kind):
    name, model = kind
    assert model.name == name
    code = (None, 3) if name in DENSE else (None, 2, 2, 2)
    encoded = model.get_layer("encoder").output_shape
    assert encoded == ([code, code] if name == "variational" else code)
    assert model.get_layer("bottleneck").output.shape == code
    assert model.get_layer("decoder").input_shape == code
    names = [layer.name for layer in model.layers]
    assert names.index("encoder") < names.index("bottleneck") < names.index("decoder")


def test_each_kind_outputs_images_of_the_input_shape(kind):
    _, model = kind
    x_hat = model.predict(X, verbose=0)
    assert x_hat.shape == X.shape
    assert x_hat.min() > 0 and x_hat.max() < 1


def test_the_model_is_the_composition_of_its_parts(kind):
    _, model = kind
    z = same_draw(model).get_layer("encoder")(X)
    by_hand = model.get_layer("decoder")(model.get_layer("bottleneck")(z))
    assert np.allclose(by_hand, same_draw(model)(X), atol=1e-6)


def test_each_kind_can_be_saved_and_loaded(kind, tmp_path):
    _, model = kind
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert np.array_equal(same_draw(again)(X), same_draw(model)(X))
    assert [layer.name for layer in again.layers] == [layer.name for layer in model.layers]


def test_the_decoder_mirrors_the_encoder(kind):
    name, model = kind
    if name not in DENSE:
        pytest.skip("its mirror is tested with its sizes in test_convolutional.py")
    widths = [
        [layer.units for layer in model.get_layer(part).layers if hasattr(layer, "units")]
        for part in ("encoder", "decoder")
    ]
    hidden = SIZES.get(name, SMALL)["hidden"]
    code = 6 if name == "variational" else 3
    assert widths == [[*hidden, code], [*hidden[::-1], 30]]


@pytest.mark.parametrize("build", DENSE.values(), ids=DENSE)
@pytest.mark.parametrize("size", [0, -1, True, 2.0, "2", None])
def test_an_invalid_latent_size_is_refused(build, size):
    with pytest.raises(LabError, match="latent_dim must be a whole number of at least 1"):
        build(latent_dim=size)


@pytest.mark.parametrize("build", DENSE.values(), ids=DENSE)
def test_a_hidden_width_of_zero_is_refused(build):
    with pytest.raises(LabError, match="hidden width"):
        build(**SMALL | {"hidden": (4, 0)})


def test_the_default_dense_network_is_the_published_one():
    model = models.undercomplete()
    assert model.input_shape == (None, 28, 28, 1)
    assert model.count_params() == (784 + 1) * 32 + (32 + 1) * 784
    code = model.get_layer("encoder").get_layer("code")
    assert (code.activation.__name__, code.units) == ("relu", 32)


def test_linear_activations_make_a_linear_map():
    linear = dict.fromkeys(("activation", "code_activation", "output_activation"), "linear")
    model = models.undercomplete(**SMALL, **linear)
    by_part = model(X[:1]) + model(X[1:2]) - model(np.zeros((1, *SHAPE), "float32"))
    assert np.allclose(model(X[:1] + X[1:2]), by_part, atol=1e-5)


def test_denoising_corrupts_in_training_only():
    model = models.denoising(stddev=0.5, **SMALL)
    assert model.get_layer("corruption").stddev == 0.5
    assert np.array_equal(model(X), model(X))
    assert not np.array_equal(model(X, training=True), model(X))
    with pytest.raises(LabError, match="stddev"):
        models.denoising(stddev=-1)


@pytest.mark.parametrize("shape", [(28, 28, 1), (8, 4, 1), (3, 3, 2)])
def test_one_classifier_works_for_images_and_codes(shape):
    model = models.classifier(input_shape=shape, classes=4, widths=(2, 3), dense=5)
    logits = model(np.random.default_rng(0).random((2, *shape), "float32") * 3)
    assert logits.shape == (2, 4)
    sides = [layer.output.shape[1:3] for layer in model.layers if len(layer.output.shape) == 4]
    assert min(min(side) for side in sides) >= min(*shape[:2], 4)


def test_a_classifier_can_be_saved_and_loaded(tmp_path):
    model = models.classifier(input_shape=SHAPE, classes=2, widths=(2,), dense=3)
    model.save(tmp_path / "model.keras")
    assert np.array_equal(keras.models.load_model(tmp_path / "model.keras")(X), model(X))


@pytest.mark.parametrize("classes", [1, 0, True, 2.0])
def test_a_classifier_of_fewer_than_two_classes_is_refused(classes):
    with pytest.raises(LabError, match="classes must be a whole number of at least 2"):
        models.classifier(classes=classes)
