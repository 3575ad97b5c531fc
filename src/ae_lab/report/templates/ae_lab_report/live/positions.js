// A widget of the notebook: the images for all slider positions are tiles of one picture.
async function positions(figure, { sliders, rows, views, side, picture }) {
  const canvas = figure.querySelector(".rows"), names = figure.querySelector(".names");
  const mosaic = element("img", { src: `data:image/png;base64,${picture}` });
  await mosaic.decode();
  const across = mosaic.naturalWidth / side, context = canvas.getContext("2d");
  const draw = () => {
    const at = inputs.map((input) => Number(input.value));
    const view = views[at.reduce((place, value, i) => place * sliders[i].labels.length + value, 0)];
    const widest = Math.max(...view.map((row) => row.length - 1));
    [canvas.width, canvas.height] = [widest * side, view.length * side];
    view.forEach(([, ...tiles], y) => tiles.forEach((tile, x) => context.drawImage(
      mosaic, (tile % across) * side, Math.floor(tile / across) * side, side, side, x * side, y * side, side, side)));
    canvas.style.width = `${7 * widest}rem`;
    inputs.forEach((input, i) => {
      values[i].textContent = sliders[i].labels[at[i]];
      input.setAttribute("aria-valuetext", sliders[i].labels[at[i]]);
    });
    const labels = view.map(([label]) => rows[label]);
    names.replaceChildren(...labels.map((label) => element("span", { textContent: label })));
    canvas.setAttribute("aria-label", `Rows of images: ${labels.join("; ")}`);
  };
  const values = sliders.map(() => element("span", {}));
  const inputs = sliders.map(({ name, labels, start }, i) => {
    const input = element("input", { type: "range", min: 0, max: labels.length - 1 });
    input.value = start;
    input.addEventListener("input", draw);
    figure.querySelector(".sliders").append(element("label", {}, `${name}: `, values[i], input));
    return input;
  });
  draw();
}
