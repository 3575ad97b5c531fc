"""The diagram of a network is drawn from the network: layers, shapes, the kind's own part."""

import re
from xml.etree import ElementTree

import pytest

from ae_lab import models
from ae_lab.lab.drawing import WIDTH, draw, own_rows, rows_of
from ae_lab.models import AUTOENCODERS, autoencoders

SVG = "{http://www.w3.org/2000/svg}"
SHARED = {"Dense", "Identity"}  # layers that several kinds have
HELPERS = {"Cropping2D", "Split"}  # additional layers that a kind's own layers need


def table():
    """Kind to its layers' names in the table of ``models/autoencoders.py``."""
    lines = re.split(r"^=+ =.*$", autoencoders.__doc__, flags=re.M)[2].strip().splitlines()
    return {line.split()[0]: set(re.findall(r"\b[A-Z]\w+", line)) for line in lines}


@pytest.fixture(scope="module")
def networks():
    return {kind: build() for kind, build in AUTOENCODERS.items()}


def test_the_table_has_all_kinds():
    assert list(table()) == list(AUTOENCODERS)


@pytest.mark.parametrize("kind", AUTOENCODERS)
def test_parts_in_the_table_of_kinds_are_coloured(networks, kind):
    own = [row.name for row in own_rows(rows_of(networks[kind]))]
    special = table()[kind] - SHARED
    expected = special or ({"Dense"} if kind == "deep" else {"code"})
    assert set(own) - HELPERS == expected


def test_only_the_hidden_layers_of_a_deep_network_are_coloured():
    own = own_rows(rows_of(models.deep(hidden=(7, 5), latent_dim=3)))
    assert [row.shape for row in own] == [(7,), (5,), (5,), (7,)]


@pytest.mark.parametrize("kind", AUTOENCODERS)
def test_the_rows_run_from_image_to_image(networks, kind):
    rows = rows_of(networks[kind])
    assert rows[0].part == "input" and rows[0].shape == rows[-1].shape == (28, 28, 1)
    code = networks[kind].get_layer("bottleneck").output.shape[1:]
    assert code in [row.shape for row in rows if row.part == "bottleneck"]
    order = [row.part for row in rows]
    parts = list(dict.fromkeys(order))
    assert order == [part for part in parts for _ in range(order.count(part))]
    assert parts[-3:] == ["encoder", "bottleneck", "decoder"]


@pytest.mark.parametrize("kind", AUTOENCODERS)
def test_the_picture_has_a_bar_and_a_name_for_each_row(networks, kind):
    rows = rows_of(networks[kind])
    picture = ElementTree.fromstring(draw(networks[kind])[0])
    bars, names = picture.findall(f"{SVG}rect"), picture.findall(f"{SVG}text")
    assert len(bars) == len(names) == len(rows)
    coloured = [row for row, bar in zip(rows, bars, strict=True) if bar.get("class") == "o"]
    assert coloured == [row for row in rows if row in own_rows(rows)] and coloured
    for row, name in zip(rows, names, strict=True):
        shape = "×".join(map(str, row.shape))
        assert "".join(name.itertext()).split() == [row.name, shape]


@pytest.mark.parametrize("kind", AUTOENCODERS)
def test_the_picture_stays_within_its_frame(networks, kind):
    picture = ElementTree.fromstring(draw(networks[kind])[0])
    height = float(picture.get("height"))
    assert picture.get("viewBox") == f"0 0 {WIDTH} {height:.0f}"
    for bar in picture.findall(f"{SVG}rect"):
        left, top = float(bar.get("x")), float(bar.get("y"))
        assert left >= 0 and left + float(bar.get("width")) <= WIDTH / 2 and top >= 0
        assert top + float(bar.get("height")) <= height


@pytest.mark.parametrize("kind", AUTOENCODERS)
def test_the_alt_text_names_each_layer_and_the_coloured_ones(networks, kind):
    rows, alt = rows_of(networks[kind]), draw(networks[kind])[1]
    layers, own = alt.split("In colour")
    assert [layers.count(row.in_words) for row in rows] == [
        sum(other.in_words.startswith(row.in_words) for other in rows) for row in rows
    ]
    assert all(row.in_words in own for row in own_rows(rows))


def test_the_width_of_a_bar_shows_the_output_size():
    rows = rows_of(models.undercomplete(latent_dim=2))
    picture = ElementTree.fromstring(draw(models.undercomplete(latent_dim=2))[0])
    widths = [float(bar.get("width")) for bar in picture.findall(f"{SVG}rect")]
    code = [row.name for row in rows].index("code")
    assert widths[code] == min(widths) < widths[0] == max(widths)
