"""Live progress: one output that is updated, and none in a report."""

import re
import time

import IPython.display
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from ae_lab.lab import start_lab
from ae_lab.lab.progress import Progress
from ae_lab.settings import Settings


class Screen:
    """All versions of what one output shows."""

    def __init__(self):
        self.shown = []

    def __call__(self, bundle, raw, display_id):
        assert raw and display_id
        self.shown.append(bundle)
        return self

    def update(self, bundle, raw):
        self.shown.append(bundle)


@pytest.fixture
def screen(monkeypatch):
    screen = Screen()
    monkeypatch.setattr(IPython.display, "display", screen)
    return screen


def run(progress, epochs):
    for epoch in range(epochs):
        progress(epoch, {"loss": 200 - epoch, "val_loss": 210 - epoch, "reconstruction": 0.0})


def points(bundle):
    return [len(p.split()) for p in re.findall(r'points="([^"]+)"', bundle["text/html"])]


def test_each_epoch_adds_a_point_to_each_curve(screen):
    run(Progress(3, "training"), 3)
    assert [points(bundle) for bundle in screen.shown] == [[1, 1], [2, 2], [3, 3]]
    assert [re.search(r'value="(\d+)" max="3"', b["text/html"])[1] for b in screen.shown] == [
        "1", "2", "3",
    ]  # fmt: skip
    line = screen.shown[1]["text/plain"]
    assert line == "training: epoch 2 of 3  training 199  validation 209"


def test_a_falling_loss_is_drawn_falling(screen):
    run(Progress(4, "t"), 4)
    curve = re.findall(r'points="([^"]+)"', screen.shown[-1]["text/html"])[0].split()
    across, down = zip(*(map(float, point.split(",")) for point in curve), strict=True)
    assert list(across) == sorted(across) and list(down) == sorted(down)
    assert min(across) >= 0 and max(across) <= 260 and min(down) >= 0 and max(down) <= 60


def test_the_remaining_time_is_shown_but_not_at_the_end(screen):
    progress = Progress(2, "t")
    progress.started = time.perf_counter() - 10
    run(progress, 2)
    left = re.search(r"about (\d+) s left", screen.shown[0]["text/html"])
    assert 10 <= int(left[1]) <= 12
    assert not re.search(r"\d s\b", screen.shown[1]["text/html"])


def test_two_trainings_end_with_the_same_output(screen):
    for _ in range(2):
        run(Progress(3, "t"), 3)
    assert screen.shown[2] == screen.shown[5]


@pytest.mark.parametrize("logs", [{"loss": 1.0}, {"loss": 1.0, "val_loss": 1.0}])
def test_flat_and_missing_curves_are_drawn(screen, logs):
    Progress(1, "<b>")(0, logs)
    assert points(screen.shown[0]) == [1] * len(logs)
    assert "&lt;b&gt;" in screen.shown[0]["text/html"]


def test_a_report_and_a_script_show_nothing(tmp_path):
    assert start_lab("n", Settings(record_folder=tmp_path)).progress(3) is None
    assert start_lab("n", Settings()).progress(3) is None


PROGRAM = """
from ae_lab.lab import start_lab
progress = start_lab("n").progress(2, "here")
for epoch in range(2):
    progress(epoch, {"loss": 2.0 - epoch, "val_loss": 3.0})
"""


@pytest.mark.kernel
def test_in_a_kernel_one_output_grows():
    notebook = new_notebook(cells=[new_code_cell(PROGRAM)])
    NotebookClient(notebook, kernel_name="python3", timeout=60).execute()
    shown = [o for o in notebook.cells[0].outputs if o.output_type == "display_data"]
    assert len(shown) == 1
    assert shown[0].data["text/plain"].startswith("here: epoch 2 of 2")
