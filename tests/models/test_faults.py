"""Hostile model files: refused with the reason, and nothing in them is executed."""

import io
import json
import shutil
import struct
import sys
import tracemalloc
import zipfile
import zlib

import h5py
import keras
import numpy as np
import pytest

from ae_lab import layers, models
from ae_lab.errors import LabError
from ae_lab.models.saving import load_autoencoder
from helpers import dear

SHAPE = (6, 5, 1)
SMALL = {"latent_dim": 3, "hidden": (7,), "image_shape": SHAPE}
SIZES = {"convolutional": {"widths": (4,), "code_channels": 2, "image_shape": SHAPE}}
BUILDERS = {
    name: lambda build=build, name=name: build(**SIZES.get(name, SMALL))
    for name, build in models.AUTOENCODERS.items()
}
BUILDERS["contractive, exact"] = lambda: models.contractive(latent_dim=3, image_shape=SHAPE)
BUILDERS["denoising convolutional"] = lambda: models.convolutional(
    **SIZES["convolutional"], corruption=layers.SaltAndPepperCorruption(0.3)
)
for bottleneck in (layers.L1Sparsity, layers.WinnerTakeAll, lambda: layers.KSparse(2)):
    BUILDERS[f"sparse, {bottleneck().__class__.__name__}"] = lambda make=bottleneck: models.sparse(
        **SMALL, bottleneck=make()
    )
X = np.random.default_rng(0).random((4, *SHAPE)).astype("float32")


@pytest.fixture
def kept(tmp_path):
    """A small model in a file."""
    path = tmp_path / "model.keras"
    models.undercomplete(**SMALL).save(path)
    return path


def rewritten(path, config=None, **members):
    """The same archive with its configuration changed by ``config``, or with other members."""
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    if config:
        content["config.json"] = json.dumps(config(json.loads(content["config.json"]))).encode()
    content |= members
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in content.items():
            if data is not None:
                archive.writestr(name, data)
    return path


def refused(path, words, **options):
    with pytest.raises(LabError, match=words) as caught:
        load_autoencoder(path, **{"image_shape": SHAPE} | options)
    assert str(path) in str(caught.value) and len(str(caught.value).splitlines()) == 1


def first_layer(config, part="encoder"):
    """The first layer with weights of a sub-model in a model's configuration."""
    sub = next(one for one in config["config"]["layers"] if one["config"]["name"] == part)
    return next(one for one in sub["config"]["layers"] if "units" in one["config"])


@pytest.mark.parametrize("name", BUILDERS)
def test_each_kind_is_loaded_unchanged(tmp_path, name):
    model = BUILDERS[name]()
    model.save(tmp_path / "model.keras")
    again = load_autoencoder(tmp_path / "model.keras", image_shape=SHAPE)
    for first, second in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(first, second)
    first, second = (keras.tree.flatten(m.get_layer("encoder")(X)) for m in (model, again))
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_default_sizes_can_also_be_loaded(tmp_path):
    models.variational().save(tmp_path / "model.keras")
    assert load_autoencoder(tmp_path / "model.keras").name == "variational"


def test_a_lambda_is_refused_and_never_executed(tmp_path):
    trap = tmp_path / "sprung"
    x = keras.Input(SHAPE)
    h = keras.layers.Lambda(lambda x, name=str(trap): (open(name, "w"), x)[1])(x)
    keras.Model(x, h).save(tmp_path / "lambda.keras")
    trap.unlink(missing_ok=True)
    refused(tmp_path / "lambda.keras", "received '(Lambda|__lambda__)'")
    assert not trap.exists()


def test_a_lambda_under_one_of_our_names_is_refused(kept):
    def disguised(config):
        first_layer(config).update(
            {"class_name": "__lambda__", "registered_name": "ae_lab>KLSparsity"}
        )
        return config

    refused(rewritten(kept, disguised), "received 'ae_lab>KLSparsity'")


