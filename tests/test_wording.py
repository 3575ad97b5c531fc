"""The check of wording finds what it looks for."""

import json

import pytest

import wording


@pytest.mark.parametrize(
    "words",
    ["2 nats an image", "a name that is none", "it came out", "so many images", "numbers say"],
)
def test_a_form_is_found_with_file_and_line(tmp_path, words):
    path = tmp_path / "a.md"
    path.write_text(f"# Title\n\nThere is none, per image.\nText, {words}, text.\n")
    (found,) = wording.findings(path, [])
    assert found.startswith(f"{path}:4: ")


def test_a_term_must_be_explained_at_its_first_use(tmp_path):
    sources = ["# ELBO", "The [*floor*](00_first_steps.ipynb#Floor).", "Floor.\nNats.\nThe *ELBO*."]
    cells = [{"cell_type": "markdown", "source": text.splitlines(True)} for text in sources]
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps({"cells": cells}, indent=1))
    (found,) = wording.findings(path, ["ELBO", "Floor", "Nats", "PCA"])
    line = int(found.split(":")[1])
    assert "Nats" in found and "Nats" in path.read_text().splitlines()[line - 1]
