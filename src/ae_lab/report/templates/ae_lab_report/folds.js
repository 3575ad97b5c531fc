// Code is folded at first. One button opens or folds all of it; other pages use the same state.
{
  const KEY = "ae_lab.code", button = document.querySelector(".folds");
  const folds = document.querySelectorAll("details.fold");
  const stored = (...value) => {
    try { return value.length ? localStorage.setItem(KEY, ...value) : localStorage.getItem(KEY); }
    catch { return null; }  // some browsers store nothing for local files
  };
  const show = (open) => {
    for (const fold of folds) fold.open = open || fold.classList.contains("failed");
    button.textContent = open ? "Fold all code" : "Show all code";
    button.setAttribute("aria-pressed", open);
  };
  button.addEventListener("click", () => {
    const open = button.getAttribute("aria-pressed") !== "true";
    stored(open ? "open" : "folded");
    show(open);
  });
  button.hidden = !folds.length;
  show(stored() === "open");
}
