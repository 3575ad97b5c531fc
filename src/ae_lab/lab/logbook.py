"""A notebook's log book: shows results in the notebook, and stores them for the report.

``lab = start_lab("01_dense_autoencoder")`` reads the settings. Each method shows its result in the
notebook. In a report run, values, claims and timings also go to one JSON file.
"""

import contextlib
import gc
import html
import importlib.metadata
import json
import math
import numbers
import platform
import re
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ae_lab.errors import LabError
from ae_lab.files import write_text
from ae_lab.lab import display, exercises, handed_in
from ae_lab.lab.conditions import Condition
from ae_lab.lab.feedback import beside_reference, compare
from ae_lab.lab.parameters import Knob, chosen, in_words
from ae_lab.lab.progress import Progress, is_live
from ae_lab.lab.readings import Branch, lines_of
from ae_lab.lab.records import DECODER, DIRECTIONS, Claim, Metric
from ae_lab.lab.verdicts import CLAIMS, NOT_JUDGED, PREDICTIONS, verdict, when_written
from ae_lab.settings import Settings

if TYPE_CHECKING:
    import keras
    from matplotlib.figure import Figure

    from ae_lab.data import Dataset

VERSIONS_OF = ("ae_lab", "tensorflow", "keras", "numpy", "matplotlib", "scikit-learn")
NO_NUMBER = re.compile(r"(?<![\w.])[-+]?(nan|inf)(?!\w)")  # as printed by Python
NOT_FINITE = (
    "look at the losses above, where a diverging training shows first. Likely causes of NaN "
    "and infinity: a learning rate that is too large, pixels outside [0, 1], the logarithm of a "
    "probability that reached 0, a log-variance that diverged, or a division by an empty set."
)


def start_lab(notebook: str, settings: Settings | None = None) -> "Lab":
    """Start a notebook: read the settings; print profile and seed.

    Nothing is seeded here. Call ``training.seed_everything(lab.seed)`` before building a model or
    a layer that draws random numbers. A LabError is raised for an invalid setting in the
    environment, or if Keras is configured for a precision other than single.

    Parameters
    ----------
    notebook : name of the notebook's file, without suffix.
    settings : settings of the run; None for those of the environment.
    """
    keras = sys.modules.get("keras")  # if the notebook imported it; this module must not
    if keras and keras.config.floatx() != "float32":
        raise LabError(
            f"Keras must compute in float32, received {keras.config.floatx()}: take floatx out of "
            "keras.json in the folder .keras of your home folder, and restart the kernel."
        )
    # The garbage collector need not check the libraries' objects again for each model. Only once:
    # a second freeze would keep objects that an earlier run of the cells has released.
    if not gc.get_freeze_count():
        gc.freeze()
    settings = settings or Settings.from_environment()
    if settings.profile == "smoke" and keras and keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.run_functions_eagerly(True)  # compiling takes longer than these few steps
        warnings.filterwarnings("ignore", "Even though the `tf.config.experimental_run_functions")
        warnings.filterwarnings("ignore", "the training did not learn")
    return Lab(notebook, settings)


