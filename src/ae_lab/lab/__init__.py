"""The student's desk: what a notebook shows, records, claims and checks."""

from ae_lab.lab.logbook import Lab, start_lab
from ae_lab.lab.statistics import format_chance, format_interval, mcnemar, wilson_interval

__all__ = ["Lab", "format_chance", "format_interval", "mcnemar", "start_lab", "wilson_interval"]
