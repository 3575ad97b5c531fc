"""Formats of image data: accepted and described, or refused with a line of code that converts."""

import gzip
import io
import os
import pickle
import struct
import tracemalloc
import zipfile
import zlib

import h5py
import numpy as np
import pytest
import scipy.io
from PIL import Image

from ae_lab import data
from ae_lab.__main__ import main
from ae_lab.data import formats
from ae_lab.errors import LabError
from ae_lab.settings import Settings

CLASSES = 4


def part(count, classes=CLASSES, seed=0):
    """Images (count, 28, 28), all different; the mean shows the class; the top row is bright."""
    y = np.arange(count) % classes
    x = np.random.default_rng(seed).integers(0, 9, (count, 28, 28)) + 20 + 20 * y[:, None, None]
    x[:, 0] = 255
    return x.astype(np.uint8), y.astype(np.uint8)


X, Y = part(3_000)
XT, YT = part(1_000, seed=1)
FOUR = {"x_train": X, "y_train": Y, "x_test": XT, "y_test": YT}


def load(path):
    return data.load_mnist(Settings(dataset=str(path), offline=True))


def whole(dataset, classes=CLASSES):
    """Check that labels belong to their images, which are upright."""
    for x, y in ((dataset.x_train, dataset.y_train), (dataset.x_test, dataset.y_test)):
        below = 255 * x[:, 1:].mean(axis=(1, 2, 3))
        np.testing.assert_allclose(below, 24 + 20 * y.astype(float), atol=1)
        assert (x[:, 0] > 0.98).all() and len(np.unique(y)) == classes
    return dataset.source


def npz(folder, **content):
    np.savez(folder / "mine.npz", **content)
    return folder / "mine.npz"


def idx(array):
    kinds = {"u1": 8, "i1": 9, "i2": 11, "i4": 12, "f4": 13, "f8": 14}
    kind = kinds[array.dtype.str[1:]]
    head = struct.pack(f">HBB{array.ndim}I", 0, kind, array.ndim, *array.shape)
    return head + array.astype(array.dtype.newbyteorder(">")).tobytes()


def four_idx(folder, spelling="{}-{}-idx{}-ubyte", pack=lambda content: content, turn=False):
    folder.mkdir(parents=True, exist_ok=True)
    for name, x, y in (("train", X, Y), ("t10k", XT, YT)):
        x = x.swapaxes(1, 2) if turn else x
        for kind, array in (("images", x), ("labels", y)):
            file = folder / spelling.format(name, kind, array.ndim)
            file.write_bytes(pack(idx(array)))
    return folder


def zipped(content):
    return gzip.compress(content, 1)


def table(x, y, header=None, separator=",", last=False, index=False):
    columns = [x.reshape(len(x), -1), y[:, None]] if last else [y[:, None], x.reshape(len(x), -1)]
    if index:
        columns.insert(0, np.arange(len(x))[:, None])
    text = io.StringIO()
    np.savetxt(text, np.hstack(columns), "%d", separator)
    return (f"{header}\n" if header else "") + text.getvalue()


PIXELS = ",".join(f"pixel{i}" for i in range(784))


# Accepted formats


def idx_plain(folder):
    return four_idx(folder)


def idx_with_dots(folder):
    return four_idx(folder, "{}-{}.idx{}-ubyte")


def idx_in_gzip(folder):
    return four_idx(folder, "{}-{}-idx{}-ubyte.gz", zipped)


def idx_below_as_torchvision_has_it(folder):
    four_idx(folder / "MNIST" / "raw")
    return folder


def idx_by_one_of_its_files(folder):
    return four_idx(folder) / "t10k-labels-idx1-ubyte"


def idx_beside_its_gzip(folder):
    four_idx(folder, "{}-{}-idx{}-ubyte.gz", zipped)
    return four_idx(folder)


def idx_of_floats(folder):
    four_idx(folder)
    (folder / "train-images-idx3-ubyte").write_bytes(idx(X.astype("f4") / 255))
    (folder / "train-labels-idx1-ubyte").write_bytes(idx(Y.astype("i4")))
    return folder


def emnist_on_its_side(folder):
    return four_idx(folder, "emnist-digits-{}-{}-idx{}-ubyte.gz", zipped, turn=True)


def kmnist(folder):
    for name, x, y in (("train", X, Y), ("test", XT, YT)):
        np.savez_compressed(folder / f"kmnist-{name}-imgs.npz", x)
        np.savez_compressed(folder / f"kmnist-{name}-labels.npz", y)
    return folder


def kmnist_by_one_of_its_files(folder):
    return kmnist(folder) / "kmnist-train-imgs.npz"


