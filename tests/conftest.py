"""Fixtures that more than one test file uses."""

import hashlib
import json
import os
import sys

import pytest

from helpers import CHROMIUM, LiveModels, small_arrays


@pytest.fixture(scope="module")
def browser():
    """A Chromium without network; tests that need it are marked ``browser``."""
    playwright = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM:
        pytest.skip("Chromium is not installed")
    with playwright.sync_playwright() as driver:
        launched = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture(autouse=True)
def graphs():
    """Restores TensorFlow's graphs, which the smoke profile turns off, for the next test."""
    yield
    if tensorflow := sys.modules.get("tensorflow"):
        tensorflow.config.run_functions_eagerly(False)


@pytest.fixture
def shown(monkeypatch):
    """What a notebook would show: a list of (object, metadata)."""
    found = []
    monkeypatch.setattr(
        "IPython.display.display", lambda thing, metadata=None, **_: found.append((thing, metadata))
    )
    return found


@pytest.fixture
def arrays(monkeypatch):
    """Small arrays that count as MNIST during a test."""
    from ae_lab.data import mnist

    arrays = small_arrays()
    digests = {name: hashlib.sha256(array.tobytes()).hexdigest() for name, array in arrays.items()}
    monkeypatch.setitem(mnist.CONTENT, "mnist", digests)
    monkeypatch.setattr(mnist, "SHAPES", {name: array.shape for name, array in arrays.items()})
    return arrays


@pytest.fixture(scope="session")
def sample(tmp_path_factory):
    """The embedded sample of 5,000 digits, whatever data the machine has."""
    from ae_lab import data
    from ae_lab.settings import Settings

    return data.load_mnist(
        Settings(project_folder=tmp_path_factory.mktemp("nowhere"), offline=True)
    )


@pytest.fixture(scope="session")
def live_models(sample, tmp_path_factory):
    """A trained autoencoder and a CNN, saved in files for a report's pages."""
    import keras

    from ae_lab import losses, models, training

    keras.utils.set_random_seed(5)
    dense, cnn = models.undercomplete(), models.classifier(widths=(6, 8, 8), dense=16)
    options = {"epochs": 6, "learning_rate": 3e-3, "batch_size": 50}
    options |= {"validation": sample.validation_images, "loss": losses.binary_cross_entropy}
    training.fit(dense, sample.train_images, **options)
    logits = cnn.get_layer("logits")  # untrained, but with confident outputs
    logits.set_weights([20 * weights for weights in logits.get_weights()])
    folder = tmp_path_factory.mktemp("models")
    saved = []
    for model, name in ((dense, "01_dense/undercomplete"), (cnn, "02_cnn/classifier")):
        path = folder / f"{name}.keras"
        path.parent.mkdir()
        model.save(path)
        saved.append((model, path))
    return LiveModels(folder, dense, cnn, sample, saved)


@pytest.fixture
def no_xla(monkeypatch):
    """Turn compiling off: it costs seconds per model and changes no result."""
    from ae_lab.training import fast

    monkeypatch.setattr(fast, "compiles_well", lambda program: False)


@pytest.fixture(
    params=[False, pytest.param(True, marks=pytest.mark.slow)], ids=["plainly", "by-xla"]
)
def both_ways(monkeypatch, request):
    """Once as a short training, once as a long one, for which XLA loops over the steps."""
    from ae_lab.training import fast

    monkeypatch.setattr(fast, "compiles_well", lambda program: request.param)
    monkeypatch.setattr(fast, "WORTH_COMPILING", 1)


@pytest.fixture
def as_executed(monkeypatch):
    """Notebooks count as executed without running, with the record that they contain, if any."""
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


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Run a notebook in smoke, with changed knobs and replaced cells; return its record."""

    from IPython.core.inputtransformer2 import TransformerManager

    from ae_lab.settings import KNOB

    def run(path, changes=(), replaced=None):
        monkeypatch.chdir(path.parent)
        for name in [name for name in os.environ if name.startswith(KNOB)]:
            monkeypatch.delenv(name)
        for name, value in {
            "AE_LAB_PROFILE": "smoke",
            "AE_LAB_OFFLINE": "1",
            "AE_LAB_DATA": "",
            "AE_LAB_RECORDS": str(tmp_path),
        }.items():
            monkeypatch.setenv(name, value)
        for change in changes:
            name, _, value = change.partition("=")
            monkeypatch.setenv(KNOB + name.upper(), value)
        names = {"__name__": "__main__"}
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        code = [cell for cell in cells if cell["cell_type"] == "code"]
        for cell in code:
            if "remove-cell" not in cell["metadata"].get("tags", []):
                source = (replaced or {}).get(cell["id"], "".join(cell["source"]))
                source = TransformerManager().transform_cell(source)
                exec(compile(source, f"{path.stem}, cell {cell['id']}", "exec"), names)
        return json.loads((tmp_path / f"{path.stem}.json").read_text(encoding="utf-8"))

    return run
