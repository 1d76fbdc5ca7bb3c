"""Applying the sketches of a plan to a copy of the program, one step after another, as a reader would.

Rules of this file: only what a sketch says is done. A line that goes or stays must be there, in the order of the hunk;
`...` passes over lines. Spacing and braces are not compared, for a sketch prints them its own way; so the functions
that sketches change are printed that way first.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from cllm_sim.auditor import sources, syntax
from cllm_sim.auditor.planning.lines import printed, signature

NUMBERED = re.compile(r"@@ (?P<name>(?:struct )?(?!includes )\w+)(?:, line \d+)? @@")
BEFORE = re.compile(r"@@ .*?before (?P<name>(?:struct )?\w+)\b.* @@")


class Hunk(NamedTuple):
    """One hunk: its file, its head, its lines with their marks."""

    path: str
    head: str
    lines: list[str]


def hunks(patch: str) -> list[Hunk]:
    """The hunks of a sketch."""
    found: list[Hunk] = []
    path = ""
    for line in patch.splitlines():
        if line.startswith("--- a/"):
            path = line.removeprefix("--- a/")
        elif line.startswith("@@"):
            found.append(Hunk(Path(path).name, line, []))
        elif not line.startswith("+++ b/"):
            found[-1].lines.append(line)
    return found


def copied(program: Path, plan: Iterable[dict[str, Any]], target: Path) -> Path:
    """A copy of the program in which the functions that the sketches change are printed as sketches print them."""
    shutil.copytree(program, target, ignore=shutil.ignore_patterns("build"))
    named = {found["name"] for step in plan for hunk in hunks(step["patch"]) if (found := NUMBERED.match(hunk.head))}
    files, _ = syntax.read_all(sources.find([str(target)]).sources, cache=None)
    for file in files:
        lines = (target / Path(file.path).name).read_text(encoding="utf-8").splitlines()
        for one in sorted(file.functions, key=lambda function: -function.line):
            if one.name in named:
                lines[one.line - 1 : one.line_end] = [
                    signature(one),
                    "{",
                    *(line.text for line in printed(one.body)),
                    "}",
                ]
        _write(target / Path(file.path).name, lines)
    return target


def applied(hunk: Hunk, folder: Path) -> list[str]:
    """Applies one hunk; what does not fit."""
    path = folder / hunk.path
    lines = path.read_text(encoding="utf-8").splitlines()
    numbered, before = NUMBERED.match(hunk.head), BEFORE.match(hunk.head)
    if before is not None:
        start = _definition(lines, before["name"])
        lines[start:start] = list(_added(hunk))
        bad: list[str] = []
    elif numbered is not None:
        start = _definition(lines, numbered["name"])
        end = next(n for n in range(start, len(lines)) if lines[n].startswith("}"))
        whole, bad = _changed(lines[start : end + 1], hunk)
        lines[start : end + 1] = whole
    else:
        start = max(n for n, line in enumerate(lines) if line.startswith("#include")) + 1
        lines[start:start] = list(_added(hunk))
        bad = []
    _write(path, lines)
    return [f"{hunk.path} {hunk.head}: {line}" for line in bad]


def _definition(lines: list[str], name: str) -> int:
    """The line on which a function or record is defined."""
    for n, line in enumerate(lines):
        record = name.startswith("struct ") and re.match(rf"{re.escape(name)}\b.*{{$", line)
        function = re.match(rf"[A-Za-z].*\b{re.escape(name)}\(", line) and not line.rstrip().endswith(";")
        if record or function:
            return n
    raise AssertionError(f"{name} is not defined")


def _changed(lines: list[str], hunk: Hunk) -> tuple[list[str], list[str]]:
    """A function or record with a hunk applied, and the lines of the hunk that are not there."""
    if not hunk.head.startswith("@@ struct "):
        return _in_order(lines, hunk)
    left, bad = list(lines[:-1]), []
    for line in hunk.lines:
        if line.startswith("-"):
            found = next((n for n, one in enumerate(left) if _bare(one) == _bare(line[1:])), None)
            if found is None:
                bad.append(line)
            else:
                del left[found]
    return [*left, *_added(hunk), lines[-1]], bad


def _in_order(lines: list[str], hunk: Hunk) -> tuple[list[str], list[str]]:
    found: list[str] = []
    bad: list[str] = []
    here = 0
    for line in hunk.lines:
        mark, text = line[:1], line[1:]
        if text.strip() == "..." and mark == " ":
            continue
        if mark == "+":
            found.append(text)
            continue
        there = next((n for n in range(here, len(lines)) if _same(lines[n], text)), None)
        if there is None:
            bad.append(line)
            continue
        found += lines[here:there]
        found += [text] if mark == " " else []
        here = there + 1
    return [*found, *lines[here:]], bad


def _same(a: str, b: str) -> bool:
    return _bare(a) == _bare(b) and (bool(_bare(a)) or a.strip() == b.strip())


def _bare(line: str) -> str:
    return re.sub(r"/\*.*?\*/|[\s{}]", "", line)


def _added(hunk: Hunk) -> Iterator[str]:
    return (line[1:] for line in hunk.lines if line.startswith("+"))


def _write(path: Path, lines: list[str]) -> None:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
