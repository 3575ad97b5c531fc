"""What several test files use: paths, small inputs, projects, pages, and processes to kill.

This module does not import Keras, so processes that need only these functions start quickly.
"""

import ctypes
import json
import multiprocessing
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
import numpy as np
from nbformat import NotebookNode, v4

import ae_lab
from ae_lab.lab.records import DECODER
from ae_lab.lab.verdicts import CLAIMS
from ae_lab.report import build as build_module
from ae_lab.report.failure import sentence_of
from ae_lab.report.front.index import write_index
from ae_lab.report.keys import computing_digest, digest_of_cells
from ae_lab.report.live.sections import live_sections
from ae_lab.report.render.exporter import render_page
from ae_lab.report.render.page import Page
from ae_lab.report.render.template import PAGE
from ae_lab.report.workplace import Workplace
from ae_lab.settings import Settings

PACKAGE = Path(ae_lab.__file__).parent
PROJECT = Path(__file__).parents[1]
NOTEBOOKS = sorted((PROJECT / "notebooks").glob("*.ipynb"))
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

# Small images, and files of them

SMALL = {"latent_dim": 3, "hidden": (7, 4), "image_shape": (6, 5, 1)}
SIZES = {  # for kinds with other arguments
    "convolutional": {"widths": (4,), "code_channels": 2, "image_shape": (6, 5, 1)},
    "contractive": SMALL | {"hidden": ()},
}
COUNTS = {"train": 12, "test": 4}


def halves(count: int, seed: int = 0) -> np.ndarray:
    """Images of two classes, with a bright left or right half: bytes (count, 4, 4, 1)."""
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 50, (count, 4, 4, 1)).astype("uint8")
    x[::2, :, :2] += 200
    x[1::2, :, 2:] += 200
    return x


def same_draw(model):
    """Reset the random generators of a model's layers, so that two samples can be compared."""
    for variable in model.variables:
        if "seed_generator" in variable.path:
            variable.assign(np.zeros_like(variable))
    return model


def small_arrays(fill: int = 0) -> dict[str, np.ndarray]:
    """A few arrays with the names of MNIST's file."""
    rng = np.random.default_rng(fill)
    arrays = {}
    for part, count in COUNTS.items():
        # Four grey levels, so that there is something to compress.
        arrays[f"x_{part}"] = rng.integers(0, 4, (count, 28, 28), dtype=np.uint8) * 60
        arrays[f"y_{part}"] = np.arange(count, dtype=np.uint8)
    return arrays


def write_arrays(folder: Path, arrays: dict, save=np.savez) -> Path:
    """Store arrays as ``mnist.npz`` in a new folder."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "mnist.npz"
    save(path, **arrays)
    return path


def with_member(folder: Path, arrays: dict, name: str, content: bytes) -> Path:
    """Store arrays as ``mnist.npz``, with the bytes of one of them replaced."""
    path = write_arrays(folder, {key: array for key, array in arrays.items() if key != name})
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(f"{name}.npy", content)
    return path


# Projects, notebooks and pages

PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
RUN = {
    "profile": "quick",
    "seed": 8,
    "backend": "tensorflow",
    "data": "MNIST, 60,000 + 10,000",
    "comparable": True,
    "versions": {"python": "3.11.7", "keras": "3.15.1"},
}


def notebook(*sources: str) -> NotebookNode:
    """A notebook of these cells; a source that starts with ``%%`` is code, others are text."""
    cells = [
        v4.new_code_cell(source[2:].strip(), id=f"c{number}")
        if source.startswith("%%")
        else v4.new_markdown_cell(source, id=f"c{number}")
        for number, source in enumerate(sources)
    ]
    return v4.new_notebook(cells=cells)


def project(folder: Path, **notebooks: NotebookNode) -> Settings:
    """A project with these notebooks, and its report in the same folder."""
    (folder / "notebooks").mkdir(parents=True, exist_ok=True)
    (folder / "pyproject.toml").touch()
    for name, content in notebooks.items():
        nbformat.write(content, folder / "notebooks" / f"{name}.ipynb")
    return Settings(project_folder=folder, report_folder=folder / "reports", offline=True)


def build(settings: Settings, *names: str, force: bool = False) -> str:
    """Build the report; return what it printed."""
    said: list[str] = []
    build_module.build_report(settings, names, force, said.append)
    return "".join(said)


def with_output(content: NotebookNode, data: dict, metadata: dict | None = None) -> NotebookNode:
    """Give the last cell one more output."""
    output = v4.new_output("display_data", data=data, metadata=metadata or {})
    content.cells[-1].outputs.append(output)
    return content


def figure(alt: str | None) -> tuple[dict, dict]:
    """Data and metadata of a figure as the lab shows it."""
    details = {"width": 1, "height": 1} | ({"alt": alt} if alt is not None else {})
    return {"image/png": PIXEL, "text/plain": "figure"}, {"image/png": details}


class LiveModels(NamedTuple):
    """What a report's pages compute with: two models, in memory and saved, and images."""

    folder: Path
    dense: Any
    cnn: Any
    images: Any
    saved: list

    def sections(self) -> dict[str, list]:
        """The sections of the pages, and of the index."""
        return live_sections(self.folder, ["01_dense", "02_cnn"], lambda: self.images)


