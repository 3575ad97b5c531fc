// A digit drawn by hand: its reconstructions by the autoencoder and PCA, and the CNN's predictions.
const SIDE = 28, BOX = 20, MIDDLE = 14;  // MNIST: digits fill a box of 20x20, with the centre of mass at pixel (14, 14)
const PAD = 280, PEN = 1.25, SMALLEST = 28;  // side of the drawing; half the stroke width in pixels of 28x28; size of a dot
const PEN_STEP = 8, PEN_KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

// Strokes, lists of points [x, y], as an image of 28x28; the width of the pen does not depend on their size.
function likeMnist(strokes) {
  const image = new Float64Array(SIDE * SIDE), points = strokes.flat();
  if (!points.length) return image;
  const [left, top] = [0, 1].map((axis) => Math.min(...points.map((point) => point[axis])));
  const [width, height] = [0, 1].map((axis) => Math.max(...points.map((point) => point[axis])) - [left, top][axis]);
  const scale = (BOX - 2 * PEN) / Math.max(width, height, SMALLEST);
  const draw = (right, down) => {
    image.fill(0);
    const place = ([x, y]) => [PEN + right + (x - left) * scale, PEN + down + (y - top) * scale];
    for (const stroke of strokes)
      stroke.forEach((point, i) => inkSegment(image, place(stroke[Math.max(i - 1, 0)]), place(point)));
  };
  draw(0, 0);  // to compute the centre of mass
  const ink = image.reduce((sum, value) => sum + value, 0);
  const mass = [(i) => i % SIDE, (i) => Math.floor(i / SIDE)].map((axis) => image.reduce((sum, value, i) => sum + value * axis(i), 0) / ink);
  const shift = [width, height].map((size, axis) =>
    Math.min(Math.max(MIDDLE - Math.round(mass[axis]), 0), SIDE - Math.ceil(size * scale + 2 * PEN)));
  draw(...shift);
  return image;
}

// A line between two points: white under the pen, grey at its edge.
function inkSegment(image, [ax, ay], [bx, by]) {
  const [dx, dy] = [bx - ax, by - ay], length = dx * dx + dy * dy;
  for (let i = 0; i < image.length; i++) {
    const [x, y] = [(i % SIDE) + 0.5 - ax, Math.floor(i / SIDE) + 0.5 - ay];
    const along = length ? Math.min(1, Math.max(0, (x * dx + y * dy) / length)) : 0;
    const distance = Math.hypot(x - along * dx, y - along * dy);
    image[i] = Math.max(image[i], Math.min(1, Math.max(0, PEN + 0.5 - distance)));
  }
}

const squaredError = (a, b) => a.reduce((sum, value, i) => sum + (value - b[i]) ** 2, 0);

function softmax(logits) {
  const most = Math.max(...logits), shares = logits.map((value) => Math.exp(value - most));
  const total = shares.reduce((sum, value) => sum + value, 0);
  return shares.map((value) => value / total);
}

