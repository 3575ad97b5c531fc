"""The bench: alternating timings, cautious verdicts, and peers that do the same work."""

import ast
import importlib.util
import json
import math
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import replace

import numpy as np
import pytest

from ae_lab.errors import LabError
from ae_lab.report.execute.environment import process_environment
from ae_lab.settings import Settings
from ae_lab.upkeep.bench import bench
from ae_lab.upkeep.bench.bench import ROWS, Against, Outcome, Result, Row, in_turn, run_bench, take
from ae_lab.upkeep.bench.side import Workload, find, serve, started
from helpers import PROJECT

PEERS = PROJECT / "tests" / "benchmarks"
WORK = Row("work", "some work", "ours.dense", ())
LIMIT = Row("import", "import", "programs.import_package", (Against("60 s", 1, limit=60.0),))


def compare(row, against, ours, other, small=False, target=0.0):
    return bench.summarise(row, against, ours, other, Workload(small=small, target=target))


def answers(*values, loss=None):
    return [(value, loss) for value in values]


def test_the_spread_of_a_ratio_is_the_interquartile_range():
    against = Against("peer", 2.5, "x.y")
    ours, other = answers(1.0, 2.0, 1.0, 9.0, 1.0), answers(3.0, 4.0, 3.5, 3.0, 3.0)
    result = compare(WORK, against, ours, other)
    assert (result.ours_s, result.other_s, result.ratio) == (1, 3, 3)
    assert (result.low, result.high, result.reached) == (2, 3, True)
    slower = compare(WORK, against, answers(1.0, 1.0), answers(2.4, 2.2))
    assert slower.reached is False and slower.verdict == "missed"
    why = compare(WORK, replace(against, bound="the disk"), answers(1.0, 1.0), answers(2.4, 2.2))
    assert why.reached is False and why.verdict == "missed: the disk"


def test_a_spread_that_contains_1_may_still_reach_the_target():
    within = compare(WORK, Against("a limit", 1 / 1.2, "x.y"), answers(1, 1), answers(0.9, 1.2))
    without = compare(WORK, Against("a limit", 1 / 1.2, "x.y"), answers(1, 1), answers(0.7, 1.2))
    assert within.reached is without.reached is None
    assert within.verdict.endswith("contains 1; all of it reaches the target")
    assert without.verdict.endswith("contains 1")


@pytest.mark.parametrize(
    ("ours", "other", "small", "words"),
    [
        (answers(1.0, 1.0), answers(0.8, 1.4), False, "contains 1"),
        (answers(1.0, loss=110.0), answers(3.0, loss=100.0), False, "our loss is higher"),
        (answers(1.0, loss=math.nan), answers(3.0, loss=100.0), False, "our loss is higher"),
        (answers(1.0), answers(3.0), True, "few images"),
    ],
)
def test_uncertain_results_have_no_verdict(ours, other, small, words):
    result = compare(WORK, Against("peer", 1.5, "x.y"), ours, other, small)
    assert result.reached is None and words in result.verdict


def test_with_similar_losses_there_is_a_verdict():
    ours, other = answers(1.0, loss=104.0), answers(3.0, loss=100.0)
    assert compare(WORK, Against("peer", 1.5, "x.y"), ours, other).reached is True


def test_a_limit_can_replace_the_other_side():
    result = compare(WORK, Against("2 s", 1, limit=2.0), answers(0.5, 1.0), None)
    assert result.other_s == 2 and result.reached is True
    assert (result.low, result.high) == (2.5, 3.5)


def test_sides_take_turns_in_alternating_order(monkeypatch):
    monkeypatch.setattr(bench, "SETTLE", 0)
    asked = []

    def side(name):
        return lambda: asked.append(name) or len(asked)

    found = in_turn([side("a"), side("b"), side("c")], 3, again=True)
    assert "".join(asked) == "aabbccccbbaaaabbcc"  # of two units in a row, the second counts
    assert found == [[2, 12, 14], [4, 10, 16], [6, 8, 18]]


class Pipe:
    """Sends three requests, then ends; stores the answers."""

    def __init__(self):
        self.asks, self.sent = iter(["go"] * 3), []

    def send(self, answer):
        self.sent.append(answer)

    def recv(self):
        try:
            return next(self.asks)
        except StopIteration:
            raise EOFError from None


