"""The command ``report``: execute what changed, render all pages, publish them together."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from ae_lab import data
from ae_lab.errors import LabError
from ae_lab.files import read_json, write_json, write_text
from ae_lab.lab.feedback import reference_figures
from ae_lab.report.execute.run import DataAtHand, Say, bring_all_up_to_date, key_of
from ae_lab.report.failure import CONTROLS, failure, sentence_of, valid_text
from ae_lab.report.folders import check_ours, recover_folder, remove, replace_folder
from ae_lab.report.front.before import report_before
from ae_lab.report.keys import described, digest, digest_of_files, render_key
from ae_lab.report.live.sections import Section, live_sections
from ae_lab.report.notebook_file import read_notebook
from ae_lab.report.seeds.spread import read_results
from ae_lab.report.workplace import Workplace, find_notebooks, page_file
from ae_lab.settings import Settings

HANDED_IN = "handed-in"  # folder of a report for the answers to its exercises
PICTURES = {".png", ".jpg", ".jpeg", ".gif", ".webp", ".avif", ".bmp", ".svg"}  # texts show them
OURS = "--", "src", "notebooks"  # a report names the last commit that changed these


def say_now(text: str) -> None:
    """Print ``text`` immediately, without a line end and without control characters."""
    print(CONTROLS.sub(" ", text), end="", flush=True)


def build_report(
    settings: Settings, names: tuple[str, ...] = (), force: bool = False, say: Say = say_now
) -> Path:
    """Update the report and return the path of its index.

    ``names`` are the notebooks to execute, all if empty; the pages of the others are kept.
    ``force`` executes unchanged notebooks, too. Raises a LabError if a name is unknown or if
    another run is active, an OSError if a folder cannot be written. If a notebook failed, the
    report is published first: the page and the index show the failure, and the last report without
    a failure is kept in ``<profile>-last-good``. Then a LabError is raised.
    """
    known = find_notebooks(settings)
    chosen = {name: known[name] for name in choose(names, list(known))}
    place = Workplace(settings)
    with opened(place):
        offline = settings.offline or (not force and all_up_to_date(place, chosen))
        at_hand = prepare_data(replace(settings, offline=offline), say)
        bring_all_up_to_date(place, chosen, at_hand, force, say)
        return publish(place, list(known), say)


def choose(names: tuple[str, ...], known: list[str]) -> list[str]:
    """The named notebooks in the order of the report; a LabError if one is unknown."""
    wanted = {name.removesuffix(".ipynb") for name in names}
    if unknown := sorted(wanted - set(known)):
        raise LabError(
            f"the notebook must be one of {', '.join(known)}, "
            f"received {', '.join(unknown)}: name one of these."
        )
    return [name for name in known if not wanted or name in wanted]


@contextmanager
def opened(place: Workplace) -> Iterator[None]:
    """Create the folders, prevent other runs meanwhile, and clean up after a killed run."""
    with place.alone("report"):
        for folder in (place.target, place.last_good):
            check_ours(folder)
        clear_up(place)
        place.make_folders()
        try:
            yield
        finally:
            clear_up(place)


def clear_up(place: Workplace) -> None:
    """After a killed or failed run: restore the published report, remove temporary folders."""
    for folder in (place.new, place.copy, place.connections):
        remove(folder)
    with place.publish_lock():  # a sweep may be writing a result at this moment
        recover_folder(place.target, place.aside)
        for folder in (place.build, place.target):
            for part in folder.rglob(".writing-*"):
                shutil.rmtree(part, ignore_errors=True)


def all_up_to_date(place: Workplace, paths: dict[str, Path]) -> bool:
    """Whether all stored executions are valid for the local data, so no download is needed."""
    fingerprint = data.local_fingerprint(place.settings)

    def up_to_date(name: str, path: Path) -> bool:
        try:
            key = key_of(place, read_notebook(path), fingerprint)
            return place.read(name).get("key") == key
        except LabError:
            return True  # it cannot be executed; the error is reported later

    return all(up_to_date(name, path) for name, path in paths.items())


def prepare_data(settings: Settings, say: Say) -> DataAtHand:
    """Prepare the data and print their source."""
    at_hand = DataAtHand(data.prepare(settings), data.local_fingerprint(settings))
    say(f"Data: {at_hand.source}\n")
    return at_hand


def publish(place: Workplace, known: list[str], say: Say) -> Path:
    """Render and publish all pages; if a notebook failed, keep the last report without failure."""
    paths = {name: path for name in known if (path := place.latest(name))}
    commit = describe_commit(place.settings.project_folder)
    before = report_before(place.target, commit)
    results, siblings = read_results(place.sweep, say), place.sibling_pages()
    made = describe_making(place.settings)
    known = known_figures(place.settings, say)
    about = place.settings.profile, commit, results, siblings, before, made, known
    notebooks = place.settings.project_folder / "notebooks"
    pictures = [path for path in notebooks.rglob("*") if path.suffix.lower() in PICTURES]
    key = render_key(paths, *about, digest_of_files(place.models), described(pictures))
    published = read_json(place.build / "published.json") or {}
    files = digest(digest_of_files(place.target))
    if (published.get("key"), published.get("files")) == (key, files):
        return finish(place, paths, published, say)  # all its files are published already
    new = place.new
    sections = live_sections(place.models, list(paths), lambda: images_of(place.settings))
    errors, gaps = render_report(new, paths, notebooks, *about, sections=sections)
    for name in paths:  # models, and answers to exercises (their names begin with a digit)
        for path in sorted((place.models / name).glob("*")):
            kept = new / (HANDED_IN if path.name[0].isdigit() else "models")
            kept.mkdir(exist_ok=True)
            shutil.copyfile(path, kept / path.name)
    with place.publish_lock():
        if place.sweep.is_dir():
            shutil.copytree(place.sweep, new / place.sweep.name, symlinks=True, ignore=_endless)
        files = digest(digest_of_files(new))
        for folder in (place.target, place.last_good):
            check_ours(folder)
        if errors and (place.target / "index.html").exists() and not published.get("errors"):
            shutil.copytree(place.target, place.copy, symlinks=True, ignore=_endless)
            replace_folder(place.copy, place.last_good, place.aside)
        replace_folder(new, place.target, place.aside)
    published = {"key": key, "files": files, "errors": errors, "gaps": gaps}
    write_json(place.build / "published.json", published)
    return finish(place, paths, published, say)


def known_figures(settings: Settings, say: Say) -> dict[str, dict]:
    """Profile and data → `reference_figures`; {}, with a message, if the file is invalid."""
    path = settings.project_folder / "reports" / "reference.json"
    try:
        keys = [key for key in read_json(path) or {} if key.startswith(f"{settings.profile}, ")]
        sources = [key.partition(", ")[2] for key in keys] or [""]
        return {f"{settings.profile}, {one}": reference_figures(settings, one) for one in sources}
    except (LabError, OSError) as error:
        say(f"Reference values are left out: {error}\n")
        return {}


def _endless(folder: str, names: list[str]) -> list[str]:
    """Names of files that cannot be copied: pipes and devices."""
    paths = (Path(folder) / name for name in names)
    return [path.name for path in paths if path.exists() and not (path.is_file() or path.is_dir())]


def describe_commit(project: Path, form: str = "%h") -> str:
    """Short hash of the last commit that changed code or notebooks, "" without git.

    ``form`` is git's format: "%h of %cs" adds the date. ``", modified"`` is added if the files
    differ from that commit.
    """
    commit = _git(project, "log", "-1", f"--format={form}", *OURS)
    filters = _git(project, "config", "--name-only", "-z", "--get-regexp", r"^filter\.").split("\0")
    off = {f"GIT_CONFIG_KEY_{number}": name for number, name in enumerate(filters[:-1])}
    off |= {name.replace("KEY", "VALUE"): "" for name in off} | {"GIT_CONFIG_COUNT": str(len(off))}
    whether = "status", "--porcelain", "--ignore-submodules=all"
    modified = commit and _git(project, *whether, *OURS, **off)
    return f"{commit}, modified" if modified else commit


def describe_making(settings: Settings) -> dict[str, str]:
    """The report's author and the date of its commit, each "" if unknown."""
    project = settings.project_folder
    author = valid_text(settings.author or _git(project, "config", "user.name"))
    return {"author": author, "date": _git(project, "log", "-1", "--format=%cs", *OURS)}


