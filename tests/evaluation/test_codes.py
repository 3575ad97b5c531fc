"""Whole arrays to codes and back, for other programs."""

import zipfile

import numpy as np
import pytest

from ae_lab import evaluation, layers, models
from ae_lab.__main__ import main
from ae_lab.errors import LabError
from ae_lab.lab import arrays

BYTES = np.random.default_rng(0).integers(0, 256, (7, 28, 28), np.uint8)
X = BYTES[..., None].astype("float32") / np.float32(255)


@pytest.fixture
def deep(tmp_path, monkeypatch):
    """The quick profile's deep model, untrained; its own reports folder is ``tmp_path``."""
    monkeypatch.setenv("AE_LAB_REPORTS", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "quick" / "models").mkdir(parents=True)
    model = models.deep(latent_dim=5, hidden=(8,))
    model.save(tmp_path / "quick" / "models" / "deep.keras")
    return model


@pytest.mark.parametrize("form", [BYTES, BYTES[..., None], BYTES.reshape(7, -1), X, X[..., 0]])
def test_encode_and_decode_are_the_model_s_own_halves(form, deep, capsys):
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
def test_of_every_kind_the_decoded_code_is_the_reconstruction(model):
    z = arrays.encode_images(model, X)
    x_hat = evaluation.reconstruct(model, X)
    np.testing.assert_allclose(arrays.decode_codes(model, z), x_hat, atol=1e-6)


def test_an_archive_of_one_array_needs_no_name_and_one_of_two_does(deep, capsys):
    np.savez("one.npz", pictures=BYTES)
    np.savez("two.npz", a=BYTES, b=BYTES[:3])
    assert main(["encode", "one.npz", "z.npy"]) == 0
    assert main(["encode", "two.npz", "z.npy"]) == 1
    assert "there are a, b" in capsys.readouterr().err
    assert main(["encode", "two.npz", "z.npy", "--array", "b"]) == 0
    assert np.load("z.npy").shape == (3, 5)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((2, 27, 28), np.uint8), "must hold images of shape"),
        (np.zeros((0, 28, 28), np.uint8), "must hold images of shape"),
        (np.full((2, 28, 28), 2.0), "in [0, 1]"),
        (np.full((2, 28, 28), np.nan), "in [0, 1]"),
        (np.zeros((2, 28, 28), int), "bytes, or floats"),
        (np.array([{"a": 1}], dtype=object), "plain arrays"),
    ],
)
def test_what_are_no_images_is_refused(array, message, deep, capsys):
    np.save("x.npy", array, allow_pickle=True)
    assert main(["encode", "x.npy", "z.npy"]) == 1
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((2, 4), "float32"), "floats of shape (n, 5)"),
        (np.zeros((2, 5), int), "floats of shape (n, 5)"),
        (np.full((2, 5), np.inf), "finite numbers"),
    ],
)
def test_what_are_no_codes_is_refused(array, message, deep, capsys):
    np.save("z.npy", array)
    assert main(["decode", "z.npy", "x.npy"]) == 1
    assert message in capsys.readouterr().err


def test_files_are_looked_at_before_they_are_believed(tmp_path, monkeypatch):
    with pytest.raises(LabError, match="found none at"):
        arrays.read_array(tmp_path / "none.npy")
    path = tmp_path / "x.npy"
    path.write_bytes(b"no array")
    with pytest.raises(LabError, match="plain arrays"):
        arrays.read_array(path)
    np.save(path, BYTES)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(LabError, match="plain arrays"):
        arrays.read_array(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", bytes(10_000))
    monkeypatch.setattr(arrays, "LARGEST", 1_000)
    with pytest.raises(LabError, match="at most 1,000 bytes, received 10,000"):
        arrays.read_array(path)


def test_an_output_of_another_kind_or_in_no_folder_is_refused(deep, capsys):
    np.save("x.npy", BYTES)
    assert main(["encode", "x.npy", "z.csv"]) == 1
    assert "an .npy or .npz file" in capsys.readouterr().err
    assert main(["encode", "x.npy", "nowhere/z.npy"]) == 1
    assert "cannot be written" in capsys.readouterr().err
