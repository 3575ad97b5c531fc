"""Photos of digits: found on any paper, prepared like MNIST, or refused with a reason."""

import os
import struct
import subprocess
import sys
import zlib
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from PIL import Image, ImageDraw, features
from scipy import ndimage

import handwritten
from ae_lab import data, models
from ae_lab.__main__ import main
from ae_lab.errors import LabError
from ae_lab.lab import handwriting
from ae_lab.lab.handwriting import photo as photo_module
from ae_lab.settings import Settings
from helpers import dear

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


def test_dirt_and_a_dark_edge_are_removed():
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


def alike(x, ink):
    """The largest correlation of a prepared digit with its ink, prepared without the page."""
    (ideal,) = handwriting.like_mnist(1 - np.pad(ink, 60))[..., 0]
    moves = product((-1, 0, 1), repeat=2)
    (x,) = x[..., 0]
    return max(np.corrcoef(np.roll(x, move, (0, 1)).ravel(), ideal.ravel())[0, 1] for move in moves)


def paged(sign, rng, shape=(480, 400), height=110, width=7, centre=(240, 200)):
    """Ink of a page with one sign, ink of the sign alone, and its place on the page."""
    page, ink = np.zeros(shape), handwritten.ink_of(sign, height, width, rng)
    return page, ink, handwritten.lay(page, ink, centre)


def on_ruled(sign, rng):
    page, ink, _ = paged(sign, rng, height=60, width=4)
    lines = handwritten.rules(page.shape, 40, 2)
    return handwritten.photo_of((lines, 0.25), (page, 0.7), tilt=0.01, rng=rng), ink


def on_squares_in_pencil(sign, rng):
    page, ink, _ = paged(sign, rng, height=60, width=4)
    lines = handwritten.rules(page.shape, 27, 2, down=True)
    return handwritten.photo_of((lines, 0.2), (page, 0.45), shade=0.15, rng=rng), ink


def on_a_table(sign, rng):
    page, ink, _ = paged(sign, rng)
    sheet = handwritten.photo_of((page, 0.7), rng=rng)
    return handwritten.sheet_on_table(sheet, 0.25, 0.65, rng), ink


def on_a_line(sign, rng):
    page, ink, (rows, _) = paged(sign, rng)
    line = np.zeros_like(page)
    line[rows.stop - 14 : rows.stop - 11] = 1
    return handwritten.photo_of((line, 0.5), (page, 0.8), rng=rng), ink


def in_a_frame(sign, rng):
    page, ink, _ = paged(sign, rng)
    page[150:155, 110:290] = page[325:330, 110:290] = 1
    page[150:330, 110:115] = page[150:330, 285:290] = 1
    return handwritten.photo_of((page, 0.8), tilt=0.01, rng=rng), ink


def tight_and_bold(sign, rng):
    ink = handwritten.ink_of(sign, 300, 70, rng)
    return handwritten.photo_of((np.pad(ink, 4), 0.8), noise=0.02, rng=rng), ink


def in_a_sharp_shadow(sign, rng):
    page, ink, _ = paged(sign, rng)
    photo = handwritten.photo_of((page, 0.7), noise=0.02, rng=rng)
    photo[:, 190:] *= 0.65
    return photo, ink


@pytest.mark.parametrize("sign", ["2", "3", "5", "7"])
@pytest.mark.parametrize(
    "page",
    [
        on_ruled,
        on_squares_in_pencil,
        on_a_table,
        on_a_line,
        in_a_frame,
        tight_and_bold,
        in_a_sharp_shadow,
    ],
)
def test_the_digit_is_found_on_any_kind_of_paper(page, sign):
    photo, ink = page(sign, np.random.default_rng(int(sign)))
    assert alike(handwriting.like_mnist(photo), ink) > 0.85


