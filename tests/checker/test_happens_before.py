"""Who is ordered after whom: what each kind of synchronisation gives and takes, and which accesses race without it."""

from dataclasses import replace

import pytest

from cllm_sim.compose import compose
from cllm_sim.operations import Op, compute, fold, join, update
from cllm_sim.semantics import both_next
from cllm_sim.tree import Tree

from tests.checker.by_hand import ARCHITECTURE, CONTROL, MAIN, ONE, SYSTEM, TWO, World, down, me, scratch, up, weights

WRITE, READ = up.note.write(1), up.note.read()
PART = fold((), into=up.owner.segment, parts=2)
OWN, DOWN, SWAP = me.lock.acquire(), up.token.down(), up.word.exchange(0, 1)
TAKE, GIVE = up.door.acquire(), up.door.release()
ORDER = [
    ("nothing", [(ONE, WRITE)], (TWO, WRITE), True),
    ("nothing, write then read", [(ONE, WRITE)], (TWO, READ), True),
    ("nothing, read then write", [(ONE, READ)], (TWO, WRITE), True),
    ("two reads", [(ONE, READ)], (TWO, READ), False),
    ("the same actor", [(ONE, WRITE)], (ONE, WRITE), False),
    ("two slices", [(ONE, PART)], (TWO, PART), False),
    ("a slice, then the whole", [(ONE, PART)], (TWO, fold((), into=up.owner.segment)), True),
    ("scratch of two", [(ONE, compute((), me.segment, scratch))], (TWO, compute((), me.segment, scratch)), True),
    ("a lock", [(ONE, TAKE), (ONE, WRITE), (ONE, GIVE), (TWO, TAKE)], (TWO, WRITE), False),
    ("a lock taken by one only", [(ONE, TAKE), (ONE, WRITE), (ONE, GIVE)], (TWO, WRITE), True),
    ("written after giving it back", [(ONE, TAKE), (ONE, GIVE), (ONE, WRITE), (TWO, TAKE)], (TWO, WRITE), True),
    ("another lock", [(ONE, OWN), (ONE, WRITE), (ONE, me.lock.release()), (TWO, TAKE)], (TWO, WRITE), True),
    ("a semaphore", [(TWO, DOWN), (ONE, WRITE), (ONE, up.token.up()), (TWO, DOWN)], (TWO, READ), False),
    ("a semaphore the other way", [(ONE, WRITE), (ONE, up.token.down()), (TWO, up.token.up())], (TWO, READ), True),
    ("store and load", [(ONE, WRITE), (ONE, up.word.store(1)), (TWO, up.word.load())], (TWO, READ), False),
    ("store and await", [(ONE, WRITE), (ONE, up.word.store(1)), (TWO, up.word.wait_until(1))], (TWO, READ), False),
    (
        "a store over it",
        [(ONE, WRITE), (ONE, up.word.store(1)), (CONTROL, down.word.store(2)), (TWO, up.word.load())],
        (TWO, READ),
        True,
    ),
    ("add and load", [(ONE, WRITE), (ONE, up.word.add(1)), (TWO, up.word.load())], (TWO, READ), False),
    (
        "an add over it",
        [(ONE, WRITE), (ONE, up.word.add(1)), (CONTROL, down.word.add(1)), (TWO, up.word.load())],
        (TWO, READ),
        False,
    ),
    ("a load gives nothing", [(ONE, WRITE), (ONE, up.word.load()), (TWO, up.word.load())], (TWO, READ), True),
    ("an exchange", [(ONE, WRITE), (ONE, up.word.exchange(5, 1)), (TWO, up.word.load())], (TWO, READ), False),
    ("an exchange that fails", [(ONE, WRITE), (ONE, up.word.exchange(0, 1)), (TWO, up.word.load())], (TWO, READ), True),
    ("a failing exchange takes", [(ONE, WRITE), (ONE, up.word.store(1)), (TWO, SWAP)], (TWO, READ), False),
    (
        "a barrier",
        [(ONE, WRITE), (ONE, up.batch.wait()), (CONTROL, down.batch.wait()), (TWO, up.batch.wait())],
        (TWO, WRITE),
        False,
    ),
    (
        "a barrier before",
        [(ONE, up.batch.wait()), (CONTROL, down.batch.wait()), (TWO, up.batch.wait()), (ONE, WRITE)],
        (TWO, WRITE),
        True,
    ),
    ("two hops", [(ONE, WRITE), (ONE, up.word.store(1)), (CONTROL, down.word.load()), (CONTROL, down.door.acquire()),
                  (CONTROL, down.door.release()), (TWO, TAKE)], (TWO, WRITE), False),
    ("join", [(ONE, WRITE), (MAIN, join(ONE))], (MAIN, READ), False),
    ("join of another", [(ONE, WRITE), (MAIN, join(TWO))], (MAIN, READ), True),
    ("a signal orders nothing", [(ONE, WRITE), (ONE, up.bell.notify()), (TWO, up.bell.notify())], (TWO, READ), True),
]  # fmt: skip


@pytest.mark.parametrize(("before", "last", "races"), [case[1:] for case in ORDER], ids=[case[0] for case in ORDER])
def test_who_is_ordered_after_whom(before: list[tuple[str, Op]], last: tuple[str, Op], races: bool) -> None:
    world = World()
    for actor, op in before:
        assert "race" not in world.do(actor, op)[1]
    assert ("race" in world.do(*last)[1]) is races


def test_sleeping_orders_through_the_mutex() -> None:
    world = World()
    world.do(ONE, TAKE)
    world.do(ONE, WRITE)
    world.do(ONE, up.bell.wait())
    world.do(TWO, TAKE)
    assert world.do(TWO, WRITE)[1] == []
    world.do(TWO, up.bell.notify())
    world.do(TWO, GIVE)
    world.go(ONE)
    assert world.do(ONE, WRITE)[1] == []


def test_an_access_that_everybody_is_ordered_after_leaves_no_mark() -> None:
    world = World(compose(replace(ARCHITECTURE, others={}), Tree(2, 1)))
    world.do(ONE, WRITE)
    assert world.memory.marks
    for actor, team in ((ONE, up), (TWO, up), (CONTROL, down)):
        world.do(actor, team.batch.wait())
    assert world.memory.marks == ()


def test_without_the_monitor_there_are_no_marks() -> None:
    world = World(replace(SYSTEM, monitor=False))
    assert world.do(ONE, WRITE)[1] == []
    assert world.do(TWO, WRITE)[1] == []
    assert world.memory.marks == ()


@pytest.mark.parametrize(
    ("one", "two", "races"),
    [
        (WRITE, WRITE, True),
        (WRITE, READ, True),
        (READ, READ, False),
        (PART, PART, False),
        (WRITE, up.word.store(1), False),
        (compute(weights, into=me.segment), compute(weights, into=me.segment), False),
        (compute(weights, into=me.segment), fold(up.each.segment, into=me.segment), True),
        (compute(weights, into=me.segment), update((), into=weights), True),
    ],
)
def test_two_accesses_that_are_both_next(one: Op, two: Op, races: bool) -> None:
    world = World()
    world.give(ONE, one)
    world.give(TWO, two)
    assert bool(both_next(SYSTEM, world.pending, world.memory)) is races
