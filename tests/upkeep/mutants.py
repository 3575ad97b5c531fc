"""Mutation testing: does a test fail if the mathematics is wrong?

    python tests/upkeep/mutants.py losses layers rbm evaluation
    python tests/upkeep/mutants.py evaluation --share 0.3

Mutants are those of Cosmic Ray (one replacement per operator, numbers plus and minus one). Only
tests that execute the mutant's line are run, the fastest first. Each mutant is run in a fork of one
process that has imported TensorFlow but not used it. Cosmic Ray itself starts Python for each
mutant, which takes longer than the tests. Prints the mutants that no test detects.
"""

import argparse
import ast
import importlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections import Counter, defaultdict
from importlib.machinery import SourceFileLoader
from pathlib import Path

import cosmic_ray.plugins
import coverage
import pytest
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code

PROJECT = Path(__file__).resolve().parents[2]
PACKAGE = PROJECT / "src" / "ae_lab"
TESTS = [
    *("test_losses.py", "test_rbm.py", "test_properties.py", "layers", "evaluation"),
    *("models/test_convolutional.py", "lab/test_feedback.py", "training/test_faults.py"),
]
SLOW_IMPORTS = ("tensorflow", "keras", "sklearn.linear_model", "skimage.restoration", "scipy.stats")
REPLACED = {
    **{"Add": "Sub", "Sub": "Add", "Mul": "Div", "Div": "Mul", "Pow": "Mul", "FloorDiv": "Div"},
    **{"Mod": "Mul", "BitAnd": "BitOr", "Eq": "NotEq", "NotEq": "Eq", "Lt": "LtE", "LtE": "Lt"},
    **{"Gt": "GtE", "GtE": "Gt", "Is": "IsNot", "IsNot": "Is"},
}
LIMIT = 120  # seconds for a mutant's tests: a mutant with an endless loop counts as detected


def operators():
    """Cosmic Ray's operators, without the ten other replacements of each."""
    for name in cosmic_ray.plugins.operator_names():
        kind, *pair = name.removeprefix("core/").split("_")
        if kind in ("ReplaceBinaryOperator", "ReplaceComparisonOperator"):
            wanted = REPLACED.get(pair[0]) == pair[1]
        elif kind == "ReplaceUnaryOperator":
            wanted = pair[0] == "Delete"
        else:
            wanted = kind not in ("VariableReplacer", "VariableInserter")
        if wanted:
            yield name


def mutants(path):
    """(operator, occurrence, line) of each mutant of a file."""
    tree = get_ast(path.read_text(encoding="utf-8"))
    for name in operators():
        operator = cosmic_ray.plugins.get_operator(name)()
        places = [p for node in ast_nodes(tree) for p in operator.mutation_positions(node)]
        for occurrence, ((line, _), _) in enumerate(places):
            yield name, occurrence, line


def run_with_coverage(folder):
    """Which tests execute which lines, {file: {line: tests}}, and the seconds of each test."""
    data, times = folder / "coverage", folder / "times.xml"
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"--junitxml={times}"]
    options = ["--cov=ae_lab", f"--cov-config={os.devnull}", "--cov-context=test", "--cov-report="]
    files = [f"tests/{name}" for name in TESTS]
    environment = {**os.environ, "COVERAGE_FILE": str(data)}
    subprocess.run([*command, *options, *files], cwd=PROJECT, env=environment, check=True)
    found = coverage.CoverageData(str(data))
    found.read()
    lines = {}
    for file in found.measured_files():
        by_line = found.contexts_by_lineno(file)
        lines[file] = {n: {c.rpartition("|")[0] for c in cs if c} for n, cs in by_line.items()}
    seconds = defaultdict(float)
    for case in ElementTree.parse(times).iter("testcase"):
        name = f"{case.get('classname').replace('.', '/')}.py::{case.get('name')}"
        seconds[name] = float(case.get("time"))
    return lines, seconds