def npy_files(folder):
    for name, array in FOUR.items():
        np.save(folder / f"{name.replace('x', 'X')}.npy", array)
    return folder


def csv_with_header(folder):
    (folder / "train.csv").write_text(table(X, Y, f"label,{PIXELS}"))
    (folder / "test.csv").write_text(table(XT, YT, f"label,{PIXELS}"))
    return folder


def csv_without_header(folder):
    (folder / "mnist_train.csv").write_text(table(X, Y))
    (folder / "mnist_test.csv").write_text(table(XT, YT))
    return folder / "mnist_train.csv"


def csv_from_a_german_excel(folder):
    semicolons = f"label,{PIXELS}".replace(",", ";")
    for name, x, y in (("train", X, Y), ("test", XT, YT)):
        content = table(x, y, semicolons, ";")
        (folder / f"{name}.csv").write_text(content, encoding="utf-8-sig", newline="\r\n")
    return folder


def csv_with_the_label_last(folder):
    (folder / "train.csv").write_text(table(X, Y, f"{PIXELS},class", last=True))
    (folder / "test.csv").write_text(table(XT, YT, f"{PIXELS},class", last=True))
    return folder


def csv_with_row_numbers(folder):
    (folder / "train.csv").write_text(table(X, Y, f",label,{PIXELS}", index=True))
    (folder / "test.csv").write_text(table(XT, YT, f",label,{PIXELS}", index=True))
    return folder


def usps_as_h5(folder):
    with h5py.File(folder / "usps.h5", "w") as file:
        for name, x, y in (("train", X, Y), ("test", XT, YT)):
            file[f"{name}/data"] = x.reshape(len(x), -1).astype("f4") / 255
            file[f"{name}/target"] = y.astype(int)
    return folder / "usps.h5"


def matlab_7_3(folder):
    with h5py.File(folder / "set.mat", "w", userblock_size=512) as file:
        for name, array in FOUR.items():
            file[name] = array.T  # the order in which MATLAB writes
    with (folder / "set.mat").open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file".ljust(512))
    return folder / "set.mat"


def emnist_as_mat(folder):
    def half(x, y):
        rows = x.swapaxes(1, 2).reshape(len(x), -1)
        return {"images": rows, "labels": y[:, None], "writers": y[:, None]}

    content = {"train": half(X, Y), "test": half(XT, YT), "mapping": np.zeros((4, 2))}
    scipy.io.savemat(folder / "emnist-digits.mat", {"dataset": content}, do_compression=True)
    return folder / "emnist-digits.mat"


def svhn(folder):
    """Colour, images along the last axis, labels from 1, two files."""
    for name, x, y in (("train", X, Y), ("test", XT, YT)):
        wide = np.pad(x, ((0, 0), (2, 2), (2, 2)), "edge")
        colours = np.repeat(wide[..., None], 3, axis=3)
        stored = {"X": np.moveaxis(colours, 0, -1), "y": y[:, None] + 1}
        scipy.io.savemat(folder / f"{name}_32x32.mat", stored)
    return folder


def named_like_a_part_of_another(folder):
    """The test file contains all four arrays, so it does not belong to the other."""
    np.savez(folder / "my.npz", **FOUR)
    np.savez(folder / "my_test.npz", **FOUR)
    return folder / "my_test.npz"


TAKEN = {
    idx_plain: "",
    idx_with_dots: "",
    idx_in_gzip: "",
    idx_below_as_torchvision_has_it: "",
    idx_by_one_of_its_files: "",
    idx_beside_its_gzip: "",
    idx_of_floats: "made bytes from >f4 in [0, 1]",
    emnist_on_its_side: "EMNIST",
    kmnist: "",
    kmnist_by_one_of_its_files: "kmnist, 3,000 + 1,000",
    npy_files: "",
    csv_with_header: "rows of 784 pixels made 28x28",
    csv_without_header: "mnist, 3,000 + 1,000",
    csv_from_a_german_excel: "rows of 784",
    csv_with_the_label_last: "rows of 784",
    csv_with_row_numbers: "rows of 784",
    usps_as_h5: "usps, 3,000 + 1,000",
    matlab_7_3: "",
    emnist_as_mat: "EMNIST",
    named_like_a_part_of_another: "my, 3,000 + 1,000",
}


@pytest.mark.parametrize("form", TAKEN, ids=lambda form: form.__name__)
def test_a_file_or_folder_is_accepted_and_described(form, tmp_path):
    said = whole(load(form(tmp_path)))
    assert TAKEN[form] in said and "3,000 + 1,000" in said and "not comparable" in said