def living(decoder: dict) -> tuple[dict, dict]:
    """Data and metadata of an interactive figure as the lab shows it."""
    data, metadata = figure("A still plane of images.")
    return {DECODER: decoder, **data}, metadata


def render(content: NotebookNode, name: str = "01_sample", sections: Sequence = ()) -> str:
    """The page of an executed notebook, with the report's own ``sections``."""
    return render_page(content, {"metadata": {"name": name, "path": ""}, "sections": sections})[0]


def rendered(
    content: NotebookNode, name: str = "01_sample", folder: Path | str = ""
) -> tuple[str, Page]:
    """The page of an executed notebook, as a `Page`."""
    return render_page(content, {"metadata": {"name": name, "path": str(folder)}})


def without_script(page: str) -> str:
    """A page without the script that folds its code."""
    script = (PAGE / "folds.js").read_text(encoding="utf-8")
    return page.replace(f"<script>{script}</script>", "", 1)


def problems(content: NotebookNode, folder: Path | str = "") -> list[str]:
    """The problems of a notebook's page, one sentence each."""
    return [sentence_of(problem) for problem in rendered(content, folder=folder)[1].problems]


def main_of(page: str) -> str:
    """The visible part of a page, without its banner."""
    main = page.split("<main")[1].split("</main>")[0]
    return re.sub(r'<div class="banner".*?</div>', "", main, flags=re.DOTALL)


def executed(content: NotebookNode, record: dict | None = None, error: dict | None = None):
    """Mark a notebook as executed by a report run."""
    content.metadata["ae_lab"] = {"key": "k", "record": record, "seconds": 1.0, "error": error}
    return content


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a report."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


# A record and its index

CLAIM, UNTESTED = list(CLAIMS)[:2]
CELLS = ("# Title\n\nWords.\n\n**Question.** Does $x$ do?", "%%draw()")
METRIC = {
    "notebook": "01_a",
    "name": "dense.test_bce",
    "value": 0.0931,
    "unit": "nats/pixel",
    "published": 0.09,
    "source": "a <b>blog</b>",
    "goal": {"at_most": 0.0935},
}


def record(**run) -> dict:
    """A record of a notebook: two metrics, three claims, one timing."""
    return {
        "notebook": "01_a",
        "run": RUN | run,
        "metrics": [METRIC, METRIC | {"name": "dense.sse", "published": None, "goal": None}],
        "claims": [
            {"id": CLAIM, "kind": "handout", "sentence": CLAIMS[CLAIM], "verdict": "holds",
             "evidence": "3 < 4"},
            {"id": UNTESTED, "kind": "handout", "sentence": CLAIMS[UNTESTED],
             "verdict": "untested", "evidence": "it takes a corpus"},
            {"id": "own", "kind": "prediction", "sentence": "Ours.", "verdict": "does not hold",
             "evidence": "1 of 2"},
        ],
        "timings": {"dense.train_seconds": 31.4},
    }  # fmt: skip


CLAIMED = [(CLAIM, "holds"), ("own", "does not hold")]


def result(seed: int, value: float, backend: str = "tensorflow", claims=CLAIMED, **more) -> dict:
    """What a sweep stores for one notebook and one seed."""
    return {
        "notebook": "01_a",
        "profile": "quick",
        "seed": seed,
        "backend": backend,
        "data": "d" * 64,
        "cells": digest_of_cells(notebook(*CELLS)),
        "package": computing_digest(),
        "metrics": [{"name": "dense.test_bce", "value": value}],
        "claims": [
            {"id": id, "verdict": verdict, "conditions": {"a": 1 if verdict == "holds" else -1}}
            for id, verdict in claims
        ],
        "error": None,
    } | more


def index_of(
    folder: Path, *results: dict, before: dict | None = None, sections: Sequence = (), **run
) -> str:
    """The index for one notebook, with the results of a sweep."""
    content = executed(with_output(notebook(*CELLS), *figure("A dot.")), record(**run))
    before = before or {"commit": "abc1234, modified", "before": None}
    about = "quick", "abc1234, modified", results
    write_index(folder, {"01_a": content}, *about, before=before, sections=sections)
    return (folder / "index.html").read_text()


HOSTILE = """<script>window.pwned = 1</script>
<img src="http://evil.example/x.png" onerror="pwned=1">
<a href="javascript:pwned=1">go</a><svg onload="pwned=1"></svg>
<iframe src="http://evil.example"></iframe>
<table onclick="pwned=1" background="http://evil.example/b.png"><tr><td>kept</td></tr></table>
<style>@import "http://evil.example/s.css"</style>
<div style="background:url(http://evil.example/c)">d</div>
<form action="http://evil.example"><input name="q"></form>
<meta http-equiv="refresh" content="0;url=http://evil.example">
<b id="content">e</b><base href="http://evil.example/">
<link rel="stylesheet" href="http://evil.example/l.css">"""


def hostile_notebook():
    return with_output(notebook("# Hostile\n\n" + HOSTILE, "%%attack()"), {"text/html": HOSTILE})


