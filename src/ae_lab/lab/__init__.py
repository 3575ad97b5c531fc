"""What a notebook says at its start and as it goes: figures, numbers, claims.

``lab = start_lab("01_dense_autoencoder")`` reads the settings; each call after it shows its
line in the notebook and rewrites one JSON file, from which the report makes its index.
"""

import contextlib
import importlib.metadata
import json
import math
import numbers
import os
import platform
import random
import re
import sys
import time
from pathlib import Path

import numpy as np

from ae_lab.errors import LabError
from ae_lab.lab import exercises
from ae_lab.lab.display import show_claim, show_figure, show_metric, show_table
from ae_lab.lab.feedback import NOT_FINITE, Yardsticks, beside_reference, judge
from ae_lab.lab.progress import Progress, is_live
from ae_lab.lab.statistics import format_chance, format_interval, wilson_interval
from ae_lab.lab.verdicts import CLAIMS, conditions_of, is_met, verdict
from ae_lab.settings import Settings

__all__ = ("DECODER", "Lab", "format_chance", "format_interval", "start_lab", "wilson_interval")
VERSIONS_OF = ("ae_lab", "tensorflow", "keras", "numpy", "matplotlib", "scikit-learn")
DECODER = "application/vnd.ae-lab.decoder+json"  # a media type of our own, for pages that decode
NO_NUMBER = re.compile(r"(?<![\w.])[-+]?(nan|inf)(?!\w)")  # as Python writes them


def start_lab(notebook: str, settings: Settings | None = None) -> "Lab":
    """Begin a notebook: read the settings, say which profile and seed are at work, seed Python.

    Keras draws the seed of a layer that makes noise from Python's generator when the layer is
    built, which a notebook may do before its first ``training.seed_everything``.

    Raises
    ------
    LabError
        If a setting in the environment is wrong, or Keras was told to compute in another
        precision than single.
    """
    _check_precision()
    settings = settings or Settings.from_environment()
    random.seed(settings.seed)
    return Lab(notebook, settings)


