"""What a mutant is, and how its text is made: a small text with a line or two exchanged.

A mutant has one class of defect that it is made for (`expected`) and may have others that follow from it (`besides`);
a correct variant has none. `attacks` names what the mutant would slip through if the checker took it for granted: a
section of the soundness conditions, or a declaration of the protocol text. Rules of this file: data and text only; an
edit must find its old text exactly once (or as often as it says), so that a changed original cannot go unnoticed.
"""

import ast
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cllm_sim
from cllm_sim.architecture import Loaded
from cllm_sim.library import load, shipped

TEXTS = Path(__file__).with_name("texts")
MODES = ("none", "symmetry", "partial-order", "both")
WORKERS = (2, 3, 4)

Edit = tuple[str, str]
"""Old text, new text."""


@dataclass(frozen=True)
class Variant:
    """One text of the matrix. `number` is its row in the list of section 4 of the reference; 0: not from there.

    `fewer` says which of the classes need more workers than that.
    """

    name: str
    original: str
    edits: tuple[Edit, ...] = ()
    expected: str = ""
    besides: tuple[str, ...] = ()
    why: str = ""
    attacks: str = ""
    number: int = 0
    workers: tuple[int, ...] = WORKERS
    depth: int = 1
    fewer: tuple[tuple[int, tuple[str, ...]], ...] = ()

    @property
    def correct(self) -> bool:
        """Must the checker find nothing?"""
        return not self.expected

    def classes(self, workers: int) -> frozenset[str]:
        """The classes that the complete search must report with so many workers."""
        absent = dict(self.fewer).get(workers, ())
        return frozenset({self.expected, *self.besides} - {"", *absent})

    def source(self) -> str:
        """The text with its edits."""
        source = _original(self.original)
        for old, new in self.edits:
            times = source.count(old)
            assert times == 1, f"{self.name}: {self.original} has this text {times} times:\n{old}"
            source = source.replace(old, new)
        return _imported(source)

    def loaded(self) -> Loaded:
        """The architecture of the text, from a file that lives as long as this process."""
        return _loaded(self)


def _imported(source: str) -> str:
    """The text with an import of those names of the facade that an edit has brought in."""
    tree = ast.parse(source)
    known = {name.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for name in node.names}
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    missing = sorted((used & set(cllm_sim.__all__)) - known)
    if not missing:
        return source
    return source.replace(
        "from cllm_sim import ", f"from cllm_sim import {', '.join(missing)}\nfrom cllm_sim import ", 1
    )


@cache
def _original(name: str) -> str:
    own = TEXTS / f"{name}.py"
    return (own if own.is_file() else shipped()[name]).read_text(encoding="utf-8")


@cache
def _folder() -> "tempfile.TemporaryDirectory[str]":
    return tempfile.TemporaryDirectory(prefix="cllm-mutants-")


@cache
def _loaded(variant: Variant) -> Loaded:
    stem = "".join(letter if letter.isalnum() else "_" for letter in variant.name)
    path = Path(_folder().name) / f"{stem}.py"
    path.write_text(variant.source(), encoding="utf-8")
    return load(str(path))
