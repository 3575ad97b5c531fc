"""Answers to exercises as files, so that another process can check them again."""

from pathlib import Path
from typing import Any

import numpy as np

from ae_lab.errors import LabError
from ae_lab.files import check_archive, read_json, write_json
from ae_lab.lab.exercises import EXERCISES

LARGEST = 2**30  # bytes of an array


def keep(folder: Path, id: str, answer: object, prediction: str | None) -> None:
    """Write an answer into ``folder``; it replaces an earlier one for the same exercise.

    Parameters
    ----------
    folder : folder for the notebook's answers: ``<id>.json`` with prediction and text, and one
        ``.keras`` or ``.npz`` file per object. Objects of other types are not stored.
    id, answer, prediction : as in `logbook.Lab.check_exercise`; without an answer nothing is kept.
    """
    for path in folder.glob(f"{id}.*"):
        path.unlink()
    if answer is None:
        return
    folder.mkdir(parents=True, exist_ok=True)
    asked = EXERCISES[id].get("objects", {})
    objects = answer if isinstance(answer, dict) else dict.fromkeys(list(asked)[:1], answer)
    for name, kind in asked.items():
        thing = objects.get(name)
        if kind == "model" and hasattr(thing, "save"):
            thing.save(folder / f"{id}.{name}.keras")
        elif kind == "array" and isinstance(thing, np.ndarray) and thing.dtype != object:
            np.savez_compressed(folder / f"{id}.{name}.npz", array=thing)
    text = answer if isinstance(answer, str) else None
    write_json(folder / f"{id}.json", {"prediction": prediction, "text": text})


def read(folder: Path, id: str) -> tuple[Any, str | None]:
    """Answer and prediction as written by `keep`; None and None if nothing was handed in.

    Parameters
    ----------
    folder : folder with the files of `keep`; nothing in it is executed or unpickled.
    id : id of the exercise.

    Raises
    ------
    LabError
        If a file is damaged or too large, or names layers that are not part of this package.
    """
    from ae_lab.models import load_model  # imports Keras, which must not slow a notebook's start

    if (stored := read_json(folder / f"{id}.json")) is None:
        return None, None
    if "objects" not in EXERCISES[id]:
        return stored.get("text"), None
    objects: dict[str, Any] = {}
    for name, kind in EXERCISES[id]["objects"].items():
        path = folder / f"{id}.{name}.{'keras' if kind == 'model' else 'npz'}"
        if path.is_file():
            objects[name] = load_model(path) if kind == "model" else _array(path)
    return objects, stored.get("prediction")


def _array(path: Path) -> np.ndarray:
    try:
        check_archive(path, LARGEST, ("array.npy",))
        with np.load(path, allow_pickle=False) as stored:
            return stored["array"]
    except Exception as error:  # a damaged file raises many types of exception
        raise LabError(
            f"{path.name} must be an array stored by a report run, received another file ({error}):"
            " run the report again, and hand in the file that it writes."
        ) from None
