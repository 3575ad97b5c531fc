"""Imports have one direction, light modules stay light, and settings have one source."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from helpers import PACKAGE

# Each module may import those before it, and none after it.
ORDER = [
    "errors",
    "settings",
    "validation",
    "files",
    "packing",
    "quiet",
    "data",
    "losses",
    "layers",
    "rbm",
    "models",
    "training",
] + ["evaluation", "plotting", "lab", "report", "upkeep", "__main__"]
HEAVY = ("tensorflow", "keras", "torch", "jax")
READS_ENVIRONMENT = {"settings.py", "__main__.py", "report/execute/environment.py"}
READS_ENVIRONMENT |= {"report/build.py"}  # which passes it on to git


def sources():
    return sorted(PACKAGE.rglob("*.py"))


def unit(path: Path) -> str:
    """The module, or the whole sub-package, of a file."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def own_imports(tree) -> set[str]:
    """Modules of this package that a file imports anywhere, also inside functions."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute here"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        found |= {name.split(".")[1] for name in names if name.startswith("ae_lab.")}
    return found


def test_the_order_names_every_module():
    assert {unit(path) for path in sources()} - {"__init__"} == set(ORDER)


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_have_one_direction(path):
    imported = own_imports(ast.parse(path.read_text(encoding="utf-8")))
    if unit(path) == "__init__":
        assert not imported
        return
    allowed = set(ORDER[: ORDER.index(unit(path))])
    if path.parent != PACKAGE:
        allowed.add(unit(path))  # inside a sub-package
    assert imported <= allowed


def test_own_imports_are_found_everywhere():
    source = """
import numpy, ae_lab.data
def f():
    from ae_lab import lab
    from ae_lab.report.build import x
"""
    assert own_imports(ast.parse(source)) == {"data", "lab", "report"}


def reads_environment(tree) -> bool:
    return any(
        (isinstance(node, ast.Attribute) and node.attr in ("environ", "environb", "getenv"))
        or (
            isinstance(node, ast.ImportFrom)
            and node.module == "os"
            and {alias.name for alias in node.names} & {"environ", "environb", "getenv"}
        )
        for node in ast.walk(tree)
    )


def test_the_environment_is_read_in_one_place():
    readers = {
        path.relative_to(PACKAGE).as_posix()
        for path in sources()
        if reads_environment(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert "settings.py" in readers
    assert readers <= READS_ENVIRONMENT


def test_light_modules_import_no_network_library():
    light = ["", ".settings", ".validation", ".lab", ".plotting", ".report", ".__main__"]
    light += [".report.build", ".data"]
    program = f"""
import importlib, sys
for name in {light!r}:
    importlib.import_module("ae_lab" + name)
    heavy = [module for module in {HEAVY!r} if module in sys.modules]
    assert not heavy, f"ae_lab{{name}} imports {{heavy}}"
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_importing_the_package_imports_nothing_else():
    program = "import sys, ae_lab; print('numpy' in sys.modules, 'matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.split() == ["False", "False"], done.stderr


# Each name stands for one concept. These names stand for the same concept in two packages.
SHARED_NAMES = {
    "fast.py": "tricks for speed, next to the textbook form (layers, training)",
    "corruption.py": "of inputs while training (layers), of images to evaluate (data)",
    "contractive.py": "the layer, the builder",
    "sparse.py": "the layer, the builder",
    "variational.py": "the layer, the builder",
}


def test_files_of_the_same_name_stand_for_the_same_concept():
    names = [path.name for path in sources() if path.name != "__init__.py"]
    assert {name for name in names if names.count(name) > 1} <= set(SHARED_NAMES)