def test_house_numbers_are_transposed_made_grey_and_renumbered(tmp_path):
    dataset = load(svhn(tmp_path))
    for said in ("last axis", "made grey", "28x28 from 32x32", "classes 1 2 3 4 numbered from 0"):
        assert said in dataset.source
    assert dataset.classes == ("1", "2", "3", "4") and set(dataset.y_test) == {0, 1, 2, 3}
    middle = 255 * dataset.x_test[:, 5:].mean(axis=(1, 2, 3))
    np.testing.assert_allclose(middle, 24 + 20 * dataset.y_test.astype(float), atol=1)


ONE_HOT = np.eye(CLASSES)
CONTENTS = {
    "capital letters": ({"X_train": X, "Y_train": Y, "X_test": XT, "Y_test": YT}, ""),
    "MedMNIST": (
        {"train_images": X, "train_labels": Y[:, None], "val_images": XT, "val_labels": YT}
        | {"test_images": XT, "test_labels": YT[:, None]},
        "mine.npz/val_images, mine.npz/val_labels not used",
    ),
    "the part first": ({"train_x": X, "train_y": Y, "test_x": XT, "test_y": YT}, ""),
    "no underscore": ({"xtrain": X, "ytrain": Y, "xtest": XT, "ytest": YT}, ""),
    "floats in [0, 1]": (FOUR | {"x_train": X / np.float32(255)}, "from float32 in [0, 1]"),
    "floats to 255": (FOUR | {"x_train": X.astype(float)}, "made bytes from float64"),
    "half precision": (FOUR | {"x_train": (X / 255).astype("f2")}, "float16 in [0, 1]"),
    "int64": (FOUR | {"x_train": X.astype(int)}, "made bytes from int64"),
    "big-endian": (FOUR | {"x_train": X.astype(">i2"), "y_train": Y.astype(">i8")}, ">i2"),
    "rows": (FOUR | {"x_train": X.reshape(-1, 784)}, "rows of 784 pixels made 28x28"),
    "rows and a channel": (FOUR | {"x_train": X.reshape(-1, 28, 28, 1)}, ""),
    "channels first": (FOUR | {"x_train": X[:, None]}, "channels moved behind"),
    "count last": (FOUR | {"x_train": np.moveaxis(X, 0, -1)}, "images counted along the last axis"),
    "one-hot floats": (FOUR | {"y_train": ONE_HOT[Y]}, "one-hot labels made numbers"),
    "one-hot bytes": (FOUR | {"y_train": ONE_HOT[Y].astype("u1")}, "one-hot labels made numbers"),
    "float labels": (FOUR | {"y_train": Y.astype("f4")}, ""),
    "text labels": (FOUR | {"y_train": Y.astype(str), "y_test": YT.astype("S1")}, ""),
    "labels of one column": (FOUR | {"y_train": Y[:, None]}, ""),
}


@pytest.mark.parametrize("name", CONTENTS)
def test_other_names_types_and_axes_are_converted_and_described(name, tmp_path):
    content, said = CONTENTS[name]
    assert said in whole(load(npz(tmp_path, **content)))


def test_colour_with_its_channels_first_becomes_grey(tmp_path):
    colours = {name: np.repeat(FOUR[name][:, None], 3, axis=1) for name in ("x_train", "x_test")}
    source = whole(load(npz(tmp_path, **FOUR | colours)))
    assert "channels moved behind, made grey (luma)" in source


def test_booleans_become_black_and_white(tmp_path):
    dataset = load(npz(tmp_path, **FOUR | {"x_train": X > 60, "x_test": XT > 60}))
    assert "made bytes from bool" in dataset.source and set(np.unique(dataset.x_test)) == {0, 1}


def test_large_images_are_shrunk(tmp_path):
    large = {name: FOUR[name].repeat(4, axis=1).repeat(4, axis=2) for name in ("x_train", "x_test")}
    assert "made 28x28 from 112x112" in whole(load(npz(tmp_path, **FOUR | large)))


def test_classes_are_numbered_in_their_order_and_keep_their_names(tmp_path):
    names = np.array(["cat", "dog", "fish", "yak"])
    dataset = load(npz(tmp_path, **FOUR | {"y_train": names[Y], "y_test": names[YT]}))
    whole(dataset)
    assert "classes cat dog fish yak numbered from 0" in dataset.source
    assert dataset.classes == tuple(names) and dataset.about["classes"] == list(names)
    twelve = {"y_train": (Y + 8).astype(str), "y_test": (YT + 8).astype(str)}
    assert load(npz(tmp_path, **FOUR | twelve)).classes == ("8", "9", "10", "11")


