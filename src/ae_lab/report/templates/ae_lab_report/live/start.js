// Each part comes to life alone: what is wrong with one leaves its still figure and the others.
function bringToLife(what, how) {
  document.querySelectorAll(`.living[data-${what}]`).forEach(async (figure) => {
    try {
      await how(figure, JSON.parse(figure.dataset[what]));
      figure.classList.add("alive");
      figure.querySelector(".live").hidden = false;
    } catch (error) {
      console.warn(`The figure stays still: ${error.message}`);
    }
  });
}
bringToLife("decoder", plane);
bringToLife("positions", positions);
bringToLife("draw", draw);
bringToLife("train", train);
