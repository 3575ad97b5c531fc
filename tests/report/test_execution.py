"""Executing notebooks: identical results, failures, kernels, and nothing executed twice."""

import ast
import os
import re
import signal
import subprocess
import sys
from dataclasses import replace

import psutil
import pytest
from PIL import Image

from ae_lab import data
from ae_lab.errors import LabError
from ae_lab.report import build as build_module
from ae_lab.report import keys
from ae_lab.report.execute import notebook as execution
from ae_lab.report.execute import run
from ae_lab.report.workplace import Workplace
from helpers import alive, build, contents, notebook, project, wait_for

PREPARE = build_module.prepare_data
DATA = run.DataAtHand("MNIST, told by the run", "fingerprint")

OFFENDERS = """%%
import os, sys, time, warnings
warnings.warn("careful")
print({"one", "two", "three", "four", "five"})
os.write(2, b"W0000 00:00:17.2 %d c.cc:1] C-level log\\n" % os.getpid())
print(object(), [object()], file=sys.stderr)
print("a path:", os.getcwd(), os.path.expanduser("~/x"), file=sys.stderr)
for tick in range(3):
    bar = "━" * tick
    clock = f"\\x1b[1m{tick}s\\x1b[0m {time.time_ns() % 97}ms/step"
    print(f"{tick}/2 {bar} {clock} - loss: 0.5", end="\\r")
print()
print("abc" + "\\b" * 3 + "xyz")
object()"""
LIBRARIES = """%%
import tqdm.auto, ipywidgets, matplotlib_inline.backend_inline as inline
import matplotlib.pyplot as plt
for _ in tqdm.auto.tqdm(range(3)):
    time.sleep(0.01)
display(ipywidgets.IntSlider())
import io
from IPython.display import display
figure, ax = plt.subplots(figsize=(2, 2)); ax.plot([0, 1], label="a"); ax.legend()
ax.add_patch(plt.Circle((0, 0), 1, clip_on=True))
drawn = io.StringIO(); figure.savefig(drawn, format="svg"); plt.close(figure)
display({"image/svg+xml": drawn.getvalue(), "text/plain": "svg"}, raw=True,
        metadata={"image/svg+xml": {"alt": "A straight line."}})"""


@pytest.fixture(autouse=True)
def data_at_hand(monkeypatch):
    monkeypatch.setattr(build_module, "prepare_data", lambda settings, say: DATA)


@pytest.fixture
def no_font_cache(monkeypatch):
    monkeypatch.setattr(run, "build_font_cache", lambda place: None)


@pytest.mark.kernel
def test_two_runs_give_the_same_bytes(tmp_path):
    first = project(tmp_path, offenders=notebook("# Offenders", OFFENDERS, LIBRARIES))
    second = replace(first, report_folder=tmp_path / "again")
    build(first)
    build(second)
    assert contents(first.profile_folder) == contents(second.profile_folder)
    page = (first.profile_folder / "offenders.html").read_text()
    outputs = "".join(re.findall(r'<pre class="(?:std|res).*?</pre>', page, re.DOTALL))
    assert "&lt;object object&gt;" in outputs and "loss: 0.5" in outputs and "xyz" in outputs
    for trace in (" at 0x", "ms/step", "C-level", "ipykernel_"):
        assert trace not in outputs
    for trace in ("\b", "\x1b", str(tmp_path)):
        assert trace not in page
    assert "data:image/svg+xml" in page and "A straight line." in page


