"""What students use in a notebook to show and record results, test claims, check exercises."""

from ae_lab.lab.conditions import at_least, at_most, better_than, between, control, more_correct
from ae_lab.lab.logbook import Lab, start_lab
from ae_lab.lab.parameters import knob
from ae_lab.lab.readings import either
from ae_lab.lab.statistics import (
    format_chance,
    format_interval,
    mcnemar,
    paired_gain,
    wilson_interval,
)

__all__ = [
    "Lab",
    "at_least",
    "at_most",
    "better_than",
    "between",
    "control",
    "either",
    "format_chance",
    "format_interval",
    "knob",
    "mcnemar",
    "more_correct",
    "paired_gain",
    "start_lab",
    "wilson_interval",
]
