"""A proof by induction on the terminal: what was proved, under which conditions, how large each part was.

Rules of this file: it reads the field `any_depth` of a result and says it; plain lines, no layout of its own.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from textwrap import wrap
from typing import Any

Data = Mapping[str, Any]

WIDTH = 100
"""Columns of the sentences."""

STEPS_MAX = 60
"""Steps of a counterexample that are shown; the rest is in the result."""


def render(data: Data) -> str:
    """The field `any_depth` of a result as text."""
    return "\n".join(_lines(data)) + "\n"


def _lines(data: Data) -> Iterator[str]:
    yield f"any depth: {data['verdict']}"
    for sentence in data["words"]:
        yield from wrap(sentence, WIDTH, initial_indent="  ", subsequent_indent="    ", break_long_words=False)
    bad = next((case for case in data["cases"] if case["counterexample"]), None)
    if bad is not None:
        yield ""
        yield from _example(bad)
    if data["interface"]:
        yield ""
        yield "the interface: what a parent sees of a worker"
        yield from _interface(data["interface"])
    yield ""
    yield from _conditions(data)
    if data["cases"]:
        yield ""
        yield from _cases(data)


def _place(row: Data) -> str:
    return f"{Path(row['path']).name}:{row['line']}" if row["path"] else ""


def _interface(rows: list[Data]) -> Iterator[str]:
    for row in rows:
        following = [f"{said} -> {number}" if said else f"-> {number}" for said, number in row["next"].items()]
        notes = [
            *(f"uses {name}" for name in row["reads"]),
            *(["the step may end here"] if row["step_may_end"] else []),
        ]
        parts = [row["action"], *(f"[{note}]" for note in notes), ", ".join(following), _place(row)]
        yield f"  {row['number']:>2}  " + "  ".join(part for part in parts if part)


def _conditions(data: Data) -> Iterator[str]:
    yield "conditions"
    for row in data["conditions"]:
        if not row["holds"]:
            yield f"  FAILS  {row['name']}: {row['text']}"
            yield f"         but {row['why']}  {_place(row)}".rstrip()
    held = [row for row in data["conditions"] if row["holds"]]
    if len(held) == len(data["conditions"]) and data["verdict"] == "holds":
        yield from (f"  checked  {row['name']}: {row['text']}" for row in held)
    elif len(held) < len(data["conditions"]):
        yield f"  the other {len(held)} were not found to fail"
    else:
        yield f"  none of the {len(held)} was found to fail"


def _cases(data: Data) -> Iterator[str]:
    yield "  workers     part   verdict     states      steps  seconds"
    for row in data["cases"]:
        yield (
            f"  {row['workers']:>7}  {row['name']:>7}  {row['verdict']:>8}  {row['states']:>9,}  "
            f"{row['transitions']:>9,}  {row['seconds']:>7.3f}"
        )
    states = sum(row["states"] for row in data["cases"])
    steps = sum(row["transitions"] for row in data["cases"])
    yield f"  {'all':>7}  {'':>7}  {'':>8}  {states:>9,}  {steps:>9,}  {data['seconds']:>7.3f}"


def _example(case: Data) -> Iterator[str]:
    found = case["counterexample"]
    yield f"{case['name']} with {case['workers']} worker{'' if case['workers'] == 1 else 's'}: {found['class']}"
    if case["name"] == "control":
        yield "  (node: a control below the root; child 0, 1, ...: its children; outside: its parent and siblings)"
    steps = found["steps"]
    left_out = max(0, len(steps) - STEPS_MAX)
    if left_out:
        yield f"  ... the first {left_out} steps are in the result"
    width = max((len(row["actor"]) for row in steps), default=0)
    for number, row in enumerate(steps[left_out:], left_out + 1):
        seen = f"  | outside: {row['seen']}" if row["seen"] else ""
        again = "  (again and again)" if row.get("again") else ""
        told = "".join(f"  {change}" for change in row["changes"])
        yield f"  {number:>3}  {row['actor']:<{width}}  {row['op']}{told}  {_place(row)}{seen}{again}"
    yield f"  wrong:   {found['text']}  {_place(found)}"
    if found["allowed"]:
        yield f"  allowed: {_short(found['allowed'])}"
    for row in found["stuck"]:
        yield f"  {row['actor']} waits for {row['waits_for']}: {row['needs']}  {_place(row)}"


def _short(allowed: str) -> str:
    """The same sentence with file names instead of paths."""
    head, _, place = allowed.rpartition(" (")
    return f"{head} ({Path(place).name}" if head else allowed