@pytest.fixture
def served(monkeypatch):
    """What a piece of work sends, run in this process."""

    def serve_here(work, **sizes):
        pipe = Pipe()
        monkeypatch.setattr("ae_lab.upkeep.bench.side.isolate", lambda: None)
        monkeypatch.setattr("ae_lab.upkeep.bench.side.find", lambda name: work)
        serve("some.work", Workload(**sizes), pipe)
        return pipe.sent

    return serve_here


def test_the_work_is_timed_and_not_its_loss(served):
    def slow_loss():
        time.sleep(0.2)
        return np.float32(3)

    def work(workload, tick):
        tick()
        time.sleep(0.05)
        tick(slow_loss)
        tick()
        raise AssertionError("nobody asked for more")

    _, (worked, loss), after = served(work)
    assert 0.05 <= worked < 0.2 and loss == 3
    assert after[0] < 0.2 and after[1] is None


def test_a_side_may_measure_its_peak_memory(served):
    def work(workload, tick):
        tick()
        held = np.ones(500_000_000, "uint8")
        tick(held[0])

    (before, _), (after, loss), _ = served(work, memory=True)
    assert before > 0.05 and after > 0.5 and loss == 1


def test_an_error_is_distinguished_from_the_end_of_the_work(served):
    assert served(lambda workload, tick: 1 / 0) == ["ZeroDivisionError: division by zero"]
    assert served(lambda workload, tick: tick(2.0))[1:] == [None]


@pytest.mark.parametrize(("target", "expected"), [(0.5, (3.0, 0.4)), (0.1, (7.0, 0.2))])
def test_a_side_works_until_its_loss_reaches_the_target(target, expected):
    coming = iter([(1.0, 0.9), (2.0, 0.4), (4.0, 0.2), None])
    assert bench.until(target, lambda: next(coming)) == expected


def test_work_up_to_a_target_starts_anew_for_each_timing(monkeypatch):
    begun = []

    @contextmanager
    def start(work, workload):
        begun.append(work)
        coming = iter([(1.0, 0.9), (2.0 if work == "ours.dense" else 8.0, 0.4), None])
        yield lambda: next(coming)

    monkeypatch.setattr(bench, "SETTLE", 0)
    monkeypatch.setattr(bench, "started", start)
    row = replace(WORK, against=(Against("peer", 2, "x.y"),), anew=3)
    [found] = bench.measure(row, Workload(target=0.5), 3)
    assert begun == ["ours.dense", "x.y", "x.y", "ours.dense", "ours.dense", "x.y"]
    assert (found.ours_s, found.other_s, found.ratio, found.reached) == (3, 9, 3, True)


def test_there_is_no_verdict_if_we_miss_the_target():
    ours, other = answers(1.0, loss=0.1), answers(9.0, loss=0.3)
    assert compare(WORK, Against("peer", 2, "x.y"), ours, other, target=0.2).reached is True
    missed = compare(WORK, Against("peer", 2, "x.y"), other, ours, target=0.2)
    assert missed.reached is None and "0.3" in missed.verdict and "0.2" in missed.verdict


def test_a_peer_that_does_not_reach_the_target_has_taken_longer_than_measured():
    ours, other = answers(1.0, 1.0, loss=0.2), answers(3.0, 3.0, loss=0.3)
    unknown = compare(WORK, Against("peer", 4, "x.y"), ours, other, target=0.2)
    assert unknown.reached is None and "theirs ended at 0.3" in unknown.verdict
    enough = compare(WORK, Against("peer", 2, "x.y"), ours, other, target=0.2)
    assert enough.reached is True


def works():
    """All work that a row names."""
    sides = [(row.ours, *(against.work for against in row.against)) for row in ROWS]
    return sorted({work for side in sides for work in side if work})


def test_all_work_exists_and_all_names_are_unique():
    for work in works():
        module, name = work.split(".")
        tree = ast.parse((PEERS / f"{module}.py").read_text(encoding="utf-8"))
        functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        assert name in functions, work
    assert len({row.name for row in ROWS}) == len(ROWS)


def test_a_row_has_either_a_peer_or_a_limit():
    for row in ROWS:
        assert all(bool(against.work) != bool(against.limit) for against in row.against), row.name