def test_only_the_first_ten_classes_are_used(tmp_path):
    """As in EMNIST's letters, whose labels start at 1."""
    y, yt = np.arange(10_400) % 26 + 1, np.arange(3_000) % 26 + 1
    x, xt = (np.zeros((len(labels), 28, 28), np.uint8) for labels in (y, yt))
    x[:, :14], xt[:, :14] = (9 * labels[:, None, None] for labels in (y, yt))
    dataset = load(npz(tmp_path, x_train=x, y_train=y, x_test=xt, y_test=yt))
    assert "the first 10 of 26 classes (1 2 3 4 5 6 7 8 9 10)" in dataset.source
    assert len(dataset.x_train) + len(dataset.x_validation) == 4_000
    top = np.rint(255 * dataset.x_test[:, 0, 0, 0])
    assert np.array_equal(top, 9 * (dataset.y_test.astype(int) + 1))


@pytest.mark.parametrize("names", [("images", "labels"), ("X", "y"), ("data", "target")])
def test_without_a_test_part_images_are_held_out(names, tmp_path):
    x, y = part(4_000)
    dataset = load(npz(tmp_path, **dict(zip(names, (x, y), strict=True))))
    assert "1,000 images held out for testing" in whole(dataset)
    both = [*dataset.x_train, *dataset.x_validation, *dataset.x_test]
    assert len({image.tobytes() for image in both}) == 4_000


def test_a_test_table_without_labels_is_not_used(tmp_path):
    """As in the Kaggle competition."""
    x, y = part(4_000)
    (tmp_path / "train.csv").write_text(table(x, y, f"label,{PIXELS}"))
    rows = table(XT, YT, PIXELS).splitlines()
    without = [rows[0], *(row.split(",", 1)[1] for row in rows[1:])]
    (tmp_path / "test.csv").write_text("\n".join(without))
    source = whole(load(tmp_path))
    assert "test.csv/x not used" in source and "held out" in source


# Pictures in class folders


def pictures(folder, parts=("train", "test"), names="abcd", ending="png", mode="L", size=(28, 28)):
    for name, (x, y) in zip(parts, ((X[:240], Y), (XT[:120], YT)), strict=False):
        for i, (image, label) in enumerate(zip(x, y, strict=False)):
            place = folder / name / names[label]
            place.mkdir(parents=True, exist_ok=True)
            picture = Image.fromarray(image).resize(size, Image.Resampling.NEAREST).convert(mode)
            picture.save(place / f"{i}.{ending}")
    return folder


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr("ae_lab.data.custom.LEAST", {"train": 100, "test": 50})
    monkeypatch.setattr("ae_lab.data.custom.LEAST_OF_CLASS", {"train": 5, "test": 5})


def levels(dataset):
    """The mean of the lower half shows the class, whatever the picture's format."""
    lower = 255 * dataset.x_test[:, 14:].mean(axis=(1, 2, 3))
    np.testing.assert_allclose(lower, 24 + 20 * dataset.y_test.astype(float), atol=4)


@pytest.mark.parametrize("parts", [("train", "test"), ("training", "testing"), ("Train", "Test")])
def test_folders_of_classes_are_read(parts, few, tmp_path):
    dataset = load(pictures(tmp_path, parts))
    levels(dataset)
    assert dataset.classes == ("a", "b", "c", "d") and "240 + 120" in dataset.source


def test_a_class_may_be_named_train_and_hidden_files_are_ignored(few, tmp_path):
    pictures(tmp_path, ("",), ("boat", "car", "plane", "train"))
    for hidden in (tmp_path / "car" / "._1.png", tmp_path / "__MACOSX" / "1.png"):
        hidden.parent.mkdir(exist_ok=True)
        hidden.write_bytes(b"no picture")
    (tmp_path / ".ipynb_checkpoints").mkdir()
    (tmp_path / ".ipynb_checkpoints" / "1.png").write_bytes(b"no picture")
    dataset = load(tmp_path)
    levels(dataset)
    assert dataset.classes == ("boat", "car", "plane", "train")
    assert "60 images held out for testing" in dataset.source


