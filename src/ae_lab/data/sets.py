"""Which files belong to one data set, and which of their arrays are images or labels.

Both are decided by the names of files and arrays, such as ``X_train``, ``train_images``,
``train/data``, ``t10k-labels-idx1-ubyte.gz`` and ``mnist_test.csv``, or by class folders.
"""

import re
from collections import defaultdict
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from ae_lab.data.formats import SAVE, Stored, arrays_in, in_memory, wrong
from ae_lab.files import open_regular

SIDE = 28  # pixels; pictures are scaled to this side
LARGEST_PIXELS = 60_000_000  # pixels of one picture
PART = re.compile(r"(?<![a-z])(?:[xy]_?)?(train|test|t10k|val(?!ue))")
ROLE = re.compile(
    r"image|img|pixel|feature|(?<![a-z])data(?!set)|label|target"
    r"|(?<![a-z0-9])[xy](?=train|test|[^a-z]|$)|(?:(?<=train)|(?<=test))[xy](?![a-z])"
)
ARRAYS = re.compile(r"(\.(npz|npy|csv|mat|h5|hdf5)|idx\d-?(ubyte|int))(\.gz)?$")
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF")  # others may run programs
PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff")


def open_set(path: Path) -> tuple[dict[str, Stored], list[str]]:
    """The arrays of a data set by role, and the names of arrays that have no role.

    The roles are "x_train", "y_test" and the like, or "x" and "y" if no part is named. ``path`` is
    a file or a folder. Other files in the folder of a file may belong to the same data set. A
    folder has such files, or class folders of pictures, perhaps inside ``train`` and ``test``. A
    ``LabError`` is raised if there is nothing to read, if two arrays have the same role, or if a
    file cannot be used.
    """
    files, found, unused = files_of(path), {}, []
    pictures = path.is_dir() and files[0].suffix.lower() in PICTURES
    for stored in _pictures(path, files) if pictures else sum(map(arrays_in, files), []):
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
    """The role of an array, from the last words in ``origin`` (file and array) that name one."""
    roles, parts = ROLE.findall(origin.lower()), PART.findall(origin.lower())
    if not roles:
        return None
    axis = "y" if roles[-1] in ("label", "target", "y") else "x"
    return f"{axis}_{parts[-1]}".replace("t10k", "test") if parts else axis


def name_of_set(path: Path) -> str:
    """The name of the data set at ``path``: the file's name up to "train", "test" or a suffix."""
    name = path.name if path.is_dir() else path.name.split(".")[0]
    return re.split(r"(?i)[-_]?(?<![a-z])([xy]_)?(train|test|t10k)", name)[0] or path.parent.name


def files_of(path: Path) -> list[Path]:
    """The files of the data set at ``path``, at least one."""
    if path.is_file():
        beside = [file for file in sorted(path.parent.iterdir()) if file.is_file()]
        return _families([path, *beside])[_family(path)]
    if not path.is_dir():
        raise wrong(f"a file or folder at {path}", "no file", "correct the path")
    for pattern in ("*", "*/*", "*/*/*"):  # torchvision stores the files two folders below
        files = [one for one in sorted(path.glob(pattern)) if ARRAYS.search(one.name.lower())]
        families = list(_families([one for one in files if one.is_file()]).values())
        several = [family for family in families if len(family) > 1]
        if not several and (pictures := _class_pictures(path)):
            return pictures
        if len(several or families) > 1:
            names = ", ".join(family[0].name for family in (several or families)[:9])
            raise wrong("one data set", names, "name one of these files instead of the folder")
        if families:
            return (several or families)[0]
    received = ", ".join(sorted(one.name for one in path.iterdir())[:5]) or "an empty folder"
    expected = "IDX, .npz, CSV, HDF5 or MATLAB files, or a folder of pictures per class"
    raise wrong(expected, received, f"put the files there, or save {SAVE}")


def _families(files: list[Path]) -> dict[str, list[Path]]:
    """Groups of files whose names differ only in part and role; of duplicates, the first file."""
    families, seen = defaultdict(list), set()
    for file in files:
        spelling = re.sub(r"[^a-z0-9]", "", file.name.lower().removesuffix(".gz"))
        if spelling not in seen:
            families[_family(file)].append(file)
        seen.add(spelling)
    return families


def _family(file: Path) -> str:
    name = re.sub(r"idx\d[-_]?(ubyte|int)|\.gz$", "", file.name.lower())
    if not PART.search(name):
        return name
    return re.sub(r"[^a-z0-9]", "", ROLE.sub("", PART.sub("", name)))


def _class_pictures(folder: Path) -> list[Path]:
    """Pictures in class folders, which may be inside folders named train and test."""
    found = []
    for path in sorted([*folder.glob("*/*"), *folder.glob("*/*/*")]):
        parts = path.relative_to(folder).parts
        hidden = any(part[0] in "._" for part in parts)
        deep = len(parts) == 3 and not PART.match(parts[0].lower())
        if path.suffix.lower() in PICTURES and not hidden and not deep:
            found.append(path)
    return found


def _pictures(folder: Path, files: list[Path]) -> list[Stored]:
    """For each part, the array of its pictures, and the array of their folders' names."""
    parts, found = defaultdict(list), []
    for file in files:
        above = file.relative_to(folder).parts[:-2]  # a class may also be named "train"
        parts["".join(above)].append(file)
    for part, paths in parts.items():
        labels = np.array([path.parent.name for path in paths])
        shape, read = (len(paths), SIDE, SIDE), partial(_read_pictures, paths)
        found.append(Stored(shape, np.dtype(np.uint8), read, f"{part}/images"))
        found.append(in_memory(labels, f"{part}/labels"))
    return found


def grey_28(picture: Image.Image) -> np.ndarray:
    """The central square of ``picture`` as uint8 (28, 28): ITU-R 601 luma, means over areas."""
    return np.asarray(ImageOps.fit(picture.convert("L"), (SIDE, SIDE), Image.Resampling.BOX))


def _read_pictures(paths: list[Path]) -> np.ndarray:
    images = []
    for path in paths:
        with open_regular(path) as file, Image.open(file, formats=FORMATS) as picture:
            if picture.width * picture.height > LARGEST_PIXELS:  # known before decompression
                raise ValueError(f"{path.name} of {picture.width}x{picture.height} pixels")
            if picture.mode.startswith("I"):  # 16 bits
                picture = Image.fromarray(np.uint8(np.asarray(picture, "f4") / 257))
            if "A" in picture.getbands() or "transparency" in picture.info:
                picture = picture.convert("RGBA")
                picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
            images.append(grey_28(ImageOps.exif_transpose(picture)))
    return np.stack(images)