def test_the_matrix_products_are_those_of_backpropagation():
    tensorflow = pytest.importorskip("tensorflow")
    products = find("matmul.products")
    widths, batch = (7, 5, 3, 7), 4
    found, multiplications = [], 0
    for left, right, options in products(widths, batch):
        found.append(tuple(tensorflow.linalg.matmul(left, right, **options).shape))
        multiplications += left.shape.num_elements() * found[-1][1]
    weights = [a * b for a, b in zip(widths, widths[1:], strict=False)]
    assert multiplications == batch * (3 * sum(weights) - weights[0])
    kernels = [(7, 5), (5, 3), (3, 7)]
    assert [shape for shape in found if batch not in shape] == kernels
    assert [shape for shape in found if batch in shape] == [(4, 5), (4, 3), (4, 5), (4, 7), (4, 3)]


LEARNERS = {
    "torch": ["torch_loop.dense", "torch_loop.dense_loader", "torch_loop.cnn"],
    "jax": [f"jax_scan.{kind}" for kind in ("dense", "variational", "denoising", "fine_tuning")],
    "sklearn": ["sklearn_rbm.boltzmann", "ours.boltzmann"],
    "keras": ["ours.dense", "keras_fit.handout", "ours.cnn", "keras_fit.cnn"]
    + ["ours.variational", "keras_fit.variational", "ours.contractive", "keras_fit.contractive"]
    + ["ours.k_sparse", "keras_fit.k_sparse"]
    + ["ours.binarised", "ours.denoising", "ours.fine_tuning", "ours.ten_times"],
}
ONE_THREAD = {"OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1", "AE_LAB_OFFLINE": "1"}
PROGRAM = """
import json, sys
from ae_lab.upkeep.bench.side import Workload, find
for work in sys.argv[1:]:
    losses = []
    def tick(loss):
        losses.append(float(loss() if callable(loss) else loss))
        if len(losses) == 3:
            raise EOFError
    hidden = work.split(".")[1] in ("variational", "binarised", "denoising")
    sizes = {"hidden": (40,)} if hidden else {}
    try:
        find(work)(Workload(epochs=3, batch_size=32, small=True, **sizes), tick)
    except EOFError:
        pass
    print(json.dumps([work, losses]))
"""


@pytest.fixture(scope="module")
def learned():
    """The losses of three epochs of each work, one process per library."""
    found = {}
    for library, named in LEARNERS.items():
        if importlib.util.find_spec(library) is None:
            continue
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, *named],
            env=process_environment(**ONE_THREAD),
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr[-2_000:]
        found |= dict(json.loads(line) for line in done.stdout.splitlines() if line[:1] == "[")
    return found


@pytest.mark.slow
def test_every_side_learns(learned):
    assert len(learned) >= len(LEARNERS["keras"])
    for work, losses in learned.items():
        if "boltzmann" not in work:  # each of its epochs starts from the beginning
            assert losses[-1] < losses[0], work


@pytest.mark.slow
def test_our_rbm_learns_at_least_as_well_as_scikit_learns(learned):
    """Its start is better: its visible biases are the log-odds of the data, the other's are 0."""
    if "sklearn_rbm.boltzmann" in learned:
        assert learned["ours.boltzmann"][0] < learned["sklearn_rbm.boltzmann"][0]


@pytest.mark.slow
@pytest.mark.parametrize(
    "same",
    [
        ("ours.dense", "keras_fit.handout", "jax_scan.dense", "torch_loop.dense"),
        ("torch_loop.dense", "torch_loop.dense_loader"),
        ("ours.cnn", "keras_fit.cnn", "torch_loop.cnn"),
        ("ours.variational", "keras_fit.variational"),
        ("ours.binarised", "jax_scan.variational"),
        ("ours.denoising", "jax_scan.denoising"),
        ("ours.fine_tuning", "jax_scan.fine_tuning"),
        ("ours.contractive", "keras_fit.contractive"),
        ("ours.k_sparse", "keras_fit.k_sparse"),
    ],
)
def test_the_sides_of_a_row_start_with_the_same_loss(learned, same):
    """In the same unit: no loss lacks a part, and no side starts with an advantage."""
    first = {work: learned[work][0] for work in same if work in learned}
    if not first:
        pytest.skip("the library of both sides is not installed")
    assert max(first.values()) < 1.35 * min(first.values()), first


def test_a_missing_library_is_reported_and_the_rest_is_measured(monkeypatch):
    monkeypatch.setitem(bench.NEEDS, "gone", "no_such_library")
    row = replace(LIMIT, against=(Against("a peer", 2, "gone.work"), *LIMIT.against))
    outcome = Outcome({})
    take(row, outcome, 2, small=True)
    assert outcome.left_out == ["import against a peer skipped: no_such_library is not installed"]
    assert [result.against for result in outcome.results] == ["60 s"]
    assert outcome.results[0].ours_s > 0 and not outcome.failed


