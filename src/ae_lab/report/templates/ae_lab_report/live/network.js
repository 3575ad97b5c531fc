"use strict";
// A trained network from bytes: weights are integers of 8 or 16 bits, multiplied by the unit's scale.

// Abramowitz & Stegun (1964), 7.1.26: error below 2e-7.
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

const numbers = (text, Kind) => new Kind(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);

// For each i below count: add row first + i of the weights, times input[from + i], to the sums.
function addRows(sums, at, input, from, count, { weights, units }, first) {
  for (let i = 0; i < count; i++) {
    const value = input[from + i];
    if (value === 0) continue;  // most pixels of a digit are black, and half of ReLU's outputs are 0
    for (let unit = 0, row = (first + i) * units; unit < units; unit++) sums[at + unit] += value * weights[row + unit];
  }
}

// A convolution with TensorFlow's padding "same"; images are stored by row, pixel and channel.
function convolve(layer, input) {
  const { side, stride, kernel, units } = layer;
  const channels = input.length / (side * side), out = Math.ceil(side / stride);
  const before = Math.max((out - 1) * stride + kernel - side, 0) >> 1;
  const sums = new Float64Array(out * out * units);
  for (let place = 0; place < out * out; place++)
    for (let cell = 0; cell < kernel * kernel; cell++) {
      const y = Math.floor(place / out) * stride + Math.floor(cell / kernel) - before;
      const x = (place % out) * stride + (cell % kernel) - before;
      if (Math.min(x, y) < 0 || Math.max(x, y) >= side) continue;
      addRows(sums, place * units, input, (y * side + x) * channels, channels, layer, cell * channels);
    }
  return sums;
}

function network(packed) {
  const layers = packed.map((layer) => ({
    ...layer,
    weights: numbers(layer.weights, layer.bits === 16 ? Int16Array : Int8Array),
    scales: numbers(layer.scales, Float32Array),
    biases: numbers(layer.biases, Float32Array),
  })).map((layer) => ({ ...layer, units: layer.biases.length, activation: ACTIVATIONS[layer.activation] }));
  return (x) => layers.reduce((input, layer) => {
    const { units, scales, biases, activation } = layer;
    let sums = new Float64Array(units);
    if (layer.side) sums = convolve(layer, input);
    else addRows(sums, 0, input, 0, input.length, layer, 0);
    return sums.map((sum, i) => activation(sum * scales[i % units] + biases[i % units]));
  }, x);
}

// Draw an image with values from 0 to 1 on a canvas, with its corner at left, top.
function paint(context, values, width, left = 0, top = 0) {
  const image = context.createImageData(width, values.length / width);
  values.forEach((value, i) => image.data.set([255 * value, 255 * value, 255 * value, 255], 4 * i));
  context.putImageData(image, left, top);
}

// The brightness of an image's pixels, from 0 to 1, and the image's width.
async function pixelsOf(image) {
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  const bytes = context.getImageData(0, 0, canvas.width, canvas.height).data;
  return { width: canvas.width, values: Float32Array.from({ length: bytes.length / 4 }, (_, i) => bytes[4 * i] / 255) };
}

// Tile number of a mosaic of square tiles.
function tileOf({ values, width }, number, side = 28) {
  const across = width / side, left = (number % across) * side, top = Math.floor(number / across) * side;
  return Float32Array.from({ length: side * side }, (_, i) => values[(top + Math.floor(i / side)) * width + left + (i % side)]);
}

function element(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}
