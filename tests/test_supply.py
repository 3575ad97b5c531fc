"""No code is loaded from data, no shell is used, and everything that is installed is known."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

import ae_lab

PACKAGE = Path(ae_lab.__file__).parent
PROJECT = PACKAGE.parents[1]
SOURCES = sorted(PACKAGE.rglob("*.py"))
LOADS_CODE = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "imp"}
RUNS_TEXT = {"eval", "exec", "compile", "__import__"}
RUNS_SHELL = {"system", "popen", "getoutput", "getstatusoutput"}
UNSAFE_OPTIONS = {"allow_pickle", "shell", "safe_mode", "unsafe_allow_html", "verify"}
SAFE_VALUES = {"allow_pickle": False, "shell": False, "safe_mode": True, "verify": True}


def findings(source: str) -> list[str]:
    """Constructs in a source that could execute data, one line each."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name.split(".")[0] for alias in node.names]
            found += [f"imports {name}" for name in names if name in LOADS_CODE]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in LOADS_CODE:
            found.append(f"imports {node.module}")
        elif isinstance(node, ast.Call):
            found += _calls(node)
    return found


def _calls(node: ast.Call) -> list[str]:
    name = getattr(node.func, "id", None)
    found = [f"calls {name}"] if name in RUNS_TEXT else []
    attribute = getattr(node.func, "attr", None)
    owner = getattr(getattr(node.func, "value", None), "id", None)
    if attribute in RUNS_SHELL and owner in ("os", "subprocess"):
        found.append(f"calls {attribute}")
    found += ["calls enable_unsafe"] if "enable_unsafe" in (attribute or "") else []
    for option in node.keywords:
        value = getattr(option.value, "value", None)
        if option.arg in UNSAFE_OPTIONS and value is not SAFE_VALUES.get(option.arg):
            found.append(f"passes {option.arg}={value}")
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_source_executes_data(path):
    assert findings(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from joblib import load",
        "eval('1')",
        "exec(text)",
        "np.load(path, allow_pickle=True)",
        "np.load(path, allow_pickle=chosen)",
        "subprocess.run(line, shell=True)",
        "os.system(line)",
        "keras.models.load_model(path, safe_mode=False)",
        "keras.config.enable_unsafe_deserialization()",
    ],
)
def test_the_search_finds_dangerous_calls(source):
    assert findings(source)


def test_every_load_of_arrays_and_models_is_in_safe_mode():
    text = "".join(path.read_text(encoding="utf-8") for path in SOURCES)
    for load, option in (
        (r"(np\.load|format\.read_array)\b", "allow_pickle=False"),
        (r"saving\.load_model\b", "safe_mode=True"),
    ):
        calls = [text[m.end() : m.end() + 200].split("\n")[0] for m in re.finditer(load, text)]
        assert calls and all(option in call for call in calls), calls


def test_notebooks_also_load_no_code():
    for path in sorted((PROJECT / "notebooks").glob("*.ipynb")):
        text = path.read_text(encoding="utf-8")
        for word in (
            "allow_pickle",
            "import pickle",
            "shell=True",
            "safe_mode=False",
            '"!',
        ):
            assert word not in text, f"{path.name} contains {word}"
        fetched = re.findall(r"%pip install (.*)\"", text)
        assert fetched == ["-q .."], "only this package"


def locked() -> dict[str, list[str]]:
    """Package and version → its hashes, from requirements.lock."""
    text = (PROJECT / "requirements.lock").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return {line.split()[0]: re.findall(r"--hash=(\S+)", line) for line in lines}


def test_every_installed_package_is_locked_by_its_hash():
    packages = locked()
    assert len(packages) > 50
    for package, hashes in packages.items():
        assert re.fullmatch(r"[\w.-]+==[\w.!+-]+", package), package
        assert hashes and all(re.fullmatch("sha256:[0-9a-f]{64}", one) for one in hashes), package


def test_every_dependency_is_locked():
    about = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = about["optional-dependencies"]
    unlocked = {"bench", "heic"}  # peers, and a format that few photos need
    extras = [need for name in extras if name not in unlocked for need in extras[name]]
    named = {re.split(r"[<>=;\[ ]", need)[0].lower() for need in about["dependencies"] + extras}
    assert named <= {package.split("==")[0].lower() for package in locked()}
