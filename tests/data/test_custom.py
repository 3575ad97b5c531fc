"""Your own images instead of MNIST: read, converted, or refused with a reason."""

import gzip
import hashlib
import re

import numpy as np
import pytest

from ae_lab import data, evaluation
from ae_lab.data import mnist
from ae_lab.data.custom import LEAST
from ae_lab.errors import LabError
from ae_lab.lab import start_lab
from ae_lab.report.execute.environment import kernel_environment
from ae_lab.settings import Settings
from helpers import small_arrays


def arrays(side=28, channels=(), classes=4, train=LEAST["train"], test=LEAST["test"]):
    """Images ordered by class; each class has a different grey level, with a little noise."""
    rng = np.random.default_rng(0)
    made = {}
    for part, n in (("train", train), ("test", test)):
        labels = np.sort(np.arange(n) % classes)
        level = (20 + 50 * labels).reshape(-1, *[1] * (2 + len(channels)))
        noise = rng.integers(0, 9, (n, side, side, *channels))
        made |= {f"x_{part}": (level + noise).astype(np.uint8), f"y_{part}": labels}
    return made


def stored(folder, **content):
    path = folder / "leaves.npz"
    np.savez(path, **content)
    return Settings(dataset=str(path))


@pytest.mark.parametrize(
    ("side", "channels", "said"),
    [
        (28, (), "leaves, 3,000 + 1,000: "),
        (28, (1,), "leaves, 3,000 + 1,000: "),
        (32, (3,), "made grey (luma), made 28x28 from 32x32"),
        (64, (), "made 28x28 from 64x64 (means over areas)"),
    ],
)
def test_every_allowed_form_is_converted_for_the_notebooks(side, channels, said, tmp_path):
    dataset = data.load_mnist(stored(tmp_path, **arrays(side, channels)))
    shapes = [len(x) for x in (dataset.x_train, dataset.x_validation, dataset.x_test)]
    assert shapes == [2_625, 375, 1_000]
    assert dataset.x_test.shape == (1_000, 28, 28, 1) and dataset.x_test.dtype == np.float32
    assert said in dataset.source and "not comparable" in dataset.source
    assert not dataset.comparable and dataset.is_small
    for x, y in ((dataset.x_train, dataset.y_train), (dataset.x_test, dataset.y_test)):
        level = x.mean(axis=(1, 2, 3)) * 255  # labels still belong to their images
        np.testing.assert_allclose(level, 24 + 50 * y.astype(float), atol=1)
        assert len(np.unique(y[:50])) == 4  # and are no longer ordered by class


@pytest.mark.slow
def test_colour_becomes_luma_and_pixels_become_means_over_areas(tmp_path):
    content = arrays(64, (3,))
    content["x_test"][...] = 0
    content["x_test"][:, :32, :, 1] = 200  # the upper half is green
    x = data.load_mnist(stored(tmp_path, **content)).x_test[0, ..., 0]
    np.testing.assert_allclose(x[:14], 200 * 0.587 / 255, atol=0.003)
    assert not x[14:].any()


def test_missing_classes_are_not_required(tmp_path):
    dataset = data.load_mnist(stored(tmp_path, **arrays(classes=3)))
    first = evaluation.first_of_each(dataset.y_test)
    assert dataset.y_test[first].tolist() == [0, 1, 2]


def changed(**changes):
    return arrays() | changes


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"x_train": np.zeros((9, 28, 28), np.uint8)}, "x_train, y_train, x_test, y_test"),
        (arrays(27), r"np.pad\(x_train"),
        (arrays(test=999), "at least 1,000 images in x_test.*received 999"),
        (changed(x_test=np.zeros((1_000, 32, 32), np.uint8)), "of one shape"),
        (changed(y_test=np.zeros(9, int)), "1,000 whole numbers or words in y_test"),
        (changed(y_train=np.zeros(3_000)), "3,000 of 0"),
        (changed(y_train=1 + np.arange(3_000) % 4), "4: 1 2 3 4"),
        (changed(y_test=np.arange(1_000) % 3), "3: 0 1 2"),
    ],
)
def test_invalid_arrays_are_refused_with_the_reason(content, message, tmp_path):
    with pytest.raises(LabError, match=message):
        data.load_mnist(stored(tmp_path, **content))


def test_missing_damaged_and_object_files_are_refused(tmp_path):
    with pytest.raises(LabError, match="received no file"):
        data.load_mnist(Settings(dataset=str(tmp_path / "none.npz")))
    (tmp_path / "bad.npz").write_bytes(b"PK no archive")
    with pytest.raises(LabError, match="a whole .npz"):
        data.load_mnist(Settings(dataset=str(tmp_path / "bad.npz")))
    objects = changed(y_train=np.array([{"a": 1}] * 3_000, dtype=object))
    with pytest.raises(LabError, match="plain arrays, received dtype object"):
        data.load_mnist(stored(tmp_path, **objects))