@pytest.mark.parametrize(
    ("module", "name", "registered"),
    [
        ("os", "system", "system"),
        ("builtins", "eval", None),
        ("keras.utils", "get_file", None),
        ("keras.layers", "TFSMLayer", None),
        ("keras.layers", "TorchModuleWrapper", None),
        ("elsewhere", "Dense", "elsewhere>Dense"),
        ("elsewhere", "Dense", None),
        ("ae_lab.training", "fit", "ae_lab>fit"),
    ],
)
def test_a_foreign_class_is_refused(kept, module, name, registered):
    def foreign(config):
        first_layer(config).update(
            {"module": module, "class_name": name, "registered_name": registered}
        )
        return config

    refused(rewritten(kept, foreign), f"received '{registered or name}'")


def test_a_function_hidden_in_a_layer_s_options_is_refused(kept):
    def hidden(config):
        first_layer(config)["config"]["activation"] = {
            "module": "os",
            "class_name": "function",
            "config": "system",
            "registered_name": "system",
        }
        return config

    refused(rewritten(kept, hidden), "received 'system'")


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_refused(kept, share):
    content = kept.read_bytes()
    kept.write_bytes(content[: int(share * len(content))])
    refused(kept, "expected a whole archive")


@pytest.mark.slow
def test_a_flipped_byte_is_refused_or_changes_nothing(kept):
    good, before = kept.read_bytes(), load_autoencoder(kept, SHAPE).get_weights()
    for place in np.random.default_rng(1).choice(len(good), 25, replace=False):
        kept.write_bytes(good[:place] + bytes([good[place] ^ 0xFF]) + good[place + 1 :])
        try:
            after = load_autoencoder(kept, SHAPE).get_weights()
        except LabError:
            continue
        assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


@pytest.mark.parametrize(
    "content", [b"", b"\x89HDF\r\n\x1a\n" + bytes(100), b"<html>Please sign in</html>"]
)
def test_a_file_that_is_not_an_archive_is_refused(kept, content):
    kept.write_bytes(content)
    refused(kept, "expected a whole archive")


def test_missing_files_other_names_and_folders_are_refused(kept, tmp_path):
    refused(tmp_path / "absent.keras", "found none at")
    refused(shutil.copy(kept, tmp_path / "model.h5"), "ends in .keras")
    (tmp_path / "folder.keras").mkdir()
    refused(tmp_path / "folder.keras", "found none at")


def test_a_missing_member_is_named(kept):
    good = kept.read_bytes()
    for name in ("config.json", "model.weights.h5"):
        kept.write_bytes(good)
        refused(rewritten(kept, **{name: None}), f"received no {name} in it")


def test_a_repeated_member_is_refused(kept):
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(kept, "a") as archive:
        archive.writestr("config.json", "{}")
    refused(kept, "two members of the same name")


@pytest.mark.parametrize("text", ["[]", "{}", "null", "[" * 100_000, '{"class_name": 3}'])
def test_another_configuration_is_refused(kept, text):
    refused(rewritten(kept, **{"config.json": text}), "is not a model")


def test_declared_but_missing_weights_are_refused_before_memory_is_allocated(kept, monkeypatch):
    def huge(config):
        text = json.dumps(config).replace('"units": 7', '"units": 1000000000')
        return json.loads(text.replace("[null, 7]", "[null, 1000000000]"))

    def load(*_, **__):
        raise AssertionError("nothing was to be loaded")

    with monkeypatch.context() as patch:
        patch.setattr(keras.saving, "load_model", load)
        refused(rewritten(kept, huge), r"expected 68,000,000,033 weights, received")
    with keras.StatelessScope():
        pass  # here Keras would create postponed variables: there must be none


@pytest.mark.slow
def test_a_zip_bomb_is_refused_before_unpacking(kept, tmp_path):
    """600 MB of zeros, compressed to less than one."""
    with zipfile.ZipFile(kept) as archive:
        config = archive.read("config.json")
    bomb = tmp_path / "bomb.keras"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", config)
        with archive.open("model.weights.h5", "w", force_zip64=True) as member:
            for _ in range(600):
                member.write(bytes(1_000_000))
    assert bomb.stat().st_size < 1_000_000
    tracemalloc.start()
    refused(bomb, r"600,00\d,\d+ bytes when unpacked, more than 501,020,000")
    assert tracemalloc.get_traced_memory()[1] < 50e6
    tracemalloc.stop()


