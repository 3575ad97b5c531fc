"""A page computes the same as Keras: for a drawn digit, and in a training."""

import re
import subprocess
import sys

import keras
import numpy as np
import pytest
from scipy.special import softmax

from ae_lab.report.live.sections import TRAINED_ON, live_sections
from ae_lab.report.live.weights import read_layers
from helpers import executed, index_of, notebook, record, render

FOUR = [[(80, 40), (60, 150), (190, 150)], [(150, 90), (140, 240)]]  # strokes on the pad
SCRIBBLE = [[(20 + 48 * i, 20 if i % 2 else 260) for i in range(6)]] + [
    [(20, 20 + 60 * i), (260, 20 + 60 * i)] for i in range(5)
]


def by_keras(x, model):
    return model.predict_on_batch(x.reshape(-1, 28, 28, 1).astype("float32")).astype(np.float64)


def like_mnist(strokes, pen=1.25):
    """The strokes as an image, from each pixel's distance to the nearest of many dots."""
    dense = [np.linspace(a, b, 400) for s in strokes for a, b in zip(s, s[1:], strict=False)]
    dots = np.concatenate(dense)
    scale = (20 - 2 * pen) / np.ptp(dots, axis=0).max()
    dots = (dots - dots.min(axis=0)) * scale + pen

    def ink(shift):
        centres = np.stack(np.meshgrid(np.arange(28), np.arange(28)), axis=-1) + 0.5
        distance = np.linalg.norm(centres[:, :, None] - (dots + shift), axis=-1).min(axis=-1)
        return np.clip(pen + 0.5 - distance, 0, 1)

    first = ink(0)
    mass = [(first * grid).sum() / first.sum() for grid in np.meshgrid(range(28), range(28))]
    size = np.ceil(dots.max(axis=0) + pen)
    return ink(np.clip(14 - np.round(mass), 0, 28 - size))