def fashion(monkeypatch):
    """A few images that count as Fashion-MNIST during a test."""
    content = small_arrays(2)
    digests = {name: hashlib.sha256(array).hexdigest() for name, array in content.items()}
    monkeypatch.setitem(mnist.CONTENT, "fashion_mnist", digests)
    monkeypatch.setattr(mnist, "SHAPES", {name: array.shape for name, array in content.items()})
    return content


def test_fashion_mnist_is_read_from_a_file_and_recognised_by_content(tmp_path, monkeypatch):
    settings = Settings(dataset="fashion_mnist", data_folder=tmp_path, offline=True)
    with pytest.raises(LabError, match="fashion_mnist must be available"):
        data.load_mnist(settings)
    content, path = fashion(monkeypatch), tmp_path / "fashion_mnist.npz"
    np.savez(path, **content)
    for one in (settings, Settings(dataset=str(path))):
        dataset = data.load_mnist(one)
        assert dataset.source.startswith("fashion_mnist, 60,000 + 10,000: ")
        assert dataset.classes[9] == "ankle-boot" and not dataset.digits
    content["x_test"][-1, -1, -1] ^= 1
    np.savez(path, **content)
    with pytest.raises(LabError, match="is not Fashion-MNIST.*x_test with SHA-256"):
        data.load_mnist(settings)


def test_each_data_set_has_four_hashes():
    hashes = [one for content in mnist.CONTENT.values() for one in content.values()]
    assert len(set(hashes)) == 8 and all(re.fullmatch("[0-9a-f]{64}", one) for one in hashes)
    assert [*mnist.CONTENT["fashion_mnist"]] == [*mnist.SHAPES]


def test_fashion_mnist_is_downloaded_as_four_files_and_verified(tmp_path, monkeypatch, capsys):
    def fetch(address, path):
        name = address.rpartition("/")[2]
        array = content[names[name.replace("t10k", "test").split("-idx")[0]]]
        head = bytes((0, 0, 8, array.ndim)) + np.array(array.shape, ">u4").tobytes()
        path.write_bytes(gzip.compress(head + array.tobytes()))
        return path

    names = {"train-images": "x_train", "train-labels": "y_train"}
    names |= {"test-images": "x_test", "test-labels": "y_test"}
    content = fashion(monkeypatch)
    monkeypatch.setattr(mnist, "fetch", fetch)
    monkeypatch.setattr(mnist, "WAITS", ())
    settings = Settings(dataset="fashion_mnist", project_folder=tmp_path)
    assert data.prepare(settings).startswith("fashion_mnist, ")
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["fashion_mnist.npz"]
    assert data.local_fingerprint(settings).startswith("fashion_mnist: ")
    (tmp_path / "data" / "fashion_mnist.npz").unlink()
    content["y_test"] = content["y_test"][::-1]
    with pytest.raises(LabError, match="y_test with SHA-256"):
        data.prepare(settings)
    assert "could not be downloaded" in capsys.readouterr().out
    assert not list((tmp_path / "data").iterdir())


def test_the_environment_names_a_dataset_also_for_kernels(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = Settings.from_environment({"AE_LAB_DATASET": "leaves.npz"})
    assert settings.dataset == str(tmp_path / "leaves.npz")
    kernel = kernel_environment(settings, tmp_path / "records", tmp_path / "homes")
    assert Settings.from_environment(kernel).dataset == settings.dataset
    with pytest.raises(LabError, match="mnist, fashion_mnist, or the path of a file"):
        Settings.from_environment({"AE_LAB_DATASET": "cifar"})


def test_the_fingerprint_changes_with_the_content(tmp_path):
    before = data.local_fingerprint(stored(tmp_path, **arrays()))
    assert before == data.local_fingerprint(stored(tmp_path, **arrays()))
    assert before != data.local_fingerprint(stored(tmp_path, **arrays(classes=3)))


def test_the_notebook_names_its_data_and_omits_published_values(tmp_path, capsys):
    lab = start_lab("a", stored(tmp_path, **arrays()))
    lab.load_mnist()
    assert "these are leaves." in capsys.readouterr().out
    lab.record("a.b", 1.5, "nats", published=1.25, source="Doe (2006)")
    said = capsys.readouterr().out
    assert "1.5" in said and "1.25" not in said and "Doe" not in said
