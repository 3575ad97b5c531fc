"""``python -m ae_lab``: the project's verbs for those without make."""

import argparse
import os
import sys

from ae_lab.errors import LabError
from ae_lab.settings import PROFILES, Settings


def main(arguments: list[str] | None = None) -> int:
    """Run one verb; return the exit status: 0, 1 for an error that was said, 130 if stopped."""
    for stream in (sys.stdout, sys.stderr):  # a terminal without our letters stops nothing
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
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


def report(options: argparse.Namespace) -> None:
    """Execute what changed and publish the pages."""
    from ae_lab.report.build import build_report

    build_report(_settings(options), tuple(options.notebook), options.force)


def verify(options: argparse.Namespace) -> None:
    """Bring the report up to date and hold its figures against the kept ones."""
    from ae_lab.report.verify import verify

    verify(_settings(options), options.accept)


def reproducibility(options: argparse.Namespace) -> None:
    """Measure how far one notebook's figures move from machine to machine."""
    from ae_lab.report.reproducibility import reproducibility

    reproducibility(_settings(options), options.notebook)


def data(options: argparse.Namespace) -> None:
    """Make the data ready and say which they are."""
    from ae_lab import data

    print(data.prepare(_settings(options)))


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
    verb = verbs.add_parser("reproducibility", help="how far figures move from machine to machine")
    _add_profile(verb)
    verb.add_argument("--notebook", default="01_dense_autoencoder", metavar="NAME")
    verb.set_defaults(verb=reproducibility)
    verb = verbs.add_parser("data", help="make MNIST ready and say which source is used")
    verb.set_defaults(verb=data)
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


def _add_profile(verb) -> None:
    verb.add_argument("--profile", help=f"{' or '.join(PROFILES)} (default: AE_LAB_PROFILE, quick)")


if __name__ == "__main__":
    sys.exit(main())
