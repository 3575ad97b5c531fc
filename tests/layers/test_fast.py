"""Random numbers, uniform and Gaussian: the same wherever they are drawn, never repeated."""

import keras
import numpy as np
import pytest
import scipy.stats

from ae_lab import layers, training
from ae_lab.layers.fast import standard_normal, uniform

tensorflow = pytest.importorskip("tensorflow")
SHAPE = 40, 50
PLACES = {
    "eager": lambda draw: draw,
    "graph": tensorflow.function,
    "compiled": lambda draw: tensorflow.function(draw, jit_compile=True),
}


def drawn(draw, place, seed=3):
    generator = keras.random.SeedGenerator(seed)
    run = PLACES[place](lambda: draw(SHAPE, generator))
    return [run().numpy() for _ in range(2)]


@pytest.mark.parametrize("draw", [uniform, standard_normal])
def test_draws_are_equal_compiled_or_not_and_never_repeated(draw):
    eager = drawn(draw, "eager")
    assert not np.array_equal(*eager)
    assert not np.array_equal(eager[0], drawn(draw, "eager", seed=4)[0])
    for place in ("graph", "compiled"):
        assert np.allclose(drawn(draw, place), eager, atol=1e-5)


@pytest.mark.parametrize("place", PLACES)
def test_draws_follow_their_distribution(place):
    """Kolmogorov-Smirnov test; neighbours and successive draws are uncorrelated."""
    first, second = (array.ravel() for array in drawn(uniform, place))
    assert first.min() >= 0 and first.max() < 1 and first.dtype == np.float32
    assert scipy.stats.kstest(first, "uniform").pvalue > 0.001
    assert scipy.stats.kstest(drawn(standard_normal, place)[0].ravel(), "norm").pvalue > 0.001
    for a, b in ((first[:-1], first[1:]), (first, second)):
        assert abs(np.corrcoef(a, b)[0, 1]) < 4 / np.sqrt(len(a))


def test_a_draw_may_have_a_dynamic_shape():
    generator = keras.random.SeedGenerator(3)
    for place in ("graph", "compiled"):
        run = PLACES[place](lambda x: uniform(keras.ops.shape(x), generator))
        sizes = [run(tensorflow.zeros((n, 7))).shape for n in (2, 5)]
        assert sizes == [(2, 7), (5, 7)]


def test_draws_also_work_without_graphs():
    tensorflow.config.run_functions_eagerly(True)
    assert uniform(SHAPE, keras.random.SeedGenerator(3)).shape == SHAPE


def test_dropout_equals_keras_dropout_except_for_the_draws():
    x = np.random.default_rng(0).uniform(0.5, 1, (200, 50)).astype("float32")
    training.seed_everything(3)
    ours, theirs = (
        keras.ops.convert_to_numpy(layer(x, training=True))
        for layer in (layers.Dropout(0.3), keras.layers.Dropout(0.3))
    )
    for y in (ours, theirs):
        assert np.mean(y == 0) == pytest.approx(0.3, abs=0.02)
        assert y[y != 0] == pytest.approx(x[y != 0] / 0.7)
    assert np.array_equal(layers.Dropout(0.3)(x), x)
