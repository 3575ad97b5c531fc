"""The settings of a run, read from environment variables."""

import errno
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ae_lab.errors import LabError

PROFILES = ("smoke", "quick", "full")
DATASETS = ("mnist", "fashion_mnist")
LARGEST_SEED = 2**32 - 1  # the largest legacy seed of NumPy, and so of Keras
MOST_JOBS = 64
KNOB = "AE_LAB_SET_"  # AE_LAB_SET_LATENT_DIM=2 sets the knob latent_dim


@dataclass(frozen=True)
class Settings:
    """Profile, seed and folders of one run.

    Parameters
    ----------
    profile : "smoke" (seconds, checks that everything runs), "quick" (minutes, results that are
        still meaningful) or "full" (comparable with the papers).
    seed : whole number from 0 to 2**32 - 1, set before every model is built.
    data_folder : folder with ``mnist.npz``, used before every other source, or None.
    project_folder : folder that contains ``notebooks/`` and ``data/``.
    report_folder : folder in which ``<profile>/index.html`` is written.
    record_folder : folder for the metrics and claims of a notebook. None outside a report run, so
        that experiments by hand never change a report.
    offline : True to download nothing.
    jobs : number of notebooks executed at once; 0 for as many as cores and memory allow.
    author : the report's author; empty for the user name of git.
    knobs : pairs (name, value as text) of a notebook's knobs that are set from outside.
    dataset : "mnist", "fashion_mnist", or the path of your own file or folder.

    Raises a LabError for an invalid profile, seed, number of jobs or data set.
    """

    profile: str = "quick"
    seed: int = 8
    data_folder: Path | None = None
    project_folder: Path = Path()
    report_folder: Path = Path("reports")
    record_folder: Path | None = None
    offline: bool = False
    jobs: int = 0
    dataset: str = "mnist"
    knobs: tuple[tuple[str, str], ...] = ()
    author: str = ""

    def __post_init__(self):
        if self.profile not in PROFILES:
            raise LabError(
                f"AE_LAB_PROFILE must be one of {', '.join(PROFILES)}, "
                f"received {self.profile!r}: set it to one of these."
            )
        if self.dataset not in DATASETS and not _is_path(self.dataset):
            raise LabError(
                f"AE_LAB_DATASET must be one of {', '.join(DATASETS)}, or the path of a file or "
                f"folder, received {self.dataset!r}: set it to one of these."
            )
        _whole_number("AE_LAB_SEED", self.seed, LARGEST_SEED)
        _whole_number("AE_LAB_JOBS", self.jobs, MOST_JOBS)

    def refuse_changes(self, verb: str) -> None:
        """Raise a LabError if a knob is set from outside.

        The command ``verb`` calls this because it compares results of unchanged notebooks.
        """
        if self.knobs:
            names = ", ".join(f"{KNOB}{name.upper()}" for name, _ in self.knobs)
            raise LabError(
                f"{verb} compares runs with the notebooks' own values, received {names}: unset it."
            )

    @property
    def download_folder(self) -> Path:
        """The folder of ``mnist.npz``, also for downloads."""
        return self.project_folder / "data"

    @property
    def profile_folder(self) -> Path:
        """The folder of this profile's report."""
        return self.report_folder / self.profile

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """Read the variables ``AE_LAB_*`` of ``environment``; an empty value counts as unset.

        A LabError names an invalid value and lists the valid ones.
        """

        def text(name: str, default: object) -> str:
            return environment.get(name) or str(default)

        def folder(name: str) -> Path | None:
            if not (value := text(name, "")):
                return None
            try:
                path = Path(value).expanduser().absolute()
                os.stat(path)
            except (OSError, RuntimeError) as error:  # unknown user's home, or a name too long
                if getattr(error, "errno", errno.ENAMETOOLONG) == errno.ENAMETOOLONG:
                    raise LabError(
                        f"{name} must be a path, received {value[:60]!r} ({error.args[-1]}): "
                        "correct it, or unset it."
                    ) from None
            return path

        project, dataset = find_project_folder(), text("AE_LAB_DATASET", cls.dataset)
        if (forgiven := dataset.lower().replace("-", "_")) in DATASETS:
            dataset = forgiven
        if (offline := text("AE_LAB_OFFLINE", 0)) not in ("0", "1"):
            raise LabError(
                f"AE_LAB_OFFLINE must be 0 or 1, received {offline!r}: set it to one of these."
            )
        return cls(
            profile=text("AE_LAB_PROFILE", cls.profile),
            seed=_whole_number("AE_LAB_SEED", text("AE_LAB_SEED", cls.seed), LARGEST_SEED),
            data_folder=folder("AE_LAB_DATA"),
            project_folder=project,
            report_folder=folder("AE_LAB_REPORTS") or project / "reports",
            record_folder=folder("AE_LAB_RECORDS"),
            offline=offline == "1",
            jobs=_whole_number("AE_LAB_JOBS", text("AE_LAB_JOBS", cls.jobs), MOST_JOBS),
            author=text("AE_LAB_AUTHOR", ""),
            # must be absolute, because kernels run in another folder
            dataset=str(folder("AE_LAB_DATASET")) if _is_path(dataset) else dataset,
            knobs=tuple(
                (name.removeprefix(KNOB).lower(), value)
                for name, value in sorted(environment.items())
                if name.startswith(KNOB) and value
            ),
        )


def find_project_folder(start: Path | None = None) -> Path:
    """The nearest folder with the notebooks, at or above ``start`` (default: current folder).

    If there is none, the checkout from which the package was installed; if that has no notebooks
    either, ``start``. The package therefore works from any folder.
    """
    start = (start or Path.cwd()).absolute()
    checkout = Path(__file__).absolute().parents[2]
    for folder in (start, *start.parents, checkout):
        if (folder / "notebooks").is_dir() and (folder / "pyproject.toml").is_file():
            return folder
    return start


def _is_path(dataset: str) -> bool:
    named = os.path.dirname(dataset) or os.path.splitext(dataset)[1]
    return dataset not in DATASETS and (bool(named) or os.path.exists(dataset))


def _whole_number(name: str, value: str | int, largest: int) -> int:
    try:
        number = int(value)
    except ValueError:
        number = -1
    if not 0 <= number <= largest:
        raise LabError(
            f"{name} must be a whole number from 0 to {largest}, "
            f"received {value!r}: set it to one, for example 8."
        )
    return number
