// Each part starts separately: if one fails, its static figure and the other parts remain.
function bringToLife(what, how) {
  document.querySelectorAll(`.living[data-${what}]`).forEach(async (figure) => {
    try {
      await how(figure, JSON.parse(figure.dataset[what]));
      figure.classList.add("alive");
      figure.querySelector(".live").hidden = false;
    } catch (error) {
      console.warn(`The figure stays static: ${error.message}`);
    }
  });
}
bringToLife("decoder", plane);
bringToLife("positions", positions);
bringToLife("draw", draw);
bringToLife("train", train);
