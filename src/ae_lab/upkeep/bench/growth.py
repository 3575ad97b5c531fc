"""How the cost of an epoch grows with the images, the code and the image's size."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass, replace

from ae_lab.upkeep.bench.setting import Setting
from ae_lab.upkeep.bench.side import Side

WORK = "ours.dense"
LONG_ENOUGH = 1_200  # steps: a shorter training is not compiled, and costs another price


@dataclass(frozen=True)
class Series:
    """Seconds an epoch (``seconds``) at each of ``sizes``, all else as usual."""

    label: str
    sizes: tuple[int, ...]
    seconds: tuple[float, ...]


def plan(small: bool) -> dict[str, dict[int, Setting]]:
    """What is turned, label → size → setting; the usual one stands in each."""
    usual = Setting(images=200, small=True) if small else Setting()
    images = (100, 200) if small else (6_875, 13_750, 27_500, 55_000)
    codes = (16, 32) if small else (8, 32, 128, 512)
    sides = (14, 28) if small else (14, 28, 56)
    return {
        "images": {n: replace(usual, images=n) for n in images},
        "numbers in the code": {n: replace(usual, latent_dim=n) for n in codes},
        "pixels an image": {n * n: replace(usual, side=n) for n in sides},
    }


def measure_growth(repeats: int, small: bool, say: Callable[[str], None]) -> list[Series]:
    """The median of ``repeats`` epochs at each point; equal settings are measured once."""
    known: dict[Setting, float] = {}
    found = []
    for label, settings in plan(small).items():
        say(f"growth with {label}\n")
        for setting in settings.values():
            if setting not in known:
                known[setting] = _median_epoch(setting, repeats)
        seconds = tuple(known[setting] for setting in settings.values())
        found.append(Series(label, tuple(settings), seconds))
    return found


def _median_epoch(setting: Setting, repeats: int) -> float:
    steps = -(-(setting.images or 55_000) // setting.batch_size)
    epochs = repeats + 1 if setting.small else max(repeats + 1, -(-LONG_ENOUGH // steps))
    with Side(WORK, replace(setting, epochs=epochs)) as side:
        return statistics.median(side.ask().value for _ in range(repeats))
