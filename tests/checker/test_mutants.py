"""Shipped architectures with one thing changed: each is found, with its classes and their shortest lengths."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cllm_sim.architecture import Loaded
from cllm_sim.checker import run
from cllm_sim.checker.space import Space
from cllm_sim.compose import compose
from cllm_sim.library import load, shipped
from cllm_sim.tree import Tree

from tests.checker.searching import explored

Change = tuple[str, str]
Mutant = Callable[..., Loaded]

CONTROL = "def control(me: Seat, team: Crew, order: int) -> Steps:\n"
WORK = "        yield from work(order)  # a leaf computes; a control commands its own workers\n"
POINT_B = "        if order == BATCH:\n            yield team.batch.wait()  # Point B: every segment is written\n"
COMPUTE = "        yield compute(weights, into=me.segment)\n"
FOLD = "        yield fold(team.each.segment, into=me.segment)  # nobody writes a segment before the next Point A\n"
UPDATE = "        if order == BATCH:\n            yield update(me.segment, into=weights)  # validate, clip, apply\n"
LEAVES_EPOCH = "        elif order == EPOCH:\n            yield team.epoch.wait()\n\n\ndef leaf"
CLAIM = "        while (piece := (yield team.claimed.add(1))) < team.workers:\n"
WAKE = (
    "        while not (order := (yield me.order.read())):\n"
    "            yield me.wake.wait()  # gives the lock back while asleep\n"
)
HAND_OVER = (
    "        yield team.at.lock.acquire()\n        yield team.at.order.write(order)\n"
    "        yield team.at.wake.notify()\n        yield team.at.lock.release()\n"
)

MUTANTS: dict[str, tuple[str, int, int, tuple[Change, ...], dict[str, int]]] = {
    "stop is not passed on": (
        "node_zero", 2, 1, ((CONTROL, CONTROL + "    if order == STOP:\n        return\n"),), {"deadlock": 3},
    ),
    "stop is not passed on, depth 2": (
        "node_zero", 2, 2, ((CONTROL, CONTROL + "    if order == STOP:\n        return\n"),), {"deadlock": 7},
    ),
    "writes after Point B": (
        "node_zero", 2, 1,
        ((WORK + POINT_B, POINT_B + "            yield from work(order)\n"),),
        {"race": 12, "stale-read": 11, "lost-batch": 13, "double-processing": 25},
    ),
    "writes the first child's segment": (
        "node_zero", 2, 1, ((COMPUTE, COMPUTE.replace("me.segment", "team.seats[0].segment")),),
        {"ownership": 7, "race": 9, "lost-update": 9, "double-processing": 9, "stale-read": 13},
    ),
    "does not come to the epoch barrier": (
        "node_zero", 2, 1, ((LEAVES_EPOCH, "\n\ndef leaf"),), {"deadlock": 10},
    ),
    "never updates": ("node_zero", 2, 1, ((UPDATE, ""),), {"double-processing": 20}),
    "folds twice": ("node_zero", 2, 1, ((FOLD, FOLD + FOLD),), {"double-processing": 14}),
    "computes nothing": ("node_zero", 2, 1, ((COMPUTE, "        yield team.order.read()\n"),), {"stale-read": 13}),
    "leaves update the weights": (
        "node_zero", 2, 1, ((COMPUTE, COMPUTE + "        yield update(me.segment, into=weights)\n"),),
        {"race": 10, "lost-batch": 10, "stale-read": 11},
    ),
    "claims by reading and writing": (
        "work_queue", 2, 1,
        (
            ("claimed = Word()", "claimed = Variable()"),
            (CLAIM, CLAIM.replace("add(1)", "read()") + "            yield team.claimed.write(piece + 1)\n"),
            ("team.claimed.store(0)", "team.claimed.write(0)"),
        ),
        {"race": 11, "double-processing": 14},
    ),
    "flag without its lock": (
        "model_lock", 2, 1, ((HAND_OVER, HAND_OVER.replace("        yield team.at.lock.acquire()\n", "").replace(
            "        yield team.at.lock.release()\n", "")),),
        {"race": 5, "deadlock": 18},
    ),
    "sleeps without a predicate": (
        "model_lock", 1, 1,
        ((WAKE, "        yield me.wake.wait()\n        order = yield me.order.read()\n"),), {"deadlock": 13},
    ),
    "leaks the lock": ("model_lock", 2, 1, (("        yield model.release()\n", ""),), {"deadlock": 33}),
}  # fmt: skip


@pytest.fixture
def mutant(tmp_path: Path) -> Mutant:
    """`mutant(name, change...)`: a shipped architecture with some of its text replaced."""

    def make(name: str, *changes: Change) -> Loaded:
        source = shipped()[name].read_text(encoding="utf-8")
        for old, new in changes:
            assert source.count(old) == 1, f"{name} no longer has this text once:\n{old}"
            source = source.replace(old, new)
        path = tmp_path / f"{name}_changed.py"
        path.write_text(source, encoding="utf-8")
        return load(str(path))

    return make


@pytest.mark.parametrize("reductions", ["symmetry", "none"])
@pytest.mark.parametrize("what", MUTANTS)
def test_mutants(mutant: Mutant, what: str, reductions: str) -> None:
    name, workers, depth, changes, expected = MUTANTS[what]
    result = run(mutant(name, *changes), workers=workers, depth=depth, reductions=reductions)
    lengths: dict[str, int] = {}
    for row in result.broken:
        lengths.setdefault(row["class"], len(row["counterexample"]["steps"]))
    assert lengths == expected
    assert result.complete


IF_FOR_WHILE = (
    WAKE,
    "        order = yield me.order.read()\n        if not order:\n" + 12 * " " + "yield me.wake.wait()\n",
)


@pytest.mark.parametrize(("changes", "faults"), [((), set()), ((IF_FOR_WHILE,), {"stale-read"})])
def test_spurious_wake_ups(mutant: Mutant, changes: tuple[Change, ...], faults: set[str]) -> None:
    """A loop around the wait is safe against waking up for nothing; an `if` is not."""
    changed = mutant("model_lock", *changes)
    system = replace(compose(changed.architecture, Tree(1, 1)), spurious=True)
    found = explored(Space(system, changed.path)).faults
    assert found >= faults
    assert bool(found) == bool(faults)
