"""A student in JupyterLab: open a notebook, run all cells, move a slider, see the digit change."""

import contextlib
import importlib.util
import os
import re
import socket
import subprocess
import sys
import urllib.request

import nbformat
import pytest

from helpers import PACKAGE, PATIENCE, notebook, wait_for

playwright = pytest.importorskip("playwright.sync_api")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.kernel,
    pytest.mark.skipif(
        not all(map(importlib.util.find_spec, ("jupyterlab", "ipywidgets"))),
        reason="JupyterLab or ipywidgets is not installed",
    ),
]
EXPLORER = """%%
import numpy as np
import keras
from ae_lab.lab import widgets
from ae_lab import models
from ae_lab.lab import start_lab

lab = start_lab("tiny")
keras.utils.set_random_seed(4)
model = models.variational(latent_dim=2, hidden=(16,))
decoder = model.get_layer("decoder")
decoder.set_weights([6 * w for w in decoder.get_weights()])
x = np.random.default_rng(0).random((3, 28, 28, 1), dtype="float32")
widgets.interpolation_slider(lab, model, x)"""


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """The address of a JupyterLab with one tiny notebook, which runs until the tests end."""
    folder = tmp_path_factory.mktemp("lab")
    content = notebook("# Tiny", EXPLORER)
    content.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(content, folder / "tiny.ipynb")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    places = {name: str(folder / name) for name in ("JUPYTER_CONFIG_DIR", "IPYTHONDIR")}
    sources = str(PACKAGE.parent)
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("AE_LAB_")
    }
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    command += [f"--port={port}", "--IdentityProvider.token=student", f"--notebook-dir={folder}"]
    command += ["--LabApp.news_url=None", "--LabApp.check_for_updates_class="
                "jupyterlab.NeverCheckForUpdate"]  # fmt: skip
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            command, env=environment | places | {"PYTHONPATH": sources}, stdout=log, stderr=log
        )
        try:
            place = f"http://127.0.0.1:{port}/api"
            wait_for(lambda: server.poll() is not None or answers(place))
            assert server.poll() is None, (folder / "log").read_text()[-2000:]
            yield f"http://127.0.0.1:{port}/lab/tree/tiny.ipynb?token=student"
        finally:
            server.terminate()
            server.wait(30)


def answers(address):
    try:
        urllib.request.urlopen(address, timeout=5).close()
    except OSError:
        return False
    return True


@pytest.fixture(scope="module")
def page(browser, address):
    opened = browser.new_page(viewport={"width": 1200, "height": 1000})
    opened.set_default_timeout(1_000 * PATIENCE)
    # On a busy machine, JupyterLab may ask about a kernel that answers slowly.
    button = opened.locator(".jp-Dialog .jp-mod-accept").first
    opened.add_locator_handler(opened.locator(".jp-Dialog"), lambda: button.click())
    opened.goto(address)
    return opened


def run_all(page):
    """Run all cells, like a student; again if the kernel was not ready the first time."""
    started = page.locator(".jp-CodeCell .jp-InputPrompt", has_text=re.compile(r"[*1]"))
    for _ in range(6):
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_text("Run All Cells", exact=True).click()
        with contextlib.suppress(playwright.TimeoutError):
            return started.first.wait_for(timeout=20_000)


def test_a_slider_moves_and_the_digit_changes(page):
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
    page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]').wait_for()
    run_all(page)
    at_rest = page.locator(".jp-OutputArea-output img").first
    at_rest.wait_for()
    picture = page.locator("img.widget-image")
    picture.wait_for()
    before, address = picture.screenshot(), picture.get_attribute("src")
    handle = page.locator(".widget-slider .noUi-handle").last
    handle.focus()
    for _ in range(5):
        handle.press("ArrowRight")
    page.wait_for_function(
        "old => document.querySelector('img.widget-image').src !== old", arg=address
    )
    page.wait_for_timeout(500)
    assert picture.screenshot() != before
