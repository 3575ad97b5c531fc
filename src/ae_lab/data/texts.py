"""Documents with topics: the documentation of installed libraries, or your own texts.

The documentation is part of the packages, so no network is needed. It changes with their versions;
`Documents.sha256` identifies the text that was used.
"""

import contextlib
import hashlib
import importlib
import inspect
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ae_lab.data.custom import SPLIT_SEED
from ae_lab.data.formats import wrong

MODULES = {  # one topic each; topics with too few documents are dropped
    "scipy": "fft integrate interpolate linalg ndimage optimize signal sparse special stats",
    "skimage": "color draw exposure feature filters measure morphology restoration segmentation "
    "transform util",
    "sklearn": "cluster datasets decomposition ensemble feature_selection linear_model metrics "
    "model_selection preprocessing",
}
FEWEST_WORDS = 50  # per document; shorter ones contain too little
FEWEST_DOCUMENTS = 20  # per topic
FEWEST = 200  # documents in your own folder
LARGEST = 1_000_000  # bytes per text
EXAMPLES = re.compile(r"^Examples?\s*\n--", re.M)  # numbers in examples may differ between runs
BRACES = re.compile(r"\{[^{}]*\}")  # the order of a set may differ, too
DO = "make a folder for each topic and put its documents there, one .txt file for each"


@dataclass(frozen=True)
class Documents:
    """Documents in a fixed random order.

    Parameters
    ----------
    texts : the documents, (n,).
    topics : name of the topic of each document, (n,).
    source : description of their origin.
    sha256 : hash of their content.
    """

    texts: list[str]
    topics: np.ndarray
    source: str
    sha256: str


def load_texts(folder: str = "") -> Documents:
    """The documents in ``folder``, or by default those of the installed libraries.

    Texts with fewer than 50 words and topics with fewer than 20 documents are ignored.

    Parameters
    ----------
    folder : path of a folder with one folder per topic, which contains one ``.txt`` file per
        document. "" for the documentation of SciPy, scikit-image and scikit-learn: each function
        and class is a document, without its examples, and its module is the topic.

    Raises
    ------
    LabError
        If fewer than 200 documents or fewer than 2 topics remain, if there is no such folder, or if
        a text is larger than 1 MB.
    """
    found = _texts_in(Path(folder).expanduser()) if folder else _documentation()
    counts = Counter(found.values())
    kept = {text: topic for text, topic in found.items() if counts[topic] >= FEWEST_DOCUMENTS}
    topics = sorted(set(kept.values()))
    if len(kept) < FEWEST or len(topics) < 2:
        expected = f"at least {FEWEST} different texts of {FEWEST_WORDS} words and more, "
        expected += f"{FEWEST_DOCUMENTS} for each of at least 2 topics"
        raise wrong(f"in {folder} {expected}", f"{len(kept)} of {len(topics)} topics", DO)
    texts = sorted(kept)
    texts = [texts[i] for i in np.random.default_rng(SPLIT_SEED).permutation(len(texts))]
    name = Path(folder).name if folder else "documentation of SciPy, scikit-image and scikit-learn"
    source = f"{name}, {len(texts):,} documents on {len(topics)} topics"
    sha256 = hashlib.sha256("\0".join(texts).encode()).hexdigest()
    return Documents(texts, np.array([kept[text] for text in texts]), source, sha256)


def _documentation() -> dict[str, str]:
    """{text: topic} of the installed libraries; of equal texts, the first is used."""
    found = {}
    for library, names in MODULES.items():
        for name in names.split():
            module = importlib.import_module(f"{library}.{name}")
            for text in _said_in(module):
                found.setdefault(text, f"{library}.{name}")
    return found


def _said_in(module) -> list[str]:
    """The docstrings of a module's public functions and classes, without examples."""
    said = []
    for name in sorted(getattr(module, "__all__", dir(module))):
        with contextlib.suppress(AttributeError, ImportError):  # deprecated or experimental
            one = getattr(module, name)
            if inspect.isclass(one) or inspect.isroutine(one) or isinstance(one, np.ufunc):
                prose = EXAMPLES.split(inspect.getdoc(one) or "")[0]
                said.append(BRACES.sub("", prose))
    return [text for text in said if len(text.split()) >= FEWEST_WORDS]


def _texts_in(folder: Path) -> dict[str, str]:
    """{text: topic} of the ``.txt`` files in ``folder/*``; of equal texts, the first is used."""
    if not folder.is_dir():
        raise wrong(f"a folder of texts at {folder}", "no folder", DO)
    found = {}
    for path in filter(Path.is_file, sorted(folder.glob("*/*.txt"))):  # not a pipe
        if path.stat().st_size > LARGEST:
            raise wrong(f"texts of at most {LARGEST:,} bytes", f"more in {path}", "cut it in parts")
        text = path.read_text(encoding="utf-8", errors="replace")
        if len(text.split()) >= FEWEST_WORDS:
            found.setdefault(text, path.parent.name)
    return found