class Lab:
    """One notebook's log book. Made by ``start_lab``."""

    def __init__(self, notebook: str, settings: Settings):
        self.notebook = notebook
        self.settings = settings
        self.seed = settings.seed
        self._yardsticks = Yardsticks()
        self._log = {
            "notebook": notebook,
            "run": {"profile": settings.profile, "seed": settings.seed, **_versions()},
            "metrics": [],
            "claims": [],
            "timings": {},
        }
        print(f"Profile {settings.profile}, seed {settings.seed}.")

    def choose(self, *, quick, full):
        """The value for the profile at work: a notebook's numbers stand side by side."""
        return full if self.settings.profile == "full" else quick

    def load_mnist(self):
        """``data.load_mnist`` with these settings, its source said here and in the report."""
        from ae_lab import data

        dataset = data.load_mnist(self.settings)
        self._log["run"] |= {
            "data": dataset.source,
            "comparable": dataset.comparable,
            "data_sha256": dataset.sha256,
        }
        self._yardsticks = Yardsticks(dataset)
        self._write()
        print(f"{dataset.source}.")
        if self.settings.dataset != "mnist":
            name = Path(self.settings.dataset).stem
            print(f"The text speaks of digits; these are {name}.")
        return dataset

    def record(
        self, name, value, unit, *, published=None, source=None, at_most=None, at_least=None
    ):
        """Record a figure, show it, and say how good it is.

        Said are the floor, the baselines, the published figure and the goal, where there are
        any, and what a telltale figure gives away. A reader at work also sees what this profile
        is known to reach; a report does not, for it is where that knowledge comes from.

        Parameters
        ----------
        name : "<kind>.<quantity>", for example "dense.test_bce".
        value : finite number.
        unit : in words, for example "nats/pixel".
        published, source : the figure in print, and where.
        at_most, at_least : what this project set out to reach in the full profile.

        Raises
        ------
        LabError
            If ``value`` is not a finite number: a figure that is none must not reach a report.
        """
        if not isinstance(value, numbers.Real) or not math.isfinite(value):
            raise LabError(
                f"{name} must be a finite number, received {value!r}: look at the losses above, "
                f"a training that diverged shows there first. {NOT_FINITE}"
            )
        if not self._log["run"].get("comparable", True):
            published = source = None  # other images: nothing in print to compare with
        goal = {"at_most": at_most, "at_least": at_least}
        goal = {bound: value for bound, value in goal.items() if value is not None}
        metric = {
            "notebook": self.notebook,
            "name": name,
            "value": float(f"{value:.6g}"),
            "unit": unit,
            "published": published,
            "source": source,
            "goal": goal or None,
        }
        metric["words"] = judge(metric, self._yardsticks, self.settings.profile)
        _replace(self._log["metrics"], "name", metric)
        self._write()
        show_metric(metric, self._reference(metric))

    def _reference(self, metric):
        source = self._log["run"].get("data")
        if self.settings.record_folder is not None or source is None:
            return ""
        return beside_reference(metric["name"], metric["value"], self.settings, source)

    def claim(self, id, sentence=None, *, holds, evidence):
        """Put a claim to its test and show the verdict, which is computed from ``holds``.

        Parameters
        ----------
        id : a key of ``claims.CLAIMS``, or a new one for a prediction of this notebook.
        sentence : what is claimed; left out for a claim of the handout.
        holds : the condition, or a dict {name: condition}. A condition is a number, by how much it
            is met, 0 or below where it is not, in any unit; or True or False. Over many seeds a
            number's interval decides, of a bool the bare count. All met: "holds"; none: "does not
            hold"; otherwise it "depends", and the conditions are named.
        evidence : the numbers behind it, in words, formatted from variables.

        Raises
        ------
        LabError
            If there is no sentence for ``id``, a condition is neither a finite number nor a bool,
            or the evidence holds NaN or infinity.
        """
        _check_said(id, evidence)
        if sentence is None and id not in CLAIMS:
            raise LabError(
                f"a claim must be one of the ledger's or bring its sentence, received {id!r}: "
                "look it up in ae_lab.lab.verdicts."
            )
        conditions = conditions_of(id, holds)
        words = evidence + _in_words(conditions)
        self._verdict(id, sentence or CLAIMS[id], verdict(conditions), words, conditions)

    def untested(self, id, *, reason):
        """List a claim of the handout as untested here, with the reason.

        Raises
        ------
        LabError
            If ``id`` is not a key of ``claims.CLAIMS``.
        """
        if id not in CLAIMS:
            raise LabError(
                f"untested must name a claim of the ledger, received {id!r}: "
                "look it up in ae_lab.lab.verdicts."
            )
        self._verdict(id, CLAIMS[id], "untested", reason, {})

    def show(self, fig, *, alt, besides=None):
        """Show a Matplotlib figure, sharp on dense screens, with a text for who cannot see it.

        ``besides`` holds further forms of it, {media type: data}.

        Raises
        ------
        LabError
            If ``alt`` says next to nothing.
        """
        if len(alt.split()) < 5:
            raise LabError(
                f"alt must tell in a sentence what the figure shows, received {alt!r}: "
                "name what is drawn and what can be seen in it."
            )
        show_figure(fig, alt, besides or {})

    def living(self, fig, decoder, *, alt):
        """Show a figure in whose place the report's page decodes any point of a latent plane.

        Parameters
        ----------
        fig, alt : as in ``show``; on paper, in the notebook and without scripts they stay.
        decoder : dict from ``models.portable_decoder``.
        """
        self.show(fig, alt=alt, besides={DECODER: decoder})

    def table(self, columns, rows, *, caption):
        """Show rows (lists of cells; the first is the row's header) under named columns.

        Raises
        ------
        LabError
            If a row has another number of cells than there are columns, or holds NaN.
        """
        for row in rows:
            _check_said(caption, *map(str, row))
            if len(row) != len(columns):
                raise LabError(
                    f"a table row must have {len(columns)} cells, received {len(row)}: {row!r}; "
                    "give one cell a column."
                )
        show_table(columns, rows, caption)

    def epochs(self, history, *, caption, most=8):
        """Show a history as a table of at most ``most`` epochs, the first and last included."""
        names = list(history)
        total = len(history[names[0]])
        shown = sorted({round(i) for i in np.linspace(0, total - 1, min(most, total))})
        rows = [[str(i + 1), *(f"{history[name][i]:.4g}" for name in names)] for i in shown]
        self.table(["epoch", *(name.replace("_", " ") for name in names)], rows, caption=caption)

    def progress(self, epochs, title="training"):
        """For ``on_epoch`` of a training: its epochs as they come, live; None in a report."""
        quiet = self.settings.record_folder is not None or not is_live()
        return None if quiet else Progress(epochs, title)

    def check_exercise(self, id, answer=None):
        """Say whether an answer to an exercise is right, or what is wrong with it.

        Parameters
        ----------
        id : "<notebook>.<exercise>", for example "03.2".
        answer : what the exercise asks for; without it, that is said.

        Raises
        ------
        LabError
            If there is no such exercise.
        """
        print(exercises.check(id, answer, self._yardsticks).words)

    def keep_model(self, model, name):
        """Keep a trained model as ``models/<name>.keras`` beside the report's pages.

        Outside a report run nothing is kept. ``models.load_model`` reads it back.

        Parameters
        ----------
        name : the kind's, or "classifier"; lower-case letters and underscores.

        Raises
        ------
        LabError
            If ``name`` is none: it becomes the name of a file.
        """
        if not re.fullmatch("[a-z][a-z_]*", name):
            raise LabError(
                f"a model's name must be of lower-case letters and underscores, received {name!r}: "
                "take the kind's name, for example deep."
            )
        if self.settings.record_folder is None:
            return
        folder = Path(self.settings.record_folder) / self.notebook
        folder.mkdir(parents=True, exist_ok=True)
        model.save(folder / f"{name}.keras")

    @contextlib.contextmanager
    def timer(self, name):
        """Time a block. Seconds go to the log, never onto the page, which must not change."""
        start = time.perf_counter()
        yield
        self._log["timings"][name] = round(time.perf_counter() - start, 2)
        self._write()

    def _verdict(self, id, sentence, verdict, evidence, conditions):
        claim = {
            "id": id,
            "kind": "handout" if id in CLAIMS else "prediction",
            "sentence": sentence,
            "verdict": verdict,
            "evidence": evidence,
            "conditions": conditions,
        }
        _replace(self._log["claims"], "id", claim)
        self._write()
        show_claim(claim)

    def _write(self):
        folder = self.settings.record_folder
        if folder is None:
            return
        path = Path(folder) / f"{self.notebook}.json"
        temporary = path.with_suffix(".json.part")
        temporary.write_text(json.dumps(self._log, indent=1, ensure_ascii=False), encoding="utf-8")
        os.replace(temporary, path)


