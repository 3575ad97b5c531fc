// 784-k-784, trained on the page: ReLU, sigmoid, cross-entropy per pixel and Adadelta, computed as in Keras.
const PIXELS = 784, BATCH = 10, EPOCHS = 100, RHO = 0.95, EPSILON = 1e-7;

// Mulberry32: the same numbers from 0 to 1 for the same seed.
function randomFrom(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), seed | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function shuffled(count, random) {
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const other = Math.floor(random() * (i + 1));
    [order[i], order[other]] = [order[other], order[i]];
  }
  return order;
}

// Weights as in Glorot & Bengio (2010), biases 0; each with its gradient and Adadelta's two means.
function newNetwork(k, random) {
  const limit = Math.sqrt(6 / (PIXELS + k)), drawn = () => (2 * random() - 1) * limit;
  const zeros = (size) => ({ value: new Float32Array(size), gradient: new Float32Array(size), squares: new Float32Array(size), steps: new Float32Array(size) });
  const net = { k, encoder: zeros(PIXELS * k), code: zeros(k), decoder: zeros(k * PIXELS), pixels: zeros(PIXELS) };
  for (const part of [net.encoder, net.decoder]) part.value.forEach((_, i) => { part.value[i] = drawn(); });
  return net;
}

function reconstructed({ k, encoder, code, decoder, pixels }, x) {
  const z = Float32Array.from(code.value), y = Float32Array.from(pixels.value);
  const [into, out] = [encoder.value, decoder.value];
  for (let i = 0; i < PIXELS; i++) {
    const value = x[i];
    if (value) for (let j = 0, row = i * k; j < k; j++) z[j] += value * into[row + j];
  }
  for (let j = 0; j < k; j++) {
    const value = (z[j] = Math.max(z[j], 0));
    if (value) for (let i = 0, row = j * PIXELS; i < PIXELS; i++) y[i] += value * out[row + i];
  }
  for (let i = 0; i < PIXELS; i++) y[i] = 1 / (1 + Math.exp(-y[i]));
  return { z, y };
}

// Add one image's gradient, divided by the batch size, and return its loss.
function addGradient({ k, encoder, code, decoder, pixels }, x, { z, y }, count) {
  const [into, out, weights] = [encoder.gradient, decoder.gradient, decoder.value];
  const before = new Float32Array(PIXELS), slope = new Float32Array(k);  // gradients of the loss before sigmoid and ReLU
  let loss = 0;
  for (let i = 0; i < PIXELS; i++) {
    const p = Math.min(1 - EPSILON, Math.max(EPSILON, y[i]));
    if (x[i] > 0) loss -= x[i] * Math.log(p);
    if (x[i] < 1) loss -= (1 - x[i]) * Math.log(1 - p);
    before[i] = (y[i] - x[i]) / PIXELS / count;
    pixels.gradient[i] += before[i];
  }
  for (let j = 0; j < k; j++) {
    const value = z[j];
    if (!value) continue;  // ReLU has no gradient here
    let sum = 0;
    for (let i = 0, row = j * PIXELS; i < PIXELS; i++) {
      sum += before[i] * weights[row + i];
      out[row + i] += value * before[i];
    }
    slope[j] = sum;
    code.gradient[j] += sum;
  }
  for (let i = 0; i < PIXELS; i++) {
    const value = x[i];
    if (value) for (let j = 0, row = i * k; j < k; j++) into[row + j] += value * slope[j];
  }
  return loss / PIXELS;
}

// Zeiler (2012), as in Keras.
function adadelta({ value, gradient, squares, steps }, rate) {
  for (let i = 0; i < value.length; i++) {
    const g = gradient[i];
    squares[i] = RHO * squares[i] + (1 - RHO) * g * g;
    const step = Math.sqrt((steps[i] + EPSILON) / (squares[i] + EPSILON)) * g;
    steps[i] = RHO * steps[i] + (1 - RHO) * step * step;
    value[i] -= rate * step;
    gradient[i] = 0;
  }
}

// One epoch over the images in this order; returns the mean loss.
function trainEpoch(net, images, order, rate) {
  let loss = 0;
  for (let start = 0; start < order.length; start += BATCH) {
    const batch = order.slice(start, start + BATCH);
    for (const number of batch) loss += addGradient(net, images[number], reconstructed(net, images[number]), batch.length);
    for (const part of [net.encoder, net.code, net.decoder, net.pixels]) adadelta(part, rate);
  }
  return loss / order.length;
}

async function train(figure, { count }) {
  const mosaic = await pixelsOf(figure.querySelector("img"));
  const images = Array.from({ length: count }, (_, number) => tileOf(mosaic, number));
  const find = (name) => figure.querySelector(name);
  const [button, size, mended, says, ten] = [".go", ".size", ".mended", ".says", ".ten"].map(find);
  const [curve, before] = [".curve", ".before"].map(find), context = ten.getContext("2d");
  let running = 0;

  const show = (net) => images.slice(0, 10).forEach((x, i) => {
    paint(context, x, SIDE, i * SIDE, 0);
    paint(context, reconstructed(net, x).y, SIDE, i * SIDE, SIDE);
  });
  const stop = () => {
    running = 0;
    button.textContent = "Train";
  };
  const run = async () => {
    const mine = (running = performance.now()), random = randomFrom(8), net = newNetwork(Number(size.value), random);
    const rate = mended.checked ? 1 : 0.001, losses = [];
    before.setAttribute("points", curve.getAttribute("points") || "");
    button.textContent = "Stop";
    while (running === mine && losses.length < EPOCHS) {
      const loss = trainEpoch(net, images, shuffled(count, random), rate);
      losses.push(`${40 + (260 * losses.length) / (EPOCHS - 1)},${150 - 200 * loss}`);
      curve.setAttribute("points", losses.join(" "));
      says.textContent = `Epoch ${losses.length} of ${EPOCHS}: ${loss.toFixed(3)} nats per pixel, after ${((performance.now() - mine) / 1000).toFixed(1)} s.`;
      show(net);
      await new Promise((resolve) => setTimeout(resolve));
    }
    if (running === mine) stop();
  };
  button.addEventListener("click", () => (running ? stop() : run()));
  size.addEventListener("input", () => { find(".k").textContent = size.value; });
  show(newNetwork(Number(size.value), randomFrom(8)));
}