def test_layers_are_read_as_keras_saved_them(live_models):
    for model, path in live_models.saved:
        arrays = [a for layer in read_layers(path) for a in (layer.kernel, layer.bias)]
        for ours, theirs in zip(arrays, model.get_weights(), strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_reading_layers_needs_no_keras():
    program = "import sys, ae_lab.report.live.sections; print('keras' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr


@pytest.mark.parametrize(
    "files, words",
    [
        ({}, "saved a model undercomplete.keras"),
        ({"01_a/undercomplete.keras": b"no archive"}, "undercomplete.keras must be"),
        ({"02_b/classifier.keras": b"no archive"}, "saved a model undercomplete.keras"),
    ],
)
def test_missing_sections_are_explained_in_one_line(tmp_path, files, words):
    for name, content in files.items():
        path = tmp_path / name
        path.parent.mkdir()
        path.write_bytes(content)
    sections = live_sections(tmp_path, ["01_a", "02_b"], lambda: pytest.fail("no images needed"))
    assert set(sections) == {"", *(name.split("/")[0] for name in files)}
    for (section,) in sections.values():
        assert words in section.html and "data-" not in section.html


def test_without_the_cnn_the_other_parts_are_shown(live_models):
    sections = live_sections(live_models.folder, ["01_dense"], lambda: live_models.images)
    assert "The CNN is not available" in sections[""][0].html
    assert [section.anchor for section in sections["01_dense"]] == ["draw-a-digit", "train-it-here"]


def test_sections_come_before_the_exercises_and_are_reproducible(live_models):
    content = executed(notebook("# T", "## Exercises", "## Next"), record())
    sections = live_models.sections()["01_dense"]
    page = render(content, "01_dense", sections)
    order = re.findall(r'<h2 id="([^"]*)"', page)
    assert order == ["draw-a-digit", "train-it-here", "exercises", "next"]
    assert re.findall(r'href="#([^"]*)"', page)[1:] == order
    assert page == render(content, "01_dense", live_models.sections()["01_dense"])
    assert page.count("<script") == 1 and len(page) < 2_000_000


PIXELS = """canvas => [...canvas.getContext('2d').getImageData(0, 0, canvas.width,
canvas.height).data].filter((value, i) => i % 4 == 0)"""


@pytest.fixture
def page(browser, live_models, tmp_path):
    """A page with both sections, as a reader sees it."""
    content = executed(notebook("# T"), record())
    html = render(content, "01_dense", live_models.sections()["01_dense"])
    (tmp_path / "live.html").write_text(html)
    page = browser.new_page(viewport={"width": 1000, "height": 900})
    page.goto(f"file://{tmp_path}/live.html")
    page.locator(".alive .pad").wait_for()
    yield page
    page.close()


def shown(page, name):
    """The image on a canvas, and the text below it."""
    page.evaluate("new Promise(requestAnimationFrame)")
    place = page.locator(f"[data-shows={name}]")
    image = np.array(place.locator("canvas").evaluate(PIXELS)).reshape(28, 28) / 255
    return image, place.locator(".numbers").inner_text()


def draw(page, strokes):
    page.locator(".clear").click()
    page.locator(".pad").scroll_into_view_if_needed()
    box = page.locator(".pad").bounding_box()
    for stroke in strokes:
        for i, (x, y) in enumerate(stroke):
            page.mouse.move(box["x"] + x, box["y"] + y)
            if not i:
                page.mouse.down()
        page.mouse.up()


@pytest.mark.browser
def test_a_drawn_digit_is_processed_as_in_keras(page, live_models):
    draw(page, FOUR)
    x, reads = shown(page, "drawing")
    np.testing.assert_allclose(x, like_mnist(FOUR), atol=0.05)
    x_hat, both = shown(page, "dense")
    np.testing.assert_allclose(x_hat, by_keras(x, live_models.dense)[0, ..., 0], atol=1e-2)
    for image, text in ((x, reads), (x_hat, both)):
        label, share = re.search(r"(\d), ([\d.]+)", text).groups()
        expected = softmax(by_keras(image, live_models.cnn)[0])
        assert int(label) == expected.argmax()
        assert float(share) / 100 == pytest.approx(expected.max(), abs=1e-2)
    linear, text = shown(page, "pca")
    flat = live_models.images.x_train.reshape(-1, 784)
    basis = np.linalg.svd(flat - flat.mean(axis=0), full_matrices=False)[2][:32]
    expected = (x.ravel() - flat.mean(axis=0)) @ basis.T @ basis + flat.mean(axis=0)
    np.testing.assert_allclose(linear.ravel(), expected.clip(0, 1), atol=1e-2)
    error = float(re.search(r"error ([\d.]+)", text)[1])
    assert error == pytest.approx(np.sum((x.ravel() - expected) ** 2), abs=0.1)


@pytest.mark.browser
def test_a_drawing_that_is_not_a_digit_is_reported(page):
    draw(page, FOUR)
    assert "does not look like a digit" not in page.locator("[data-draw] .says").inner_text()
    draw(page, SCRIBBLE)
    shown(page, "dense")
    assert "does not look like a digit" in page.locator("[data-draw] .says").inner_text()


@pytest.mark.browser
def test_the_keyboard_can_draw_select_and_clear(page, live_models):
    page.locator(".pad").focus()
    page.keyboard.press("Escape")
    assert not shown(page, "drawing")[0].any()
    page.keyboard.press("Space")
    for _ in range(10):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    x, _ = shown(page, "drawing")
    rows, columns = np.nonzero(x > 0.5)
    assert np.ptp(rows) > 15 and np.ptp(columns) < 4, "a stroke downwards"
    page.get_by_role("button", name="test image of a 7").press("Enter")
    x, _ = shown(page, "drawing")
    same = np.abs(live_models.images.x_test[..., 0] - x).max(axis=(1, 2)) < 1e-6
    assert live_models.images.y_test[same] == 7


@pytest.mark.browser
def test_a_moved_slider_changes_one_number_of_the_code(page, live_models):
    x, _ = shown(page, "drawing")
    encoder, decoder = (live_models.dense.get_layer(name) for name in ("encoder", "decoder"))
    code = by_keras(x, encoder)
    changed = int(code.argmax())
    slider = page.get_by_role("slider", name=f"number {changed + 1}", exact=True)
    assert float(slider.input_value()) == pytest.approx(code[0, changed], abs=0.05)
    slider.evaluate("s => { s.value = 0; s.dispatchEvent(new Event('input')); }")
    code[0, changed] = 0
    expected = decoder.predict_on_batch(code)[0, ..., 0]
    np.testing.assert_allclose(shown(page, "dense")[0], expected, atol=1e-2)


EPOCH = """async ([k, rate, seed, count]) => {
  const mosaic = await pixelsOf(document.querySelector('[data-train] img'));
  const images = Array.from({ length: count }, (_, number) => tileOf(mosaic, number));
  const random = randomFrom(seed), net = newNetwork(k, random);
  const values = () => ['encoder', 'code', 'decoder', 'pixels'].map((part) => [...net[part].value]);
  const start = values(), order = shuffled(images.length, random);
  const loss = trainEpoch(net, images, order, rate);
  return { batch: BATCH, order, start, loss, end: values() };
}"""


@pytest.mark.browser
@pytest.mark.parametrize("k, rate", [(8, 1.0), (5, 0.001)])
def test_an_epoch_on_the_page_agrees_with_keras(page, live_models, k, rate):
    done = page.evaluate(EPOCH, [k, rate, 3, TRAINED_ON])
    model = keras.Sequential(
        [
            keras.Input((784,)),
            keras.layers.Dense(k, activation="relu"),
            keras.layers.Dense(784, activation="sigmoid"),
        ]
    )
    shapes = [weights.shape for weights in model.get_weights()]

    def shaped(parts):
        return [np.array(a, "float32").reshape(s) for a, s in zip(parts, shapes, strict=True)]

    model.set_weights(shaped(done["start"]))
    model.compile(keras.optimizers.Adadelta(learning_rate=rate), "binary_crossentropy")
    x = live_models.images.x_train[:TRAINED_ON].reshape(-1, 784)[done["order"]]
    model.fit(x, x, batch_size=done["batch"], shuffle=False, verbose=0)
    start, end = shaped(done["start"]), shaped(done["end"])
    moved = max(np.abs(a - b).max() for a, b in zip(start, end, strict=True))
    assert moved > (0.01 if rate == 1 else 1e-5)
    for ours, theirs in zip(end, model.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-4)


@pytest.mark.browser
def test_training_shows_its_progress_and_can_be_stopped(page):
    ten, says = page.locator(".ten"), page.locator("[data-train] .says")
    page.get_by_role("checkbox", name="corrected").check()
    page.get_by_role("slider", name="k, numbers in the code").fill("9")
    assert page.locator(".k").inner_text() == "9"
    before = ten.evaluate(PIXELS)
    page.locator(".go").click()
    page.wait_for_function("document.querySelector('.curve').points.numberOfItems > 3")
    assert page.locator(".go").inner_text() == "Stop"
    page.locator(".go").click()
    page.wait_for_timeout(300)
    stopped = says.inner_text()
    page.wait_for_timeout(300)
    assert says.inner_text() == stopped and page.locator(".go").inner_text() == "Train"
    assert ten.evaluate(PIXELS) != before


@pytest.mark.browser
def test_without_scripts_and_on_paper_static_figures_are_shown(browser, page):
    still = page.locator("[data-draw] > figure")
    assert not still.is_visible()
    page.emulate_media(media="print")
    assert still.is_visible() and not page.locator(".pad").is_visible()
    without = browser.new_context(java_script_enabled=False).new_page()
    without.goto(page.url)
    assert without.locator("[data-draw] > figure").is_visible()
    assert not without.locator(".pad").is_visible()
    without.close()


def test_the_index_has_the_section_and_one_script(live_models, tmp_path):
    html = index_of(tmp_path, sections=live_models.sections()[""])
    assert "data-draw" in html and html.count("<script") == 1 and "script-src" in html
    assert "<script" not in index_of(tmp_path)