@pytest.mark.kernel
@pytest.mark.parametrize(
    ("code", "name", "words"),
    [
        ("raise ValueError('what was wrong')", "ValueError", "what was wrong"),
        ("import os; os._exit(7)", "DeadKernelError", "kernel ended"),
        ("import time; time.sleep(60)", "CellTimeoutError", "longer than its limit"),
    ],
)
def test_a_failure_is_named_and_the_page_up_to_it_is_written(
    tmp_path, monkeypatch, no_font_cache, code, name, words
):
    monkeypatch.setitem(execution.CELL_SECONDS, "quick", 2)
    settings = project(
        tmp_path,
        broken=notebook("# Broken", "%%print('before')", "## Here", f"%%{code}", "## Later"),
    )
    with pytest.raises(LabError, match=rf"broken, cell 2 \(Here\) failed with {name}") as caught:
        build(settings)
    published = settings.profile_folder
    assert str(published / "index.html") in str(caught.value)
    page, index = ((published / file).read_text() for file in ("broken.html", "index.html"))
    assert "before" in page and "Later" not in page and str(tmp_path) not in page
    for text in (page, index):
        assert (
            DATA.source in text
            and 'class="banner"' in text
            and "cell 2" in text
            and name in text
            and words in text
        )


@pytest.mark.kernel
def test_a_failed_run_publishes_the_others_and_keeps_the_last_good_report(tmp_path, no_font_cache):
    good = {"one": notebook("# One", "%%print(1)"), "two": notebook("# Two", "%%print(2)")}
    settings = project(tmp_path, **good)
    build(settings)
    before = contents(settings.profile_folder)
    for number in (22, 23):
        bad = {"one": notebook("# One", "%%1 / 0"), "two": notebook("# Two", f"%%print({number})")}
        project(tmp_path, **bad)
        with pytest.raises(LabError, match="one, cell 1 .* ZeroDivisionError"):
            build(settings)
        page = (settings.profile_folder / "two.html").read_text()
        assert str(number) in page, "the other notebooks still run"
        assert contents(Workplace(settings).last_good) == before
    with pytest.raises(LabError, match="one, cell 1"):
        build(settings, "two")
    project(tmp_path, **good)
    build(settings)
    assert not Workplace(settings).last_good.exists()
    assert contents(settings.profile_folder) == before


def test_a_download_is_only_tried_if_a_notebook_must_be_executed(
    tmp_path, no_font_cache, monkeypatch
):
    tried = []

    def absent(address, path):
        tried.append(address)
        raise OSError("no network")

    monkeypatch.setattr(build_module, "prepare_data", PREPARE)
    monkeypatch.setattr(data.mnist, "fetch", absent)
    monkeypatch.setattr(data.mnist, "WAITS", ())
    settings = replace(project(tmp_path, one=notebook("# One", "%%1")), offline=False)
    assert data.SAMPLE_NAME in build(settings) and len(tried) == 1
    assert data.SAMPLE_NAME in build(settings) and len(tried) == 1
    project(tmp_path, one=notebook("# One", "%%2"))
    build(settings)
    assert len(tried) == 2
    build(settings, force=True)
    assert len(tried) == 3


@pytest.mark.kernel
def test_unchanged_notebooks_are_not_executed_again(tmp_path, no_font_cache):
    count = "%%open('runs.txt', 'a').write('x')"
    settings = project(tmp_path, one=notebook("# One", count), two=notebook("# Two", "%%print(2)"))
    build(settings)
    runs = tmp_path / "notebooks" / "runs.txt"
    before = contents(settings.profile_folder)
    assert "unchanged" in build(settings)
    assert runs.read_text() == "x"
    (settings.profile_folder / "one.html").write_text("spoilt")
    build(settings)
    assert runs.read_text() == "x"
    assert contents(settings.profile_folder) == before, "a damaged page is rendered again"
    build(settings, "two", force=True)
    assert runs.read_text() == "x"
    build(replace(settings, seed=9), "one")
    assert runs.read_text() == "xx"


@pytest.mark.kernel
def test_new_text_needs_no_execution_and_gives_the_page_of_one(tmp_path, no_font_cache):
    show = "%%print('out'); {1: 2}"
    settings = project(tmp_path, one=notebook("# One", show, "## Two", "%%1 + 1"))
    build(settings)
    project(tmp_path, one=notebook("# Another title", "more text", show, "%%1 + 1", "## End"))
    assert "unchanged" in build(settings)
    renewed = contents(settings.profile_folder)
    assert "Another title" in (settings.profile_folder / "one.html").read_text()
    build(settings, force=True)
    assert contents(settings.profile_folder) == renewed


