"""Sentences about the results, chosen and filled in by the numbers of the run."""

import ast
import inspect
import textwrap
from collections.abc import Callable
from functools import cache
from threading import Lock
from typing import NamedTuple

PARSING = Lock()  # ast.parse fails in two threads at once (CPython, issue 106905)


class Branch(NamedTuple):
    """Two sentences from `either`; the result selects one, but both are formatted in each run."""

    said: str
    unsaid: str


def either(test: bool, if_true: str, if_false: str) -> Branch:
    """One of two sentences, selected by ``test``, for `logbook.Lab.reading`.

    Both sentences are formatted in each run, so errors in the unused one are found, too. For
    three alternatives, nest: ``either(a, "…", either(b, "…", "…").said)``.

    Parameters
    ----------
    test : whether the first sentence is true.
    if_true, if_false : the two sentences.
    """
    said, unsaid = (if_true, if_false) if test else (if_false, if_true)
    return Branch(said, unsaid)


def lines_of(code: Callable) -> str:
    """The source of a function or class without its docstrings, as a notebook shows it.

    Parameters
    ----------
    code : a function, method or class of the package.
    """
    return without_docstrings(textwrap.dedent(inspect.getsource(code)))


@cache
def without_docstrings(source: str) -> str:
    """A Python source without the lines of its docstrings."""
    lines = source.splitlines()
    with PARSING:
        tree = ast.parse(source)
    for node in ast.walk(tree):
        documented = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        if documented and ast.get_docstring(node):
            first = node.body[0]
            for number in range(first.lineno - 1, first.end_lineno):
                lines[number] = None
    return "\n".join(line for line in lines if line is not None)
