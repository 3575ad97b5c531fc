"""``python -m ae_lab``: the project's verbs for those without make."""

import argparse
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from ae_lab.errors import LabError
from ae_lab.settings import PROFILES, Settings


def main(arguments: list[str] | None = None) -> int:
    """Run one verb; return the exit status: 0, 1 for an error that was said, 130 if stopped."""
    for stream in (sys.stdout, sys.stderr):  # a terminal without our letters stops nothing
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    sys.unraisablehook = _interrupt_again
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow's C++ log is not for users
    options = _parser().parse_args(arguments)
    try:
        options.verb(options)
    except LabError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped; the last good report is as it was", file=sys.stderr)
        return 130
    return 0


def _interrupt_again(lost) -> None:
    """Ctrl-C that falls into a finaliser is dropped there by Python: it comes again soon after."""
    if lost.exc_type is KeyboardInterrupt:
        threading.Timer(0.05, signal.raise_signal, [signal.SIGINT]).start()
    else:
        sys.__unraisablehook__(lost)


def report(options: argparse.Namespace) -> None:
    """Execute what changed and publish the pages."""
    from ae_lab.report.build import build_report

    build_report(_settings(options), tuple(options.notebook), options.force)


def verify(options: argparse.Namespace) -> None:
    """Bring the report up to date and hold its figures against the kept ones."""
    from ae_lab.upkeep.verify import verify

    verify(_settings(options), options.accept)


def sweep(options: argparse.Namespace) -> None:
    """Run notebooks under many seeds, here or on a Dask cluster."""
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


def data(options: argparse.Namespace) -> None:
    """Make the data ready and say which they are."""
    from ae_lab import data

    print(data.prepare(_settings(options)))


def reconstruct(options: argparse.Namespace) -> None:
    """Send a photographed digit through a model and the classifier; write what came of it."""
    from ae_lab.lab import handwriting

    photo = handwriting.read_photo(options.photo)  # before the models: its errors come at once
    model = _autoencoder(options)
    verdict = handwriting.judge(photo, model, _classifier(options))
    out = options.out or f"{os.path.splitext(options.photo)[0]}-{_stem(options.model)}.png"
    handwriting.save_verdict(verdict, out)
    print(f"{verdict.sentence}\nOpen {out}")


def encode(options: argparse.Namespace) -> None:
    """Write the codes of a file of images."""
    from ae_lab.lab import arrays

    done = arrays.encode_file(_autoencoder(options), options.source, options.target, options.array)
    print("Images {} became codes {}.".format(*done))


def decode(options: argparse.Namespace) -> None:
    """Write the images of a file of codes."""
    from ae_lab.lab import arrays

    done = arrays.decode_file(_autoencoder(options), options.source, options.target, options.array)
    print("Codes {} became images {}.".format(*done))


@contextmanager
def _start_log_held_back() -> Iterator[None]:
    """Keep TensorFlow's first log lines from the terminal; if an error follows, write them.

    Its C++ code writes them to file descriptor 2 while it is imported, whatever
    TF_CPP_MIN_LOG_LEVEL says, so that nothing in Python can filter them.
    """
    if sys.stderr is None:  # descriptor 2 is closed
        yield
        return
    sys.stderr.flush()
    with tempfile.TemporaryFile() as log:
        terminal = os.dup(2)
        os.dup2(log.fileno(), 2)
        try:
            yield
        except BaseException:
            log.seek(0)
            os.write(terminal, log.read())
            raise
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)


def _autoencoder(options: argparse.Namespace):
    with _start_log_held_back():
        from ae_lab import models

    return models.load_autoencoder(models.find_model(_settings(options), options.model))


def _classifier(options: argparse.Namespace):
    """The profile's classifier; without one its place stays empty, and a line says so."""
    from ae_lab import models

    try:
        return models.load_model(models.find_model(_settings(options), "classifier"))
    except LabError as error:
        print(f"No verdict: {error}", file=sys.stderr)
        return None


def _stem(name: str) -> str:
    return os.path.splitext(os.path.basename(name))[0]


