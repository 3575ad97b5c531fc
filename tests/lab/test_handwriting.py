"""Photos of digits: found on any paper, prepared like MNIST, or refused with a reason."""

from itertools import product

import numpy as np
import pytest
from PIL import Image, ImageDraw
from scipy import ndimage

from ae_lab import data, models
from ae_lab.__main__ import main
from ae_lab.errors import LabError
from ae_lab.lab import handwriting
from ae_lab.lab.handwriting import photo as photo_module
from ae_lab.settings import Settings

STROKES = {
    "seven": [[(190, 150), (420, 150), (280, 480)]],
    "two": [[(200, 220), (260, 150), (370, 160), (390, 250), (210, 460), (420, 450)]],
    "five in two strokes": [
        [(230, 160), (220, 290), (350, 300), (390, 390), (320, 470), (200, 450)],
        [(250, 150), (400, 140)],
    ],
}


def written(strokes, *, ink=0.75, width=26, angle=0.0, shade=0.0, noise=0.0, seed=0):
    """A photo (620, 600): dark strokes on light paper, rotated, unevenly lit, noisy."""
    page = Image.new("L", (600, 620), 0)
    pen = ImageDraw.Draw(page)
    for stroke in strokes:
        pen.line(stroke, fill=255, width=width, joint="curve")
        for x, y in stroke:
            pen.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=255)
    drawn = np.asarray(page.rotate(angle, Image.Resampling.BICUBIC), np.float32) / 255
    y, x = np.mgrid[0:1:620j, 0:1:600j]
    paper = 0.85 - shade * (0.7 * x + 0.3 * y**2)
    light = paper * (1 - ink * drawn)
    return np.clip(light + noise * np.random.default_rng(seed).standard_normal(light.shape), 0, 1)


def saved(folder, pixels, name="photo.png", **options):
    path = folder / name
    Image.fromarray(np.uint8(255 * np.asarray(pixels))).save(path, **options)
    return path


@pytest.mark.parametrize("name", STROKES)
@pytest.mark.parametrize(
    "paper",
    [
        {"shade": 0.4, "noise": 0.05},
        {"angle": 12, "ink": 0.4, "noise": 0.03},
        {"angle": -15, "shade": 0.3, "noise": 0.02, "width": 40},
    ],
    ids=["shaded and noisy", "turned, in pencil", "turned, with a marker"],
)
@pytest.mark.parametrize("ending", ["png", "jpg", "webp"])
def test_strokes_are_found_fitted_and_centred(name, paper, ending, tmp_path):
    path = saved(tmp_path, written(STROKES[name], **paper), f"photo.{ending}")
    x = handwriting.like_mnist(handwriting.read_photo(path))
    assert x.shape == (1, 28, 28, 1) and x.dtype == np.float32 and x.max() == 1
    rows, columns = (np.flatnonzero((x[0, ..., 0] > 0.1).any(axis=axis)) for axis in (1, 0))
    assert 19 <= max(np.ptp(rows), np.ptp(columns)) + 1 <= 20
    assert np.abs(np.subtract(ndimage.center_of_mass(x[0, ..., 0]), 14)).max() <= 0.5
    ideal = {key: value for key, value in paper.items() if key in ("angle", "width")}
    clean = handwriting.like_mnist(written(STROKES[name], ink=1.0, **ideal))
    assert np.corrcoef(x.ravel(), clean.ravel())[0, 1] > 0.96
    assert np.median(x[0, :3]) == 0  # the paper is removed


def on_paper(digit, dark_ink, seed):
    """An MNIST image (28, 28), enlarged ten times, somewhere on a large sheet."""
    large = Image.fromarray(np.uint8(255 * digit)).resize((280, 280), Image.Resampling.BICUBIC)
    sheet, rng = np.zeros((620, 600)), np.random.default_rng(seed)
    top, left = rng.integers(0, 320, 2)
    sheet[top : top + 280, left : left + 280] = np.asarray(large) / 255
    return 0.9 - 0.8 * sheet if dark_ink else sheet


