"""All public functions of the teaching modules have annotated and described arguments."""

import ast
import re
from pathlib import Path

import pytest

import ae_lab

PACKAGE = Path(ae_lab.__file__).parent
ROOMS = ["data", "losses", "layers", "rbm", "models", "training", "evaluation", "plotting", "lab"]
# Methods called by Keras: their signatures are Keras's, the class docstring describes them.
OF_KERAS = {"build", "call", "compute_output_shape", "get_config"}


def sources(room):
    return [PACKAGE / f"{room}.py"] if (PACKAGE / f"{room}.py").exists() else sorted(
        (PACKAGE / room).rglob("*.py")
    )  # fmt: skip


def public_functions(tree):
    """(name, function, docstrings that may describe its arguments) of a module."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield node.name, node, [ast.get_docstring(node)]
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            for method in node.body:
                if not isinstance(method, ast.FunctionDef) or method.name in OF_KERAS:
                    continue
                docstrings = [ast.get_docstring(node), ast.get_docstring(method)]
                if method.name == "__init__":
                    yield f"{node.name}.__init__", method, docstrings
                elif not method.name.startswith("_"):
                    yield f"{node.name}.{method.name}", method, docstrings


def arguments(function):
    given = function.args
    every = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    every = [argument for argument in every if argument.arg not in ("self", "cls")]
    # **kwargs of a layer are passed to Keras; *args count as arguments
    return every + ([given.vararg] if given.vararg else [])


def gaps(source):
    """What is missing in a module: ["function: argument not annotated", ...]."""
    found, shared = [], ast.get_docstring(ast.parse(source)) or ""
    for name, function, docstrings in public_functions(ast.parse(source)):
        words = set(re.findall(r"\w+", " ".join(text or "" for text in docstrings)))
        if "Each function takes" in shared:
            words |= set(re.findall(r"\w+", shared))
        for argument in arguments(function):
            if argument.annotation is None:
                found.append(f"{name}: {argument.arg} not annotated")
            if argument.arg not in words:
                found.append(f"{name}: {argument.arg} not in the docstring")
    return found


@pytest.mark.parametrize("room", ROOMS)
def test_every_argument_is_annotated_and_described(room):
    found = {
        path.relative_to(PACKAGE).as_posix(): missing
        for path in sources(room)
        if (missing := gaps(path.read_text(encoding="utf-8")))
    }
    assert not found


def test_undocumented_arguments_are_found():
    source = '''
def f(x: int, *sides: str, y=1):
    """Doubles ``x``."""

class Layer:
    """Scales by ``a``."""
    def __init__(self, a: float, b: float, **kwargs): pass
    def call(self, z): pass
    def _hidden(self, q): pass
'''
    assert gaps(source) == [
        "f: y not annotated",
        "f: y not in the docstring",
        "f: sides not in the docstring",
        "Layer.__init__: b not in the docstring",
    ]