@pytest.mark.kernel
def test_a_new_picture_of_a_text_is_a_new_page(tmp_path, no_font_cache):
    settings = project(tmp_path, one=notebook("# One", "![A dot.](a.png)", "%%1 + 1"))
    picture = tmp_path / "notebooks" / "a.png"
    Image.new("L", (2, 2)).save(picture)
    build(settings)
    page = settings.profile_folder / "one.html"
    first = page.read_text()
    Image.new("L", (3, 3)).save(picture)
    assert "unchanged" in build(settings)
    assert page.read_text() != first


@pytest.mark.parametrize(
    ("source", "same"),
    [
        ("def f():\n    return 1\n", True),
        ('def f():\n    """Other words,\n\n    longer.\n    """\n    return 1\n', True),
        ('def f():\n    """Words."""\n    return 2\n', False),
        ('def f():\n    x = """Words."""\n    return 1\n', False),
    ],
)
def test_docstrings_do_not_belong_to_what_a_run_computes(tmp_path, monkeypatch, source, same):
    monkeypatch.setattr(keys, "PACKAGE", tmp_path)
    (tmp_path / "one.py").write_text('def f():\n    """Words."""\n    return 1\n')
    before = keys.package_digest()
    (tmp_path / "one.py").write_text(source)
    assert (keys.package_digest() == before) is same


@pytest.mark.parametrize(
    ("source", "same"),
    [
        ("x = 1\nlab.reading(\n    f'{x} words', headline=True\n)", True),
        ("x = 1\nif x:\n    lab.show(plot(x), alt='a plot of x')", False),
        ("x = 2\nlab.reading('words')", False),
        ("x = 1\nlab.claim('a', at_least('x', x, 1))", False),
        ("x = 1\nlab.record('x', x)", False),
        ("x = 1\ny = lab.reading(train())", False),
        ("x = 1\naxes[0].set(xlabel='words')\nplotting.curves(ax, x)\nfig.colorbar(x)", True),
        ("x = 1\nfor ax in axes:\n    ax.plot(x)", False),
        ("x = 1\nfound.append(x)", False),
        ("x = 1\nplotting.curves(ax, x)(x)", False),
        ("x = 1\nother.reading('words')", False),
        ("%time x = 1", False),
    ],
)
def test_what_is_only_shown_does_not_belong_to_the_results(source, same):
    shown, other = notebook("%%x = 1\nlab.reading('words')"), notebook(f"%%{source}")
    assert (keys.digest_of_cells(shown) == keys.digest_of_cells(other)) is same
    assert keys.code_of(shown) != keys.code_of(other), "the page is made again"


def test_what_computes_a_result_imports_nothing_that_only_shows():
    for path in keys.SHOW:
        assert path.is_file(), path
    rooms = ("data", "layers", "models", "training", "evaluation", "losses.py", "rbm.py")
    lab = (f"lab/{name}.py" for name in ("conditions", "parameters", "records", "statistics"))
    shows = {path.stem for path in keys.SHOW}
    places = [keys.PACKAGE / place for place in (*rooms, *lab, "lab/verdicts.py")]
    for file in [file for place in places for file in (place, *place.rglob("*.py"))]:
        if file.is_dir():
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [getattr(node, "module", None) or "", *(one.name for one in node.names)]
                assert not shows & set(".".join(names).split(".")), f"{file}: {ast.unparse(node)}"


def test_the_texts_of_a_reader_belong_to_a_run(tmp_path):
    settings = project(tmp_path, one=notebook("# One"))
    (tmp_path / "mine" / "topic").mkdir(parents=True)
    (text := tmp_path / "mine" / "topic" / "a.txt").write_text("a word")
    settings = replace(settings, knobs=(("texts", "../mine"),))
    before = keys.execution_key(notebook("# One"), settings, "", {})
    assert keys.execution_key(notebook("# One"), settings, "", {}) == before
    text.write_text("another word")
    assert keys.execution_key(notebook("# One"), settings, "", {}) != before