def _git(project: Path, *arguments: str, **variables: str) -> str:
    """Output of git for a project, "" if git fails or is missing."""
    # without these, git may run programs that a project's settings name; no protocol is allowed,
    # so that git fetches nothing either
    plain = ["core.fsmonitor=false", "log.showSignature=false", f"core.hooksPath={os.devnull}"]
    plain = [part for setting in plain for part in ("-c", setting)]
    command = ["git", *plain, "-C", str(project), *arguments]
    options = {"capture_output": True, "encoding": "utf-8", "errors": "surrogateescape"}
    options |= {"timeout": 20, "env": os.environ | {"GIT_ALLOW_PROTOCOL": ""} | variables}
    try:
        return subprocess.run(command, **options).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""


def images_of(settings: Settings) -> data.Dataset:
    """The images of a run, loaded from disk."""
    return data.load_mnist(replace(settings, offline=True))


def render_report(
    folder: Path,
    paths: dict[str, Path],
    texts: Path,
    *about: object,
    sections: Mapping[str, list[Section]] = MappingProxyType({}),
) -> tuple[list[dict], dict[str, int]]:
    """Write pages, index and JSON of executed notebooks to a new folder.

    ``texts`` is the folder of images that texts refer to; the arguments ``about`` are those of
    `write_index`; ``sections`` are from `live_sections`. Returns the failures, and a dict from
    notebook to the number of items that its page cannot show.
    """
    from ae_lab.report.front.index import judged, write_index
    from ae_lab.report.render.exporter import render_page
    from ae_lab.report.seeds.cells import verdict_in_words

    folder.mkdir(parents=True)
    notebooks = {name: read_notebook(path) for name, path in paths.items()}
    profile, _, results, *_ = about

    def check_records(some: dict) -> None:
        for notebook in some.values():
            record = notebook.metadata["ae_lab"]["record"] or {}
            list(record.get("headlines", []))
        judged(some, profile, results)
        write_index(folder, some, *about)

    try:
        check_records(notebooks)
    except Exception:  # a record may have any form: find which ones are invalid
        for name, notebook in notebooks.items():
            try:
                check_records({name: notebook})
            except Exception as error:
                lab = notebook.metadata["ae_lab"]
                reason = f"the notebook's record is invalid ({type(error).__name__}: {error})"
                lab["error"] = lab["error"] or failure(name, "RecordError", reason)
                lab["record"] = None
    for claim in judged(notebooks, profile, results):  # page and index show the same verdict
        if claim.notebook:
            lab = notebooks[claim.notebook].metadata["ae_lab"]
            lab.setdefault("verdicts", {})[claim.anchor] = claim.verdict, verdict_in_words(claim)
    errors, gaps = [], {}
    names = ["", *notebooks, ""]
    for place, (name, notebook) in enumerate(notebooks.items()):
        resources = {"metadata": {"name": name, "path": str(texts)}}
        resources["neighbours"] = names[place], names[place + 2]
        resources["sections"] = sections.get(name, [])
        html, page = render_page(notebook, resources)
        write_text(folder / page_file(name), valid_text(html))
        notebook.metadata["ae_lab"] |= {"error": page.error, "problems": page.problems}
        errors += page.errors
        gaps |= {name: len(page.gaps)} if page.gaps else {}
    write_index(folder, notebooks, *about, sections=sections.get("", ()))
    return errors, gaps


def finish(place: Workplace, paths: dict[str, Path], published: dict, say: Say) -> Path:
    """Print the seconds per notebook, how much the pages do not show, and the path of the index.

    Raises a LabError with the number of failed notebooks, if any.
    """
    for name, path in paths.items():
        say(f"{read_json(path)['metadata']['ae_lab']['seconds']:8.1f} s  {name}\n")
    if gaps := published["gaps"]:
        where = ", ".join(f"{name} ({count})" for name, count in gaps.items())
        say(f"Not shown (marked on the page): {sum(gaps.values())} in {where}\n")
    index = place.target / "index.html"
    errors = published["errors"]
    for error in errors[1:]:
        say(f"{sentence_of(error)}\n")
    if errors:
        more = f", and {len(errors) - 1} more failed" if errors[1:] else ""
        raise LabError(f"{sentence_of(errors[0])}{more}; the report with all details is {index}")
    if place.last_good.exists():
        place.last_good.rename(place.aside)  # so that a killed run never leaves part of a report
        remove(place.aside)
    say(f"Open {index}\n")
    return index
