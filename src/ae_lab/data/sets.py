"""Which files belong to one data set, and which of their arrays are what.

Told by names, of files and of arrays: ``X_train``, ``train_images``, ``train/data``,
``t10k-labels-idx1-ubyte.gz``, ``mnist_test.csv``; or by class folders of pictures.
"""

import re
from collections import defaultdict
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from ae_lab.data.formats import SAVE, Stored, arrays_in, wrong

SIDE = 28  # of the images that pictures become
LARGEST_PIXELS = 60_000_000  # of one picture
PART = re.compile(r"(?<![a-z])(?:[xy]_?)?(train|test|t10k|val(?!ue))")
ROLE = re.compile(
    r"image|img|pixel|feature|(?<![a-z])data(?!set)|label|target"
    r"|(?<![a-z0-9])[xy](?=train|test|[^a-z]|$)|(?:(?<=train)|(?<=test))[xy](?![a-z])"
)
ARRAYS = re.compile(r"(\.(npz|npy|csv|mat|h5|hdf5)|idx\d-?(ubyte|int))(\.gz)?$")
PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff")


def open_set(path: Path) -> tuple[dict[str, Stored], list[str]]:
    """The arrays of a data set, none of them read yet.

    Parameters
    ----------
    path : a file, beside which others of the same set may lie; or a folder with such files, or
        with class folders of pictures, of which there may be one tree each for train and test.

    Returns
    -------
    dict of "x_train", "y_test" and the like, or "x" and "y" where no part is named, to `Stored`,
    and the names of the arrays that are not used. A ``LabError`` says that there is nothing to
    read, two arrays for one part, or too much.
    """
    files = files_of(path)
    if path.is_dir() and files[0].suffix.lower() in PICTURES:
        return _pictures(path, files), []
    found, unused = {}, []
    for stored in (one for file in files for one in arrays_in(file).values()):
        name = name_of(stored.origin)
        if name in found:
            two = f"{found[name].origin} and {stored.origin}"
            raise wrong(f"one array for {name}", two, "name one of the files, or rename an array")
        if name is None or name.endswith("val"):
            unused.append(stored.origin)
        else:
            found[name] = stored
    return found, unused


def name_of(origin: str) -> str | None:
    """What an array is, by the last words of its file's and its own name that say so."""
    roles, parts = ROLE.findall(origin.lower()), PART.findall(origin.lower())
    if not roles:
        return None
    axis = "y" if roles[-1] in ("label", "target", "y") else "x"
    return f"{axis}_{parts[-1]}".replace("t10k", "test") if parts else axis


def name_of_set(path: Path) -> str:
    """What a data set is called: what stands before "train", "." and the like in its name."""
    name = path.name if path.is_dir() else path.name.split(".")[0]
    return re.split(r"(?i)[-_.]?(?<![a-z])(?:train|test|t10k)", name)[0] or path.parent.name


def files_of(path: Path) -> list[Path]:
    """The files that a data set at ``path`` is read from, at least one."""
    if path.is_file():
        if not PART.search(path.name.lower()):
            return [path]
        beside = [file for file in sorted(path.parent.iterdir()) if file.is_file()]
        return _families([path, *beside])[_family(path)]
    if not path.is_dir():
        raise wrong("a file or folder", "no file", "correct the path")
    for pattern in ("*", "*/*", "*/*/*"):  # torchvision has them two folders below
        files = [one for one in sorted(path.glob(pattern)) if ARRAYS.search(one.name.lower())]
        families = _families([one for one in files if one.is_file()])
        several = [family for family in families.values() if len(family) > 1]
        found = several or list(families.values())
        if not several and (pictures := _class_pictures(path)):
            return pictures
        if len(found) > 1:
            names = ", ".join(family[0].name for family in found[:9])
            raise wrong("one data set", names, "name one of these files instead of the folder")
        if found:
            return found[0]
    received = ", ".join(sorted(one.name for one in path.iterdir())[:5]) or "an empty folder"
    expected = "IDX, .npz, CSV, HDF5 or MATLAB files, or a folder of pictures per class"
    raise wrong(expected, received, f"put the files there, or save {SAVE}")


def _families(files: list[Path]) -> dict[str, list[Path]]:
    """Files whose names differ in part and role alone; of the same, packed or not, the first."""
    families, seen = defaultdict(list), set()
    for file in files:
        spelling = re.sub(r"[^a-z0-9]", "", file.name.lower().removesuffix(".gz"))
        if spelling not in seen:
            families[_family(file)].append(file)
        seen.add(spelling)
    return families


def _family(file: Path) -> str:
    name = re.sub(r"idx\d[-_]?(ubyte|int)", "", file.name.lower().removesuffix(".gz"))
    return re.sub(r"[^a-z0-9]", "", ROLE.sub("", PART.sub("", name)))


def _class_pictures(folder: Path) -> list[Path]:
    """Pictures in folders of classes, or in such below folders called train and test."""
    classes = [
        one
        for pattern in ("*/*", "*/*/*")
        for one in sorted(folder.glob(pattern))
        if one.suffix.lower() in PICTURES and one.name[0] != "."
    ]
    return [one for one in classes if not any(part[0] in "._" for part in one.parts[-3:-1])]


def _pictures(folder: Path, files: list[Path]) -> dict[str, Stored]:
    """Stored arrays of the pictures of each part; what a class is called is its folder's name."""
    parts = defaultdict(list)
    for file in files:
        above = file.relative_to(folder).parts[:-2]  # a class may itself be called "train"
        part = PART.match(above[0].lower()) if above else None
        parts["_" + part[1] if part else ""].append(file)
    found = {}
    for part, paths in parts.items():
        labels = np.array([path.parent.name for path in paths])
        shape, read = (len(paths), SIDE, SIDE), partial(_read_pictures, paths)
        origin = f"the class folders{part.replace('_', ' of ')}"
        found[f"x{part}"] = Stored(shape, np.dtype(np.uint8), read, origin)
        found[f"y{part}"] = Stored(labels.shape, labels.dtype, lambda y=labels: y, origin)
    return found


def _read_pictures(paths: list[Path]) -> np.ndarray:
    images = np.empty((len(paths), SIDE, SIDE), np.uint8)
    for image, path in zip(images, paths, strict=True):
        with Image.open(path) as picture:
            if picture.width * picture.height > LARGEST_PIXELS:
                raise ValueError(f"{path.name} of {picture.width}x{picture.height} pixels")
            if picture.mode.startswith("I"):  # 16 bits
                picture = Image.fromarray(np.uint8(np.asarray(picture, np.float32) / 257))
            if picture.has_transparency_data:
                picture = picture.convert("RGBA")
                picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
            grey = ImageOps.exif_transpose(picture).convert("L")
        image[...] = ImageOps.fit(grey, (SIDE, SIDE), Image.Resampling.BOX)
    return images
