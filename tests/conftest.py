"""Every fixture that more than one test file uses."""

import hashlib
import sys

import pytest

from helpers import CHROMIUM, small_arrays


@pytest.fixture(scope="module")
def browser():
    """A Chromium with no network of its own; a test that needs it is marked ``browser``."""
    playwright = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM:
        pytest.skip("Chromium is not installed")
    with playwright.sync_playwright() as driver:
        launched = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture(autouse=True)
def graphs():
    """The profile smoke runs without TensorFlow's graphs; the next test has them again."""
    yield
    if tensorflow := sys.modules.get("tensorflow"):
        tensorflow.config.run_functions_eagerly(False)


@pytest.fixture
def shown(monkeypatch):
    """What a notebook would show: a list of (thing, metadata)."""
    found = []
    monkeypatch.setattr(
        "IPython.display.display", lambda thing, metadata=None, **_: found.append((thing, metadata))
    )
    return found


@pytest.fixture
def arrays(monkeypatch):
    """Small arrays that count as MNIST for the length of a test."""
    from ae_lab.data import mnist

    arrays = small_arrays()
    digests = {name: hashlib.sha256(array.tobytes()).hexdigest() for name, array in arrays.items()}
    monkeypatch.setattr(mnist, "CONTENT", digests)
    monkeypatch.setattr(mnist, "SHAPES", {name: array.shape for name, array in arrays.items()})
    monkeypatch.setattr(mnist, "VALIDATION_IMAGES", 3)
    return arrays


@pytest.fixture(scope="session")
def sample(tmp_path_factory):
    """The embedded sample of 5,000 digits, whatever data the machine has."""
    from ae_lab import data
    from ae_lab.settings import Settings

    return data.load_mnist(
        Settings(project_folder=tmp_path_factory.mktemp("nowhere"), offline=True)
    )


@pytest.fixture
def no_xla(monkeypatch):
    """Compiling costs seconds per model and changes no result."""
    from ae_lab.training import fast

    monkeypatch.setattr(fast, "compiles_well", lambda program: False)


@pytest.fixture(
    params=[False, pytest.param(True, marks=pytest.mark.slow)], ids=["plainly", "by-xla"]
)
def both_ways(monkeypatch, request):
    """Once as a short training runs, once as a long one, for which XLA loops over the steps."""
    from ae_lab.training import fast

    monkeypatch.setattr(fast, "compiles_well", lambda program: request.param)
    monkeypatch.setattr(fast, "WORTH_COMPILING", 1)


@pytest.fixture
def as_executed(monkeypatch):
    """Notebooks count as executed as they are, with the record they carry or none."""
    from ae_lab.report import build
    from ae_lab.report.execute import notebook, run
    from ae_lab.report.notebook_file import read_notebook

    data = run.DataAtHand("MNIST, told by the run", "fingerprint")
    monkeypatch.setattr(build, "prepare_data", lambda settings, say: data)

    def as_it_is(place, path, key, say):
        content = read_notebook(path)
        kept = {"record": None, "seconds": 1.0, "error": None}
        content["metadata"]["ae_lab"] = kept | content["metadata"].get("ae_lab", {}) | {"key": key}
        return content

    monkeypatch.setattr(run, "build_font_cache", lambda place: None)
    monkeypatch.setattr(notebook, "execute", as_it_is)
