"""Settings and checks: valid values pass, invalid ones are named in one sentence."""

import re
from pathlib import Path

import numpy as np
import pytest

from ae_lab import validation
from ae_lab.errors import LabError
from ae_lab.settings import Settings, find_project_folder


def test_an_empty_environment_gives_the_defaults():
    unset = Settings.from_environment({})
    empty = Settings.from_environment(
        {f"AE_LAB_{n}": "" for n in ("PROFILE", "SEED", "DATA", "REPORTS", "RECORDS", "OFFLINE")}
    )
    assert unset == empty
    assert (unset.profile, unset.seed, unset.offline) == ("quick", 8, False)
    assert unset.data_folder is None and unset.record_folder is None
    assert unset.report_folder == unset.project_folder / "reports"


def test_each_variable_is_read(tmp_path):
    settings = Settings.from_environment(
        {
            "AE_LAB_PROFILE": "full",
            "AE_LAB_SEED": "0",
            "AE_LAB_DATA": str(tmp_path / "d"),
            "AE_LAB_REPORTS": str(tmp_path / "r"),
            "AE_LAB_RECORDS": str(tmp_path / "l"),
            "AE_LAB_OFFLINE": "1",
        }
    )
    assert (settings.profile, settings.seed, settings.offline) == ("full", 0, True)
    assert settings.data_folder == tmp_path / "d"
    assert settings.profile_folder == tmp_path / "r" / "full"
    assert settings.record_folder == tmp_path / "l"


def test_a_relative_folder_is_made_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert Settings.from_environment({"AE_LAB_DATA": "here"}).data_folder == tmp_path / "here"


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("AE_LAB_PROFILE", "quik", "quick, full"),
        ("AE_LAB_PROFILE", "FULL", "quick, full"),
        ("AE_LAB_SEED", "eight", "whole number"),
        ("AE_LAB_SEED", "1.5", "whole number"),
        ("AE_LAB_SEED", "-1", "from 0 to 4294967295"),
        ("AE_LAB_SEED", str(2**32), "from 0 to 4294967295"),
        ("AE_LAB_OFFLINE", "yes", "0 or 1"),
    ],
)
def test_an_invalid_value_is_named_with_the_valid_ones(name, value, expected):
    with pytest.raises(LabError) as error:
        Settings.from_environment({name: value})
    for words in (name, value, expected):
        assert words in str(error.value)


@pytest.mark.parametrize("name", ["AE_LAB_DATA", "AE_LAB_DATASET", "AE_LAB_REPORTS"])
@pytest.mark.parametrize("value", ["~nobody_of_this_name/x.npz", "x" * 5_000 + ".npz"])
def test_an_impossible_path_is_named(name, value):
    with pytest.raises(LabError, match=f"{name} must be a path, received '{value[:20]}"):
        Settings.from_environment({name: value})


def test_the_largest_seed_is_allowed():
    assert Settings.from_environment({"AE_LAB_SEED": str(2**32 - 1)}).seed == 2**32 - 1


def test_the_project_is_found_from_a_folder_inside_it(tmp_path):
    inside = tmp_path / "notebooks" / "deep"
    inside.mkdir(parents=True)
    (tmp_path / "pyproject.toml").touch()
    assert find_project_folder(inside) == tmp_path
    assert Settings(project_folder=tmp_path).download_folder == tmp_path / "data"


def test_outside_a_project_the_checkout_or_the_folder_is_used(tmp_path):
    checkout = Path(validation.__file__).parents[2]
    installed_from_checkout = (checkout / "notebooks").is_dir()
    assert find_project_folder(tmp_path) == (checkout if installed_from_checkout else tmp_path)


IMAGES = np.full((2, 3, 3, 1), 0.5, np.float32)


def test_valid_images_are_returned_unchanged():
    assert validation.check_images(IMAGES) is IMAGES
    assert validation.check_images(np.array([0.0, 1.0]).reshape(1, 2, 1, 1)).max() == 1


@pytest.mark.parametrize(
    ("images", "received"),
    [
        (IMAGES[..., 0], "(2, 3, 3)"),
        (IMAGES[:0], "(0, 3, 3, 1)"),
        (None, "()"),
        ((IMAGES * 255).astype(np.uint8), "uint8"),
        (IMAGES > 0, "bool"),
        (IMAGES * 255, "127.5"),
        (IMAGES - 1, "-0.5"),
        (IMAGES * np.nan, "nan"),
        (IMAGES * np.inf, "inf"),
    ],
)
def test_invalid_images_are_refused_by_name(images, received):
    with pytest.raises(LabError, match="^pictures must") as error:
        validation.check_images(images, "pictures")
    assert received in str(error.value)


def test_a_single_invalid_pixel_is_refused():
    images = IMAGES.copy()
    images[1, 2, 2, 0] = np.nan
    with pytest.raises(LabError):
        validation.check_images(images)


@pytest.mark.parametrize("value", [1, 7, np.int64(3)])
def test_whole_numbers_are_accepted(value):
    assert validation.check_whole(value, "size") == value
    assert type(validation.check_whole(value, "size")) is int


@pytest.mark.parametrize("value", [0, -1, True, 2.0, "2", None, np.float32(2)])
def test_invalid_whole_numbers_are_refused(value):
    with pytest.raises(LabError, match=rf"size.*at least 1.*{re.escape(repr(value))}"):
        validation.check_whole(value, "size")


def test_ends_of_a_range_are_included():
    assert validation.check_between(0, "share", 0, 1) == 0.0
    assert validation.check_between(np.float32(1), "share", 0, 1) == 1.0


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan"), float("inf"), True, "0.5", None])
def test_values_out_of_range_or_of_another_type_are_refused(value):
    with pytest.raises(LabError, match="share"):
        validation.check_between(value, "share", 0, 1)


def test_both_of_two_different_lengths_are_named():
    validation.check_same_length([1], [2], "x", "labels")
    with pytest.raises(LabError, match="x and labels.*1 and 2"):
        validation.check_same_length([1], [2, 3], "x", "labels")
