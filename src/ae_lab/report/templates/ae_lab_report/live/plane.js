// The plane of two latents of a decoder, and the image decoded at one point.
const REACH = 3, TILES = 14, STEP = 0.1;  // standard deviations, tiles per side, step of an arrow key
const KEYS = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, STEP], ArrowDown: [0, -STEP] };

function plane(figure, { shape: [height, width], layers }) {
  const decode = network(layers);
  const map = figure.querySelector(".plane"), digit = figure.querySelector(".digit");
  const sliders = [...figure.querySelectorAll("input")], where = figure.querySelector(".where");
  const whole = map.getContext("2d"), one = digit.getContext("2d");
  [map.width, map.height, digit.width, digit.height] = [TILES * width, TILES * height, width, height];
  const centre = (tile) => (2 * (tile + 0.5) / TILES - 1) * REACH;
  let clearest = { grey: Infinity };
  for (let row = 0; row < TILES; row++)
    for (let column = 0; column < TILES; column++) {
      const at = [centre(column), -centre(row)], values = decode(at);
      paint(whole, values, width, column * width, row * height);
      // share of grey pixels, relative to white ones
      if (Math.max(...at.map(Math.abs)) > 2) continue;  // not for tiles at the edge
      const grey = values.reduce((sum, v) => sum + v * (1 - v), 0) / values.reduce((sum, v) => sum + v, 0);
      if (grey < clearest.grey) clearest = { grey, at };
    }
  const still = whole.getImageData(0, 0, map.width, map.height);

  const point = [0, 0];
  const move = (x, y) => {  // two decimals, so that the drawing matches the text
    [x, y].forEach((value, i) => {
      point[i] = Math.round(100 * Math.min(REACH, Math.max(-REACH, value))) / 100;
      sliders[i].value = point[i];
    });
    paint(one, decode(point), width);
    where.textContent = `z = (${point.map((v) => v.toFixed(2).replace("-", "−")).join(", ")})`;
    whole.putImageData(still, 0, 0);
    whole.beginPath();  // a circle around a tile, which stays visible
    whole.arc((point[0] / REACH + 1) / 2 * map.width, (1 - point[1] / REACH) / 2 * map.height, 0.6 * width, 0, 7);
    whole.lineWidth = 6; whole.strokeStyle = "#fff"; whole.stroke();
    whole.lineWidth = 3; whole.strokeStyle = "#d55e00"; whole.stroke();
  };
  const follow = (event) => {
    const box = map.getBoundingClientRect();
    move((2 * (event.clientX - box.left) / box.width - 1) * REACH, (1 - 2 * (event.clientY - box.top) / box.height) * REACH);
  };
  map.addEventListener("pointerdown", follow);
  map.addEventListener("pointermove", follow);  // a vertical finger movement scrolls the page
  map.addEventListener("keydown", (event) => {
    if (!KEYS[event.key]) return;
    event.preventDefault();
    move(point[0] + KEYS[event.key][0], point[1] + KEYS[event.key][1]);
  });
  for (const slider of sliders) slider.addEventListener("input", () => move(...sliders.map((s) => Number(s.value))));
  move(...clearest.at);
}