class Lab:
    """One notebook's log book, created by ``start_lab`` from its ``notebook`` and ``settings``."""

    def __init__(self, notebook: str, settings: Settings):
        self.notebook = notebook
        self.settings = settings
        self.seed = settings.seed
        self._dataset = None
        self._run = {"profile": settings.profile, "seed": settings.seed, **_versions()}
        self._metrics: dict[str, Metric] = {}
        self._claims: dict[str, Claim] = {}
        self._timings: dict[str, float] = {}
        self._headlines: dict[str, None] = {}  # used as an ordered set
        self._answers: dict[str, exercises.Outcome] = {}
        self._desk = exercises.Desk(judged=settings.profile != "smoke")
        print(f"Profile {settings.profile}, seed {settings.seed}.")

    def parameters(self, **knobs: Knob) -> tuple:
        """The knobs of this notebook, shown as a table.

        An environment variable sets a knob from outside, for example AE_LAB_SET_LATENT_DIM=2. A
        LabError is raised for an unknown knob, and for a value of another type or out of bounds.

        Parameters
        ----------
        knobs : name to `parameters.knob`.

        Returns
        -------
        A named tuple of the values for this profile, for example ``p.latent_dim``.
        """
        few = self._dataset is not None and self._dataset.is_small
        values, changed = chosen(knobs, self.settings.profile, few, dict(self.settings.knobs))
        self._run["changed"] = {name: in_words(value) for name, value in changed.items()}
        self._write()
        rows = [
            [name, in_words(value) + " (changed)" * (name in changed), one.unit, one.meaning]
            for (name, one), value in zip(knobs.items(), values, strict=True)
        ]
        caption = f"The knobs of this notebook, profile {self.settings.profile}"
        self.table(["name", "value", "unit", "meaning"], rows, caption=caption)
        return values

    def load_mnist(self) -> "Dataset":
        """Load the data with ``data.load_mnist``; print the source and record it for the report."""
        from ae_lab import data

        self._dataset = self._desk.dataset = dataset = data.load_mnist(self.settings)
        self._run |= {
            "data": dataset.source,
            "comparable": dataset.comparable,
            "data_sha256": dataset.sha256,
        }
        self._write()
        print(f"{dataset.source}.")
        if not dataset.digits:
            print(f"The text is about digits; these are {dataset.source.split(',')[0]}.")
        return dataset

    def record(
        self,
        name: str,
        value: float,
        unit: str,
        *,
        better: str | None = "lower",
        baselines: Mapping[str, float] | None = None,
        best: Mapping[str, float] | None = None,
        published: float | None = None,
        source: str | None = None,
        at_most: float | None = None,
        at_least: float | None = None,
    ) -> None:
        """Record a value, show it, and compare it with what is given.

        Outside a report run, the reference value of this profile is also shown. A report does not
        show it, because reference values are taken from reports.

        Parameters
        ----------
        name : "<kind>.<quantity>", for example "dense.test_bce".
        value : finite number, in ``unit``.
        unit : name of the unit, for example "nats/pixel". A unit that begins with "share" is shown
            in per cent.
        better : "lower" or "higher", the direction of better values; None for neither.
        baselines : name to value, in ``unit``, of other methods on the same images, for example
            ``{"PCA, 32 components": 13.2}``. Likely causes are listed if the value equals one
            named "mean image", "0.5 everywhere" or "most frequent class".
        best : name and value, in ``unit``, of the best possible value, for example
            ``{"a perfect reconstruction": 0}``.
        published, source : the published value, in ``unit``, and its source. Both are omitted for
            images other than MNIST's 70,000, and if a knob was set from outside.
        at_most, at_least : goals of the full profile, in ``unit``.

        Raises
        ------
        LabError
            If ``value``, a baseline or ``best`` is not a finite number, or if ``better`` is
            invalid.
        """
        if better not in DIRECTIONS:
            raise LabError(
                f"better must be 'lower', 'higher' or None, received {better!r} for {name}: "
                "choose the direction of better values."
            )
        goal = {"at_most": at_most, "at_least": at_least}
        comparable = self._run.get("comparable", True) and not self._run.get("changed")
        metric = Metric(
            name,
            _finite(name, value),
            unit,
            self.notebook,
            better,
            {other: _finite(other, figure) for other, figure in (baselines or {}).items()},
            {other: _finite(other, figure) for other, figure in (best or {}).items()},
            published=published if comparable else None,
            source=source if comparable else None,
            goal={bound: value for bound, value in goal.items() if value is not None} or None,
        )
        metric = replace(metric, words=compare(metric, self.settings.profile, comparable))
        _put(self._metrics, name, metric)
        self._write()
        display.show_metric(metric, self._reference(metric))

    def claim(self, id: str, *parts: str | Condition) -> None:
        """Test a claim and show the verdict, which is computed from its conditions.

        Parameters
        ----------
        id : id of a claim of the handout in ``claims.toml``, of a prediction in
            ``predictions.toml``, or a new one.
        parts : for a new claim, first its sentence. Then conditions, from the functions of
            `conditions`. The verdict is "holds" if all are met, "does not hold" if none is, and
            otherwise "holds in part". Controls are shown and not counted.

        Raises
        ------
        LabError
            If there is no sentence for ``id``, if no condition counts, if two conditions have the
            same name, or if a text contains NaN or infinity.
        """
        sentence = parts[0] if parts and isinstance(parts[0], str) else CLAIMS.get(id)
        sentence = sentence or PREDICTIONS.get(id, {}).get("sentence")
        conditions = [part for part in parts if isinstance(part, Condition)]
        if sentence is None:
            raise LabError(
                f"a claim must be a known one or have a sentence, received {id!r}: "
                "look it up in claims.toml or predictions.toml of ae_lab/lab."
            )
        margins = {one.name: one.margin for one in conditions if not one.control}
        if not margins or len({one.name for one in conditions}) < len(conditions):
            raise LabError(
                f"{id} must have at least one condition that is not a control, and different names "
                f"for all, received {[one.name for one in conditions]}."
            )
        met = [one.met for one in conditions if not one.control]
        judged = NOT_JUDGED if self.settings.profile == "smoke" else verdict(met)
        evidence = "; ".join(one.sentence for one in conditions)
        _check_words(id, sentence, evidence)
        claim = Claim(id, judged, sentence=sentence, evidence=evidence, conditions=margins)
        self._put_claim(replace(claim, tests=[one.to_json() for one in conditions]), conditions)

    def untested(self, id: str, *, reason: str) -> None:
        """List a claim of the handout as untested.

        Parameters
        ----------
        id : id of a claim in ``claims.toml``; a LabError if it is not there.
        reason : why the claim is not tested.
        """
        if id not in CLAIMS:
            raise LabError(
                f"untested must name a claim of the handout, received {id!r}: "
                "look it up in ae_lab/lab/claims.toml."
            )
        self._put_claim(Claim(id, "untested", sentence=CLAIMS[id], evidence=reason))

    def reading(self, *parts: str | Branch, headline: bool = False) -> None:
        """Show a text about the results.

        Parameters
        ----------
        parts : sentences with numbers of the run, and alternatives from `readings.either`. A
            LabError if one contains NaN or infinity.
        headline : True to repeat the text in the summary at the end and at the top of the page.
        """
        for part in parts:
            _check_words("a reading", *([part] if isinstance(part, str) else part))
        text = " ".join(part if isinstance(part, str) else part.said for part in parts)
        if headline:
            self._headlines[text] = None
            self._write()
        display.show(f'<p class="reading">{html.escape(text)}</p>', text)

    def summary(self) -> None:
        """Show the headlines again, in their order."""
        display.show_list("Results", list(self._headlines))

    def source(self, code: Callable) -> None:
        """Show the source code of a function or class of the package, without its docstring.

        Parameters
        ----------
        code : for example ``layers.KLSparsity.call``.
        """
        display.show_code(lines_of(code))

    def drawing(self, model: "keras.Model") -> None:
        """Show a model as a diagram, one row per layer, with the kind's special parts in colour.

        Parameters
        ----------
        model : an autoencoder of `models`.
        """
        from ae_lab.lab.drawing import draw  # imports Keras, which this module must not import

        picture, alt = draw(model)
        display.show_raw(
            {"image/svg+xml": picture, "text/plain": alt}, {"image/svg+xml": {"alt": alt}}
        )

    def show(self, fig: "Figure", *, alt: str, besides: Mapping[str, Any] | None = None) -> None:
        """Show a Matplotlib figure with an alternative text.

        Parameters
        ----------
        fig : the figure; it is closed.
        alt : a sentence that describes what is drawn and what can be seen in it; a LabError if it
            has fewer than five words.
        besides : other forms of the figure, {media type: data}, or None.
        """
        if len(alt.split()) < 5:
            raise LabError(
                f"alt must describe in a sentence what the figure shows, received {alt!r}: "
                "name what is drawn and what can be seen in it."
            )
        display.show_figure(fig, alt, besides or {})

    def living(self, fig: "Figure", model: "keras.Model", *, alt: str) -> None:
        """Show a figure that the report's page replaces by an interactive plane of the latents.

        Parameters
        ----------
        fig, alt : as in ``show``; used in the notebook, on paper, and in browsers without scripts.
        model : an autoencoder with two latents and a dense decoder; a LabError if a page cannot
            compute it.
        """
        from ae_lab.lab.portable import portable_decoder  # imports Keras: only when needed

        self.show(fig, alt=alt, besides={DECODER: portable_decoder(model)})

    def table(self, columns: Sequence[str], rows: Sequence[Sequence], *, caption: str) -> None:
        """Show a table.

        Parameters
        ----------
        columns : one name per column.
        rows : one list of cells per row; the first cell is the row's header. A LabError if the
            number of cells differs from that of columns, or if a cell contains NaN.
        caption : description of what the table shows.
        """
        for row in rows:
            _check_words(caption, *map(str, row))
            if len(row) != len(columns):
                raise LabError(
                    f"a table row must have {len(columns)} cells, received {len(row)}: {row!r}; "
                    "pass one cell per column."
                )
        display.show_table(columns, rows, caption)

    def deviations(self, *, paper: str, rows: Sequence[tuple[str, str, str, str]]) -> None:
        """Show the differences between a paper's experiment and ours, and their expected effects.

        Parameters
        ----------
        paper : the paper and the place in it: "Vincent et al. (2010), section 6".
        rows : four texts per row: what differs, the paper's choice, ours, and the expected effect.
            A LabError if there is no row, or if a text is missing.
        """
        if not rows or not all(map(str.strip, (str(cell) for row in rows for cell in row))):
            raise LabError(
                f"deviations from {paper} must be rows of four texts, received {list(rows)!r}: "
                "say what differs, the paper's, ours, and the expected effect."
            )
        columns = ["what differs", "in the paper", "here", "expected effect"]
        self.table(columns, rows, caption=f"Differences from {paper}")

    def epochs(
        self, history: Mapping[str, Sequence[float]], *, caption: str, most: int = 8
    ) -> None:
        """Show the history of a training as a table.

        Parameters
        ----------
        history : name of a loss or metric to its values, one per epoch.
        caption : description of the training.
        most : largest number of epochs to show, including the first and the last.
        """
        names = list(history)
        total = len(history[names[0]])
        shown = sorted({round(i) for i in np.linspace(0, total - 1, min(most, total))})
        rows = [[str(i + 1), *(f"{history[name][i]:.4g}" for name in names)] for i in shown]
        self.table(["epoch", *(name.replace("_", " ") for name in names)], rows, caption=caption)

    def progress(self, epochs: int, title: str = "training") -> Callable[[int, dict], None] | None:
        """A function for ``on_epoch`` that shows the epochs of a training; None in a report.

        Parameters
        ----------
        epochs : number of epochs of the training.
        title : description of what is trained.
        """
        quiet = self.settings.record_folder is not None or not is_live()
        return None if quiet else Progress(epochs, title)

    def check_exercise(
        self, id: str, answer: object = None, *, prediction: str | None = None
    ) -> None:
        """Check an answer to an exercise; show whether it is correct, or what is wrong with it.

        Parameters
        ----------
        id : "<notebook>.<exercise>", for example "03.2"; a LabError if there is no such exercise.
        answer : the object that the exercise asks for: a model, an array or a text. Without it,
            the task is shown.
        prediction : letter of the predicted choice.
        """
        self._desk.figures = {name: metric.value for name, metric in self._metrics.items()}
        outcome = exercises.check(id, answer, prediction, self._desk)
        self._answers[id] = outcome
        if self.settings.record_folder is not None:
            handed_in.keep(self.settings.record_folder / self.notebook, id, answer, prediction)
        self._write()
        display.show_answer(outcome)

    def keep_model(self, model: "keras.Model", name: str | None = None) -> None:
        """Save a trained model as ``models/<name>.keras`` in the folder of the report.

        Outside a report run nothing is saved. ``models.load_model`` loads the file. Exercises do
        not accept this model as an answer.

        Parameters
        ----------
        model : any Keras model.
        name : name of the kind, or "classifier", used as the name of the file. A LabError if it
            contains anything but lower-case letters and underscores. None to save nothing.
        """
        if name is not None and not re.fullmatch("[a-z][a-z_]*", name):
            raise LabError(
                "a model's name must consist of lower-case letters and underscores, received "
                f"{name!r}: use the name of the kind, for example deep."
            )
        self._desk.models[exercises.digest(model)] = "", "the notebook's own model"
        if name is None or self.settings.record_folder is None:
            return
        from ae_lab.models import save_model  # imports Keras

        folder = Path(self.settings.record_folder) / self.notebook
        folder.mkdir(parents=True, exist_ok=True)
        save_model(model, folder / f"{name}.keras", self._dataset and self._dataset.about)

    @contextlib.contextmanager
    def timer(self, name: str, *, quick: int = 0, full: int = 0) -> Iterator[None]:
        """Measure the time of a block of code; before it, print roughly how long it takes.

        The measured seconds are stored in the notebook's file. They are not shown on the page,
        which must be the same after each run.

        Parameters
        ----------
        name : "<kind>.<what>_seconds".
        quick, full : approximate seconds in that profile on two cores; 0 to print nothing.
        """
        if seconds := {"quick": quick, "full": full}.get(self.settings.profile):
            print(f"This takes about {seconds} s on a laptop with two cores.")
        start = time.perf_counter()
        yield
        self._timings[name] = round(time.perf_counter() - start, 2)
        self._write()

    def _reference(self, metric: Metric) -> str:
        source = self._run.get("data")
        if self.settings.record_folder is not None or source is None or self._run.get("changed"):
            return ""
        return beside_reference(metric.name, metric.value, self.settings, source)

    def _put_claim(self, claim: Claim, conditions: Sequence[Condition] = ()) -> None:
        kind = "handout" if claim.id in CLAIMS else "prediction"
        written = "" if kind == "handout" else when_written(claim.id, claim.sentence)
        claim = replace(claim, kind=kind, notebook=self.notebook, written=written)
        _put(self._claims, claim.id, claim)
        self._write()
        display.show_claim(claim, conditions)

    def _write(self) -> None:
        if self.settings.record_folder is None:
            return
        log = {
            "notebook": self.notebook,
            "run": self._run,
            "metrics": [metric.to_json() for metric in self._metrics.values()],
            "claims": [claim.to_json() for claim in self._claims.values()],
            "headlines": list(self._headlines),
            "exercises": {id: outcome._asdict() for id, outcome in self._answers.items()},
            "timings": self._timings,
        }
        path = Path(self.settings.record_folder) / f"{self.notebook}.json"
        write_text(path, json.dumps(log, indent=1, ensure_ascii=False))


def _put(entries: dict, name: str, entry: Metric | Claim) -> None:
    """Add an entry at the end; if a cell is run again, its old entry is removed."""
    entries.pop(name, None)
    entries[name] = entry


def _versions() -> dict:
    found = {"python": platform.python_version()}
    for name in VERSIONS_OF:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    keras = sys.modules.get("keras")
    return {"backend": keras.backend.backend() if keras else "none", "versions": found}


def _finite(name: str, value: object) -> float:
    """``value`` rounded to six digits; a LabError with its ``name`` if it is not finite."""
    if not isinstance(value, numbers.Real) or not math.isfinite(value):
        raise LabError(f"{name} must be a finite number, received {value!r}: {NOT_FINITE}")
    return float(f"{value:.6g}")


def _check_words(where: str, *texts: str) -> None:
    """Raise a LabError if a text contains NaN or infinity."""
    if found := [text for text in texts if NO_NUMBER.search(text)]:
        raise LabError(f"{where} must contain finite numbers, received {found[0]!r}: {NOT_FINITE}")