@pytest.mark.parametrize(
    ("ending", "mode", "size"),
    [
        ("jpg", "L", (28, 28)),
        ("png", "RGB", (64, 48)),
        ("png", "P", (28, 28)),
        ("png", "RGBA", (32, 32)),
        ("png", "I;16", (28, 28)),
        ("bmp", "RGB", (28, 28)),
        ("tif", "L", (100, 100)),
    ],
)
def test_pictures_of_any_kind_become_grey_squares(ending, mode, size, few, tmp_path):
    if mode == "I;16":  # 16 bits: 257 times the level
        folder = pictures(tmp_path)
        for path in folder.rglob("*.png"):
            Image.fromarray(np.asarray(Image.open(path)).astype(np.uint16) * 257).save(path)
    else:
        folder = pictures(tmp_path, ending=ending, mode=mode, size=size)
    levels(load(folder))


def test_transparent_pictures_get_a_white_background(few, tmp_path):
    folder = pictures(tmp_path)
    for path in folder.rglob("*.png"):
        ink = Image.open(path)
        clear = Image.new("LA", ink.size, (0, 0))
        clear.paste(ink, (0, 14), Image.new("L", ink.size, 255))
        clear.save(path)
    dataset = load(folder)
    assert (dataset.x_test[:, :10] == 1).all() and "dark on light" in dataset.source


def test_a_damaged_picture_is_named(few, tmp_path):
    folder = pictures(tmp_path)
    (folder / "train" / "b" / "1.png").write_bytes(b"\x89PNG cut")
    with pytest.raises(LabError, match="1.png"):
        load(folder)


# Refused data


class Trap:
    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, "w")