def test_thin_strokes_are_widened_to_those_of_mnist():
    rng = np.random.default_rng(0)
    page, *_ = paged("7", rng, height=300, width=3)
    (x,) = handwriting.like_mnist(handwritten.photo_of((page, 0.5), rng=rng))[..., 0]
    across = x[10:20].sum(axis=1)  # width of the slanted stroke in each row
    assert 1.7 < np.median(across) < 3.2


def side_by_side(signs, rng, gap=25, height=110):
    page, at = np.zeros((300, 640)), 60
    for sign in signs:
        ink = handwritten.ink_of(sign, height, 7, rng)
        handwritten.lay(page, ink, (150, at + ink.shape[1] / 2))
        at += ink.shape[1] + gap
    return handwritten.photo_of((page, 0.7), rng=rng)


def test_digits_side_by_side_are_prepared_one_by_one_from_left_to_right():
    found = handwriting.find_digits(side_by_side("427", np.random.default_rng(1)))
    assert len(found.boxes) == 3 and found.left_out == 0
    assert sorted(box[1].start for box in found.boxes) == [box[1].start for box in found.boxes]
    x = handwriting.prepare(found)
    assert x.shape == (3, 28, 28, 1) and all(image.max() == 1 for image in x)


def test_another_drawing_of_the_same_size_is_counted():
    rng = np.random.default_rng(2)
    page, *_ = paged("5", rng, centre=(120, 200))
    handwritten.lay(page, handwritten.ink_of("3", 105, 7, rng), (350, 220))
    found = handwriting.find_digits(handwritten.photo_of((page, 0.7), rng=rng))
    assert len(found.boxes) == 1 and found.left_out == 1


@pytest.mark.parametrize(
    ("page", "cause"),
    [
        (np.full((300, 300), 0.8), "differs from the paper by only 0.00"),
        (np.zeros((300, 300)), "differs from the paper by only 0.00"),
        (written([], shade=0.4), "differs from the paper"),
        (written(STROKES["two"], ink=0.04), "differs from the paper"),
        (np.random.default_rng(0).random((200, 200)), "noise"),
        (np.full((4, 4), 0.5), "8x8"),
        (np.full((40, 40, 3), 0.5), "shape"),
    ],
    ids=["grey", "black", "shaded", "too faint", "noise", "tiny", "in colour"],
)
def test_a_page_without_a_digit_is_refused_with_the_correct_reason(page, cause):
    with pytest.raises(LabError, match=cause):
        handwriting.like_mnist(page)


@pytest.mark.parametrize("down", [False, True])
def test_an_empty_page_of_lines_is_refused(down):
    lines = handwritten.rules((480, 360), 33, 1.5, down=down, offset=9)
    with pytest.raises(LabError, match="only printed lines"):
        handwriting.like_mnist(handwritten.photo_of((lines, 0.3), shade=0.1, tilt=0.02))


def test_a_speck_is_not_a_digit():
    page = np.full((600, 600), 0.8)
    page[300:305, 300:305] = 0.1
    with pytest.raises(LabError, match="only specks"):
        handwriting.like_mnist(page)


def test_a_sheet_without_writing_on_a_table_is_refused():
    rng = np.random.default_rng(1)
    photo = handwritten.sheet_on_table(np.full((480, 400), 0.88), 0.25, 0.65, rng)
    with pytest.raises(LabError, match="differs from the paper|noise|specks"):
        handwriting.like_mnist(photo)


def test_a_pen_as_light_as_its_paper_is_read_by_its_colour(tmp_path):
    page, ink, _ = paged("3", np.random.default_rng(3))
    paper, red = np.array([64, 140, 77]), np.array([242, 64, 51])  # of the same lightness
    colours = paper + (red - paper) * page[..., None]
    Image.fromarray(np.uint8(colours)).save(tmp_path / "a.png")
    assert alike(handwriting.like_mnist(handwriting.read_photo(tmp_path / "a.png")), ink) > 0.9