def weights_changed(path, change):
    """The archive with every array of its weights replaced by ``change(array)``."""
    with zipfile.ZipFile(path) as archive:
        (path.parent / "weights.h5").write_bytes(archive.read("model.weights.h5"))
    with h5py.File(path.parent / "weights.h5", "r+") as file:
        found = []
        file.visititems(lambda name, one: found.append(name) if hasattr(one, "shape") else None)
        for name in found:
            array = file[name][()]
            del file[name]
            file[name] = change(array)
        file["room"] = np.zeros(2_000, "float32")  # so that the size alone is no indication
    return rewritten(path, **{"model.weights.h5": (path.parent / "weights.h5").read_bytes()})


def test_weights_of_other_shapes_are_refused(kept):
    refused(weights_changed(kept, lambda array: array[..., :1]), "weights that fit its layers")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_finite_are_refused(kept, value):
    changed = weights_changed(kept, lambda array: np.full_like(array, value))
    refused(changed, "finite weights")


def test_a_model_for_other_images_or_without_a_code_is_refused(kept, tmp_path):
    refused(kept, r"a model of images \(28, 28, 1\)", image_shape=models.IMAGE_SHAPE)
    x = keras.Input(SHAPE)
    keras.Model(x, keras.layers.Activation("relu")(x)).save(tmp_path / "other.keras")
    refused(tmp_path / "other.keras", "without bottleneck, decoder, encoder")


def test_a_compiled_model_s_optimiser_and_losses_are_not_read(tmp_path):
    model = models.undercomplete(**SMALL)
    model.compile("adam", "mse")
    model.fit(X, X, verbose=0)
    model.save(tmp_path / "model.keras")
    assert not load_autoencoder(tmp_path / "model.keras", SHAPE).compiled


# Small files that would cost much: a limit on memory, and on time relative to a valid file


def h5(write) -> bytes:
    """An HDF5 file in memory, written by ``write(file)``."""
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        write(file)
    return content.getvalue()


def declared(file):
    """One array of 3.9 GiB, of which nothing is stored."""
    shape, chunks = (2**30 - 2**25,), (2**20,)
    file.create_dataset("layers/a/vars/0", shape, "float32", chunks=chunks, compression="gzip")


def declared_whole(file):
    """The same without chunks."""
    file.create_dataset("layers/a/vars/0", (2**30 - 2**25,), "float32")


def large_chunk(file):
    """Ten numbers in a chunk of 3.9 GiB."""
    options = {"maxshape": (None,), "chunks": (2**30 - 2**25,), "compression": "gzip"}
    file.create_dataset("layers/a/vars/0", (10,), "float32", **options)


def linked(file):
    file["layers/a/vars/0"] = h5py.SoftLink("/elsewhere")


def linked_outside(file):
    file["layers/a/vars/0"] = h5py.ExternalLink("/etc/passwd", "/")


def outside(file):
    file.create_dataset("layers/a/vars/0", (2,), "uint8", external=[("/etc/passwd", 0, 2)])


def virtual(file):
    layout = h5py.VirtualLayout((4,), "float32")
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", (4,))
    file.create_virtual_dataset("layers/a/vars/0", layout)


def circle(file):
    file.create_group("layers")["layers"] = file["/"]


def same_array_often(file):
    """A thousand names for one array of a megabyte."""
    first = file.create_dataset("first", data=np.zeros(250_000, "float32"))
    for number in range(1_000):
        file[f"n{number}"] = first


def crowded(file):
    for number in range(20_000):
        file.create_group(f"n{number}")


def nested(file):
    file.create_group("/".join(["g"] * 400))


def texts(file):
    file["layers/a/vars/0"] = np.array([b"text"])


def lists(file):
    file.create_dataset("layers/a/vars/0", (3,), h5py.vlen_dtype("float32"))


WEIGHTS = {
    declared: "plain arrays",
    declared_whole: "plain arrays",
    large_chunk: "plain arrays",
    linked: "the link '.*0'",
    linked_outside: "the link '.*0'",
    outside: "plain arrays|weights",
    virtual: "plain arrays",
    circle: "weights",
    same_array_often: "each once",
    crowded: "more than 10,000",
    nested: "more than 100 nested",
    texts: "plain arrays",
    lists: "plain arrays",
}


