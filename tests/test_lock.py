"""The set-up depends only on the lock: not on later releases; with wheels and known licences."""

import base64
import ensurepip
import hashlib
import http.server
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
import tomllib
import venv
import zipfile
from importlib.metadata import PackageNotFoundError, distribution, files, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

PROJECT = Path(__file__).parents[1]
MAKEFILE = (PROJECT / "Makefile").read_text(encoding="utf-8")
ABOUT = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
PINNED = (PROJECT / "requirements.txt").read_text(encoding="utf-8").splitlines()[1:]
BUNDLED = sorted((Path(ensurepip.__file__).parent / "_bundled").glob("pip-*.whl"))

needs_bundled_pip = pytest.mark.skipif(not BUNDLED, reason="this Python includes no pip")


def wheel(folder: Path, name: str, number: str, *metadata: str) -> str:
    """Write a wheel of one module that contains its version; return its SHA-256."""
    about = "\n".join(("Metadata-Version: 2.1", f"Name: {name}", f"Version: {number}", *metadata))
    return write_wheel(
        folder / f"{name}-{number}-py3-none-any.whl",
        {
            f"{name}.py": f"VERSION = {number!r}\n".encode(),
            f"{name}-{number}.dist-info/METADATA": about.encode(),
            f"{name}-{number}.dist-info/WHEEL": (
                b"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            ),
        },
        f"{name}-{number}.dist-info/RECORD",
    )


def write_wheel(path: Path, contents: dict[str, bytes], record: str) -> str:
    """Write the files and the record of their hashes; return the wheel's SHA-256."""
    lines = [f"{record},,"]
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=")
            lines.append(f"{name},sha256={digest.decode()},{len(content)}")
        archive.writestr(record, "\n".join(lines) + "\n")
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A local package index with its folder of wheels; pip is configured to use no other.

    It contains `asks` 1.0, which requires `asked[extra]`, and that in versions 1.0 and 2.0. The
    lock in ``tmp_path`` names the two versions 1.0.
    """
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    hashes = {
        "asks": wheel(wheels, "asks", "1.0", "Requires-Dist: asked[extra]>=1.0"),
        "asked": wheel(wheels, "asked", "1.0", "Provides-Extra: extra"),
    }
    wheel(wheels, "asked", "2.0", "Provides-Extra: extra")
    lock = [f"{name}==1.0 --hash=sha256:{digest}" for name, digest in hashes.items()]
    (tmp_path / "requirements.lock").write_text("\n".join(lock))

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            _, place, name = self.path.split("/", 2)
            if place == "wheels":
                body = (wheels / name).read_bytes()
            else:
                paths = [path for path in wheels.iterdir() if path.name.startswith(f"{place}-")]
                links = [f'<a href="/wheels/{path.name}">{path.name}</a>' for path in paths]
                body = "<!DOCTYPE html>{}".format("".join(links)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_port}/")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    yield wheels
    server.shutdown()
    server.server_close()


def install_command() -> list[str]:
    """The Makefile's installation of the lock, as arguments of pip."""
    lines = [line for line in MAKEFILE.splitlines() if "-r requirements.lock" in line]
    (arguments,) = [line.split("$(PIP) ")[1] for line in lines if "$(PIP) install" in line]
    return shlex.split(arguments)


def run_pip(pip: list[str], arguments: list[str], folder: Path, **environment: str):
    return subprocess.run(
        [sys.executable, *pip, *arguments],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


def pip_of(kind: str) -> list[str]:
    """The pip included in Python, run from its wheel, or the locked one."""
    if kind == "locked":
        return ["-m", "pip"]
    if not BUNDLED:
        pytest.skip("this Python includes no pip")
    return [str(BUNDLED[-1] / "pip")]


@pytest.mark.parametrize("kind", ["bundled", "locked"])
def test_the_lock_is_installed_despite_newer_releases(index, tmp_path, kind):
    site = tmp_path / "site"
    done = run_pip(pip_of(kind), install_command(), tmp_path, PIP_TARGET=str(site))
    assert done.returncode == 0, done.stderr
    assert "1.0" in (site / "asked.py").read_text() and (site / "asks.py").exists()


@needs_bundled_pip
@pytest.mark.skipif(sys.version_info >= (3, 13), reason="its pip takes the pinned version")
def test_an_old_pip_that_resolves_fails_on_a_newer_release(index, tmp_path):
    command = [word for word in install_command() if word != "--no-deps"]
    done = run_pip(pip_of("bundled"), command, tmp_path, PIP_TARGET=str(tmp_path / "site"))
    assert done.returncode and "asked[extra]" in done.stderr


def test_a_bare_environment_needs_one_pip_install(index, tmp_path):
    """README's installation without make, for this project and a lock of two small packages."""
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    command = re.search(r"python -m (pip install .*requirements\.txt)", readme)[1]
    place = tmp_path / "project"
    shutil.copytree(PROJECT / "src", place / "src", ignore=shutil.ignore_patterns("*.egg-info"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(PROJECT / name, place)
    (place / "requirements.txt").write_text(f"asked==1.0\nasks==1.0\n{PINNED[-1]}\n")
    setuptools = {
        path.as_posix(): path.locate().read_bytes()
        for path in files("setuptools")
        if ".." not in path.parts and path.suffix != ".pyc" and path.name != "RECORD"
    }
    number = version("setuptools")
    record = f"setuptools-{number}.dist-info/RECORD"
    write_wheel(index / f"setuptools-{number}-py3-none-any.whl", setuptools, record)
    venv.create(tmp_path / "bare", with_pip=True)
    python = tmp_path / "bare" / ("Scripts" if os.name == "nt" else "bin") / "python"
    run = {"cwd": place, "capture_output": True, "text": True}
    done = subprocess.run([python, "-m", *command.split()], **run)
    assert done.returncode == 0, done.stderr
    found = "import ae_lab, asked, asks; print(asked.VERSION, ae_lab.__file__)"
    done = subprocess.run([python, "-c", found], **run)
    assert done.stdout.split() == ["1.0", str(place / "src" / "ae_lab" / "__init__.py")]
    done = subprocess.run([python, "-m", "ae_lab", "report", "--help"], **run)
    assert done.returncode == 0 and "--notebook" in done.stdout
    (tmp_path / "argparse.py").write_text("raise SystemExit('a stranger was asked')")
    script = [python.with_name("ae-lab.exe" if os.name == "nt" else "ae-lab"), "report", "--help"]
    done = subprocess.run(script, **run | {"cwd": tmp_path})
    assert done.returncode == 0 and "--notebook" in done.stdout, done.stderr


def test_both_lock_files_name_the_same_versions():
    lock = (PROJECT / "requirements.lock").read_text(encoding="utf-8")
    locked = re.findall(r"^(\w.*) \\$", lock, re.M)
    assert len(locked) > 100 and [*locked, "-e ."] == PINNED


def test_the_package_is_built_by_the_locked_setuptools():
    assert set(ABOUT["build-system"]["requires"]) <= set(PINNED)


def test_no_installation_uses_a_version_range():
    """Each line that installs names versions by their hashes, or installs only the project."""
    lines = [line for line in MAKEFILE.splitlines() if re.search(r"(pip|\(PIP\)) install", line)]
    assert len(lines) == 4
    for line in lines:
        named = line.split("install", 1)[1].split()
        assert "--no-deps" in named, line
        if "--require-hashes" not in named:
            assert "--no-build-isolation" in named and named[-2:] == ["-e", "."]
        if "torch" in line:  # if its index cannot be reached, no other build is used
            assert "--index-url" in named and "--extra-index-url" not in named
    assert "$(PIP) check" in MAKEFILE
    for name in ("torch", "peers"):
        text = (PROJECT / "tests" / "benchmarks" / f"{name}.lock").read_text(encoding="utf-8")
        lines = [line.rstrip(" \\") for line in text.splitlines() if line[0] != "#"]
        assert all(
            re.fullmatch(r"[a-z]+==[\d.]+| +--hash=sha256:[0-9a-f]{64}", one) for one in lines
        )


# First versions without known vulnerabilities in reading files of others, or to other users of the
# machine: code execution or memory exhaustion by a model (CVE-2025-1550 to CVE-2026-1669), script
# in a page (CVE-2026-6658), memory exhaustion by a picture (CVE-2026-55379), a lock file that is a
# link (CVE-2025-68146, CVE-2026-22701), script in Dask's pages (CVE-2026-23528), script in a
# notebook that JupyterLab opens (CVE-2024-22420 to CVE-2026-42266). h5py has no such version yet:
# TensorFlow excludes those with HDF5 2, and HDF5 1.14.6 has errors in reading damaged files.
SAFE = {"keras": "3.15", "nbconvert": "7.17.1", "pillow": "12.3", "filelock": "3.20.3"}
SAFE |= {"distributed": "2026.1", "jupyterlab": "4.5.7"}


def test_no_version_with_a_known_vulnerability_is_allowed():
    lists = ABOUT["project"]["dependencies"], *ABOUT["project"]["optional-dependencies"].values()
    needs = {need.name: need for lines in lists for need in map(Requirement, lines)}
    for name, first in SAFE.items():
        lowest = [Version(one.version) for one in needs[name].specifier if one.operator == ">="]
        assert lowest and lowest[0] >= Version(first), name


def test_wheels_are_checked_for_every_supported_python():
    pythons = re.search(r"^PYTHONS := (.*)$", MAKEFILE, re.M)[1].split()
    allowed = SpecifierSet(ABOUT["project"]["requires-python"])
    assert [f"3.{minor}" for minor in range(8, 20) if f"3.{minor}" in allowed] == pythons
    classified = [line.rpartition(" ")[2] for line in ABOUT["project"]["classifiers"]]
    assert [number for number in classified if number.startswith("3.")] == pythons


# Licences that allow distribution under the MIT licence if their text is included.
PERMISSIVE = re.compile(
    r"MIT( License|-0|-CMU)?|0BSD|.*\bBSD\b.*|Apache.*|ISC.*|PSF-2\.0|Zlib|CC0-1\.0"
    r"|Python Software Foundation License"
)
# The Mozilla Public License covers only its own files; these packages are used unchanged.
MOZILLA = {"certifi", "fqdn", "hypothesis", "tqdm"}
# Their metadata name no licence, but their licence file does.
FROM_FILE = {"axe-playwright-python": "MIT License", "namex": "Apache License, Version 2.0"}


def licences(name: str) -> list[str]:
    """The licences that an installed package states: by expression, classifier or field."""
    about = distribution(name).metadata
    if expression := about.get("License-Expression"):
        return re.split(r" AND | OR ", re.sub("[()]", "", expression))
    classifiers = [line.split(" :: ") for line in about.get_all("Classifier", [])]
    stated = [line[-1] for line in classifiers if line[0] == "License" and len(line) > 2]
    return stated or (about.get("License") or "").split("\n")[0].split(" AND ")


def test_the_licences_of_the_lock_allow_an_mit_licence():
    requirements = [Requirement(line) for line in PINNED if "==" in line]
    here = {need.name for need in requirements if not need.marker or need.marker.evaluate()}
    assert len(here) > 100
    strays = {}
    for name in sorted(here):
        try:
            stated = licences(name)
        except PackageNotFoundError:
            stated = ["not installed"]
        if name in FROM_FILE and stated == [""]:
            texts = [path.read_text() for path in files(name) if "LICENSE" in path.name]
            assert any(FROM_FILE[name] in text for text in texts), name
        elif name in MOZILLA:
            assert all("MPL" in one or PERMISSIVE.fullmatch(one) for one in stated), (name, stated)
        elif not all(PERMISSIVE.fullmatch(one) for one in stated):
            strays[name] = stated
    assert strays == {}


def test_the_font_has_its_own_licence():
    about = ABOUT["project"]
    assert set(about["license"].split(" AND ")) == {"MIT", "OFL-1.1"}
    first = [(PROJECT / path).read_text(encoding="utf-8") for path in about["license-files"]]
    assert first[0].startswith("MIT License") and "SIL Open Font License" in first[1]


def test_the_citation_names_this_version():
    citation = (PROJECT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {ABOUT['project']['version']}\n" in citation
    assert f"[{ABOUT['project']['version']}]" in (PROJECT / "CHANGELOG.md").read_text()