@pytest.mark.parametrize("ending", ["gif", "bmp", "tiff", "avif"])
def test_other_formats_of_pictures_are_read(ending, tmp_path):
    if ending == "avif" and not features.check("avif"):
        pytest.skip("this Pillow has no AVIF")
    page = written(STROKES["two"])
    x = handwriting.like_mnist(handwriting.read_photo(saved(tmp_path, page, f"photo.{ending}")))
    assert np.corrcoef(x.ravel(), handwriting.like_mnist(page).ravel())[0, 1] > 0.98


@pytest.mark.parametrize(
    ("begin", "found", "way_out"),
    [
        (b"\0\0\0\x18ftypheic" + bytes(3000), "HEIC", "Most Compatible"),
        (b"%PDF-1.7 ", "a PDF", "screenshot"),
        (b"<svg xmlns=''></svg>", "SVG", "PNG"),
        (b"\n<!DOCTYPE html><p>", "a web page", "the picture itself"),
        (b"no picture", "something else", "save it as JPEG or PNG"),
    ],
)
def test_a_file_of_another_type_is_named_with_advice(begin, found, way_out, tmp_path):
    (tmp_path / "a.jpg").write_bytes(begin)
    with pytest.raises(LabError, match=rf"{found}.*{way_out}"):
        handwriting.read_photo(tmp_path / "a.jpg")


def test_files_that_are_not_photos_are_described(tmp_path, monkeypatch):
    with pytest.raises(LabError, match="found none at"):
        handwriting.read_photo(tmp_path / "none.png")
    path = tmp_path / "a.png"
    path.write_bytes(b"")
    with pytest.raises(LabError, match="empty file"):
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


def test_the_probabilities_are_those_of_the_classifier_and_sum_to_one(reports):
    classifier = models.load_model(reports / "classifier.keras")
    model = models.load_autoencoder(reports / "deep.keras")
    verdict = handwriting.judge(written(STROKES["two"]), model, classifier)
    (probabilities,) = verdict.probabilities
    assert probabilities.sum() == pytest.approx(1)
    logits = classifier.predict(verdict.x, verbose=0)[0]
    odds = np.log(probabilities[3] / probabilities[7])
    assert odds == pytest.approx(float(logits[3] - logits[7]), abs=1e-4)
    np.testing.assert_allclose(verdict.x_hat, model.predict(verdict.x, verbose=0), atol=1e-6)


def test_two_digits_are_two_rows_and_doubts_are_stated(reports, tmp_path):
    classifier = models.load_model(reports / "classifier.keras")
    model = models.load_autoencoder(reports / "deep.keras")
    photo = side_by_side("42", np.random.default_rng(4))
    black = np.zeros((3, 28, 28, 1), np.float32)
    verdict = handwriting.judge(photo, model, classifier, black)
    read = "".join(str(p.argmax()) for p in verdict.probabilities)
    assert len(read) == 2 and f"reads {read}:" in verdict.sentence
    unsure = int((verdict.probabilities.max(axis=1) < 0.5).sum())
    assert verdict.sentence.count("unsure") == unsure > 0  # it is untrained
    errors = np.sum((verdict.x - verdict.x_hat) ** 2, axis=(1, 2, 3))
    np.testing.assert_allclose(verdict.errors, errors, rtol=1e-6)
    limit = float(np.mean(errors))
    doubted = replace(verdict, usual_error=limit).sentence
    (odd,) = np.flatnonzero(errors > limit)
    assert f"Drawing {odd + 1} does not look like a digit" in doubted and f"{limit:.1f}" in doubted
    assert "does not look" not in replace(verdict, usual_error=float(errors.max())).sentence
    assert len(handwriting.draw_verdict(verdict).axes) == 2 * 7


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


@pytest.mark.parametrize("kind", ["JPEG", "MPO"])
def test_a_jpeg_of_many_scans_is_refused_before_they_are_decoded(tmp_path, kind):
    path = tmp_path / "scans.jpg"
    page = Image.fromarray(np.uint8(255 * written(STROKES["two"])))
    page.save(path, kind, **{"save_all": True, "append_images": [page]} if kind == "MPO" else {})
    assert handwriting.read_photo(path).shape
    whole = path.read_bytes()
    end = whole.index(b"\xff\xd9")  # of the first image
    for start in (b"", b"\xff\x01"):  # a marker without a length
        path.write_bytes(whole[:end] + start + 400 * b"\xff\xda\x00\x03\x00" + whole[end:])
        with pytest.raises(LabError, match=r"scans.jpg must be a JPEG of at most 100 scans"):
            handwriting.read_photo(path)