NOISE = np.random.default_rng(0).normal(size=X.shape)
REFUSED = {
    "0 and 1": (FOUR | {"x_train": X // 128}, ["x_train * 255", "31 of 255"]),
    "0 to 16": (FOUR | {"x_test": XT // 16}, ["x_test * 17"]),
    "divided twice": (FOUR | {"x_train": X / 255 / 255}, ["x_train * 255"]),
    "16 as float": (FOUR | {"x_train": (X // 16).astype(float)}, ["x_train * 17"]),
    "standardised": (FOUR | {"x_train": NOISE}, ["float64 from -", "np.uint8(255.0 * (x_train +"]),
    "-1 to 1": (FOUR | {"x_train": X / 127.5 - 1}, ["np.uint8(255.0 * (x_train +"]),
    "NaN": (FOUR | {"x_train": np.where(X > 250, np.nan, X / 255)}, ["np.nan_to_num(x_train)"]),
    "int8": (FOUR | {"x_train": X.view("i1")}, ["int8 from", "x_train.view(np.uint8)"]),
    "uint16": (FOUR | {"x_train": X.astype("u2") * 257}, ["uint16 from", "to 65535", "np.uint8("]),
    "complex": (FOUR | {"x_train": X.astype("c8")}, ["complex64", "x_train.astype"]),
    "text": (FOUR | {"x_train": X.astype("U3")}, ["<U3", "x_train.astype"]),
    "opaque": (
        FOUR | {"x_train": np.repeat(X[..., None], 4, 3)},
        ["(3000, 28, 28, 4)", "x_train[..., :3]"],
    ),
    "oblong": (
        FOUR | {"x_train": X[:, :, :20]},
        ["(3000, 28, 20)", "np.pad(x_train, [(0, 0), (0, 0), (4, 4)])"],
    ),
    "16x16": (
        FOUR | {"x_train": X[:, :16, :16]},
        ["(3000, 16, 16)", "np.pad(x_train, [(0, 0), (6, 6), (6, 6)])"],
    ),
    "rows of 785": (FOUR | {"x_train": np.zeros((3_000, 785))}, ["(3000, 785)", "reshape"]),
    "two sizes": (FOUR | {"x_test": XT.repeat(2, 1).repeat(2, 2)}, ["(28, 28) and (56, 56)"]),
    "one label short": (FOUR | {"y_train": Y[1:]}, ["3,000", "y_train", "(2999,)"]),
    "a label missing": (FOUR | {"y_train": Y.astype(int) - 1}, ["from -1 to 2", "y_train >= 0"]),
    "broken labels": (FOUR | {"y_train": Y + 0.5}, ["from 0.5 to 3.5"]),
    "NaN labels": (FOUR | {"y_train": np.where(Y > 2, np.nan, Y)}, ["y_train", "nan"]),
    "several classes": (FOUR | {"y_train": np.ones((3_000, 14))}, ["(3000, 14)", "argmax(1)"]),
    "QMNIST": (FOUR | {"y_train": np.repeat(Y[:, None], 8, 1)}, ["y_train[:, 0]"]),
    "objects": (FOUR | {"y_train": Y.astype(object)}, ["object", ".astype(str)"]),
    "dates": (FOUR | {"y_train": Y.astype("M8[s]")}, ["datetime64[s]"]),
    "one class": (FOUR | {"y_train": 0 * Y, "y_test": 0 * YT}, ["2 classes", "3,000 of 0"]),
    "a rare class": (FOUR | {"y_train": np.where(np.arange(3_000) < 3, 3, Y % 3)}, ["3 of 3"]),
    "another class": (FOUR | {"y_test": YT + 1}, ["4: 0 1 2 3", "4: 1 2 3 4"]),
    "too few": (FOUR | {"x_test": XT[:500], "y_test": YT[:500]}, ["1,000", "received 500"]),
    "no images": (FOUR | {"x_train": X[:0], "y_train": Y[:0]}, ["x_train"]),
    "numbered arrays": (
        {"arr_0": X, "arr_1": Y, "arr_2": XT, "arr_3": YT},
        ["mine.npz/arr_0, mine.npz/arr_1", "np.savez("],
    ),
    "no labels": ({"x_train": X, "x_test": XT}, ["received mine.npz/x_train, mine.npz/x_test"]),
    "twice": (FOUR | {"train_images": X}, ["mine.npz/x_train and mine.npz/train_images"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_implausible_data_are_refused_with_code_that_converts_them(name, tmp_path):
    content, words = REFUSED[name]
    path = npz(tmp_path, **content)
    with pytest.raises(LabError) as error:
        load(path)
    for said in (str(path), "expected", "received", *words):
        assert said in str(error.value)
    assert len(str(error.value).splitlines()) == 1
    assert "delete" not in str(error.value) and "allow_pickle" not in str(error.value)


@pytest.mark.parametrize(
    "name", ["0 and 1", "0 to 16", "standardised", "NaN", "int8", "uint16", "oblong"]
)
def test_the_suggested_code_converts_the_data(name, tmp_path):
    content, _ = REFUSED[name]
    with pytest.raises(LabError) as error:
        load(npz(tmp_path, **content))
    line = str(error.value).split(": save ")[-1].removesuffix(" in its place.")
    (array,) = {one for one in content if one in line}
    converted = eval(line, {"np": np, array: content[array]})
    load(npz(tmp_path, **content | {array: converted}))


FILES = {
    "mnist.pkl.gz": (gzip.compress(pickle.dumps([1, 2], 2)), ["pickle", "downloaded", "latin1"]),
    "old.pkl": (pickle.dumps([1, 2], 0), ["pickle"]),
    "photo.png": (b"\x89PNG\r\n\x1a\n" + bytes(99), ["one picture", "reconstruct"]),
    "photo.jpg": (b"\xff\xd8\xff\xe0" + bytes(99), ["one picture", "reconstruct"]),
    "images.dat": (bytes(range(256)) * 9, ["np.fromfile(path, np.uint8)"]),
    "empty.npz": (b"", ["an empty file"]),
    "train.parquet": (b"PAR1" + bytes(99), ["np.savez("]),
    "page.npz": (b"<!DOCTYPE html><p>Sign in", ["CSV of numbers", "np.savez("]),
    "words.csv": (b"name,age\nAnna,7\n", ["CSV of numbers"]),
    "ragged.csv": (b"1,2,3\n4,5\n", ["CSV of numbers"]),
    "whole.npz.gz": (gzip.compress(b"PK\x03\x04" + bytes(99)), ["a whole .npz"]),
    "cut-train-images-idx3-ubyte": (idx(X)[:-9], ["received"]),
}


@pytest.mark.parametrize("name", FILES)
def test_other_files_are_refused_with_advice(name, tmp_path):
    content, words = FILES[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(LabError) as error:
        load(tmp_path / name)
    for said in (str(tmp_path / name), "expected", "received", *words):
        assert said in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_a_pickle_is_never_loaded(tmp_path):
    trap = pickle.dumps(Trap(tmp_path / "sprung"), 2)
    for name, content in (("mnist.pkl.gz", gzip.compress(trap)), ("a.pkl", trap), ("b.npz", trap)):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(LabError, match="pickle"):
            load(tmp_path / name)
    np.savez(
        tmp_path / "c.npz", **FOUR | {"y_train": np.array([Trap(tmp_path / "sprung")] * 3_000)}
    )
    (tmp_path / "sprung").unlink(missing_ok=True)
    with pytest.raises(LabError, match="object"):
        load(tmp_path / "c.npz")
    assert not (tmp_path / "sprung").exists()


def test_a_zip_file_of_pictures_or_of_pytorch_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        archive.writestr("cat/1.png", b"")
    with pytest.raises(LabError, match="cat/1.png.*unpack it"):
        load(tmp_path / "set.zip")


def test_several_data_sets_in_a_folder_are_named(tmp_path):
    four_idx(tmp_path, "emnist-letters-{}-{}-idx{}-ubyte.gz", zipped)
    four_idx(tmp_path, "emnist-digits-{}-{}-idx{}-ubyte.gz", zipped)
    with pytest.raises(LabError, match="emnist-digits-.*emnist-letters-.*one of these files"):
        load(tmp_path)
    assert "emnist-letters" in load(tmp_path / "emnist-letters-train-images-idx3-ubyte.gz").source


def test_the_content_of_a_folder_without_data_is_listed(tmp_path):
    with pytest.raises(LabError, match="an empty folder"):
        load(tmp_path)
    (tmp_path / "notes.txt").write_text("a")
    with pytest.raises(LabError, match="notes.txt"):
        load(tmp_path)
    os.mkfifo(tmp_path / "train-images-idx3-ubyte")
    with pytest.raises(LabError, match="received notes.txt, train-images"):
        load(tmp_path)


# Sizes are checked before memory is allocated


def large_idx(folder):
    path = folder / "train-images-idx3-ubyte.gz"
    head = struct.pack(">HBB3I", 0, 8, 3, 3_000_000_000, 28, 28)
    path.write_bytes(gzip.compress(head + bytes(10**6)))
    return path


def large_h5(folder):
    with h5py.File(folder / "a.h5", "w") as file:
        file.create_dataset("x_train", (10**9, 28, 28), "u1", chunks=(1_000, 28, 28))
        file["y_train"] = Y
    return folder / "a.h5"


def large_mat(folder):
    head = b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack("<H", 256) + b"IM"
    inside = zlib.compress(struct.pack("<II", 14, 2**31) + bytes(10**6))
    (folder / "a.mat").write_bytes(head + struct.pack("<II", 15, len(inside)) + inside)
    return folder / "a.mat"


def large_npz(folder):
    """300 GB are declared; a few bytes are stored."""
    head = io.BytesIO()
    about = {"descr": "|u1", "fortran_order": False, "shape": (400_000_000, 28, 28)}
    np.lib.format.write_array_header_1_0(head, about)
    path = npz(folder, y_train=Y, x_test=XT, y_test=YT)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("x_train.npy", head.getvalue() + bytes(99))
    return path


def large_npy(folder):
    np.save(folder / "x_train.npy", X)
    content = (folder / "x_train.npy").read_bytes()
    (folder / "x_train.npy").write_bytes(content.replace(b"(3000, 28, 28)", b"(9999, 99, 99)"))
    return folder / "x_train.npy"


def large_text_mat(folder):
    """A text of 4 GiB characters, of which none is stored."""

    def element(kind, content):
        return struct.pack("<II", kind, len(content)) + content + bytes(-len(content) % 8)

    shape = struct.pack("<ii", 2**31 - 1, 2)
    about = element(6, struct.pack("<II", 4, 0)) + element(5, shape) + element(1, b"x")
    head = b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack("<H", 256) + b"IM"
    (folder / "a.mat").write_bytes(head + element(14, about + element(16, b"")))
    return folder / "a.mat"


def long_line(folder):
    """A table of one line, 40 MB, compressed."""
    (folder / "a.csv.gz").write_bytes(gzip.compress(b"0," * 20_000_000, 1))
    return folder / "a.csv.gz"


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("text", ["nonsense", "label,p1,p2\n", "# 1,2\n"])
def test_text_without_numbers_is_named(tmp_path, text):
    (tmp_path / "b.png").write_text(text)
    with pytest.raises(LabError, match="without numbers in b.png"):
        formats.arrays_in(tmp_path / "b.png")


LARGE = [large_idx, large_h5, large_mat, large_text_mat, long_line, large_npz, large_npy]


@pytest.mark.parametrize("form", LARGE)
def test_too_large_declared_sizes_are_refused_immediately(form, tmp_path):
    path = form(tmp_path)
    tracemalloc.start()
    try:
        with pytest.raises(LabError, match="received"):
            load(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 40e6, f"{peak:,.0f} bytes were allocated"


def test_the_size_of_a_compressed_table_is_checked_while_reading(tmp_path, monkeypatch):
    monkeypatch.setattr(formats, "LARGEST", 100_000)
    (tmp_path / "train.csv.gz").write_bytes(gzip.compress((b"0," * 784 + b"0\n") * 99))
    with pytest.raises(LabError, match="at most 100,000 bytes"):
        load(tmp_path / "train.csv.gz")


# Warnings on the page


def test_unsuitable_data_get_a_warning_on_the_page(tmp_path):
    said = load(npz(tmp_path, **FOUR | {"x_train": 0 * X, "x_test": 0 * XT})).source
    assert "images are equal" in said
    said = load(npz(tmp_path, **FOUR | {"x_test": X[:1_000], "y_test": Y[:1_000]})).source
    assert "100% of the test images" in said
    dataset = load(npz(tmp_path, **FOUR | {"x_train": 255 - X, "x_test": 255 - XT}))
    assert "dark on light" in dataset.source and not dataset.about["light_on_dark"]
    dataset = load(npz(tmp_path, **FOUR))
    assert ";" not in dataset.source and dataset.about["light_on_dark"]


# MNIST itself in all formats


def packed_idx(folder, arrays):
    for name, array in arrays.items():
        kind, n = ("images", 3) if name[0] == "x" else ("labels", 1)
        part = "train" if "train" in name else "t10k"
        (folder / f"{part}-{kind}-idx{n}-ubyte").write_bytes(idx(array))
    return folder


def packed_table(folder, arrays):
    for part in ("train", "test"):
        content = table(arrays[f"x_{part}"], arrays[f"y_{part}"])
        (folder / f"mnist_{part}.csv").write_text(content)
    return folder


def packed_otherwise(folder, arrays):
    floats = {name: arrays[name][:, None] / np.float32(255) for name in ("x_train", "x_test")}
    numbers = {name: arrays[name].astype(int) for name in ("y_train", "y_test")}
    np.savez(folder / "mnist.npz", **floats, **numbers)
    return folder


def packed_by_name(folder, arrays):
    np.savez(folder / "digits.npz", **arrays)
    return folder / "digits.npz"


@pytest.mark.parametrize("pack", [packed_idx, packed_table, packed_otherwise, packed_by_name])
def test_mnist_is_recognised_by_its_content(pack, arrays, tmp_path):
    np.savez(tmp_path / "mnist.npz", **arrays)
    known = data.load_mnist(Settings(data_folder=tmp_path))
    (tmp_path / "other").mkdir()
    path = pack(tmp_path / "other", arrays)
    named = data.load_mnist(Settings(data_folder=path))
    assert (named.source, named.sha256) == (data.FULL_NAME, known.sha256) and named.comparable
    assert load(path).source == data.FULL_NAME and load(path).digits


def test_other_images_instead_of_mnist_are_refused_with_advice(tmp_path):
    with pytest.raises(LabError, match="is not MNIST.*AE_LAB_DATASET") as error:
        data.load_mnist(Settings(data_folder=four_idx(tmp_path)))
    assert "delete" not in str(error.value)


def test_fashion_mnist_is_found_as_idx_files_in_the_data_folder(tmp_path):
    settings = Settings(dataset="fashion_mnist", data_folder=four_idx(tmp_path), offline=True)
    with pytest.raises(LabError, match="is not Fashion-MNIST"):
        data.load_mnist(settings)


# python -m ae_lab data PATH


def test_a_file_is_described(tmp_path, capsys):
    assert main(["data", str(npz(tmp_path, **FOUR | {"x_train": X / 255, "more": Y}))]) == 0
    said = capsys.readouterr().out
    for words in (
        "x_train: mine.npz/x_train, shape (3000, 28, 28), dtype float64",
        "not used: mine.npz/more",
        "made bytes from float64 in [0, 1]",
        "0 0, 1 1, 2 2, 3 3",
        f"AE_LAB_DATASET={tmp_path / 'mine.npz'}",
    ):
        assert words in said


def test_a_refused_file_is_described_as_far_as_possible(tmp_path, capsys):
    assert main(["data", str(npz(tmp_path, **FOUR | {"x_train": X // 128}))]) == 1
    said = capsys.readouterr()
    assert "x_test: mine.npz/x_test, shape (1000, 28, 28)" in said.out
    assert "x_train * 255" in said.err and len(said.err.splitlines()) == 1
    assert main(["data", str(tmp_path / "none.npz")]) == 1
    assert "no file" in capsys.readouterr().err


def test_the_fingerprint_follows_every_file_of_a_set(tmp_path):
    def fingerprint():
        return data.local_fingerprint(Settings(dataset=str(tmp_path)))

    four_idx(tmp_path)
    before = fingerprint()
    assert before == fingerprint()
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(idx(YT[::-1]))
    assert before != fingerprint()


@pytest.mark.parametrize("name", ["MNIST", "Fashion-MNIST", "fashion_mnist"])
def test_a_name_is_recognised_in_any_spelling(name):
    known = Settings.from_environment({"AE_LAB_DATASET": name}).dataset
    assert known == name.lower().replace("-", "_")