@pytest.mark.slow
@pytest.mark.parametrize("dark_ink", [True, False])
def test_an_mnist_digit_on_a_sheet_is_recovered_almost_exactly(dark_ink):
    digits = data.load_mnist(Settings(offline=True)).x_test[:25, ..., 0]
    errors, moves = [], []
    for seed, digit in enumerate(digits):
        x = handwriting.like_mnist(on_paper(digit, dark_ink, seed))[0, ..., 0]
        error = {
            move: np.sum((np.roll(x, move, (0, 1)) - digit) ** 2) / np.sum(digit**2)
            for move in product((-1, 0, 1), repeat=2)
        }
        moves.append(min(error, key=error.get))
        errors.append(error[moves[-1]])
    assert np.median(errors) < 0.05 and np.quantile(errors, 0.9) < 0.15
    assert np.mean([move == (0, 0) for move in moves]) > 0.6  # otherwise rounding differs


def test_an_mnist_image_itself_is_unchanged(tmp_path):
    digits = data.load_mnist(Settings(offline=True)).x_test[:25, ..., 0]
    errors = []
    for digit in digits:
        x = handwriting.like_mnist(handwriting.read_photo(saved(tmp_path, digit)))
        errors.append(np.sum((x[0, ..., 0] - digit) ** 2))
    assert np.median(errors) < 1  # shifting an image by one pixel would give 30


def test_dirt_a_dark_edge_and_a_second_digit_are_removed():
    page = written(STROKES["seven"])
    clean = handwriting.like_mnist(page)
    page[:, :25] = 0.1  # the edge of the table
    page[560:566, 480:486] = 0.2  # a crumb
    np.testing.assert_allclose(handwriting.like_mnist(page), clean, atol=0.1)


def test_a_transparent_drawing_gets_a_white_background(tmp_path):
    page = written(STROKES["two"], ink=1.0)
    ink = 1 - page / page.max()
    for grey in (0, 255):
        layers = [np.full_like(ink, grey / 255)] * 3 + [ink]
        Image.fromarray(np.uint8(255 * np.stack(layers, axis=-1))).save(tmp_path / "a.png")
        x = handwriting.like_mnist(handwriting.read_photo(tmp_path / "a.png"))
        assert np.corrcoef(x.ravel(), handwriting.like_mnist(page).ravel())[0, 1] > 0.98