# Processes in difficult environments

CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, PR_CAPBSET_DROP = 1, 2, 24
PATIENCE = 300  # seconds for actions that take a few on an idle machine
FORKS = multiprocessing.get_context("forkserver") if os.name == "posix" else None
if FORKS:
    FORKS.set_forkserver_preload(
        ["ae_lab.report.build", "ae_lab.report.execute.notebook", "ae_lab.report.render.exporter"]
    )


def environment(**changes: str | None) -> dict[str, str]:
    """This process's environment without network; None removes a variable."""
    changed = os.environ | {"AE_LAB_OFFLINE": "1", "AE_LAB_DATA": ""} | changes
    return {name: value for name, value in changed.items() if value is not None}


def obey_permissions() -> None:
    """Give up root's right to ignore file permissions, in a child between fork and exec."""
    if os.geteuid() == 0:
        for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
            ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)


def without_privileges(verb: str, folder: Path, **changes) -> subprocess.CompletedProcess:
    """``python -m ae_lab verb`` in ``folder``; file permissions bind even root."""
    return subprocess.run(
        [sys.executable, "-m", "ae_lab", verb],
        cwd=folder,
        env=environment(**changes),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        preexec_fn=obey_permissions if sys.platform == "linux" else None,
    )


def start(function, *arguments) -> multiprocessing.Process:
    """Run a function in a process forked from one that has imported the report's modules."""
    process = FORKS.Process(target=function, args=arguments)
    process.start()
    return process


def report(folder: Path, said: Path, changes: dict[str, str]) -> None:
    """``python -m ae_lab report`` in ``folder``, for a forked process; prints to a file.

    Temporary files go to a folder next to the project's.
    """
    from ae_lab.__main__ import main

    signal.signal(signal.SIGINT, signal.default_int_handler)
    for stream in (1, 2):
        os.dup2(os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND), stream)
    os.chdir(folder)
    os.environ.update(environment(TMPDIR=str(temporary(folder)), **changes))
    sys.exit(main(["report"]))


def temporary(folder: Path) -> Path:
    """The folder for temporary files of a forked report."""
    place = folder.with_name(f"{folder.name}-temporary")
    place.mkdir(exist_ok=True)
    return place


def wait_for(condition, seconds: float = PATIENCE):
    """Wait until ``condition()`` is true and return it; fail after ``PATIENCE`` seconds."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "the condition did not become true"
        time.sleep(0.05)
    return found


def alive(pid: int) -> bool:
    """Whether a process is running, and not only an entry of one that has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        if Path("/proc/self/stat").exists():
            return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


WRITING = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "shutil.rmtree", "ctypes.dlopen"}


def publish(settings: Settings, names: list[str], last: int, counted: Path) -> None:
    """Publish what was executed, in a process that is killed at its ``last`` file operation.

    With 0 it is not killed, and the number of operations is written to a file.
    """
    left = [last]

    def count(event, arguments):
        writes = (
            event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")
        )
        if event in WRITING or writes:
            left[0] -= 1
            if not left[0]:
                os.kill(os.getpid(), signal.SIGKILL)

    workplace = Workplace(settings)
    sys.addaudithook(count)
    with build_module.opened(workplace):
        build_module.publish(workplace, names, lambda text: None)
    counted.write_text(str(-left[0]))


COSTS = """
import importlib, json, resource, statistics, sys, time
from pathlib import Path
from ae_lab.errors import LabError

def cost(path):
    start = time.process_time()
    try:
        words = str(getattr(read(path, *more), "shape", "read"))
    except LabError as error:
        words = str(error)
    return words, time.process_time() - start

reader, room, more, *paths = sys.argv[1:]
more, (good, *paths) = json.loads(more), map(Path, paths)
module, _, name = reader.rpartition(".")
read = getattr(importlib.import_module(module), name)
cost(good)  # one-time costs are not counted
usual = statistics.median(cost(good)[1] for _ in range(5))
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + int(room),) * 2)
print(json.dumps([(words, time / usual) for words, time in map(cost, paths)]))
"""


def dear(reader: str, room: int, good: Path, expected: dict[Path, str], *more) -> dict:
    """The files of which ``reader(path, *more)`` says the wrong thing, or which cost much.

    ``reader`` is a function's full name; ``expected`` has a pattern for each file. Returned are the
    words and the cost of those that differ, or that take more than 30 times the CPU time of the
    ``good`` file. All are read in one process on Linux, which may use ``room`` bytes more than
    after reading the good file, and dies if it needs more.
    """
    command = [sys.executable, "-c", COSTS, reader, str(room), json.dumps(more)]
    command += map(str, [good, *expected])
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr[-2_000:]
    said = zip(expected.items(), json.loads(done.stdout.splitlines()[-1]), strict=True)
    return {
        path.name: (words, ratio)
        for (path, pattern), (words, ratio) in said
        if not re.search(pattern, words) or ratio > 30
    }


def clean_as_nobody() -> None:
    from ae_lab.report.render.cleaning import clean_message

    os.environ.pop("HOME", None)
    os.setuid(54_321)
    assert clean_message("as/it was") == "as/it was"
