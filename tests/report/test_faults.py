"""A report run that is killed, competes with another, or lacks disk space: nothing is lost."""

import contextlib
import os
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ae_lab.files import read_json, write_json
from ae_lab.report import build
from ae_lab.report.workplace import Workplace
from ae_lab.settings import Settings
from helpers import (
    PATIENCE,
    alive,
    clean_as_nobody,
    contents,
    environment,
    executed,
    notebook,
    project,
    publish,
    report,
    start,
    temporary,
    wait_for,
    without_privileges,
)

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.skipif(os.name != "posix", reason="needs signals and limits of POSIX"),
]
NAMES = ("one", "two")
KILLS = 20


def write_project(folder: Path, version: int) -> Settings:
    """Two notebooks that log their runs and show their version on their pages."""
    log = folder.parent / "log.txt"
    code = "%%import os\nwith open({log!r}, 'a') as log: log.write('{run} %d\\n' % os.getpid())"
    cells = {
        name: notebook(
            f"# {name}, version {version}.",
            code.format(log=str(log), run=f"{name} {version}"),
            f"%%print('{name} version', {version})",
        )
        for name in NAMES
    }
    return project(folder, **cells)


def is_a_try(path: Path) -> bool:
    """Whether the file is from Python's tempfile, which writes four letters to test a folder."""
    return path.is_file() and path.read_bytes() in (b"", b"blat")


class Place:
    """A project in which reports are run, and what can be observed about them."""

    def __init__(self, folder: Path):
        self.folder, self.said = folder / "project", folder / "said.txt"
        self.log = folder / "log.txt"
        self.log.touch()
        self.write(1)

    def write(self, version: int) -> None:
        self.version = version
        self.settings = write_project(self.folder, version)
        self.workplace = Workplace(self.settings)

    def start(self, **changes):
        self.said.write_text("")
        return start(report, self.folder, self.said, changes)

    def run(self, expected=0, **changes) -> str:
        process = self.start(**changes)
        process.join(PATIENCE)
        assert process.exitcode == expected, self.said.read_text()
        return self.said.read_text()

    def runs(self) -> list[str]:
        """Each "name version" for which a kernel has started, in order."""
        return [" ".join(line.split()[:2]) for line in self.log.read_text().splitlines()]

    def stored(self) -> list[str]:
        """Each "name version" of the current version whose execution is stored."""
        found = {name: read_json(self.workplace.executed(name)) for name in NAMES}
        now = self.version
        return [f"{n} {now}" for n, kept in found.items() if f"version {now}." in str(kept)]

    def shown(self) -> int:
        """The version of the report, which must be complete and from one run."""
        pages = contents(self.settings.profile_folder)
        assert sorted(pages) == [
            "before.json",
            "claims.json",
            "exercises.json",
            "index.html",
            "metrics.json",
            "one.html",
            "two.html",
        ]
        texts = {name: pages[f"{name}.html"].decode() for name in (*NAMES, "index")}
        assert all(text.rstrip().endswith("</html>") for text in texts.values())
        versions = {
            version
            for version in range(1, self.version + 1)
            if any(f"version {version}." in text for text in texts.values())
        }
        assert len(versions) == 1, f"pages of {versions} are mixed"
        return versions.pop()

    def check_clean(self) -> None:
        """Check that no run left a kernel, a temporary file or a half-written one."""
        pids = {int(line.split()[2]) for line in self.log.read_text().splitlines()}
        wait_for(lambda: not any(map(alive, pids)))
        left = temporary(self.folder).iterdir()
        assert [path.name for path in left if not is_a_try(path)] == []
        left = {path.name for path in self.settings.report_folder.rglob("*")}
        assert not left & {"aside", "new", "kernels"}
        assert not [name for name in left if name.startswith(".writing-")]


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


def test_killed_at_twenty_random_moments(place):
    """With real kernels; each run continues from the last, and the report is always complete."""
    begin = time.monotonic()
    place.run()
    length = time.monotonic() - begin
    draw, kills, shown = random.Random(7), 0, 1
    place.write(2)
    while kills < KILLS:
        kept, runs = place.stored(), place.runs()
        process = place.start()
        process.join(draw.uniform(0, length))
        killed = process.exitcode is None
        process.kill()
        process.join()
        kills += killed
        assert not set(kept) & set(place.runs()[len(runs) :]), "finished work was repeated"
        assert place.shown() in (shown, place.version)
        if not killed:
            assert process.exitcode == 0, place.said.read_text()
            shown = place.shown()
            assert shown == place.version
            place.write(place.version + 1)
    place.run()
    assert place.shown() == place.version
    place.check_clean()


