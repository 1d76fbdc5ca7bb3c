"""The corpus: programs, what their headers and markers expect, and their text without comments.

Markers stand in comments at the end of a line: `expect: CODE [CODE] [#tag]` (a finding with this code has this line
among its own; equal tags are one finding, any of their lines will do), `allow: CODE` (a fair consequence: neither hit
nor false alarm). Header keys: clean, bind, check, run, allow. The scorer audits the text *without* comments, so
comments are never evidence; suppression comments stay, for they are requests.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

CORPUS = Path(__file__).resolve().parent / "corpus"
MARKER = re.compile(r"/\*\s*(expect|allow):\s*([^*]*?)\s*\*/")
CODE = re.compile(r"\bC[A-Z]\d{3}\b")
HEADER = re.compile(r"^\s*\*\s*(clean|bind|check|run|allow):\s*(.*?)\s*$", re.MULTILINE)
PIECES = re.compile(r"/\*.*?\*/|//(?:\\\n|[^\n])*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.DOTALL)
Line = tuple[str, int]


@dataclass(slots=True)
class Expected:
    """One finding that must be reported: its code and the lines that count as its place."""

    code: str
    lines: set[Line]


@dataclass(slots=True)
class Program:
    """One program of the corpus. `files` maps the name inside the program to its text with comments."""

    name: str
    path: Path
    files: dict[str, str]
    header: dict[str, str]
    expected: list[Expected] = field(default_factory=list)
    allowed: set[tuple[str, str, int]] = field(default_factory=set)
    allowed_anywhere: set[str] = field(default_factory=set)

    @property
    def clean(self) -> bool:
        """Is nothing to be reported?"""
        return self.header.get("clean") == "yes"

    @property
    def bind(self) -> dict[str, tuple[str, ...]]:
        """The header's `bind`, as the auditor takes it."""
        found: dict[str, tuple[str, ...]] = {}
        for one in filter(None, re.split(r"[,\s]+", self.header.get("bind", ""))):
            purpose, _, function = one.partition("=")
            found[purpose] = (*found.get(purpose, ()), function)
        return found

    def bare(self) -> dict[str, str]:
        """The files without comments; lines keep their numbers."""
        return {name: without_comments(text) for name, text in self.files.items()}


def programs(folder: Path = CORPUS) -> list[Program]:
    """All programs of a corpus, by name."""
    paths = sorted(path for path in folder.iterdir() if path.is_dir() or path.suffix == ".c")
    return [read(path) for path in paths]


def read(path: Path) -> Program:
    """One program: a file, or a folder of files."""
    found = [path] if path.is_file() else sorted([*path.glob("*.c"), *path.glob("*.h")])
    files = {one.name: one.read_text(encoding="utf-8") for one in found}
    header: dict[str, str] = {}
    for text in files.values():
        comment = text[: text.find("*/") + 2] if text.lstrip().startswith("/*") else ""
        header.update({key: value for key, value in HEADER.findall(comment) if key not in header})
    program = Program(path.stem, path, files, header)
    program.allowed_anywhere = set(CODE.findall(header.get("allow", "")))
    _mark(program)
    return program


def _mark(program: Program) -> None:
    tagged: dict[tuple[str, str], Expected] = {}
    for kind, codes, tag, line in _markers(program):
        for code in codes:
            if kind == "allow":
                program.allowed.add((code, *line))
            elif tag and (code, tag) in tagged:
                tagged[code, tag].lines.add(line)
            else:
                one = Expected(code, {line})
                program.expected.append(one)
                if tag:
                    tagged[code, tag] = one


def _markers(program: Program) -> Iterator[tuple[str, list[str], str, Line]]:
    for name, text in program.files.items():
        for number, line in enumerate(text.split("\n"), 1):
            for kind, words in MARKER.findall(line):
                tags = re.findall(r"#\S+", words)
                yield kind, CODE.findall(words), tags[0] if tags else "", (name, number)


def without_comments(text: str) -> str:
    """C text with comments blanked out and lines kept; suppression comments stay."""

    def blank(match: re.Match[str]) -> str:
        piece = match[0]
        if not piece.startswith(("/*", "//")) or "cllm:" in piece:
            return piece
        return re.sub(r"[^\n]", " ", piece)

    return PIECES.sub(blank, text)