def _versions() -> dict:
    found = {"python": platform.python_version()}
    for name in VERSIONS_OF:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return {"backend": _backend(), "versions": found}


def _backend() -> str:
    keras = sys.modules.get("keras")  # imported by the notebook; this module must not
    return keras.backend.backend() if keras else "none"


def _check_precision() -> None:
    keras = sys.modules.get("keras")
    if keras and keras.config.floatx() != "float32":
        raise LabError(
            f"Keras must compute in float32, received {keras.config.floatx()}: take floatx out of "
            "keras.json in the folder .keras of your home folder, and restart the kernel."
        )


def _replace(entries, key, entry):
    """Add ``entry``, in place of an earlier one of the same name when a cell is run again."""
    entries[:] = [e for e in entries if e[key] != entry[key]] + [entry]


def _check_said(where, *texts) -> None:
    """Raise a LabError for NaN or infinity in words: a comparison with them proves nothing."""
    if found := [text for text in texts if NO_NUMBER.search(text)]:
        raise LabError(
            f"{where} must be told in finite numbers, received {found[0]!r}: look at the losses "
            "above, a training that diverged shows there first."
        )


def _in_words(conditions) -> str:
    """The conditions that have a name, and whether each is met."""
    named = {name: value for name, value in conditions.items() if name}
    return "".join(f"; {name}: {'yes' if is_met(value) else 'no'}" for name, value in named.items())
