"""`python -m tests.promela.rates`: states per second of SPIN and of the checker's unreduced mode, model by model.

Both search the same states, which is checked; the time is the search alone (SPIN's without compiling, ours with the
unfolding of the texts). SPIN runs as the equality of the counts needs it: exhaustive, whole states, no reduction. Its
rate is that of the form with one process per actor, in which it does not try the steps of every place in every state;
the counts of the other form are compared, too. The last column is our rate with the happens-before marks in the state,
which are not exported.

Rules of this file: rounds of both alternate and the best of each is taken; nothing is discarded.
"""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from cllm_sim.checker import run
from cllm_sim.promela import export, unfold_all
from cllm_sim.results import RunResult

from tests.promela.exported import LARGE, Model
from tests.promela.spin import compiled, missing, searched

MONITORED_MAX = 300_000
"""States after which the search with the monitor is broken off: its marks multiply the states, its rate is enough."""


class Rate(NamedTuple):
    """One row: the counts, the best seconds of either, and our states per second with the monitor."""

    model: str
    states: int
    transitions: int
    equal: bool
    spin: float
    ours: float
    monitored: float


def searched_by_us(model: Model, races: str, states_max: int) -> RunResult:
    """The checker's unreduced search."""
    return run(
        model.loaded(),
        workers=model.workers,
        depth=model.depth,
        reductions="none",
        races=races,
        budget_seconds=600,
        max_states=states_max,
    )


def measured(model: Model, rounds: int) -> Rate:
    """Search a model `rounds` times with either."""
    space = model.space()
    states = unfold_all(space)
    counts = set()
    spin = ours = float("inf")
    with tempfile.TemporaryDirectory() as name:

        def by_spin(process_per_actor: bool) -> float:
            found = searched(Path(name), assertions=False, table_bits=states.bit_length(), depth=states)
            counts.add(found[:2])
            return found.seconds if process_per_actor else float("inf")

        for process_per_actor in (False, True):
            text = export(space.system, space, process_per_actor=process_per_actor)
            compiled(text, Path(name), optimised=True)
            spin = min(spin, by_spin(process_per_actor))
        for _ in range(rounds):
            result = searched_by_us(model, "next", 2 * states)
            counts.add((result.states, result.transitions))
            spin, ours = min(spin, by_spin(True)), min(ours, result.seconds)
    marked = searched_by_us(model, "monitor", MONITORED_MAX)
    rate = marked.states / marked.seconds
    return Rate(str(model), result.states, result.transitions, len(counts) == 1, spin, ours, rate)


def shown(rates: list[Rate]) -> Table:
    """The table; SPIN's clock has hundredths of a second, so shorter searches have no rate."""
    table = Table(title="states per second, unreduced, monitor off but for the last column (best of the rounds)")
    for column in ("model", "states", "transitions", "counts", "SPIN /s", "cllm /s", "cllm / SPIN", "with monitor /s"):
        table.add_column(column, justify="left" if column == "model" else "right")
    for rate in rates:
        spin = rate.states / rate.spin if rate.spin >= 0.05 else None
        ours = rate.states / rate.ours
        table.add_row(
            rate.model,
            f"{rate.states:,}",
            f"{rate.transitions:,}",
            "equal" if rate.equal else "DIFFERENT",
            f"{spin:,.0f}" if spin else "too short",
            f"{ours:,.0f}",
            f"{ours / spin:.3f}" if spin else "",
            f"{rate.monitored:,.0f}",
        )
    return table


def main() -> int:
    """Print the table; 1 if any counts differ, 2 where SPIN is not installed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    if missing():
        print(missing(), file=sys.stderr)
        return 2
    rates = [measured(model, chosen.rounds) for model in LARGE]
    Console(width=120).print(shown(rates))
    return 0 if all(rate.equal for rate in rates) else 1


if __name__ == "__main__":
    sys.exit(main())