@pytest.mark.parametrize("value", ["x" * 5_000, "~nobody-of-this-name", "0.5", "(1, 2)", "*"])
def test_a_knob_that_is_no_folder_has_a_key(tmp_path, value):
    settings = replace(project(tmp_path, one=notebook("# One")), knobs=(("texts", value),))
    assert keys.execution_key(notebook("# One"), settings, "", {})


@pytest.mark.kernel
def test_a_foreign_kernel_named_python3_is_not_used(tmp_path, monkeypatch, no_font_cache):
    spec = tmp_path / "jupyter" / "kernels" / "python3"
    spec.mkdir(parents=True)
    (spec / "kernel.json").write_text(
        '{"argv": ["/bin/false", "{connection_file}"], "display_name": "x", "language": "python"}'
    )
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    settings = project(tmp_path, own=notebook("# Own", "%%import sys; print(sys.executable[-6:])"))
    build(settings)
    assert sys.executable[-6:] in (settings.profile_folder / "own.html").read_text()


@pytest.mark.kernel
@pytest.mark.skipif(sys.platform != "linux", reason="abstract socket names exist only on Linux")
def test_a_kernel_needs_no_port_that_another_program_could_take(tmp_path, no_font_cache):
    code = """%%
import psutil
process = psutil.Process()
sockets = getattr(process, "net_connections", process.connections)
names = {s.laddr for s in sockets("unix") if s.laddr.startswith("@ae_lab-")}
listening = [s.laddr[:2] for s in sockets("inet") if s.status == "LISTEN"]
import sys  # any port will do for the output of child processes, the one thing that has a port
print(listening == [("127.0.0.1", sys.stdout.pub_thread._pipe_port)], len(names))"""
    build(project(tmp_path, **{"long_" * 30: notebook("# Ports", code)}))
    page = (tmp_path / "reports" / "quick" / f"{'long_' * 30}.html").read_text(encoding="utf-8")
    assert "True 5" in page


EAVESDROPPER = """
import os, sys, zmq
if os.geteuid() == 0:
    os.setuid(65_534)  # nobody
context = zmq.Context()
sockets = [context.socket(kind) for kind in (zmq.SUB, zmq.SUB)]
sockets[1].curve_publickey, sockets[1].curve_secretkey = zmq.curve_keypair()
sockets[1].curve_serverkey = zmq.curve_keypair()[0]  # not the kernel's
for socket in sockets:
    socket.subscribe(b"")
    for address in sys.argv[1:]:
        socket.connect(address)
print("listening", flush=True)
print([socket.poll(2_000) for socket in sockets])
"""
SPOKEN = f"""%%
import json, subprocess, sys, time
from ipykernel.connect import get_connection_info
about = get_connection_info(unpack=True)
form = "ipc://{{ip}}-{{}}" if about["transport"] == "ipc" else "tcp://{{ip}}:{{}}"
addresses = [form.format(about[f"{{name}}_port"], ip=about["ip"]) for name in ("iopub", "shell")]
listener = subprocess.Popen(
    [sys.executable, "-c", {EAVESDROPPER!r}, *addresses], stdout=subprocess.PIPE, text=True
)
listener.stdout.readline()
for _ in range(20):
    print("a secret", flush=True)
    time.sleep(0.1)
print("heard:", listener.communicate()[0])"""


