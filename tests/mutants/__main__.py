"""`python -m tests.mutants`: the whole matrix as a table, and `reports/mutants/result.json`.

Exit code 0: every mutant killed with its class under every setting, no alarm on a correct variant, every counterexample
confirmed, every seeded fault of the checker noticed.
"""

import json
import sys
import time
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from tests.mutants import matrix, oracles
from tests.mutants.faults import FAULTS
from tests.mutants.matrix import Row

ROOT = Path(__file__).resolve().parents[2]
RESULT = ROOT / "reports" / "mutants" / "result.json"
SCHEMA = "cllm-sim/mutants/1"
WIDTH = 120


def cell(row: Row) -> str:
    """The number of states (of a partial-order search, those it kept) where all is as expected, else what was seen."""
    if not row.complete:
        return "[red]incomplete[/]"
    if not row.passed:
        return f"[red]{', '.join(row.seen) or 'survived'}[/]"
    states = f"{row.states if row.kept is None else row.kept:,}"
    return states if row.confirmed else f"[red]{states} not confirmed[/]"


def _plain(title: str) -> Table:
    return Table(title=title, title_style="", box=SIMPLE_HEAD)


def table(rows: Sequence[Row]) -> Table:
    """One line per text and number of workers, one column per setting."""
    settings = list(dict.fromkeys(row.mode for row in rows))
    shown = Table(
        title="states searched, where verdict and counterexample are as expected", title_style="", box=SIMPLE_HEAD
    )
    shown.add_column("text", ratio=2)
    shown.add_column("n", justify="right")
    shown.add_column("expected")
    shown.add_column("seen besides", ratio=1)
    for mode in settings:
        shown.add_column(mode, justify="right")
    for (name, workers), group in groupby(rows, key=lambda row: (row.name, row.workers)):
        line = list(group)
        first = line[0]
        besides = sorted(set().union(*(set(row.seen) for row in line)) - {first.expected})
        shown.add_row(name, str(workers), first.expected or "nothing", ", ".join(besides), *map(cell, line))
    return shown


def seeded() -> list[dict[str, Any]]:
    """Every seeded fault, and the checks that fail with it: those that name it must be among them."""
    found: list[dict[str, Any]] = []
    for one in FAULTS:
        with pytest.MonkeyPatch.context() as patch:
            one.fault(patch)
            noticed = oracles.failing([one.check])
        found.append({"fault": one.name, "check": one.check, "noticed_by": noticed})
    return found


def fault_table(faults: Sequence[dict[str, Any]]) -> Table:
    """Fault and the check that notices it."""
    shown = Table(
        title="faults put into the checker, and the check of the small suite that fails",
        title_style="",
        box=SIMPLE_HEAD,
    )
    shown.add_column("fault")
    shown.add_column("noticed by", ratio=1)
    for fault in faults:
        shown.add_row(fault["fault"].replace("_", " "), ", ".join(fault["noticed_by"]) or "[red]nobody[/]")
    return shown


def document(rows: Sequence[Row], faults: Sequence[dict[str, Any]], seconds: float) -> dict[str, Any]:
    """What is written: a summary, the rows, the seeded faults."""
    caught = {"caught": sum(bool(fault["noticed_by"]) for fault in faults), "total": len(faults)}
    return {
        "schema": SCHEMA,
        "summary": {**matrix.summary(rows), "seeded_faults": caught, "seconds": round(seconds, 1)},
        "rows": [row.data() for row in rows],
        "faults": list(faults),
    }


def told(summary: dict[str, Any]) -> list[str]:
    """The summary in a few lines."""
    faults, reduced = summary["seeded_faults"], summary["reduced_searches"]
    killed = ", ".join(f"{mode} {one['killed']}/{one['total']}" for mode, one in summary["killed"].items())
    return [
        f"{summary['mutants']} mutants, killed with the expected class: {killed}",
        f"met by partial order alone: {reduced['met_the_class_alone']}/{reduced['all']} (others show only after it)",
        f"{summary['correct_variants']} correct variants: {summary['alarms']} alarms",
        f"counterexamples replayed and simulated to the same state: {summary['confirmed']}/{summary['replayed']}",
        f"faults put into the checker: {faults['caught']}/{faults['total']} noticed",
        f"{summary['seconds']} s; {RESULT.relative_to(ROOT)}",
    ]


def fine(summary: dict[str, Any]) -> bool:
    """Is everything as promised?"""
    kills = all(count["killed"] == count["total"] for count in summary["killed"].values())
    faults = summary["seeded_faults"]
    confirmed = summary["confirmed"] == summary["replayed"]
    return bool(kills and not summary["alarms"] and confirmed and faults["caught"] == faults["total"])


def main() -> int:
    """Run everything; the exit code says whether all is well."""
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    started = time.perf_counter()
    rows = matrix.run(matrix.VARIANTS, (2, 3, 4), matrix.modes(), None)
    console.print(table(rows))
    faults = seeded()
    console.print(fault_table(faults))
    found = document(rows, faults, time.perf_counter() - started)
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    for line in told(found["summary"]):
        console.print(line, highlight=False)
    return 0 if fine(found["summary"]) else 1


if __name__ == "__main__":
    sys.exit(main())
