"""``make solved``: execute copies of the notebooks in which every exercise is solved.

The solutions are in ``tests/solutions``: for each notebook, the sources of the changed cells. The
report is written to ``.solved/reports``; the exit status is 1 if an answer is not correct.
"""

import json
import os
import shutil
import sys
import tomllib
from pathlib import Path

PROJECT = Path(__file__).absolute().parents[1]
SOLVED = PROJECT / ".solved"


def solve() -> None:
    """Write the solved notebooks to ``.solved``, a separate project."""
    folder = SOLVED / "notebooks"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copy(PROJECT / "pyproject.toml", SOLVED)
    (SOLVED / "data").mkdir(exist_ok=True)
    for path in sorted((PROJECT / "notebooks").glob("*.ipynb")):
        notebook = json.loads(path.read_text(encoding="utf-8"))
        file = Path(__file__).with_name("solutions") / f"{path.stem}.toml"
        sources = tomllib.loads(file.read_text(encoding="utf-8"))
        for cell in notebook["cells"]:
            if cell["id"] in sources:
                cell["source"] = sources.pop(cell["id"])
        if sources:
            sys.exit(f"{file.name} must name cells of {path.name}, received {', '.join(sources)}.")
        (folder / path.name).write_text(json.dumps(notebook, indent=1), encoding="utf-8")


def main() -> int:
    """Solve, execute, and print the answers that are not correct."""
    from ae_lab.__main__ import main as ae_lab

    solve()
    os.chdir(SOLVED)
    if (PROJECT / "data" / "mnist.npz").is_file():
        os.environ.setdefault("AE_LAB_DATA", str(PROJECT / "data"))
    if ae_lab(["report", *sys.argv[1:]]):
        return 1
    wrong = 0
    for page in sorted((SOLVED / "reports").glob("*/exercises.json")):
        for answer in json.loads(page.read_text(encoding="utf-8")).values():
            print(answer["words"])
            wrong += answer["right"] is False
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