def bench(options: argparse.Namespace) -> None:
    """Time our work beside what one would use instead."""
    from ae_lab.upkeep.bench.bench import run_bench

    names = tuple(options.row)
    run_bench(_settings(options), names, options.repeats, options.small, options.long)


def _settings(options: argparse.Namespace) -> Settings:
    """The environment's settings, with those given as options in their place."""
    given = {
        "AE_LAB_PROFILE": getattr(options, "profile", None),
        "AE_LAB_SEED": getattr(options, "seed", None),
    }
    given = {name: value for name, value in given.items() if value is not None}
    return Settings.from_environment(os.environ | given)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ae_lab", description="Autoencoder laboratory.")
    verbs = parser.add_subparsers(required=True, metavar="verb")
    _add_report(verbs)
    verb = verbs.add_parser("verify", help="compare a profile's figures with reference.json")
    _add_profile(verb)
    verb.add_argument("--accept", action="store_true", help="keep the figures, compare nothing")
    verb.set_defaults(verb=verify)
    _add_sweep(verbs)
    _add_reconstruct(verbs)
    _add_codes(verbs, "encode", encode, "write the codes of a file of images (.npy, .npz)")
    _add_codes(verbs, "decode", decode, "write the images of a file of codes (.npy, .npz)")
    verb = verbs.add_parser("data", help="make MNIST ready and say which source is used")
    verb.set_defaults(verb=data)
    _add_bench(verbs)
    return parser


def _add_report(verbs) -> None:
    verb = verbs.add_parser("report", help="execute the notebooks that changed, write the pages")
    _add_profile(verb)
    verb.add_argument("--seed", help="whole number (default: AE_LAB_SEED, 8)")
    verb.add_argument(
        "--notebook",
        action="append",
        default=[],
        metavar="NAME",
        help="execute this one only; may be given again",
    )
    verb.add_argument("--force", action="store_true", help="execute even what did not change")
    verb.set_defaults(verb=report)


def _add_sweep(verbs) -> None:
    verb = verbs.add_parser("sweep", help="run notebooks under many seeds, on many machines")
    _add_profile(verb)
    verb.add_argument(
        "--seeds", type=int, default=5, help="how many, from AE_LAB_SEED up (default: 5)"
    )
    verb.add_argument("--notebooks", nargs="+", default=[], metavar="NAME", help="only these")
    verb.add_argument("--backend", default="tensorflow", help="one or more, with commas between")
    verb.add_argument("--scheduler", metavar="ADDRESS", help="a running one, such as tcp://…:8786")
    verb.add_argument("--workers", type=int, help="of a cluster here (default: one per core)")
    verb.set_defaults(verb=sweep)


def _add_reconstruct(verbs) -> None:
    verb = verbs.add_parser("reconstruct", help="send a photo of a digit through a trained model")
    verb.add_argument("photo", help="a PNG, JPEG or WebP file")
    _add_model(verb)
    verb.add_argument("--out", help="PNG to write (default: beside the photo)")
    verb.set_defaults(verb=reconstruct)


def _add_codes(verbs, name, function, sentence) -> None:
    verb = verbs.add_parser(name, help=sentence)
    verb.add_argument("source", help="file to read")
    verb.add_argument("target", help="file to write")
    _add_model(verb)
    verb.add_argument("--array", help="which array of an .npz; needless if it holds one")
    verb.set_defaults(verb=function)


def _add_model(verb) -> None:
    verb.add_argument("--model", default="deep", help="a kind's name, or a .keras file")
    _add_profile(verb)


def _add_bench(verbs) -> None:
    verb = verbs.add_parser("bench", help="time our work beside what one would use instead")
    verb.add_argument(
        "--row", action="append", default=[], metavar="NAME", help="time this one; may be repeated"
    )
    verb.add_argument("--repeats", type=int, default=5, help="timings of each side (default: 5)")
    verb.add_argument("--long", action="store_true", help="with the rows that take minutes each")
    verb.add_argument("--small", action="store_true", help="a try-out in seconds, without verdict")
    verb.set_defaults(verb=bench)


def _add_profile(verb) -> None:
    verb.add_argument("--profile", help=f"{' or '.join(PROFILES)} (default: AE_LAB_PROFILE, quick)")


if __name__ == "__main__":
    sys.exit(main())
