"""The verb ``reproducibility``: one notebook's figures on machines as unlike as one can play."""

import importlib.util
import math
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

import jinja2

from ae_lab.errors import LabError
from ae_lab.report.build import say_now
from ae_lab.report.execute.environment import THREADS, caller_environment
from ae_lab.report.execute.run import Say
from ae_lab.report.files import one_sentence, read_json, write_json, write_text
from ae_lab.settings import Settings

NOTEBOOK = "01_dense_autoencoder"
# A fresh process each. The first is how a report runs; the second must equal it to the bit.
VARIATIONS = {
    "as the report runs": {},
    "the same once more": {},
    "two threads": dict.fromkeys(THREADS, "2"),
    "four threads": dict.fromkeys(THREADS, "4"),
    "without oneDNN": {"TF_ENABLE_ONEDNN_OPTS": "0"},
    "AVX2 only": {"ONEDNN_MAX_CPU_ISA": "AVX2"},
    "on JAX": {"KERAS_BACKEND": "jax"},
    "on PyTorch": {"KERAS_BACKEND": "torch"},
}


def reproducibility(
    settings: Settings,
    notebook: str = NOTEBOOK,
    variations: dict[str, dict[str, str]] = VARIATIONS,
    say: Say = say_now,
) -> Path:
    """Run a notebook under each variation; write the spread of its figures, return the page.

    Parameters
    ----------
    settings : as for a report; its profile decides how long a notebook trains.
    variations : name → environment variables; a backend that is not installed is left out.

    Raises
    ------
    LabError
        If a run fails, or the report folder cannot be written.
    """
    chosen = {name: change for name, change in variations.items() if _can_be_had(change)}
    with one_sentence(settings.report_folder), tempfile.TemporaryDirectory() as folder:
        runs = {}
        for number, (name, change) in enumerate(chosen.items()):
            say(f"  {notebook}, {name} ({number + 1} of {len(chosen)})\n")
            runs[name] = _figures(settings, notebook, change, Path(folder) / str(number))
        found = summary(settings, notebook, chosen, runs)
        settings.report_folder.mkdir(parents=True, exist_ok=True)
        write_json(settings.report_folder / "reproducibility.json", found)
        page = settings.report_folder / "reproducibility.html"
        write_text(page, _render(found))
    say(f"Open {page}\n")
    return page


def summary(settings: Settings, notebook: str, variations: dict, runs: dict[str, dict]) -> dict:
    """What the page shows: the runs, and of each figure its values and their spread.

    Parameters
    ----------
    runs : variation → {figure: value}; the first is what the others are held against.
    """
    from ae_lab import data

    source = data.prepare(settings)
    reference = read_json(settings.project_folder / "reports" / "reference.json") or {}
    kept = reference.get(f"{settings.profile}, {source}", {})
    first = next(iter(runs.values()))
    figures = [_figure(name, runs, kept.get(name, {}).get("tolerance")) for name in first]
    return {
        "notebook": notebook,
        "profile": settings.profile,
        "seed": settings.seed,
        "data": source,
        "machine": f"{platform.machine()}, {os.cpu_count()} processors, {platform.system()}",
        "runs": [
            {"name": name, "set": variations[name], "equal": values == first}
            for name, values in runs.items()
        ],
        "figures": figures,
    }


def _figure(name: str, runs: dict[str, dict], tolerance: float | None) -> dict:
    values = [run[name] for run in runs.values()]
    low, high, base = min(values), max(values), values[0]
    limit = math.inf if tolerance is None else tolerance
    strays = [run for run, found in runs.items() if abs(found[name] - base) > limit]
    return {
        "name": name,
        "values": values,
        "spread": high - low,
        "tolerance": tolerance,
        "within": None if tolerance is None else not strays,
        "strays": strays,
    }


def _can_be_had(change: dict[str, str]) -> bool:
    backend = change.get("KERAS_BACKEND", "tensorflow")
    return importlib.util.find_spec(backend) is not None


def _figures(settings: Settings, notebook: str, change: dict[str, str], folder: Path) -> dict:
    """Name → value of what the notebook records, run in a process of its own."""
    command = [sys.executable, "-m", "ae_lab", "report", "--notebook", notebook]
    own = {
        "AE_LAB_PROFILE": settings.profile,
        "AE_LAB_SEED": str(settings.seed),
        "AE_LAB_DATA": str(settings.data_folder or ""),
        "AE_LAB_REPORTS": str(folder),
    }
    done = subprocess.run(
        command,
        env=caller_environment() | own | change,
        cwd=settings.project_folder,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise LabError(f"{notebook} must run with {change}, received {reason}")
    metrics = read_json(folder / settings.profile / "metrics.json") or []
    return {metric["name"]: metric["value"] for metric in metrics}


def _render(found: dict) -> str:
    from ae_lab.report.render.exporter import TEMPLATES, page_css, page_policy

    css = page_css(formulas=False)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES / "ae_lab_report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
    template = environment.get_template("reproducibility.html.j2")
    return template.render(css=css, policy=page_policy(css), found=found)