def test_killed_while_its_kernels_start(place):
    """Kernels read their connection file late, so the next run must use another one."""
    for _ in range(5):
        process = place.start()
        wait_for(lambda: list(place.workplace.connections.glob("*.json")))
        process.kill()
        process.join()
        place.run()
        place.write(place.version + 1)
    place.check_clean()


def test_killed_at_each_step_of_publishing(place, tmp_path):
    """Moments that a random kill would miss: all of the last ones, every fifth of the others.

    On Linux, the report is complete at every moment.
    """
    counted = tmp_path / "counted"

    def published(step):
        place.version += 1
        for name in NAMES:
            kept = executed(notebook(f"# {name}, version {place.version}."))
            write_json(place.workplace.executed(name), kept)
        process = start(publish, place.settings, list(NAMES), step, counted)
        process.join(PATIENCE)
        return process.exitcode

    place.workplace.build.mkdir(parents=True)
    assert published(0) == published(0) == 0
    steps, shown = int(counted.read_text()), place.shown()
    assert steps > 20
    for step in [*range(1, steps - 15, 5), *range(steps - 15, steps + 1)]:
        assert published(step) == -signal.SIGKILL
        if sys.platform == "linux":
            assert place.shown() in (shown, place.version)
        with build.opened(place.workplace):
            shown = place.shown()
        place.check_clean()
    assert published(0) == 0 and place.shown() == place.version


def test_an_interrupt_prints_one_line_and_leaves_nothing(place):
    begin = time.monotonic()
    place.run()
    length = time.monotonic() - begin
    place.write(2)
    for share in (0.15, 0.4, 0.6, 0.8):
        process = place.start()
        process.join(share * length)
        if process.exitcode is None:
            os.kill(process.pid, signal.SIGINT)
        process.join(PATIENCE)
        assert process.exitcode in (0, 130), place.said.read_text()
        said = place.said.read_text()
        assert "Traceback" not in said
        if process.exitcode == 130:
            assert said.splitlines()[-1].startswith("stopped")
        assert place.shown() in (1, 2)
        place.check_clean()


@pytest.mark.parametrize("when", ["in its cell", "between two cells"])
def test_a_killed_kernel_is_reported_and_the_others_are_kept(place, when):
    place.run()
    dies = (
        "%%import os, signal, threading, time\nkill = lambda: os.kill(os.getpid(), signal.SIGKILL)"
    )
    dies += "\nkill()" if when == "in its cell" else "\nthreading.Timer(0.1, kill).start()"
    project(place.folder, two=notebook("# two", dies, "%%import time; time.sleep(60)"))
    begin = time.monotonic()
    said = place.run(expected=1)
    assert time.monotonic() - begin < 60
    assert "one  unchanged" in said
    assert "DeadKernelError" in said.splitlines()[-1] and "out of memory" in said.splitlines()[-1]
    failed, good = place.settings.profile_folder, place.workplace.last_good
    assert "killed, or out of memory" in (failed / "two.html").read_text()
    assert "version 1." in (good / "two.html").read_text()
    place.write(1)
    assert place.run().count("unchanged") == 2
    assert place.shown() == 1 and not good.exists()
    place.check_clean()


def test_two_runs_at_once_never_mix_their_pages(place):
    place.run()
    place.write(2)
    second = Place.__new__(Place)
    second.__dict__ = place.__dict__ | {"said": place.said.with_name("second.txt")}
    both = [place.start(), second.start()]
    for process in both:
        process.join(PATIENCE)
    codes = sorted(process.exitcode for process in both)
    assert codes in ([0, 0], [0, 1])
    said = place.said.read_text() + second.said.read_text()
    assert codes == [0, 0] or "another report run" in said
    assert place.shown() == 2 and sorted(place.runs()).count("one 2") == 1
    place.check_clean()