def test_a_jpeg_with_a_video_after_it_is_read(tmp_path):
    path = saved(tmp_path, written(STROKES["two"]))
    Image.open(path).convert("L").save(path := tmp_path / "motion.jpg")
    plain = handwriting.read_photo(path)
    path.write_bytes(path.read_bytes() + 400 * b"\xff\xda")
    np.testing.assert_array_equal(handwriting.read_photo(path), plain)


def chunk(name, content):
    """A part of a PNG file."""
    check = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", check)


def turned(denominator):
    """EXIF data: rotated, with a resolution of -1 / denominator."""
    entries = struct.pack(">HHIHHHHII", 0x0112, 3, 1, 6, 0, 0x011A, 10, 1, 38)
    fraction = struct.pack(">ii", -1, denominator)
    return b"MM\0*" + struct.pack(">IH", 8, 2) + entries + bytes(4) + fraction


def large_webp(side):
    """A WebP file of 38 bytes that declares side x side pixels."""
    size = struct.pack("<I", (side - 1) | (side - 1) << 14)
    body = b"WEBPVP8L" + struct.pack("<I", 18) + b"/" + size + bytes(13)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def before_the_pixels():
    """Parts of a PNG file, by the name of a file that contains them."""
    zeros = zlib.compress(bytes(200_000_000), 1)
    return {
        "zTXt.png": chunk(b"zTXt", b"a\0\0" + zeros),
        "iTXt.png": chunk(b"iTXt", b"a\0\1\0\0\0" + zeros),
        "iCCP.png": chunk(b"iCCP", b"a\0\0" + zeros),
        "many parts.png": chunk(b"tEXt", b"a\0b") * 100_000,
        "bad EXIF.png": chunk(b"eXIf", turned(0)),
        "cut off EXIF.png": chunk(b"eXIf", turned(1)[:30]),
    }


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's limits on memory")
def test_a_hostile_photo_costs_at_most_700_mb_and_thirty_times_a_good_one(tmp_path):
    path = saved(tmp_path, written(STROKES["two"]), "good.png")
    good = path.read_bytes()
    files = {name: good[:33] + parts + good[33:] for name, parts in before_the_pixels().items()}
    files |= {"16383.webp": large_webp(16_383), "7700.webp": large_webp(7_700)}
    expected = {path: r"^\(620, 600\)"}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
        # a cut-off orientation may still be whole
        expected[tmp_path / name] = rf"^\(620, 600\)|^\(600, 620\)|{name} must"
    expected[tmp_path / "16383.webp"] = "60,000,000 pixels"
    assert dear("ae_lab.lab.handwriting.read_photo", 700_000_000, path, expected) == {}


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="only POSIX systems tell a process's memory")
@pytest.mark.parametrize(("kind", "bytes_per_pixel"), [(0, 1), (2, 3), (6, 4)])
def test_the_largest_photo_needs_bounded_memory(tmp_path, kind, bytes_per_pixel):
    side = 7_700  # 59 megapixels, black; ``kind`` is PNG's number: grey, RGB, RGBA
    packed = zlib.compress(bytes(side * (1 + side * bytes_per_pixel)), 1)
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, kind, 0, 0, 0))
    path = tmp_path / "large.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", packed) + chunk(b"IEND", b""))
    program = f"""if True:
        import resource
        from ae_lab.lab.handwriting.photo import read_photo
        used = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        before = used()
        read_photo({str(path)!r})
        print(used() - before)"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-500:]
    unit = 1 if sys.platform == "darwin" else 1024
    assert int(done.stdout) * unit < 650e6
