"""Training on shards: every image once an epoch, one shard in memory at a time."""

import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops

from ae_lab import losses, models, training
from ae_lab.errors import LabError
from ae_lab.report.execute.environment import process_environment
from helpers import halves

pytestmark = pytest.mark.usefixtures("no_xla")
SHAPE = (4, 4, 1)
BYTES = halves(40)
TRAIN, VALIDATION = np.split(BYTES.astype("float32") / np.float32(255), [30])
SHARDS = BYTES[:30].reshape(3, 10, *SHAPE)
PROGRAM = Path(__file__).with_name("shards_check.py")


def train(shards, **options):
    training.seed_everything(1)
    model = models.undercomplete(latent_dim=2, code_activation="linear", image_shape=SHAPE)
    options = {"validation": VALIDATION, "epochs": 3, "batch_size": 5} | options
    return model, training.fit_shards(model, shards, **options)


@pytest.mark.slow
def test_one_shard_is_what_fit_does():
    """One batch an epoch, so that the order of the images cannot matter."""
    ours, history = train(BYTES[None, :30], batch_size=30)
    training.seed_everything(1)
    model = models.undercomplete(latent_dim=2, code_activation="linear", image_shape=SHAPE)
    expected = training.fit(model, TRAIN, validation=VALIDATION, epochs=3, batch_size=30)
    for name, values in expected.items():
        assert history[name] == pytest.approx(values, rel=1e-5)
    for a, b in zip(ours.get_weights(), model.get_weights(), strict=True):
        assert a == pytest.approx(b, abs=1e-5)


@pytest.mark.filterwarnings("ignore:the training did not learn")
@pytest.mark.usefixtures("both_ways")
def test_every_image_counts_once_an_epoch():
    """With a rate of next to nothing each epoch's mean is the untrained model's."""
    seen = []
    model, history = train(
        SHARDS, learning_rate=1e-12, on_epoch=lambda epoch, logs: seen.append((epoch, logs))
    )
    expected = float(ops.mean(losses.binary_cross_entropy(TRAIN, model(TRAIN))))
    held_out = float(ops.mean(losses.binary_cross_entropy(VALIDATION, model(VALIDATION))))
    assert history["loss"] == pytest.approx([expected] * 3, rel=1e-5)
    assert history["val_loss"] == pytest.approx([held_out] * 3, rel=1e-5)
    assert [epoch for epoch, _ in seen] == [0, 1, 2]
    assert [logs["loss"] for _, logs in seen] == history["loss"]


def test_each_shard_is_read_once_an_epoch_in_changing_order():
    class Read:
        def __init__(self):
            self.turns = []

        def __len__(self):
            return 3

        def __getitem__(self, i):
            self.turns.append(int(i))
            return SHARDS[i]

    shards = Read()
    train(shards, epochs=8)
    turns = np.array(shards.turns[-24:]).reshape(8, 3)
    assert all(sorted(turn) == [0, 1, 2] for turn in turns.tolist())
    assert len({tuple(turn) for turn in turns.tolist()}) > 1


@pytest.mark.slow
def test_it_learns_from_bytes_and_from_floats_alike():
    _, from_bytes = train(SHARDS, learning_rate=0.03, epochs=6)
    _, from_floats = train(SHARDS.astype("float32") / np.float32(255), learning_rate=0.03, epochs=6)
    assert from_bytes["loss"][-1] < 0.95 * from_bytes["loss"][0]
    assert from_floats["loss"] == pytest.approx(from_bytes["loss"], rel=1e-4)


@pytest.mark.parametrize(
    ("shards", "options", "words"),
    [
        ([], {}, "at least one array, received none"),
        ([SHARDS[0], SHARDS[1, :4]], {}, r"shard 1 must be of shape \(10, 4, 4, 1\)"),
        ([SHARDS[0], SHARDS[1] / 255], {}, "shard 1 must be .* received .* float64"),
        ([SHARDS[0] / 100], {}, r"shard 0 must lie in \[0, 1\]"),
        (SHARDS[..., 0], {}, "must have the same shape"),
        (SHARDS, {"validation": VALIDATION * 0.7}, "validation must hold bytes divided by 255"),
        (SHARDS, {"validation": BYTES}, "validation must hold floats"),
        (SHARDS, {"epochs": 0}, "epochs"),
    ],
)
def test_shards_that_cannot_be_learned_from_are_refused(shards, options, words):
    with pytest.raises(LabError, match=words):
        train(shards, **options)


def test_a_divergence_names_its_epoch_and_steps():
    linear = dict.fromkeys(("activation", "code_activation", "output_activation"), "linear")
    model = models.undercomplete(latent_dim=2, image_shape=SHAPE, **linear)
    options = {"loss": losses.squared_error, "learning_rate": 1e25, "batch_size": 10}
    with pytest.raises(LabError, match="in epoch 1, in one of the steps [12] to [12]; lower"):
        training.fit_shards(model, SHARDS, validation=VALIDATION, epochs=2, **options)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux's")
@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="one backend will do")
def test_more_images_than_the_process_may_hold(tmp_path):
    """A deep autoencoder on 640 MB of images where 400 MB are allowed on top of TensorFlow."""
    shards = np.lib.format.open_memmap(
        tmp_path / "shards.npy", "w+", np.uint8, (40, 20_480, 28, 28, 1)
    )
    shards[:, ::2, :, :14] = 200
    shards.flush()
    command = [sys.executable, str(PROGRAM), str(tmp_path / "shards.npy"), str(400 * 2**20)]
    threads = process_environment()  # one of each kind: the stacks of many would count too
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, env=threads)
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert not found["fits"], "the limit left room for all of them: the test shows nothing"
    assert found["after"] < 0.5 * found["before"]
