"""Sentences about results, and source code as a notebook shows it."""

import ast

import pytest

from ae_lab import layers
from ae_lab.lab.readings import either, lines_of
from ae_lab.lab.records import Claim


@pytest.mark.parametrize("test", [True, 1, 2 < 3])
def test_either_says_the_first_if_it_is_so(test):
    assert either(test, "Less.", "More.") == ("Less.", "More.")


@pytest.mark.parametrize("test", [False, 0, 3 < 2])
def test_either_says_the_second_if_it_is_not_and_keeps_the_first(test):
    branch = either(test, "Less.", "More.")
    assert branch.said == "More." and branch.unsaid == "Less."


def test_three_ways_are_two_pairs():
    def way(a, b):
        return either(a, "first", either(b, "second", "third").said).said

    assert [way(True, False), way(False, True), way(False, False)] == ["first", "second", "third"]


@pytest.mark.parametrize("code", [layers.KLSparsity.call, layers.KLSparsity, either, Claim])
def test_the_lines_of_code_are_its_own_without_docstrings(code):
    lines = lines_of(code)
    shown = ast.parse(lines)  # without indentation, and complete
    assert not any(
        ast.get_docstring(node)
        for node in ast.walk(shown)
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    )
    assert lines.splitlines()[-1].strip() and code.__name__ in lines


def test_a_method_is_shown_line_by_line_with_its_comments():
    lines = lines_of(layers.KSparse.call).splitlines()
    assert lines[0] == "def call(self, z, training=False):"
    assert any(line.strip().startswith("#") for line in lines)