def packed(path, name, content, method=zipfile.ZIP_DEFLATED):
    """The archive with one more member, compressed."""
    with zipfile.ZipFile(path, "a", method) as archive:
        archive.writestr(name, content)
    return path


def replaced(path, name, content, method=zipfile.ZIP_DEFLATED):
    return packed(rewritten(path, **{name: None}), name, content, method)


def lying(path):
    """A configuration of 1 GB, compressed; the archive declares 1,000 bytes."""
    config = zlib.compressobj(wbits=-15)
    data = b"".join(config.compress(bytes(10**6)) for _ in range(1_000)) + config.flush()
    replaced(path, "config.json", b"?" * 1_000)
    with zipfile.ZipFile(path) as archive:
        good = archive.getinfo("config.json")
        members = [(one, archive.read(one)) for one in archive.namelist() if one != "config.json"]
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members:
            archive.writestr(name, content)
        archive.writestr("config.json", data)
        entry = archive.getinfo("config.json")
        entry.compress_type, entry.file_size, entry.CRC = zipfile.ZIP_DEFLATED, 1_000, good.CRC
    content = bytearray(path.read_bytes())
    start = entry.header_offset  # the local header declares the same
    struct.pack_into("<H", content, start + 8, zipfile.ZIP_DEFLATED)
    struct.pack_into("<LLL", content, start + 14, good.CRC, len(data), 1_000)
    path.write_bytes(content)
    return path


def many_layers(config):
    """Five thousand layers in one model."""
    sub = next(one for one in config["config"]["layers"] if one["class_name"] == "Functional")
    layer = {"module": "keras.layers", "class_name": "Flatten", "config": {}}
    sub["config"]["layers"] += [layer] * 5_000
    return config


def many_pieces(config):
    first_layer(config).update({"module": "keras.ops", "class_name": "Split"})
    first_layer(config).update({"registered_name": "Split"})
    first_layer(config)["config"] = {"indices_or_sections": 10**6, "axis": -1, "units": 0}
    return config


def huge_outputs(path):
    """Few weights, and strides that turn a small image into one of gigabytes."""
    x = keras.Input(SHAPE)
    h = keras.layers.Conv2DTranspose(1, 1, strides=4, name="a")(x)
    keras.Model(x, h).save(path)

    def larger(config):
        text = json.dumps(config).replace('"strides": [4, 4]', '"strides": [9000, 9000]')
        return json.loads(text)

    return rewritten(path, larger)


ARCHIVES = {
    "assets": (lambda path: packed(path, "assets/a", bytes(250_000_000)), "nothing but"),
    "empty members": (
        lambda path: rewritten(path, **{f"assets/{n}": b"" for n in range(15_000)}),
        "list of members|nothing but",
    ),
    "bzip2": (
        lambda path: replaced(path, "config.json", bytes(10**6), zipfile.ZIP_BZIP2),
        "config.json compressed",
    ),
    "lzma": (
        lambda path: replaced(path, "metadata.json", bytes(10**6), zipfile.ZIP_LZMA),
        "metadata.json compressed",
    ),
    "a directory that lies": (lying, "whole archive"),
    "layers": (lambda path: rewritten(path, many_layers), "parts of a model|1,000,000 bytes"),
    "pieces": (lambda path: rewritten(path, many_pieces), "'Split'"),
    "outputs": (huge_outputs, "1,000,000 outputs per image"),
}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's limits on memory")
def test_costs_of_a_file_are_checked_before_loading(kept):
    """At most 400 MB more than a valid model, and thirty times the time of loading it."""
    expected = {kept: "^read$"}
    for write, words in WEIGHTS.items():
        path = shutil.copy(kept, kept.with_name(f"{write.__name__}.keras"))
        expected[rewritten(path, **{"model.weights.h5": h5(write)})] = words
    for name, (change, words) in ARCHIVES.items():
        path = shutil.copy(kept, kept.with_name(f"{name}.keras"))
        expected[change(path)] = words
    assert dear("ae_lab.models.load_model", 400_000_000, kept, expected) == {}
