"""``ae-lab``, or ``python -m ae_lab``: all commands of the project, usable without make."""

import argparse
import contextlib
import os
import re
import signal
import sys
import tempfile
import threading
import traceback
from dataclasses import replace
from functools import partial
from pathlib import Path

from ae_lab.errors import LabError
from ae_lab.files import check_not_read
from ae_lab.quiet import import_keras
from ae_lab.settings import KNOB, PROFILES, Settings, find_project_folder

ONE_LINE = re.compile(r"[\x00-\x1f\x7f-\x9f]+")  # control characters, which names may contain


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return its exit status: 0, 1 after an error message, 130 if interrupted."""
    sys.stdout = sys.stdout or open(os.devnull, "w")  # closed by the caller
    for stream in (sys.stdout, sys.stderr):  # characters that a terminal lacks raise no error
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    sys.unraisablehook = _interrupt_again
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # hides TensorFlow's C++ log
    options = _parser().parse_args(arguments)
    try:
        options.verb(options)
        sys.stdout.flush()
    except LabError as error:
        words = str(error)
    except KeyboardInterrupt:
        print("\nstopped; the last good report is unchanged", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader has closed the pipe, for example `head`
        _drop_output()
        return 1
    except OSError as error:  # a full disk, a path that is too long, a missing permission
        what, why = error.filename or "the output", error.strerror or error
        words = f"{str(what)[:100]} cannot be read or written ({why}): free space there, or "
        words += "name another path (AE_LAB_REPORTS is the folder of the reports)."
        _drop_output()
    except Exception as error:
        words = _our_fault(error)
    else:
        return 0
    print("error:", ONE_LINE.sub(" ", words), file=sys.stderr)
    return 1


def _drop_output() -> None:
    """Print what is left, or drop it: Python would try again at its end, and print a traceback."""
    try:
        sys.stdout.flush()
    except OSError:
        with contextlib.suppress(OSError):  # it is not a file
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _our_fault(error: Exception) -> str:
    """The message for an unexpected error; the traceback goes to a file that it names."""
    said = f"{type(error).__name__}: {error}"[:300]
    where = "to get more details, set TMPDIR to a writable folder"
    try:
        options = {"encoding": "utf-8", "errors": "backslashreplace", "delete": False}
        with tempfile.NamedTemporaryFile("w", prefix="ae_lab-", suffix=".log", **options) as log:
            traceback.print_exception(error, file=log)
            where = f"report it with the file {log.name}"
    except OSError:
        pass  # the cause of the error may be a full disk
    return f"{said}: this is our fault, not yours; {where}."


def _interrupt_again(lost) -> None:
    """Repeat a Ctrl-C that arrived in a finaliser, where Python ignores it."""
    if lost.exc_type is not KeyboardInterrupt:
        sys.__unraisablehook__(lost)
        return
    interrupt = signal.raise_signal
    if hasattr(signal, "pthread_kill"):  # to the main thread, which may be waiting
        interrupt = partial(signal.pthread_kill, threading.main_thread().ident)
    threading.Timer(0.05, interrupt, [signal.SIGINT]).start()


def report(options: argparse.Namespace) -> None:
    """Execute the notebooks that changed, and publish the pages."""
    from ae_lab.report.build import build_report

    if options.set and not options.notebook:
        raise LabError("--set changes the knobs of one notebook: name it with --notebook.")
    build_report(_settings(options), tuple(options.notebook), options.force)


def verify(options: argparse.Namespace) -> None:
    """Update the report and compare its results with the reference values."""
    from ae_lab.upkeep.verify import verify

    verify(_settings(options), options.accept)


def sweep(options: argparse.Namespace) -> None:
    """Run notebooks with several seeds, on this machine or on a Dask cluster."""
    from ae_lab.upkeep.sweep.sweep import sweep
    from ae_lab.upkeep.sweep.task import check_backends

    sweep(
        _settings(options),
        options.seeds,
        tuple(options.notebooks),
        check_backends(options.backend),
        options.scheduler,
        options.workers,
    )


def grade(options: argparse.Namespace) -> None:
    """Grade the submissions of many students in one table; all exercises are checked again."""
    import_keras()
    from ae_lab.report.grade import grade

    settings = _settings(options)
    folders, out = map(Path, options.folders), options.out or settings.report_folder / "grades"
    print(f"Open {grade(settings, list(folders), Path(out), options.run)}")


def data(options: argparse.Namespace) -> None:
    """Prepare the data and print their source, or describe a file or folder of your own images."""
    from ae_lab import data

    if options.path:
        for line in data.describe(Path(options.path).expanduser()):
            print(ONE_LINE.sub(" ", line))
    else:
        print(data.prepare(_settings(options)))


def reconstruct(options: argparse.Namespace) -> None:
    """Reconstruct photographed digits with a model, classify them, and write a picture."""
    import_keras()
    from ae_lab import data, models
    from ae_lab.lab import handwriting

    photo = handwriting.read_photo(options.photo)  # before loading models, so that errors are fast
    out = options.out or f"{os.path.splitext(options.photo)[0]}-{Path(options.model).stem}.png"
    if Path(out).suffix.lower() != ".png":
        raise LabError(f"--out must be a .png file, received {out}: rename it.")
    check_not_read(out, options.photo)
    model = _autoencoder(options)
    _check_digits(_model_file(_settings(options), options.model))
    try:
        classifier = models.load_model(file := _model_file(_settings(options), "classifier"))
        _check_digits(file)
    except LabError as error:  # the picture then has no prediction
        print(f"No prediction: {error}", file=sys.stderr)
        classifier = None
    digits = replace(_settings(options), dataset="mnist")  # whatever the next report is about
    test_images = data.load_mnist(digits).x_test[:2_000]
    verdict = handwriting.judge(photo, model, classifier, test_images)
    handwriting.save_verdict(verdict, out)
    print(f"{verdict.sentence}\nOpen {out}")


def encode(options: argparse.Namespace) -> None:
    """Write the codes of the images in a file."""
    import_keras()
    from ae_lab.lab import arrays

    done = arrays.encode_file(_autoencoder(options), options.source, options.target, options.array)
    print("Encoded images {} as codes {}.".format(*done))


def decode(options: argparse.Namespace) -> None:
    """Write the images decoded from the codes in a file."""
    import_keras()
    from ae_lab.lab import arrays

    done = arrays.decode_file(_autoencoder(options), options.source, options.target, options.array)
    print("Decoded codes {} as images {}.".format(*done))


def _autoencoder(options: argparse.Namespace):
    from ae_lab import models

    return models.load_autoencoder(_model_file(_settings(options), options.model))


def _check_digits(file: str | os.PathLike) -> None:
    """Refuse a model that was not trained on digits; print a note if this is unknown."""
    from ae_lab.models import trained_on

    about = trained_on(file)
    if about is None:
        print(f"Note: {file} contains no information about its training data.", file=sys.stderr)
    elif not about["digits"]:
        classes, name = about["classes"], ascii(about["data"].split(",")[0])
        if classes != list("0123456789") or not about["light_on_dark"]:
            how = "light on dark" if about["light_on_dark"] else "dark on light"
            raise LabError(
                f"{file} must be a model of handwritten digits, light on dark, received a model of "
                f"{name}, {how}, with classes {ascii(classes[:10])}: unset AE_LAB_DATASET, and "
                "train a model with ae-lab report."
            )
        print(f"Note: {file} was trained on {name}, not on MNIST.", file=sys.stderr)


def _model_file(settings: Settings, name: str) -> str | os.PathLike:
    """``name`` if it is a ``.keras`` file, else the model of that kind in the last report."""
    from ae_lab.models import AUTOENCODERS

    known = [*AUTOENCODERS, "classifier"]
    path = settings.profile_folder / "models" / f"{name}.keras"
    if name.endswith(".keras"):
        return name
    if name not in known:
        raise LabError(
            f"the model must be one of {', '.join(known)}, or a .keras file, received {name!r}."
        )
    if not path.is_file():
        raise LabError(
            f"the model {name} must be in {path}, found no file there: make it with "
            f"ae-lab report --profile {settings.profile}"
        )
    return path


def bench(options: argparse.Namespace) -> None:
    """Compare our training times with those of other libraries."""
    from ae_lab.upkeep.bench.bench import run_bench

    rows = tuple(options.row)
    run_bench(_settings(options), rows, options.repeats, options.small, options.long)


def _settings(options: argparse.Namespace) -> Settings:
    """The settings from environment variables, replaced by those that are given as options."""
    given = {
        f"AE_LAB_{name.upper()}": getattr(options, name, None)
        for name in ("profile", "seed", "author")
    }
    given = {name: value for name, value in given.items() if value is not None}
    for change in getattr(options, "set", []):
        name, sign, value = change.partition("=")
        if not (name.strip() and sign and value.strip()):
            raise LabError(
                f"--set must be of the form name=value, received {change!r}: "
                "write, for example, --set latent_dim=2."
            )
        given[KNOB + name.strip().upper()] = value.strip()
    given = os.environ | given
    texts = given.get(KNOB + "TEXTS", "")  # the only knob that is a path
    if os.path.isdir(texts) and not os.path.isabs(texts):  # kernels run in another folder
        given[KNOB + "TEXTS"] = os.path.relpath(texts, find_project_folder() / "notebooks")
    return Settings.from_environment(given)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ae-lab", description="Run notebooks on autoencoders.")
    verbs = parser.add_subparsers(required=True, metavar="verb")
    profile, model = (argparse.ArgumentParser(add_help=False) for _ in range(2))
    names = f"{', '.join(PROFILES)} (default: AE_LAB_PROFILE, or quick)"
    profile.add_argument("--profile", help=names)
    model.add_argument("--model", default="deep", help="name of a kind, or a .keras file")

    def add(function, help: str, *parents: argparse.ArgumentParser):
        verb = verbs.add_parser(function.__name__, help=help, parents=parents)
        verb.set_defaults(verb=function)
        return verb.add_argument

    several = {"action": "append", "default": [], "metavar": "NAME"}
    option = add(report, "execute the notebooks that changed, and write the report", profile)
    option("--seed", help="whole number (default: AE_LAB_SEED, or 8)")
    option("--notebook", help="execute only this one; can be repeated", **several)
    option(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="set a knob of the notebook; can be repeated",
    )
    option("--author", help="name of the author (default: AE_LAB_AUTHOR, or git's user.name)")
    option("--force", action="store_true", help="execute unchanged notebooks, too")

    option = add(verify, "compare a profile's results with reports/reference.json", profile)
    option("--accept", action="store_true", help="store the results as new reference values")

    option = add(sweep, "run notebooks with several seeds, also on several machines", profile)
    option("--seeds", type=int, default=5, help="number of seeds, from AE_LAB_SEED up (default: 5)")
    option(
        "--notebooks", nargs="+", action="extend", default=[], metavar="NAME", help="run only these"
    )
    option("--backend", default="tensorflow", help="Keras backends, separated by commas")
    option("--scheduler", metavar="ADDRESS", help="a running Dask scheduler, such as tcp://…:8786")
    option("--workers", type=int, help="number of local processes (default: one per core)")

    option = add(grade, "grade many submissions in one table", profile)
    option("folders", nargs="+", metavar="FOLDER", help="one per student, with the student's name")
    option("--run", action="store_true", help="execute the students' notebooks first")
    option("--out", help="folder to write (default: grades in the report folder)")

    option = add(reconstruct, "reconstruct a photo of a digit with a trained model", model, profile)
    option("photo", help="a PNG, JPEG, WebP, GIF, BMP, TIFF or AVIF file")
    option("--out", help="PNG file to write (default: in the folder of the photo)")

    for function, what in (
        (encode, "codes of the images in a file"),
        (decode, "images of the codes in a file"),
    ):
        option = add(function, f"write the {what} (.npy, .npz)", model, profile)
        option("source", help="file to read")
        option("target", help="file to write")
        option("--array", help="name of the array in an .npz file with several")

    option = add(data, "prepare MNIST and print its source, or describe a file of images")
    option("path", nargs="?", help="a file or folder of your own images")

    option = add(bench, "compare our training times with those of other libraries")
    option("--row", help="measure only this row; can be repeated", **several)
    option("--repeats", type=int, default=5, help="timings per side (default: 5)")
    option("--long", action="store_true", help="also measure rows that take minutes each")
    option("--small", action="store_true", help="a test run of a few seconds, without verdicts")
    return parser


if __name__ == "__main__":
    sys.exit(main())
