"""A check result on the terminal: short when all holds, complete when something is broken, open about limits.

Rules of this file: it reads the fields of a check result (`design`: promises, broken, counterexample, contention,
unreached) and says them; the last line is the next command.
"""

from collections.abc import Mapping, Sequence
from shlex import quote
from typing import Any

from rich.console import Console

from cllm_sim.report.commands import scope_options, subject
from cllm_sim.report.lines import Data, blank, fact, heading, line, rows, whole
from cllm_sim.report.naming import place
from cllm_sim.report.quantities import counted, listed, rounded
from cllm_sim.report.text_defects import render_defects

SMALLER_WORKERS = 3
REDUCED = {"symmetry": "workers interchangeable", "partial-order": "one order of steps that commute"}


def render_check(data: Data, console: Console, full: bool = False) -> None:
    """Show a check result; `full`: every defect step by step, not only the first."""
    heading(console, data)
    promises(console, data)
    if data.get("broken"):
        blank(console)
        render_defects(console, data, full)
        blank(console)
    _unreached(console, data)
    _contention(console, data)
    if data.get("assumptions"):
        fact(console, "assumed", *data["assumptions"], style="dim")
    line(console, _size(data))
    _next(console, data)


def promises(console: Console, data: Data) -> None:
    """The promises by verdict: what is broken line by line, the rest in one paragraph each."""
    found: Sequence[Data] = data.get("promises") or ()
    for row in found:
        if row["verdict"] == "broken":
            fact(console, "BROKEN", f"{row['name']}: {row['class']}" if row.get("class") else row["name"])
    for verdict in ("holds", "undecided"):
        names = [row["name"] for row in found if row["verdict"] == verdict]
        limit = f" (limit reached: {data['limit']})" if verdict == "undecided" and data.get("limit") else ""
        if names:
            fact(console, verdict, ", ".join(names) + limit)


def _unreached(console: Console, data: Data) -> None:
    found: Sequence[Data] = data.get("unreached") or ()
    if found:
        fact(
            console,
            "never",
            f"{counted(len(found), 'line')} of the text {'was' if len(found) == 1 else 'were'} never reached:",
        )
        rows(console, [(place(row["path"], row["line"]), row.get("text", "")) for row in found], indent=12)


def _contention(console: Console, data: Data) -> None:
    details: Sequence[Data] = data.get("contention_details") or [
        {"object": name, "worst": worst} for name, worst in (data.get("contention") or {}).items()
    ]
    if not details:
        return
    waited = [row for row in details if row["worst"]]
    told = [
        f"{'' if row.get('exact', True) else 'at least '}{row['worst']} for {_each(row['object'])}" for row in waited
    ]
    exact = all(row.get("exact", True) for row in details)
    none = "nobody ever waits for a lock" if exact else "nobody was seen to wait for a lock"
    fact(console, "waiters", f"at most {listed(told)}" if told and exact else listed(told) if told else none)


def _each(name: str) -> str:
    """`0.*/lock` is the lock in every seat."""
    return f"each {name.rpartition('/')[2]}" if "*" in name else name


def _size(data: Data) -> str:
    """How much was looked at: states, steps, whether that is all."""
    used = [REDUCED.get(name, name) for name in data.get("reductions") or ()]
    how = f" ({', '.join(used)})" if used else ""
    complete = "complete" if data.get("complete") else "NOT complete"
    took = f"{rounded(data['seconds'], 2)} s" if data.get("seconds") is not None else ""
    parts = [
        counted(data.get("states") or 0, "state"),
        counted(data.get("transitions") or 0, "step"),
        complete + how,
        took,
    ]
    return ", ".join(part for part in parts if part)


def _next(console: Console, data: Data) -> None:
    name, scope = subject(data), scope_options(data)
    example: Mapping[str, Any] = data.get("counterexample") or {}
    if example.get("schedule"):
        whole(console, f"walk through it:  cllm replay {name} {quote(example['schedule'])}{scope}")
    elif data.get("verdict") == "undecided":
        fewer = min(SMALLER_WORKERS, max(1, ((data.get("scope") or {}).get("workers") or 2) - 1))
        line(console, "a smaller scope usually shows the same faults", "dim")
        whole(console, f"try:  cllm check {name} --workers {fewer}")
    elif data.get("verdict") == "holds":
        whole(console, f"how long it takes:  cllm simulate {name}{scope}")
    elif data.get("broken"):
        whole(console, f"what that means:  cllm explain {data['broken'][0]['class']}")
