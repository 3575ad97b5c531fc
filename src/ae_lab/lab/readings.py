"""Sentences that say what came out, made from the numbers of the run."""

import ast
import inspect
import textwrap
from collections.abc import Callable
from typing import NamedTuple


class Branch(NamedTuple):
    """Two sentences of which the outcome chose one; both are made at every run. From `either`."""

    said: str
    unsaid: str


def either(test: bool, if_true: str, if_false: str) -> Branch:
    """The sentence for the way it came out, for `logbook.Lab.reading`.

    Python makes both sentences at every run, so that a mistake in the one that is not said is
    found, too. For three ways, join two: ``either(a, "…", either(b, "…", "…").said)``.

    Parameters
    ----------
    test : what came out.
    if_true, if_false : a sentence for each way.
    """
    said, unsaid = (if_true, if_false) if test else (if_false, if_true)
    return Branch(said, unsaid)


def lines_of(code: Callable) -> str:
    """The source of a function or class without its docstrings, as a notebook shows it.

    Parameters
    ----------
    code : a function, method or class of the package.
    """
    source = textwrap.dedent(inspect.getsource(code))
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node):
            first = node.body[0]
            for number in range(first.lineno - 1, first.end_lineno):
                lines[number] = None
    return "\n".join(line for line in lines if line is not None)