@contextlib.contextmanager
def small_disk(folder: Path, megabytes: int):
    """A separate file system at ``folder``; skips the test if it cannot be mounted."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("a small disk cannot be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(path: Path, leave: int) -> None:
    """Fill a disk except for ``leave`` bytes."""
    path.unlink(missing_ok=True)
    room = os.statvfs(path.parent)
    path.write_bytes(bytes(max(0, room.f_bavail * room.f_frsize - leave)))


def check_error(said: str) -> None:
    """The last line names the problem, and other lines are short."""
    assert said.splitlines()[-1].startswith("error: "), said
    assert "Traceback" not in said


def test_a_full_disk_is_one_sentence_and_keeps_the_last_report(place, tmp_path):
    disk = tmp_path / "disk"
    with small_disk(disk, 6):
        place.settings = Settings(project_folder=place.folder, report_folder=disk / "reports")
        place.workplace = Workplace(place.settings)
        where = {"AE_LAB_REPORTS": str(disk / "reports")}
        place.run(**where)
        write_project(place.folder, 2)
        for leave in (0, 12_000, 40_000):  # space for nothing, for kernels, for some pages
            fill(disk / "filler", leave)
            said = place.run(expected=1, **where)
            check_error(said)
            assert "No space left" in said.splitlines()[-1], said
            assert place.shown() == 1
            place.check_clean()
        (disk / "filler").unlink()
        place.version = 2
        place.run(**where)
        assert place.shown() == 2


def test_a_limit_on_file_sizes_is_one_sentence(place):
    place.run()
    write_project(place.folder, 2)
    uncounted = {k: v for k, v in environment().items() if not k.startswith("COVERAGE")}
    done = subprocess.run(
        [sys.executable, "-m", "ae_lab", "report"],
        cwd=place.folder,
        env=uncounted,  # the file of a coverage measurement would also exceed the limit
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (6_000, 6_000)),
    )
    assert done.returncode == 1 and "File too large" in done.stderr
    check_error(done.stderr)
    assert place.shown() == 1
    place.check_clean()


@pytest.mark.parametrize("closed", ["report_folder", "build"])
def test_a_read_only_folder_is_reported_in_one_sentence(place, closed):
    place.run()
    write_project(place.folder, 2)
    folder = place.workplace.build if closed == "build" else place.settings.report_folder
    folder.chmod(0o500)
    done = without_privileges("report", place.folder)
    folder.chmod(0o700)
    assert done.returncode == 1 and "Permission denied" in done.stderr, done.stdout + done.stderr
    check_error(done.stderr)
    assert len(done.stderr.splitlines()) == 1
    assert place.shown() == 1
    place.check_clean()


def test_a_report_runs_in_an_unusual_environment(tmp_path):
    """Spaces and other letters in the path, an ASCII terminal, and an empty PATH."""
    folder = tmp_path / "Größe und Maß, 実験 №1"
    folder.mkdir()
    place = Place(folder)
    project(place.folder, one=notebook("# one, version 1.", "## Größe β → ∞", "%%print('Ω', 1)"))
    said = place.run(PATH="", LC_ALL="C", PYTHONUTF8="0", PYTHONIOENCODING="ascii", LANG="")
    page = (place.settings.profile_folder / "one.html").read_text("utf-8")
    assert "Größe β → ∞" in page and "Ω 1" in page
    assert "Gr??e" in said or "Größe" in said
    assert str(tmp_path) not in page


@pytest.mark.parametrize("home", ["none", "read-only", "absent"])
def test_a_home_folder_is_not_needed(place, tmp_path, home):
    """A home folder with another backend, precision and kernel is ignored, too."""
    house = tmp_path / "home"
    if home == "read-only":
        for file, text in {
            ".keras/keras.json": '{"backend": "theano", "floatx": "float16"}',
            ".local/share/jupyter/kernels/python3/kernel.json": '{"argv": ["/bin/false"], '
            '"display_name": "x", "language": "python"}',
            ".ipython/profile_default/startup/0.py": "print('from the user')",
        }.items():
            (house / file).parent.mkdir(parents=True)
            (house / file).write_text(text)
        for folder in (house, *(path for path in house.rglob("*") if path.is_dir())):
            folder.chmod(0o500)
    keras = "%%import keras; print(keras.backend.backend(), keras.config.floatx())"
    project(place.folder, one=notebook("# one, version 1.", keras))
    where = None if home == "none" else str(house)
    changes = {name: None for name in ("KERAS_HOME", "KERAS_BACKEND", "IPYTHONDIR", "MPLCONFIGDIR")}
    done = without_privileges("report", place.folder, HOME=where, **changes)
    for path in (house, *house.rglob("*")) if house.exists() else ():
        path.chmod(0o700)
    assert done.returncode == 0, done.stderr
    page = (place.settings.profile_folder / "one.html").read_text()
    assert "tensorflow float32" in page and "from the user" not in page
    assert house.exists() == (home == "read-only")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="needs root")
def test_a_user_unknown_to_the_system_gets_a_report():
    process = start(clean_as_nobody)
    process.join()
    assert process.exitcode == 0