def tests_of(line, source, by_line):
    """Tests that execute the statement of a line; for lines run at import, all of the file."""
    statements = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.stmt)]
    spans = [range(node.lineno, node.end_lineno + 1) for node in statements]
    span = min((span for span in spans if line in span), key=len, default=())  # empty: a decorator
    found = set().union(*(by_line.get(n, set()) for n in span))
    return found or set().union(*by_line.values())


def fork(path, mutated, tests):
    """Process id of a child that runs the tests with another source of the file; its exit code."""
    if child := os.fork():
        return child
    os.setsid()
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1), os.dup2(silent, 2)
    sys.dont_write_bytecode = True
    original = SourceFileLoader.get_code

    def get_code(self, name):
        mine = self.path == str(path)
        return compile(mutated, self.path, "exec") if mine else original(self, name)

    SourceFileLoader.get_code = get_code
    options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:cov"]
    os._exit(int(pytest.main([*options, *tests])))


def wait_for_one(running):
    """(key, exit code) of the next child that ends or exceeds its limit."""
    while True:
        child, status = os.waitpid(-1, os.WNOHANG)
        if child:
            return running.pop(child)[0], os.waitstatus_to_exitcode(status)
        for child, (_, started) in running.items():
            if time.monotonic() - started > LIMIT:
                os.killpg(child, signal.SIGKILL)
        time.sleep(0.02)


def show(path, mutated, line):
    before, after = path.read_text(encoding="utf-8").splitlines(), mutated.splitlines()
    old, new = next(((a, b) for a, b in zip(before, after, strict=False) if a != b), ("", ""))
    return f"{path.relative_to(PACKAGE)}:{line}\n    - {old.strip()}\n    + {new.strip()}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("modules", nargs="+", help="files or folders of the package, no suffix")
    parser.add_argument("--share", type=float, default=1, help="of the mutants, drawn at random")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="run at once")
    options = parser.parse_args()
    files = []
    for name in options.modules:
        folder = PACKAGE / name
        files += sorted(folder.glob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]
    os.chdir(PROJECT)
    with tempfile.TemporaryDirectory() as folder:
        lines, seconds = run_with_coverage(Path(folder))
    for name in SLOW_IMPORTS:
        importlib.import_module(name)
    todo = [(path, *mutant) for path in files for mutant in mutants(path)]
    random.Random(8).shuffle(todo)
    todo = todo[: round(options.share * len(todo))]
    known = set().union(*(tests for by_line in lines.values() for tests in by_line.values()))
    unchanged = files[0].read_text(encoding="utf-8")
    if os.waitstatus_to_exitcode(os.waitpid(fork(files[0], unchanged, sorted(known)), 0)[1]):
        sys.exit("The tests must pass without a mutant, but they failed: run them with pytest.")
    running, ended = {}, Counter()

    def end_one():
        (path, mutated, line), code = wait_for_one(running)
        ended[path.relative_to(PACKAGE), code != 0] += 1
        if code == 0:
            print(show(path, mutated, line), flush=True)

    for path, name, occurrence, line in todo:
        source = path.read_text(encoding="utf-8")
        mutated = mutate_code(source, cosmic_ray.plugins.get_operator(name)(), occurrence)
        if tests := tests_of(line, source, lines.get(str(path), {})):
            while len(running) >= options.jobs:
                end_one()
            quickest = sorted(tests, key=lambda test: seconds[test])
            running[fork(path, mutated, quickest)] = (path, mutated, line), time.monotonic()
        else:
            ended[path.relative_to(PACKAGE), False] += 1
            print(show(path, mutated, line), "(no test runs it)", flush=True)
    while running:
        end_one()
    for path in sorted({path for path, _ in ended}):
        killed, lived = ended[path, True], ended[path, False]
        print(f"{path}: {killed} of {killed + lived} killed")
    killed = sum(n for (_, dead), n in ended.items() if dead)
    print(f"together: {killed} of {len(todo)} killed, {killed / len(todo):.1%}")


if __name__ == "__main__":
    main()
