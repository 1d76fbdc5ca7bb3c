"""The matrix in tests: with two workers every text under every setting, the larger numbers of workers at night."""

from dataclasses import replace

import pytest

from cllm_sim import checker
from cllm_sim.checker.space import Space
from cllm_sim.compose import compose
from cllm_sim.tree import Tree

from tests.checker.searching import explored
from tests.mutants import locks
from tests.mutants.catalogue import Variant
from tests.mutants.correct import CORRECT
from tests.mutants.matrix import MUTANTS, VARIANTS, Row, examined, modes, run, summary

SLOW = frozenset({"one barrier for all levels"})
"""Texts that take seconds with two workers."""


def marks(name: str) -> list[pytest.MarkDecorator]:
    return [pytest.mark.nightly] * (name in SLOW)


def cells(*workers: int) -> list[object]:
    """Every text with every of these numbers of workers that it is made for."""
    return [
        pytest.param(one, count, id=f"{one.name}-{count}", marks=marks(one.name))
        for one in VARIANTS
        for count in workers
        if count in one.workers
    ]


def looked_through(variant: Variant, workers: int) -> list[Row]:
    rows = [examined(variant, workers, mode) for mode in modes()]
    for row in rows:
        assert row.passed, row
        assert row.confirmed, row
    return rows


@pytest.mark.parametrize(("variant", "workers"), cells(2))
def test_two_workers(variant: Variant, workers: int) -> None:
    for row in looked_through(variant, workers):
        if "partial-order" not in row.reductions:
            assert set(row.seen) == variant.classes(workers)


THREE = (
    "Node Zero",
    "a lock around the model",
    "inverted behind a gate",
    "start barrier too large",
    "folds before Point B",
    "one signal for several",
    "a race that one lock order hides",
    "try and back off",
)
"""Texts that are quick enough with three workers."""


@pytest.mark.parametrize("name", THREE)
def test_three_workers(name: str) -> None:
    looked_through(next(one for one in VARIANTS if one.name == name), 3)


@pytest.mark.nightly
@pytest.mark.parametrize(("variant", "workers"), cells(3, 4))
def test_more_workers(variant: Variant, workers: int) -> None:
    looked_through(variant, workers)


def test_the_tables_are_as_large_as_promised() -> None:
    assert len({one.name for one in VARIANTS}) == len(VARIANTS)
    assert len(MUTANTS) >= 40
    assert len(CORRECT) >= 12
    assert {one.number for one in MUTANTS} >= set(range(1, 22))
    assert all(one.why for one in VARIANTS)
    assert all(one.attacks for one in MUTANTS)


def test_most_mutants_are_run_with_two_three_and_four_workers() -> None:
    assert sum(one.workers == (2, 3, 4) for one in MUTANTS) >= 100


def test_a_survivor_and_an_alarm_are_told() -> None:
    """What the matrix would say if a mutant were correct, or a correct variant a mutant."""
    broken = next(one for one in MUTANTS if one.name == "start barrier too large")
    survivor = replace(broken, expected="race")
    alarm = replace(broken, expected="", besides=())
    rows = run((survivor, alarm), (2,), ("none",), None)
    assert [row.passed for row in rows] == [False, False]
    told = summary(rows)
    assert (told["killed"]["none"], told["alarms"]) == ({"killed": 0, "total": 1}, 1)


# --- lengths ----------------------------------------------------------------------------------------------------------
LENGTHS: dict[str, dict[str, int]] = {
    "stop is not passed on": {"deadlock": 3},
    "stop is not passed on, two levels": {"deadlock": 7},
    "writes after Point B": {"race": 12, "stale-read": 11, "lost-batch": 13, "double-processing": 25},
    "two workers share a segment": {
        "ownership": 7, "race": 9, "lost-update": 9, "double-processing": 9, "stale-read": 13,
    },
    "no epoch barrier in the worker": {"deadlock": 10},
    "never updates": {"double-processing": 20},
    "folds twice": {"double-processing": 14},
    "computes nothing": {"stale-read": 13},
    "leaves update the weights": {"race": 10, "lost-batch": 10, "stale-read": 11},
    "work queue: claims by reading and writing": {"race": 11, "double-processing": 14},
    "locked model: flag without its lock": {"race": 5, "deadlock": 18},
    "locked model: leaks the lock": {"deadlock": 33},
    "lock order inverted": {"deadlock": 2},
    "takes the lock twice": {"deadlock": 9},
}  # fmt: skip
"""Steps of the shortest counterexample of every class, with two workers."""


@pytest.mark.parametrize("mode", ["none", "symmetry"])
@pytest.mark.parametrize("name", LENGTHS)
def test_counterexamples_are_shortest(name: str, mode: str) -> None:
    variant = next(one for one in MUTANTS if one.name == name)
    found = checker.run(variant.loaded(), workers=2, depth=variant.depth, reductions=mode)
    lengths: dict[str, int] = {}
    for row in found.broken:
        lengths.setdefault(row["class"], len(row["counterexample"]["steps"]))
    assert lengths == LENGTHS[name]


# --- waking up for nothing --------------------------------------------------------------------------------------------
IF_FOR_WHILE = (
    locks.SHIPPED_WAKE,
    "        order = yield me.order.read()\n        if not order:\n" + 12 * " " + "yield me.wake.wait()\n",
)


@pytest.mark.parametrize(("edits", "faults"), [((), set()), ((IF_FOR_WHILE,), {"stale-read"})])
def test_spurious_wake_ups(edits: tuple[tuple[str, str], ...], faults: set[str]) -> None:
    """A loop around the wait is safe against waking up for nothing; an `if` is not."""
    loaded = Variant(f"wakes for nothing {len(edits)}", "model_lock", edits).loaded()
    system = replace(compose(loaded.architecture, Tree(1, 1)), spurious=True)
    found = explored(Space(system, loaded.path)).faults
    assert found >= faults
    assert bool(found) == bool(faults)
