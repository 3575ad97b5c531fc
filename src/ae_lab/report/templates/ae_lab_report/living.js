"use strict";
// Abramowitz & Stegun (1964), 7.1.26: off by less than 2e-7.
const erf = (x) => {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const sum = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return Math.sign(x) * (1 - sum * Math.exp(-x * x));
};
const ACTIVATIONS = {
  linear: (x) => x,
  relu: (x) => Math.max(x, 0),
  gelu: (x) => (x / 2) * (1 + erf(x / Math.SQRT2)),
  silu: (x) => x / (1 + Math.exp(-x)),
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  tanh: Math.tanh,
};
const REACH = 3, TILES = 14, STEP = 0.1;  // standard deviations, tiles a side, an arrow key
const KEYS = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, STEP], ArrowDown: [0, -STEP] };

const numbers = (text, Kind) => new Kind(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);

function network(packed) {
  const layers = packed.map((layer) => ({
    weights: numbers(layer.weights, Int8Array),
    scales: numbers(layer.scales, Float32Array),
    biases: numbers(layer.biases, Float32Array),
    activation: ACTIVATIONS[layer.activation],
  }));
  return (z) => layers.reduce((input, { weights, scales, biases, activation }) => {
    const sums = new Float64Array(biases.length);
    input.forEach((value, i) => {
      for (let j = 0; j < sums.length; j++) sums[j] += value * weights[i * sums.length + j];
    });
    return sums.map((sum, j) => activation(sum * scales[j] + biases[j]));
  }, z);
}

function bringToLife(figure) {
  const { shape: [height, width], layers } = JSON.parse(figure.dataset.decoder);
  const decode = network(layers);
  const plane = figure.querySelector(".plane"), digit = figure.querySelector(".digit");
  const map = plane.getContext("2d"), one = digit.getContext("2d");
  const draw = (context, z, left, top) => {
    const image = context.createImageData(width, height);
    decode(z).forEach((value, i) => image.data.set([255 * value, 255 * value, 255 * value, 255], 4 * i));
    context.putImageData(image, left, top);
  };
  [plane.width, plane.height, digit.width, digit.height] = [TILES * width, TILES * height, width, height];
  const centre = (tile) => (2 * (tile + 0.5) / TILES - 1) * REACH;
  for (let row = 0; row < TILES; row++)
    for (let column = 0; column < TILES; column++)
      draw(map, [centre(column), -centre(row)], column * width, row * height);
  const still = map.getImageData(0, 0, plane.width, plane.height);

  const point = [0, 0];
  const move = (x, y) => {  // two decimals: what is drawn is what is said
    [x, y].forEach((value, i) => { point[i] = Math.round(100 * Math.min(REACH, Math.max(-REACH, value))) / 100; });
    draw(one, point, 0, 0);
    figure.querySelector(".where").textContent = `z = (${point.map((v) => v.toFixed(2)).join(", ")})`;
    map.putImageData(still, 0, 0);
    map.beginPath();
    map.arc((point[0] / REACH + 1) / 2 * plane.width, (1 - point[1] / REACH) / 2 * plane.height, 9, 0, 7);
    map.lineWidth = 7; map.strokeStyle = "#fff"; map.stroke();
    map.lineWidth = 3; map.strokeStyle = "#d55e00"; map.stroke();
  };
  plane.addEventListener("pointermove", (event) => {
    const box = plane.getBoundingClientRect();
    move((2 * (event.clientX - box.left) / box.width - 1) * REACH, (1 - 2 * (event.clientY - box.top) / box.height) * REACH);
  });
  plane.addEventListener("keydown", (event) => {
    if (!KEYS[event.key]) return;
    event.preventDefault();
    move(point[0] + KEYS[event.key][0], point[1] + KEYS[event.key][1]);
  });
  move(0, 0);
  figure.classList.add("alive");
  figure.querySelector(".live").hidden = false;
}

document.querySelectorAll(".living[data-decoder]").forEach(bringToLife);
