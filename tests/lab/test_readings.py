"""Sentences about results, and source code as a notebook shows it."""

import ast

import pytest

from ae_lab import layers
from ae_lab.lab.readings import either, lines_of
from ae_lab.lab.records import Claim


@pytest.mark.parametrize("test", [True, 1, 2 < 3])
def test_either_selects_the_first_if_true(test):
    assert either(test, "Less.", "More.") == ("Less.", "More.")


@pytest.mark.parametrize("test", [False, 0, 3 < 2])
def test_either_selects_the_second_if_false_and_keeps_the_first(test):
    branch = either(test, "Less.", "More.")
    assert branch.said == "More." and branch.unsaid == "Less."


def test_three_alternatives_are_two_pairs():
    def way(a, b):
        return either(a, "first", either(b, "second", "third").said).said

    assert [way(True, False), way(False, True), way(False, False)] == ["first", "second", "third"]


@pytest.mark.parametrize("code", [layers.KLSparsity.call, layers.KLSparsity, either, Claim])
def test_lines_of_code_are_shown_without_docstrings(code):
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