def test_the_orientation_of_the_camera_is_respected(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be rotated clockwise
    page = Image.fromarray(np.uint8(255 * written(STROKES["seven"])))
    page.rotate(90, expand=True).save(tmp_path / "turned.jpg", exif=exif)
    x = handwriting.like_mnist(handwriting.read_photo(tmp_path / "turned.jpg"))
    upright = handwriting.like_mnist(written(STROKES["seven"]))
    assert np.corrcoef(x.ravel(), upright.ravel())[0, 1] > 0.95


@pytest.mark.parametrize(
    "page",
    [
        np.full((300, 300), 0.8),
        np.zeros((300, 300)),
        written([], shade=0.4),
        written([], noise=0.05),
        np.random.default_rng(0).random((200, 200)),
        np.full((4, 4), 0.5),
    ],
    ids=["grey", "black", "shaded", "noisy paper", "noise", "tiny"],
)
def test_an_empty_page_contains_no_digit(page):
    with pytest.raises(LabError, match="must show one digit that stands out"):
        handwriting.like_mnist(page)


def test_a_speck_is_not_a_digit():
    page = np.full((600, 600), 0.8)
    page[300:305, 300:305] = 0.1
    with pytest.raises(LabError, match="specks alone"):
        handwriting.like_mnist(page)


def test_files_that_are_not_photos_are_described(tmp_path, monkeypatch):
    with pytest.raises(LabError, match="found none at"):
        handwriting.read_photo(tmp_path / "none.png")
    path = tmp_path / "a.png"
    path.write_bytes(b"")
    with pytest.raises(LabError, match="empty file"):
        handwriting.read_photo(path)
    path.write_text("no picture")
    with pytest.raises(LabError, match="something else"):
        handwriting.read_photo(path)
    Image.new("L", (30, 30)).save(path, format="GIF")  # a valid image, but not an accepted format
    with pytest.raises(LabError, match="something else"):
        handwriting.read_photo(path)
    whole = saved(tmp_path, written(STROKES["two"], noise=0.1), "b.jpg").read_bytes()
    path.write_bytes(whole[: len(whole) // 3])
    with pytest.raises(LabError, match="a damaged one"):
        handwriting.read_photo(path)
    monkeypatch.setattr(photo_module, "LARGEST_BYTES", 1_000)
    path.write_bytes(whole)
    with pytest.raises(LabError, match="at most 1,000 bytes"):
        handwriting.read_photo(path)


@pytest.mark.slow
def test_a_huge_image_in_a_small_file_is_refused_before_decoding(tmp_path, monkeypatch):
    path = saved(tmp_path, np.zeros((1, 1)))
    Image.new("1", (30_000, 20_000)).save(path)  # 600 million pixels in about 80 kB
    with pytest.raises(LabError, match="must hold at most 60,000,000 pixels"):
        handwriting.read_photo(path)
    Image.new("1", (9_000, 9_000)).save(path)  # below Pillow's own limit
    with pytest.raises(LabError, match="received 9000x9000"):
        handwriting.read_photo(path)


@pytest.fixture
def reports(tmp_path, monkeypatch):
    """A reports folder with small, untrained models of the quick profile."""
    monkeypatch.setenv("AE_LAB_REPORTS", str(tmp_path))
    monkeypatch.delenv("AE_LAB_PROFILE", raising=False)
    folder = tmp_path / "quick" / "models"
    folder.mkdir(parents=True)
    models.deep(latent_dim=5, hidden=(8,)).save(folder / "deep.keras")
    models.convolutional(widths=(2,), code_channels=3).save(folder / "convolutional.keras")
    models.variational(latent_dim=2, hidden=(8,)).save(folder / "variational.keras")
    models.classifier(widths=(2, 2, 2), dense=4).save(folder / "classifier.keras")
    return folder


@pytest.mark.parametrize("kind", ["deep", "convolutional", "variational"])
def test_the_command_writes_the_picture_and_prints_the_verdict(kind, reports, tmp_path, capsys):
    path = saved(tmp_path, written(STROKES["two"], noise=0.03))
    assert main(["reconstruct", str(path), "--model", kind]) == 0
    said = capsys.readouterr().out
    assert "The classifier reads " in said and f"photo-{kind}.png" in said
    with Image.open(tmp_path / f"photo-{kind}.png") as picture:
        assert picture.width > 1_000 and len(np.unique(picture.convert("L"))) > 50


def test_the_probabilities_are_those_of_the_classifier_and_sum_to_one(reports, tmp_path):
    classifier = models.load_model(reports / "classifier.keras")
    model = models.load_autoencoder(reports / "deep.keras")
    path = saved(tmp_path, written(STROKES["two"]))
    verdict = handwriting.judge(handwriting.read_photo(path), model, classifier)
    assert verdict.probabilities.sum() == pytest.approx(1)
    logits = classifier.predict(verdict.x, verbose=0)[0]
    odds = np.log(verdict.probabilities[3] / verdict.probabilities[7])
    assert odds == pytest.approx(float(logits[3] - logits[7]), abs=1e-4)
    np.testing.assert_allclose(verdict.x_hat, model.predict(verdict.x, verbose=0), atol=1e-6)


def test_without_a_classifier_the_rest_is_drawn_and_advice_is_printed(reports, tmp_path, capsys):
    (reports / "classifier.keras").unlink()
    path = saved(tmp_path, written(STROKES["two"]))
    assert main(["reconstruct", str(path), "--out", str(tmp_path / "out.png")]) == 0
    assert "report --profile quick" in capsys.readouterr().err
    assert (tmp_path / "out.png").stat().st_size > 1_000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "sparse"], "report --profile quick"),
        (["--model", "deep", "--profile", "full"], "report --profile full"),
        (["--model", "shallow"], "must be one of undercomplete, "),
        (["--model", "classifier"], "without bottleneck, decoder, encoder"),
        (["--model", "none.keras"], "found none at none.keras"),
        (["--out", "nowhere/out.png"], "cannot be written"),
    ],
)
def test_a_missing_or_wrong_model_is_an_error_of_one_sentence(
    arguments, message, reports, tmp_path, capsys
):
    path = saved(tmp_path, written(STROKES["two"]))
    assert main(["reconstruct", str(path), *arguments]) == 1
    assert message in capsys.readouterr().err
