"""A training's epochs as they come: a bar, two curves and a line an epoch, in one place.

For notebooks at work. Nothing but figures of the training is shown once it is over, no clock,
so that a stored notebook is the same after each run.
"""

import html
import time

WIDTH, HEIGHT = 260, 60  # of the curves, in pixels
SERIES = {"loss": "training", "val_loss": "validation"}
COLOURS = {"loss": "#0072b2", "val_loss": "#d55e00"}  # told apart by dashes, too


def is_live() -> bool:
    """Whether a notebook is looking on: IPython with a kernel, not a script."""
    try:
        from IPython import get_ipython
    except ImportError:
        return False
    return hasattr(get_ipython(), "kernel")


class Progress:
    """A function of (epoch, logs) for ``on_epoch``, which redraws one output at each call.

    Parameters
    ----------
    epochs : how many will come.
    title : what is trained, in words.
    """

    def __init__(self, epochs: int, title: str):
        self.epochs, self.title = epochs, title
        self.history: dict[str, list[float]] = {}
        self.started = time.perf_counter()
        self.handle = None

    def __call__(self, epoch: int, logs: dict) -> None:
        from IPython.display import display

        for name in SERIES:
            if name in logs:
                self.history.setdefault(name, []).append(float(logs[name]))
        bundle = {"text/html": self.markup(), "text/plain": self.line()}
        if self.handle is None:
            self.handle = display(bundle, raw=True, display_id=True)
        else:
            self.handle.update(bundle, raw=True)

    @property
    def done(self) -> int:
        """Epochs so far."""
        return max(map(len, self.history.values()), default=0)

    def line(self) -> str:
        """The last epoch in one line."""
        figures = "  ".join(f"{SERIES[n]} {values[-1]:.4g}" for n, values in self.history.items())
        return f"{self.title}: epoch {self.done} of {self.epochs}  {figures}"

    def markup(self) -> str:
        """Bar, curves and table; the table is folded once the training is over."""
        over = self.done >= self.epochs
        bar = f'<progress value="{self.done}" max="{self.epochs}"></progress>'
        return (
            f"<div>{html.escape(self.line())} {bar}{'' if over else self._left()}</div>"
            f"{self._curves()}<details{'' if over else ' open'}><summary>epochs</summary>"
            f'<div style="max-height:14em;overflow:auto">{self._table()}</div></details>'
        )

    def _left(self) -> str:
        spent = time.perf_counter() - self.started
        return f" about {spent / self.done * (self.epochs - self.done):.0f} s left"

    def _curves(self) -> str:
        values = [value for series in self.history.values() for value in series]
        low, high = min(values), max(values)
        across, up = max(self.epochs - 1, 1), (high - low) or 1
        lines = ""
        for name, series in self.history.items():
            points = " ".join(
                f"{2 + (WIDTH - 4) * i / across:.1f},{2 + (HEIGHT - 4) * (high - v) / up:.1f}"
                for i, v in enumerate(series)
            )
            dashes = ' stroke-dasharray="5 3"' if name == "val_loss" else ""
            lines += (
                f'<polyline points="{points}" fill="none" stroke="{COLOURS[name]}" '
                f'stroke-width="2"{dashes}/>'
            )
        label = f"Loss by epoch, from {high:.4g} down to {low:.4g}; validation dashed."
        return (
            f'<svg width="{WIDTH}" height="{HEIGHT}" role="img" aria-label="{label}">{lines}</svg>'
        )

    def _table(self) -> str:
        """One line an epoch, the newest on top, where it is seen."""
        head = "".join(f'<th scope="col">{SERIES[name]}</th>' for name in self.history)
        rows = "".join(
            f'<tr><th scope="row">{i + 1}</th>'
            + "".join(f"<td>{values[i]:.4g}</td>" for values in self.history.values())
            + "</tr>"
            for i in reversed(range(self.done))
        )
        return f'<table><tr><th scope="col">epoch</th>{head}</tr>{rows}</table>'
