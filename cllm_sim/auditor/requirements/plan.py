"""The plan a program is measured against: rows of TOML, the shipped ones or a user's own.

Rules of this file: a plan is data and names no code; whatever is wrong with a user's file is said with its line. The
shipped copy `auditor/data/master-plan.toml` is kept byte for byte like `docs/master-plan.toml` (a test compares them).
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cllm_sim.errors import BadRequest

SHIPPED = Path(__file__).resolve().parent.parent / "data" / "master-plan.toml"
TABLE = "requirement"
KEYS = ("id", "group", "text", "source", "promise")
NEEDED = ("id", "text")
HEADER = re.compile(r"^\s*\[\[\s*requirement\s*\]\]")


@dataclass(frozen=True, slots=True)
class Requirement:
    """One row: what is asked for, where the plan asks for it, and the promise of the protocol that expresses it."""

    id: str
    text: str
    group: str = ""
    source: str = ""
    promise: str = ""


def load_plan(path: Path | None = None) -> tuple[Requirement, ...]:
    """The rows of a plan; raises BadRequest with the file, and the row's line, where one cannot be used."""
    file = SHIPPED if path is None else path
    shown = "the shipped plan" if path is None else str(path)
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadRequest(f"{shown}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadRequest(f"{shown}: is no TOML: {error}") from None
    return _rows(found, shown, text)


def _rows(found: dict[str, Any], shown: str, text: str) -> tuple[Requirement, ...]:
    unknown = sorted(set(found) - {TABLE})
    if unknown:
        raise BadRequest(f"{shown}: unknown key '{unknown[0]}'; a plan holds [[{TABLE}]] rows and nothing else")
    rows = found.get(TABLE)
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise BadRequest(f"{shown}: holds no [[{TABLE}]] row")
    lines = [number for number, line in enumerate(text.splitlines(), 1) if HEADER.match(line)]
    if len(lines) != len(rows):  # rows written in another way that TOML allows: they are counted
        lines = [0] * len(rows)
    places: dict[str, str] = {}
    made = []
    for number, (row, line) in enumerate(zip(rows, lines, strict=True), 1):
        where = f"{shown}:{line}" if line else f"{shown}: row {number}"
        one = _row(row, where)
        if one.id in places:
            raise BadRequest(f"{where}: the id '{one.id}' stands at {places[one.id]} already")
        places[one.id] = where
        made.append(one)
    return tuple(made)


def _row(row: dict[str, Any], where: str) -> Requirement:
    for key, value in row.items():
        if key not in KEYS:
            raise BadRequest(f"{where}: unknown key '{key}'; a row has {', '.join(KEYS)}")
        if not isinstance(value, str):
            raise BadRequest(f"{where}: '{key}' must be a text")
    for key in NEEDED:
        if not row.get(key, "").strip():
            raise BadRequest(f"{where}: '{key}' is missing or empty")
    return Requirement(**{key: value.strip() for key, value in row.items()})
