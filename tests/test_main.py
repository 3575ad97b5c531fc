"""The command line: each error is one sentence, and it starts quickly."""

import os
import subprocess
import sys
import time

import pytest

from ae_lab import data
from ae_lab.__main__ import main
from helpers import notebook, project


def run(folder, *arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "ae_lab", *arguments],
        cwd=folder,
        env=os.environ | {"AE_LAB_OFFLINE": "1", "AE_LAB_DATA": ""} | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("arguments", "environment", "words"),
    [
        (["report", "--profile", "quik"], {}, "one of smoke, quick, full, received 'quik'"),
        (["report"], {"AE_LAB_PROFILE": "quik"}, "one of smoke, quick, full, received 'quik'"),
        (["report", "--seed", "x"], {}, "whole number"),
        (["report", "--seed", "-1"], {}, "whole number"),
        (["report", "--notebook", "01_dens"], {}, "one of 01_dense, received 01_dens"),
        (["report", "--set", "latent_dim=2"], {}, "name it with --notebook"),
        (["report", "--notebook", "01_dense", "--set", "latent_dim"], {}, "received 'latent_dim'"),
        (["report", "--notebook", "01_dense", "--set", "=2"], {}, "of the form name=value"),
        (["verify"], {"AE_LAB_SET_LATENT_DIM": "2"}, "received AE_LAB_SET_LATENT_DIM"),
        (["sweep"], {"AE_LAB_SET_LATENT_DIM": "2"}, "received AE_LAB_SET_LATENT_DIM"),
        (["report"], {"AE_LAB_REPORTS": "/dev/null/x"}, "/dev/null/x"),
        (["data", "x" * 300], {}, "File name too long"),
    ],
)
def test_invalid_input_is_reported_in_one_sentence(tmp_path, arguments, environment, words):
    project(tmp_path, **{"01_dense": notebook("# A")})
    done = run(tmp_path, *arguments, **environment)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ") and words in done.stderr
    assert len(done.stderr.splitlines()) == 1 and "Traceback" not in done.stderr


@pytest.mark.parametrize("how", ["option", "variable"])
def test_a_folder_for_a_knob_is_found_by_the_kernel_which_runs_among_the_notebooks(
    tmp_path, monkeypatch, how
):
    from ae_lab import __main__

    project(tmp_path, **{"01_dense": notebook("# A")})
    (tmp_path / "mine").mkdir()
    (tmp_path / "3").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AE_LAB_SET_CODE", "3")
    given = [] if how == "variable" else ["--set", "texts=mine"]
    if how == "variable":
        monkeypatch.setenv("AE_LAB_SET_TEXTS", "mine")
    options = __main__._parser().parse_args(["report", "--notebook", "01_dense", *given])
    knobs = dict(__main__._settings(options).knobs)
    assert knobs == {"code": "3", "texts": os.path.join("..", "mine")}


def test_notebooks_can_be_named_together_or_one_by_one():
    from ae_lab import __main__

    parse = __main__._parser().parse_args
    for given in (["--notebooks", "a", "b"], ["--notebooks", "a", "--notebooks", "b"]):
        assert parse(["sweep", *given]).notebooks == ["a", "b"]
    assert parse(["sweep"]).notebooks == []


def test_help_lists_the_commands_immediately(tmp_path):
    start = time.perf_counter()
    done = run(tmp_path, "--help")
    assert done.returncode == 0 and "report" in done.stdout and "data" in done.stdout
    assert time.perf_counter() - start < 2  # 0.1 s on an idle machine


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("ae_lab.__main__", ("numpy", "nbformat", "nbclient", "nbconvert", "keras", "tensorflow")),
        ("ae_lab.report.build", ("nbclient", "nbconvert", "keras", "tensorflow")),
        ("ae_lab.report.render.exporter", ("keras", "tensorflow")),
    ],
)
def test_nothing_heavy_is_imported_before_it_is_needed(tmp_path, module, absent):
    code = f"import {module}, sys; print([m for m in {absent} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_a_description_of_data_contains_no_control_characters(monkeypatch, capsys):
    monkeypatch.setattr(data, "describe", lambda path: ["\x1b]0;title\x07 x\n: 3"])
    assert main(["data", "x.npz"]) == 0
    assert capsys.readouterr().out == " ]0;title  x : 3\n"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs Linux's device that is full")
@pytest.mark.parametrize(
    ("redirection", "lines"),
    [(">&-", 0), (">/dev/full", 1), ("| true", 0), (">&- 2>&-", 0), ("2>&-", 0)],
)
def test_an_output_that_is_closed_or_full_is_not_our_fault(tmp_path, redirection, lines):
    command = ["sh", "-c", f"'{sys.executable}' -m ae_lab data {redirection}"]
    variables = os.environ | {"AE_LAB_OFFLINE": "1", "AE_LAB_DATA": ""}
    done = subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, text=True)
    assert len(done.stderr.splitlines()) == lines and "our fault" not in done.stderr
    assert done.returncode == lines and ("No space left" in done.stderr) == lines


def test_data_prints_the_source(tmp_path):
    done = run(tmp_path, "data")
    assert done.returncode == 0 and "MNIST" in done.stdout


def test_an_interrupt_that_python_ignores_is_repeated():
    """It arrives in a finaliser, where no exception can be raised; later it ends a long wait."""
    program = """
import signal, sys, time
from ae_lab import __main__ as lab

class Finalised:
    def __del__(self):
        signal.raise_signal(signal.SIGINT)

def data(options):
    Finalised()
    time.sleep(120)

signal.signal(signal.SIGINT, signal.default_int_handler)
lab.data = data
sys.exit(lab.main(["data"]))
"""
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 130
    assert done.stderr.startswith("\nstopped") and done.stderr.count("\n") == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["encode", "from.npy", "to.npy", "--model", "bad.keras"], "bad.keras"),
        (["decode", "from.npy", "to.npy", "--model", "bad.keras"], "bad.keras"),
        (["reconstruct", "no.png"], "no.png"),
        (["reconstruct", "x" * 300], "File name too long"),
    ],
)
def test_tensorflow_starts_without_output(tmp_path, arguments, words):
    (tmp_path / "bad.keras").write_text("no model")
    done = run(tmp_path, *arguments)
    assert done.returncode == 1 and done.stdout == ""
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert done.stderr.startswith("error: ") and words in done.stderr


def test_a_data_set_of_keras_is_downloaded_without_output_of_tensorflow(tmp_path):
    """The download needs Keras; here, the network refuses the connection."""
    refuse = {"AE_LAB_OFFLINE": "", "https_proxy": "http://127.0.0.1:9", "KERAS_HOME": "keras"}
    done = run(tmp_path, "data", AE_LAB_DATASET="fashion_mnist", **refuse)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert done.stderr.startswith("error: ") and "fashion_mnist" in done.stderr


def test_output_of_tensorflow_is_shown_if_its_import_fails(tmp_path):
    code = (
        "import os; from ae_lab.quiet import start_log_held_back as held_back\n"
        "with held_back(): os.write(2, b'kept back\\n')\n"
        "os.write(2, b'written\\n')\n"
        "with held_back(): os.write(2, b'the reason\\n'); raise SystemExit(3)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 3 and done.stderr.splitlines() == ["written", "the reason"]
