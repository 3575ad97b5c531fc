"""Run by ``make lint``: hard-to-read wording, and unexplained terms in notebooks, by file and line.

A term of notebook 00's glossary must be linked or *defined* in or before the cell of its first use.
"""

import json
import re
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[1]
SUFFIXES = {".py", ".md", ".toml", ".ipynb", ".j2"}
QUOTED = {"claims.toml", "wording.py", "test_wording.py"}  # the handout's sentences; the forms
FORMS = re.compile(
    r"\b(?:nats|bits|error|pixels?|numbers?|steps?|one) an? (?:image|pixel|core|epoch|notebook)\b"
    r"|(?<![Tt]here )\bis none\b(?! [e%])|\bwhat (?:is|are) no\b|\bc[ao]mes? out\b|\bof itself\b"
    r"|\btold (?:apart|from)\b|\bso many (?:images|numbers|pixels|epochs|steps|units)\b"
    r"|\b(?:units|figures|numbers) (?:say|tell|know|speak)\b|\bthe less the\b|\bspoil(?:s|ed)\b"
    r"|\breins\b|\btelltale\b|\bin earnest\b|\bwithout a word\b|\bof one's own\b"
    r"|(?:^|[.:\"] ?)(?:Said|Told|Asked|Passed over) (?:is|are|was|were)\b"
)
TAUGHT = set(  # terms that notebook 00 teaches and every notebook needs
    "autoencoder batch claim classifier code condition control decoder encoder epoch knob loss "
    "margin profile reconstruction seed unit verdict weight".split()
)


def unexplained(notebook: str, terms: list[str]) -> list[tuple[int, str]]:
    """(line, term) of each term's first use if nothing explains it; headings are ignored."""
    found = []
    cells = [cell for cell in json.loads(notebook)["cells"] if cell["cell_type"] == "markdown"]
    for term in terms:
        explained = rf"(?i)\*{re.escape(term)}s?\*|#{re.escape(term.replace(' ', '-'))}\b"
        for text in ("".join(cell["source"]) for cell in cells):
            if re.search(explained, text):
                break
            if use := re.search(rf"(?im)^(?!#).*(?<![\w`#/-]){re.escape(term)}s?\b.*$", text):
                stored = json.dumps(use[0], ensure_ascii=False)[1:-1]
                found.append((notebook[: notebook.find(stored)].count("\n") + 1, term))
                break
    return found


def findings(path: Path, terms: list[str]) -> list[str]:
    """ "file:line: words" of everything found in a file."""
    text = path.read_text(encoding="utf-8")
    lines = enumerate(text.splitlines(), 1)
    found = [(number, use[0].strip()) for number, line in lines for use in FORMS.finditer(line)]
    if path.suffix == ".ipynb":
        found += [(line, f"{term}, unexplained") for line, term in unexplained(text, terms)]
    return [f"{path}:{number}: {words}" for number, words in sorted(found)]


if __name__ == "__main__":
    first = (PROJECT / "notebooks" / "00_first_steps.ipynb").read_text(encoding="utf-8")
    terms = [term for term in re.findall(r'"### (.+?)\\n"', first) if term.lower() not in TAUGHT]
    paths = [*PROJECT.glob("*.md"), *PROJECT.glob("src/**/*"), *PROJECT.glob("[nt]*s/**/*")]
    paths = [path for path in paths if path.suffix in SUFFIXES and path.name not in QUOTED]
    sys.exit("\n".join(one for path in sorted(paths) for one in findings(path, terms)) or 0)