@pytest.mark.kernel
@pytest.mark.parametrize(("encryption", "heard"), [("required", "[0, 0]"), ("disabled", "[1, 0]")])
def test_messages_of_a_kernel_cannot_be_read_by_others(
    tmp_path, no_font_cache, monkeypatch, encryption, heard
):
    def options(connection):
        return real(connection) | {"transport_encryption": encryption}

    real = execution.connection_options
    assert real(tmp_path)["transport_encryption"] == "required"
    monkeypatch.setattr(execution, "connection_options", options)
    build(project(tmp_path, one=notebook("# One", SPOKEN)))
    page = (tmp_path / "reports" / "quick" / "one.html").read_text(encoding="utf-8")
    assert f"heard: {heard}" in page


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such permissions")
def test_the_folder_of_a_kernels_key_is_closed_to_other_users(tmp_path):
    place = Workplace(project(tmp_path, one=notebook("# One")))
    place.connections.mkdir(parents=True, mode=0o755)
    place.make_folders()
    assert place.connections.stat().st_mode & 0o777 == 0o700


def test_the_font_cache_is_built_without_the_modules_of_this_folder(tmp_path, monkeypatch):
    def another(command, **options):
        done.append(real([*command[:-1], "import stranger"], **options))

    real, done = subprocess.run, []
    (tmp_path / "stranger.py").write_text("open('sprung', 'w')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(run.subprocess, "run", another)
    run.build_font_cache(Workplace(project(tmp_path, one=notebook("# One"))))
    assert b"No module named 'stranger'" in done[0].stderr
    assert not (tmp_path / "sprung").exists()


@pytest.mark.kernel
def test_start_up_files_and_backend_settings_of_a_user_are_ignored(
    tmp_path, monkeypatch, no_font_cache
):
    startup = tmp_path / "home" / ".ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "0.py").write_text("print('from the user')")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    settings = project(
        tmp_path, own=notebook("# Own", "%%import os; print('hash', os.environ['PYTHONHASHSEED'])")
    )
    build(settings)
    page = (settings.profile_folder / "own.html").read_text()
    assert "from the user" not in page and "hash 0" in page


@pytest.mark.kernel
def test_notebooks_run_at_the_same_time(tmp_path, no_font_cache):
    meet = """%%
import pathlib, time
pathlib.Path("{}").touch()
while not pathlib.Path("{}").exists():
    time.sleep(0.05)
print("met")"""
    notebooks = {
        "one": notebook("# One", meet.format("a", "b")),
        "two": notebook("# Two", meet.format("b", "a")),
    }
    settings = replace(project(tmp_path, **notebooks), jobs=2)
    build(settings)
    assert "met" in (settings.profile_folder / "one.html").read_text()


@pytest.mark.kernel
def test_the_longest_notebook_starts_first_if_known(tmp_path, no_font_cache):
    wait = "%%import time; time.sleep({}); open('order.txt', 'a').write('{}')"
    slow = notebook("# Slow", wait.format(2, "s"))
    fast = notebook("# Fast", wait.format(0, "f"), "Before it is known, most cells go first.")
    settings = project(tmp_path, fast=fast, slow=slow)
    settings = replace(settings, jobs=1)
    build(settings)
    build(settings, force=True)
    assert (tmp_path / "notebooks" / "order.txt").read_text() == "fssf"


def test_the_memory_limits_the_number_of_jobs(monkeypatch):
    memory = psutil.virtual_memory()
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory._replace(available=3 * 2**30))
    assert run.jobs_that_fit() == 1


@pytest.mark.kernel
@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
def test_no_kernel_remains_after_an_interrupt(tmp_path):
    wait = "%%import os, time; open('pid', 'w').write(str(os.getpid())); time.sleep(60)"
    project(tmp_path, slow=notebook("# Slow", wait))
    run = subprocess.Popen(
        [sys.executable, "-m", "ae_lab", "report"],
        cwd=tmp_path,
        env=os.environ | {"AE_LAB_OFFLINE": "1", "AE_LAB_DATA": ""},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        # if the tests themselves run in the background, an interrupt would be ignored
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    pid_file = tmp_path / "notebooks" / "pid"
    wait_for(lambda: pid_file.exists() and pid_file.read_text())
    run.send_signal(signal.SIGINT)
    words = run.communicate(timeout=30)[1]
    assert run.returncode == 130 and words.strip().startswith("stopped") and "Trace" not in words
    wait_for(lambda: not alive(int(pid_file.read_text())))
