"""The pages of `cllm explain`: one short text per class of broken rule, promise, exit code and rule of the audit.

A page begins with `# CODE: what it is in one line`. Rules of this folder: one page per class of
`promises.CLASS_PROMISE`, per promise of `promises.py`, per code of `results.ExitCode` and per rule of the auditor (a
test compares); what a page says of a class is named by the checks it proposes, and those are run by a test; the
examples of a rule are audited by a test.
"""

from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
KINDS = {
    "classes": "Classes of broken rules",
    "promises": "Promises",
    "exit-codes": "Exit codes",
    "rules": "Rules of the audit",
}
ALIASES = {"race": ("race-on-weights",)}


@dataclass(frozen=True, slots=True)
class Page:
    """One page: its kind, the codes it answers to (the first is its own), its first line's words, and its text."""

    kind: str
    codes: tuple[str, ...]
    title: str
    text: str


def pages() -> list[Page]:
    """All pages, by kind and within a kind by name."""
    return [
        _page(kind, path.read_text(encoding="utf-8"))
        for folder, kind in KINDS.items()
        for path in sorted(
            (FOLDER / folder).glob("*.md"), key=lambda path: (len(path.stem) if path.stem.isdigit() else 0, path)
        )
    ]


def _page(kind: str, text: str) -> Page:
    code, _, title = text.partition("\n")[0].removeprefix("# ").partition(": ")
    return Page(kind, (code, *ALIASES.get(code, ())), title.strip(), text)
