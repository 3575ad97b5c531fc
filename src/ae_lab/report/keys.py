"""Keys that change with everything that can change a notebook's outputs or the pages."""

import ast
import json
import os
import platform
from collections.abc import Iterable
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ae_lab.lab.readings import PARSING, without_docstrings
from ae_lab.settings import Settings

PACKAGE = Path(__file__).absolute().parents[1]
REPORT = PACKAGE / "report"
OTHERS = [PACKAGE / name for name in ("upkeep", "lab/handwriting", "__main__.py")]  # not imported
EXECUTED_WITH = ("tensorflow", "keras", "numpy", "matplotlib")
EXECUTED_WITH += ("scikit-learn", "scipy", "scikit-image", "pywavelets")
RENDERED_WITH = ("nbconvert", "mistune", "pygments", "math-core", "nh3", "jinja2", "pillow")
# Methods of a notebook's `lab` that only show something; a sweep collects metrics and claims.
SHOWING = {"deviations", "drawing", "epochs", "living", "reading", "show", "source", "summary"}
SHOWING |= {"table"}
DRAWING = {"ax", "axes", "fig", "plotting"}  # names whose methods only draw
# Files of the package that only show something, or check exercises.
SHOW = ["plotting.py"]
SHOW += [f"lab/{name}.py" for name in ("display", "drawing", "exercises", "feedback", "handed_in")]
SHOW += [f"lab/{name}.py" for name in ("measures", "portable", "progress", "widgets")]
SHOW = [PACKAGE / name for name in (*SHOW, "lab/exercises.toml", "lab/predictions.toml")]


def digest(*parts: object) -> str:
    """SHA-256 of the parts as JSON, so that ("ab", "c") and ("a", "bc") differ."""
    text = json.dumps(parts, sort_keys=True, default=str)
    return sha256(text.encode()).hexdigest()


def digest_of_files(folder: Path, *skip: Path) -> dict[str, str]:
    """Relative path → SHA-256 of all files in ``folder``, except compiled Python and ``skip``."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {
        path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest()
        for path in files
        if "__pycache__" not in path.parts and not any(map(path.is_relative_to, skip))
    }


def package_digest(*skip: Path) -> str:
    """Changes with the code that notebooks run: not with docstrings, execution or rendering."""
    files = digest_of_files(PACKAGE, REPORT, *OTHERS, *skip)
    texts = {name: (PACKAGE / name).read_text("utf-8") for name in files if name.endswith(".py")}
    return digest(files | {name: without_docstrings(text) for name, text in texts.items()})


def computing_digest() -> str:
    """Changes with the code of the package that computes results: not with `SHOW`."""
    return package_digest(*SHOW)


def digest_of_cells(notebook: dict) -> str:
    """Changes with what the code computes: not with text, outputs, or what it only shows."""
    return digest([_without_showing(source) for source in code_of(notebook)])


def code_of(notebook: dict) -> list[str]:
    """The sources of the code cells."""
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]


def _without_showing(source: str) -> str:
    """A cell's source without docstrings and statements that only show or draw something."""
    try:
        with PARSING:
            tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # IPython's own commands
        return source
    rest = without_docstrings(source)
    for node in ast.walk(tree):
        match node:
            case ast.Expr(ast.Call(function)) if _only_shows(function):
                rest = rest.replace(ast.get_source_segment(source, node), "")
    return "\n".join(line for line in rest.splitlines() if line.strip())


def _only_shows(function: ast.expr) -> bool:
    """Whether a call of this function is one of `SHOWING`, or draws, as ``axes[0].set``."""
    match function:
        case ast.Attribute(ast.Name("lab"), name):
            return name in SHOWING
        case ast.Attribute(ast.Name(name) | ast.Subscript(ast.Name(name))):
            return name in DRAWING
    return False


def execution_key(notebook: dict, *run: object) -> str:
    """Changes with everything that can change the notebook's outputs; ``run`` as in `_about`."""
    return digest(code_of(notebook), package_digest(), *_about(*run))


def result_key(notebook: dict, *run: object) -> str:
    """Changes with everything that can change its metrics and claims; ``run`` as in `_about`."""
    return digest(digest_of_cells(notebook), computing_digest(), *_about(*run))


def _about(settings: Settings, data: str, environment: dict) -> tuple:
    """What determines a run besides the code; ``data`` is the fingerprint of the images."""
    run = settings.profile, settings.seed, settings.knobs, data, environment
    texts = [_texts_in(settings.project_folder / "notebooks", value) for _, value in settings.knobs]
    return *run, texts, versions(EXECUTED_WITH)


def _texts_in(notebooks: Path, value: str) -> list[tuple]:
    """The files that `data.load_texts` reads if a knob names a folder, as from `described`."""
    try:
        return described((notebooks / Path(value).expanduser()).glob("*/*.txt"))
    except (OSError, ValueError, RuntimeError):  # the value is no path; the notebook will say so
        return []


def described(paths: Iterable[Path]) -> list[tuple]:
    """Name, size and time of the last change of each file."""
    stats = {str(path): path.stat() for path in sorted(paths) if path.is_file()}
    return [(name, one.st_size, one.st_mtime_ns) for name, one in stats.items()]


def render_key(notebooks: dict[str, Path], *about: object) -> str:
    """Changes with everything that can change the report of these executed notebooks."""
    contents = {name: digest(path.read_text(encoding="utf-8")) for name, path in notebooks.items()}
    return digest(contents, digest_of_files(REPORT), versions(RENDERED_WITH), about)


def versions(packages: tuple[str, ...]) -> dict[str, str]:
    """Versions of Python and the packages ("none" if missing), and the type of system."""
    found = {"python": platform.python_version(), "system": os.name}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "none"
    return found
