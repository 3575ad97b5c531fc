"""What is drawn, read from the axes."""

import matplotlib
import matplotlib.colors
import matplotlib.pyplot as plt
import numpy as np
import pytest

from ae_lab import plotting

matplotlib.use("Agg")


@pytest.fixture
def ax():
    fig, ax = plotting.figure()
    yield ax
    plt.close(fig)


def test_a_figure_has_the_width_of_the_page_and_a_local_style():
    before = dict(matplotlib.rcParams)
    fig, axes = plotting.figure(2, 3, height=5, sharex=True)
    assert tuple(fig.get_size_inches()) == (plotting.WIDTH, 5)
    assert axes.shape == (2, 3)
    assert not axes[0, 0].spines["top"].get_visible()
    assert dict(matplotlib.rcParams) == before
    plt.close(fig)


@pytest.mark.parametrize("channels", [(), (1,)])
def test_an_image_row_shows_each_image_beside_the_last(ax, channels):
    images = np.stack([np.full((28, 14, *channels), value) for value in (0.1, 0.2, 0.3)])
    plotting.image_row(ax, images, "codes", captions=["a", "b", "c"])
    drawn = ax.images[0].get_array()
    assert drawn.shape == (28, 3 * 14 + 2)
    assert drawn[0, 0] == 0.1 and drawn[0, 15] == 0.2 and drawn[0, -1] == 0.3
    assert np.ma.getmaskarray(np.ma.masked_invalid(drawn))[:, [14, 29]].all()
    assert ax.images[0].get_clim() == (0, 1)
    assert ax.get_ylabel() == "codes"
    assert list(ax.get_xticks()) == [6.5, 21.5, 36.5]
    assert [text.get_text() for text in ax.get_xticklabels()] == ["a", "b", "c"]


def test_an_image_row_accepts_another_white_and_no_captions(ax):
    plotting.image_row(ax, np.ones((2, 8, 4)), top=7.0)
    assert ax.images[0].get_clim() == (0, 7)
    assert len(ax.get_xticks()) == 0


def test_curves_differ_in_colour_and_marker_and_are_named(ax):
    series = {f"s{i}": [i, i + 1] for i in range(7)}
    plotting.curves(ax, [1, 2], series, xlabel="epoch", ylabel="nats", references={"PCA": 3.5})
    lines, reference = ax.lines[:7], ax.lines[7]
    assert [list(line.get_ydata()) for line in lines] == [[i, i + 1] for i in range(7)]
    assert len({line.get_color() for line in lines}) == 7
    assert len({line.get_marker() for line in lines}) == 7
    assert set(reference.get_ydata()) == {3.5} and reference.get_linestyle() == "--"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "nats")
    assert [t.get_text() for t in ax.get_legend().get_texts()] == [*series, "PCA"]


def test_more_curves_than_colours_and_no_markers_are_possible(ax):
    series = {str(i): [0, 1] for i in range(9)}
    plotting.curves(ax, [0, 1], series, xlabel="", ylabel="", markers=False)
    assert len(ax.lines) == 9
    assert {line.get_marker() for line in ax.lines} == {"None"}


def test_intervals_go_from_top_to_bottom(ax):
    plotting.intervals(
        ax, ["a", "b"], [0.5, 0.7], [0.4, 0.65], [0.6, 0.9], xlabel="share", reference=0.55
    )
    dots = ax.lines[0]
    assert list(dots.get_xdata()) == [0.5, 0.7] and list(dots.get_ydata()) == [1, 0]
    names = dict(zip(ax.get_yticks(), (t.get_text() for t in ax.get_yticklabels()), strict=True))
    assert names == {1: "a", 0: "b"}
    bars = ax.collections[0].get_segments()
    assert np.allclose([segment[:, 0] for segment in bars], [[0.4, 0.6], [0.65, 0.9]])
    assert set(ax.lines[-1].get_xdata()) == {0.55}
    assert ax.get_xlabel() == "share"


def test_a_number_table_shows_each_finite_number_readably(ax):
    values = [[0.0, 1.0], [0.25, np.nan]]
    plotting.number_table(
        ax, values, ["r1", "r2"], ["c1", "c2"], form="{:.2f}", xlabel="tested on", ylabel="trained"
    )
    texts = {text.get_position(): (text.get_text(), text.get_color()) for text in ax.texts}
    assert texts == {
        (0, 0): ("0.00", "black"),
        (1, 0): ("1.00", "white"),
        (0, 1): ("0.25", "black"),
    }
    assert [t.get_text() for t in ax.get_xticklabels()] == ["c1", "c2"]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["r1", "r2"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("tested on", "trained")


def test_every_shade_of_a_number_table_has_legible_text(ax):
    """At least 4.5 to 1, as WCAG 2 asks of text; computed from the standard's own formula."""

    def luminance(colour):
        c = np.array(matplotlib.colors.to_rgb(colour))
        linear = np.where(c <= 0.03928, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
        return linear @ (0.2126, 0.7152, 0.0722)

    shades = np.linspace(0, 1, 60)[None]
    plotting.number_table(ax, shades, ["r"], range(60))
    (cells,) = ax.images
    for shade, text in zip(shades[0], ax.texts, strict=True):
        pair = luminance(cells.to_rgba(shade)[:3]), luminance(text.get_color())
        assert (max(pair) + 0.05) / (min(pair) + 0.05) > 4.5, shade


def test_whole_numbers_have_whole_ticks(ax):
    plotting.curves(ax, range(1, 8), {"a": np.arange(7)}, xlabel="epoch", ylabel="y")
    assert all(tick == round(tick) for tick in ax.get_xticks())


def test_a_log_scale_has_plain_numbers_at_one_two_and_five(ax):
    ax.plot([10, 2_000], [0.04, 0.7])
    plotting.log_scale(ax, "x", "y")
    ax.figure.canvas.draw()
    low, high = ax.get_ylim()
    shown = [
        label.get_text()
        for place, label in zip(ax.get_yticks(), ax.get_yticklabels(), strict=True)
        if low <= place <= high
    ]
    assert shown == ["0.05", "0.1", "0.2", "0.5"]
    assert "1,000" in [label.get_text() for label in ax.get_xticklabels()]
    assert not len(ax.get_yticks(minor=True))


def test_rows_of_images_are_close_together_for_any_figure_height():
    fig, axes = plotting.figure(2, 1, height=9)
    for row in axes:
        plotting.image_row(row, np.ones((10, 28, 28)))
    fig.draw_without_rendering()
    upper, lower = (row.get_window_extent() for row in axes)
    assert upper.y0 - lower.y1 < upper.height / 2
    plt.close(fig)


def test_numerals_are_near_their_positions_and_never_overlap(ax):
    ax.scatter([0, 10], [0, 10])
    places = [[1, 1], [5, 5], [5, 5], [5.1, 5]]
    plotting.numerals(ax, places, "0123", apart=0.1)
    assert [text.get_text() for text in ax.texts] == ["0", "1", "2", "3"]
    at = np.array([text.get_position() for text in ax.texts])  # as shares of the axes
    lengths = np.linalg.norm(at[:, None] - at, axis=-1) + np.eye(4)
    assert lengths.min() > 0.099
    alone = (ax.transData - ax.transAxes).transform(places[0])
    np.testing.assert_allclose(at[0], alone, atol=1e-3)