def test_without_the_project_the_missing_file_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("ae_lab.settings.find_project_folder", lambda: tmp_path)
    with pytest.raises(LabError, match="the bench needs .*torch_loop.py"):
        find("torch_loop.dense")


def test_the_error_of_a_failed_side_is_reported():
    with pytest.raises(LabError, match="programs.no_such_work .*KeyError"):
        with started("programs.no_such_work", Workload()):
            pass


@pytest.mark.parametrize(
    ("names", "repeats", "words"),
    [(("dens",), 5, "--row must be one of dense"), ((), 4, "--repeats must be at least 5")],
)
def test_invalid_input_is_reported_in_one_sentence(names, repeats, words):
    with pytest.raises(LabError, match=words):
        run_bench(Settings(offline=True), names, repeats)


@pytest.fixture
def measured(monkeypatch, tmp_path):
    """Run the bench for some rows without measuring; a row of value None fails with an interrupt.

    Returns the rows and the ratios in the file.
    """

    def take(row, outcome, repeats, small):
        if values[row.name] is None:
            raise KeyboardInterrupt
        figures = 1.0, 2.0, values[row.name], 1.5, 2.5, 1.0, True, "reached"
        outcome.results.append(Result(row.name, "a peer", *figures))

    def run(**given):
        values.clear()
        values.update(given)
        with suppress(KeyboardInterrupt):
            run_bench(Settings(offline=True, report_folder=tmp_path), tuple(given), long=True)
        stored = json.loads((tmp_path / "bench.json").read_text())["results"]
        page = (tmp_path / "bench.html").read_text()
        assert all(f"{entry['ratio']:.2f}" in page for entry in stored)
        return [(entry["row"], entry["ratio"]) for entry in stored]

    values = {}
    monkeypatch.setattr(bench, "take", take)
    monkeypatch.setattr(bench.data, "prepare", lambda settings: "MNIST")
    return run


def test_a_run_keeps_the_other_rows_in_the_order_of_the_table(measured):
    assert measured(rbm=3, help=4) == [("rbm", 3), ("help", 4)]
    assert measured(deep=5, rbm=6) == [("deep", 5), ("rbm", 6), ("help", 4)]


def test_rows_that_were_measured_before_an_interruption_are_written(measured):
    measured(help=4)
    assert measured(dense=5, rbm=None, help=7) == [("dense", 5), ("help", 4)]


@pytest.mark.parametrize("fact", ["Machine", "Versions", "Data", "Code"])
def test_rows_of_another_machine_version_data_or_code_are_not_kept(measured, monkeypatch, fact):
    facts = bench.machine_facts
    measured(rbm=3)
    monkeypatch.setattr(bench, "machine_facts", lambda source: facts(source) | {fact: "other"})
    assert measured(help=4) == [("help", 4)]


def test_rows_are_kept_if_only_the_load_differs(measured, monkeypatch):
    facts = bench.machine_facts
    measured(rbm=3)
    monkeypatch.setattr(bench, "machine_facts", lambda source: facts(source) | {bench.LOAD: "9"})
    assert measured(help=4) == [("rbm", 3), ("help", 4)]


@pytest.mark.parametrize("text", ["", "[1]", "{}", '{"facts": 3, "results": [{"row": 1}]}', "null"])
def test_a_file_of_another_version_is_replaced(measured, tmp_path, text):
    (tmp_path / "bench.json").write_text(text)
    assert measured(help=4) == [("help", 4)]


@pytest.mark.slow
def test_the_command_writes_both_files(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "ae_lab", "bench", "--small", "--repeats", "2"]
        + ["--row", "rbm", "--row", "import", "--row", "quick-report"],
        env=process_environment(**ONE_THREAD, AE_LAB_REPORTS=str(tmp_path)),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    written = json.loads((tmp_path / "bench.json").read_text())["results"]
    assert [entry["row"] for entry in written] == ["rbm", "rbm", "import"]
    for entry in written:
        assert entry["reached"] is None
        assert 0 < entry["low"] <= entry["ratio"] <= entry["high"]
    page = (tmp_path / "bench.html").read_text()
    assert "quick-report skipped" in page and "BernoulliRBM" in page
    assert "cores of each side: " in done.stdout and "keras 3" in done.stdout