async function draw(figure, { dense, pca, cnn, limit, tops }) {
  const [encode, decode, project, restore] = [dense.encoder, dense.decoder, pca.encoder, pca.decoder].map(network);
  const read = cnn && network(cnn);
  const pad = figure.querySelector(".pad"), ink = pad.getContext("2d"), says = figure.querySelector(".says");
  const mosaic = await pixelsOf(figure.querySelector("img"));
  let strokes = [], x = new Float64Array(SIDE * SIDE), code = encode(x);
  let pen = [PAD / 2, PAD / 4], down = false, waiting = false;

  const reading = (image) => {
    if (!read) return "";
    const shares = softmax(read(image)), digit = shares.indexOf(Math.max(...shares));
    return `classified as ${digit}, ${(100 * shares[digit]).toFixed(1)}\u00a0%`;
  };
  const show = (name, image, ...lines) => {
    const box = figure.querySelector(`[data-shows=${name}]`);
    paint(box.querySelector("canvas").getContext("2d"), image, SIDE);
    box.querySelector(".numbers").textContent = lines.filter(Boolean).join("; ");
  };
  const reconstruct = () => {
    const image = decode(code), error = squaredError(x, image);
    show("dense", image, `squared error ${error.toFixed(1)}`, reading(image));
    return error;
  };
  const update = () => {
    waiting = false;
    const empty = x.every((value) => value === 0), linear = restore(project(x));
    show("drawing", x, empty ? "" : reading(x));
    show("pca", linear, `squared error ${squaredError(x, linear).toFixed(1)}`, reading(linear));
    code = encode(x);
    sliders.forEach((slider, i) => { slider.value = code[i]; });
    const error = reconstruct();
    says.classList.toggle("caution", error > limit && !empty);
    says.textContent = empty ? "The drawing is empty."
      : error > limit ? `This does not look like a digit: the autoencoder’s squared error, ${error.toFixed(1)}, exceeds that of 99\u00a0% of the test images (${limit.toFixed(1)}).`
      : `The autoencoder’s squared error is ${error.toFixed(1)}; that of 99\u00a0% of the test images is at most ${limit.toFixed(1)}.`;
  };
  const soon = () => {
    if (!waiting) requestAnimationFrame(update);
    waiting = true;
  };

  const inkAll = () => {
    ink.fillStyle = "#000";
    ink.fillRect(0, 0, PAD, PAD);
    ink.strokeStyle = "#fff"; ink.lineWidth = 22; ink.lineCap = ink.lineJoin = "round";
    for (const [first, ...rest] of strokes) {
      ink.beginPath();
      ink.moveTo(...first);
      for (const point of rest.length ? rest : [first]) ink.lineTo(...point);
      ink.stroke();
    }
    if (document.activeElement === pad && pad.matches(":focus-visible")) {  // position of the pen that the keyboard moves
      ink.beginPath();
      ink.arc(...pen, 9, 0, 7);
      ink.lineWidth = 4; ink.strokeStyle = down ? "#d55e00" : "#56b4e9"; ink.stroke();
    }
  };
  const drawn = () => {
    x = likeMnist(strokes);
    inkAll();
    soon();
  };
  const clear = () => {
    [strokes, down] = [[], false];
    drawn();
  };
  const take = (number) => {  // show a test image in the size of the pad
    [strokes, down] = [[], false];
    x = tileOf(mosaic, number);
    const small = element("canvas", { width: SIDE, height: SIDE });
    paint(small.getContext("2d"), x, SIDE);
    ink.imageSmoothingEnabled = false;
    ink.drawImage(small, 0, 0, PAD, PAD);
    soon();
  };
  const at = (event) => {
    const box = pad.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width * PAD, (event.clientY - box.top) / box.height * PAD];
  };
  pad.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    pad.setPointerCapture(event.pointerId);
    strokes.push([at(event)]);
    drawn();
  });
  pad.addEventListener("pointermove", (event) => {
    if (!pad.hasPointerCapture(event.pointerId) || !strokes.length) return;
    strokes.at(-1).push(at(event));
    drawn();
  });
  pad.addEventListener("keydown", (event) => {
    const step = PEN_KEYS[event.key];
    if (step) {
      pen = pen.map((value, axis) => Math.min(PAD, Math.max(0, value + PEN_STEP * step[axis])));
      if (down) strokes.at(-1).push(pen);
    } else if (event.key === " ") {
      down = !down;
      if (down) strokes.push([pen]);
    } else if (event.key === "Escape") {
      clear();
    } else return;
    event.preventDefault();
    drawn();
  });
  pad.addEventListener("focus", () => strokes.length && inkAll());
  pad.addEventListener("blur", () => strokes.length && inkAll());
  figure.querySelector(".clear").addEventListener("click", clear);
  figure.querySelectorAll(".picks button").forEach((button, number) => button.addEventListener("click", () => take(number)));

  const sliders = tops.map((top, i) => {
    const slider = element("input", { type: "range", min: 0, max: top || 1, step: "any", disabled: !top });
    slider.addEventListener("input", () => {
      code[i] = Number(slider.value);
      says.classList.remove("caution");
      says.textContent = `You changed the code: the autoencoder’s squared error is now ${reconstruct().toFixed(1)}.`;
    });
    figure.querySelector(".code").append(element("label", {}, `number ${i + 1}`, slider));
    return slider;
  });
  take(3);
}
