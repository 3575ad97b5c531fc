"""The tests themselves: none imports from another, and no marker excludes one."""

import ast
import re
import tomllib

import pytest

from helpers import PROJECT

TESTS = sorted((PROJECT / "tests").rglob("*.py"))


def imported_tests(source: str) -> list[str]:
    """The test modules that a source imports, or imports from."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return [name for name in found if "test_" in name and not name.startswith("ae_lab")]


@pytest.mark.parametrize("path", TESTS, ids=lambda path: str(path.relative_to(PROJECT)))
def test_no_test_imports_from_another(path):
    """What two test files use is in conftest.py or helpers.py."""
    assert imported_tests(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source", ["import test_fit", "from test_fit import X", "from tests.test_fit import X"]
)
def test_an_import_of_a_test_is_found(source):
    assert imported_tests(source) and not imported_tests("from helpers import halves")


def test_make_test_all_adds_the_tests_that_make_test_omits():
    about = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    markers = [line.split(":")[0] for line in about["tool"]["pytest"]["ini_options"]["markers"]]
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    chosen = re.findall(r'pytest .*-m "([^"]+)"', makefile)
    assert chosen == [" and ".join(f"not {name}" for name in markers), " or ".join(markers)]
    assert "make test-all" in (PROJECT / ".ci" / "run").read_text(encoding="utf-8")
