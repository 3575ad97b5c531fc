"""Live progress of a training, in one output of the notebook."""

import html
import time

WIDTH, HEIGHT = 260, 60  # of the plot, in pixels
CURVES = {  # name in the logs: label, colour, dashes
    "loss": ("training", "#0072b2", ""),
    "val_loss": ("validation", "#d55e00", "5 3"),
}


def is_live() -> bool:
    """Whether the code runs in a notebook: in IPython with a kernel, not in a script."""
    try:
        from IPython import get_ipython
    except ImportError:
        return False
    return hasattr(get_ipython(), "kernel")


class Progress:
    """For ``on_epoch`` of a training: redraws a progress bar, the last losses and their curves.

    ``epochs`` is the number of epochs, ``title`` describes what is trained. The final output shows
    no time, so a stored notebook is the same after each run.
    """

    def __init__(self, epochs: int, title: str):
        self.epochs, self.title = epochs, title
        self.history: dict[str, list[float]] = {}
        self.started = time.perf_counter()
        self.handle = None

    def __call__(self, epoch: int, logs: dict[str, float]) -> None:
        """Add an ``epoch``, counted from 0; ``logs`` contains its losses by name."""
        from IPython.display import display

        for name in CURVES.keys() & logs.keys():
            self.history.setdefault(name, []).append(float(logs[name]))
        done = epoch + 1
        losses = [f"{CURVES[n][0]} {self.history[n][-1]:.4g}" for n in CURVES if n in self.history]
        line = "  ".join([f"{self.title}: epoch {done} of {self.epochs}", *losses])
        left = (time.perf_counter() - self.started) / done * (self.epochs - done)
        time_left = f" about {left:.0f} s left" if done < self.epochs else ""
        bar = f'<progress value="{done}" max="{self.epochs}"></progress>'
        markup = f"<div>{html.escape(line)} {bar}{time_left}</div>{self._curves()}"
        bundle = {"text/html": markup, "text/plain": line}
        if self.handle is None:
            self.handle = display(bundle, raw=True, display_id=True)
        else:
            self.handle.update(bundle, raw=True)

    def _curves(self) -> str:
        values = [value for series in self.history.values() for value in series]
        low, high = min(values, default=0), max(values, default=0)
        across, up = max(self.epochs - 1, 1), (high - low) or 1
        lines = ""
        for name, series in sorted(self.history.items()):
            points = " ".join(
                f"{2 + (WIDTH - 4) * i / across:.1f},{2 + (HEIGHT - 4) * (high - v) / up:.1f}"
                for i, v in enumerate(series)
            )
            _, colour, dashes = CURVES[name]
            lines += f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2" '
            lines += f'stroke-dasharray="{dashes}"/>'
        label = f"Loss by epoch, between {low:.4g} and {high:.4g}; validation dashed."
        svg = f'<svg width="{WIDTH}" height="{HEIGHT}" role="img" aria-label="{label}">'
        return f"{svg}{lines}</svg>"
