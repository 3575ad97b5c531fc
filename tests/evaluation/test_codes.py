"""From files of images to files of codes and back, for other programs."""

import gzip
import os
from pathlib import Path

import numpy as np
import pytest

from ae_lab import evaluation, layers, models
from ae_lab.__main__ import main
from ae_lab.data import formats

BYTES = np.random.default_rng(0).integers(0, 256, (7, 28, 28), np.uint8)
X = BYTES[..., None].astype("float32") / np.float32(255)


@pytest.fixture
def deep(tmp_path, monkeypatch):
    """The untrained deep model of the quick profile, in a reports folder in ``tmp_path``."""
    monkeypatch.setenv("AE_LAB_REPORTS", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "quick" / "models").mkdir(parents=True)
    model = models.deep(latent_dim=5, hidden=(8,))
    model.save(tmp_path / "quick" / "models" / "deep.keras")
    return model


@pytest.mark.parametrize(
    "form",
    [
        BYTES,
        BYTES[..., None],
        BYTES.reshape(7, -1),
        BYTES.astype(int),
        BYTES[:, None],
        X,
        X[..., 0],
    ],
)
def test_encode_and_decode_equal_the_parts_of_the_model(form, deep, capsys):
    np.save("x.npy", form)
    assert main(["encode", "x.npy", "z.npy"]) == 0
    assert main(["decode", "z.npy", "again.npz"]) == 0
    z, again = np.load("z.npy"), np.load("again.npz")["x"]
    np.testing.assert_allclose(z, evaluation.encode(deep, X), atol=1e-6)
    np.testing.assert_allclose(again, evaluation.reconstruct(deep, X), atol=1e-6)
    assert z.shape == (7, 5) and again.dtype == np.float32
    assert "(7, 5)" in capsys.readouterr().out


@pytest.mark.parametrize(
    "model",
    [
        models.sparse(latent_dim=9, bottleneck=layers.KSparse(2), code_activation="linear"),
        models.convolutional(widths=(2,), code_channels=3),
        models.variational(latent_dim=3, hidden=(8,)),
        models.denoising(latent_dim=3, hidden=(), stddev=0.5),
        models.contractive(latent_dim=3, hidden=(4,)),
    ],
    ids=lambda model: model.name,
)
def test_for_every_kind_the_decoded_code_is_the_reconstruction(model):
    """Checked with the whole network: its output is the decoded output of its bottleneck."""
    z, x_hat = evaluation.encode(model, X), evaluation.reconstruct(model, X)
    np.testing.assert_allclose(evaluation.decode(model, z), x_hat, atol=1e-6)
    if model.name != "variational":  # this network samples
        np.testing.assert_allclose(model(X, training=False), x_hat, atol=1e-6)


def test_an_archive_of_one_array_needs_no_name_and_one_of_two_does(deep, capsys):
    np.savez("one.npz", pictures=BYTES)
    np.savez("two.npz", a=BYTES, b=BYTES[:3])
    assert main(["encode", "one.npz", "z.npy"]) == 0
    assert main(["encode", "two.npz", "z.npy"]) == 1
    assert "one of ['a', 'b']" in capsys.readouterr().err
    assert main(["encode", "two.npz", "z.npy", "--array", "b"]) == 0
    assert np.load("z.npy").shape == (3, 5)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((2, 27, 28), np.uint8), "must hold images of 784 pixels"),
        (np.zeros((0, 28, 28), np.uint8), "must hold images of 784 pixels"),
        (np.full((2, 28, 28), 2.0), "x * 127.5"),
        (BYTES // 128, "x * 255"),
        (np.full((2, 28, 28), np.nan), "in [0, 1]"),
        (np.full((2, 28, 28), 300), "bytes, or as floats"),
        (np.zeros((2, 28, 28), "U3"), "dtype <U3"),
        (np.zeros((2, 28, 28), [("a", "f4")]), "[('a', '<f4')]"),
        (np.array([{"a": 1}], dtype=object), "dtype object"),
    ],
)
def test_arrays_that_are_not_images_are_refused(array, message, deep, capsys):
    np.save("x.npy", array, allow_pickle=True)
    assert main(["encode", "x.npy", "z.npy"]) == 1
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((2, 4), "float32"), "codes of 5 floats each"),
        (np.zeros((2, 5), int), "codes of 5 floats each"),
        (np.full((2, 5), np.inf), "finite numbers"),
    ],
)
def test_arrays_that_are_not_codes_are_refused(array, message, deep, capsys):
    np.save("z.npy", array)
    assert main(["decode", "z.npy", "x.npy"]) == 1
    assert message in capsys.readouterr().err


def test_declared_sizes_of_files_are_checked(deep, capsys, monkeypatch):
    def said(path):
        assert main(["encode", path, "z.npy"]) == 1
        return capsys.readouterr().err

    assert "found none at none.npy" in said("none.npy")
    path = Path("x.npy")
    path.write_bytes(b"no array")
    assert "a whole .npz" in said("x.npy")
    np.save(path, BYTES)
    path.write_bytes(path.read_bytes()[:-100])
    assert "a whole .npz" in said("x.npy")
    Path("x.csv").write_text("1,2,3\n")
    assert "one of ['x', 'y']" in said("x.csv") and "pickle" not in said("x.csv")
    np.savez_compressed("x.npz", np.zeros((100, 784), np.uint8))
    monkeypatch.setattr(formats, "LARGEST", 1_000)
    assert "78,528 bytes when unpacked, more than 1,000" in said("x.npz")


def test_the_input_file_is_never_overwritten(deep, capsys):
    """Under its own name, another name, or the name of a half-written file."""
    np.save("x.npy", BYTES)
    content = Path("x.npy").read_bytes()
    os.link("x.npy", "hard.npy")
    os.symlink("x.npy", "soft.npy")
    for target in ("x.npy", "./x.npy", "hard.npy", "soft.npy"):
        assert main(["encode", "x.npy", target]) == 1
        assert "name another" in capsys.readouterr().err
        assert Path("x.npy").read_bytes() == content and Path(target).read_bytes() == content
    Path("z.npy.part").write_bytes(content)
    assert main(["encode", "z.npy.part", "z.npy"]) == 0
    assert Path("z.npy.part").read_bytes() == content


def test_images_in_an_idx_file_are_encoded_as_they_are(deep):
    head = bytes((0, 0, 8, 3, 0, 0, 0, 7, 0, 0, 0, 28, 0, 0, 0, 28))
    Path("t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(head + BYTES.tobytes()))
    assert main(["encode", "t10k-images-idx3-ubyte.gz", "z.npy"]) == 0
    np.testing.assert_allclose(np.load("z.npy"), evaluation.encode(deep, X), atol=1e-6)


def test_an_older_output_remains_if_writing_fails(deep, monkeypatch):
    np.save("x.npy", BYTES)
    Path("z.npy").write_text("older")

    def full(file, array):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    assert main(["encode", "x.npy", "z.npy"]) == 1
    assert Path("z.npy").read_text() == "older" and not Path("z.npy.part").exists()


def test_an_output_of_another_type_or_without_folder_is_refused(deep, capsys):
    np.save("x.npy", BYTES)
    assert main(["encode", "x.npy", "z.csv"]) == 1
    assert "an .npy or .npz file" in capsys.readouterr().err
    assert main(["encode", "x.npy", "nowhere/z.npy"]) == 1
    assert "cannot be written" in capsys.readouterr().err
