"""Who waits for what, in words: for every kind of waiting, and for children met through the cursor."""

import pytest

from cllm_sim.checker.walk import value_text
from cllm_sim.operations import Op, join
from cllm_sim.waiting import blocked_on, waits_for

from tests.checker.by_hand import CONTROL, MAIN, ONE, SYSTEM, TWO, World, down, me, up

OTHERS = {CONTROL, TWO, MAIN}


def told(world: World, actor: str) -> tuple[str, str] | None:
    number = SYSTEM.actor_number(actor)
    waiting = blocked_on(SYSTEM, world.pending, world.memory, number)
    return None if waiting is None else (waiting.on, waiting.needs)


def named(world: World, actor: str) -> set[str]:
    found = waits_for(SYSTEM, world.pending, world.memory, SYSTEM.actor_number(actor))
    return {SYSTEM.actors[number].name for number in found}


def after(*done: tuple[str, Op]) -> World:
    world = World()
    for actor, op in done:
        world.do(actor, op)
    return world


@pytest.mark.parametrize(
    ("before", "actor", "op", "expected", "others"),
    [
        ([], ONE, up.batch.wait(), None, set()),
        ([(TWO, up.door.acquire())], ONE, up.door.acquire(), ("0/door", "0/door, held by 0.1"), {TWO}),
        ([(ONE, up.door.acquire())], ONE, up.door.acquire(), ("0/door", "0/door, held by 0.0"), {ONE}),
        (
            [(TWO, up.token.down())],
            ONE,
            up.token.down(),
            ("0/token", "an up of 0/token, it is 0"),
            {CONTROL, TWO, MAIN},
        ),
        ([], ONE, up.word.wait_until(9), ("0/word", "0/word to become 9, it is 5"), OTHERS),
    ],
)
def test_who_waits_for_what(
    before: list[tuple[str, Op]], actor: str, op: Op, expected: tuple[str, str] | None, others: set[str]
) -> None:
    world = after(*before)
    world.give(actor, op)
    assert told(world, actor) == expected
    assert named(world, actor) == others


def test_a_barrier_tells_who_has_come_and_who_is_missing() -> None:
    world = after((TWO, up.batch.wait()), (CONTROL, down.batch.wait()))
    assert told(world, TWO) == ("0/batch", "3 parties, 2 have arrived (0, 0.1)")
    assert named(world, TWO) == {ONE, MAIN}
    assert told(world, ONE) is None


def test_a_childs_barrier_tells_of_the_control_that_came_through_the_cursor() -> None:
    world = after((CONTROL, down.next()), (CONTROL, down.at.gate.wait()))
    assert told(world, CONTROL) == ("0.0/gate", "2 parties, 1 have arrived (0)")
    assert ONE in named(world, CONTROL)
    assert CONTROL not in named(world, CONTROL)


def test_sleepers() -> None:
    world = after((ONE, up.door.acquire()), (ONE, up.bell.wait()))
    assert told(world, ONE) == ("0/bell", "a notify of 0/bell")
    world.do(TWO, up.door.acquire())
    world.do(TWO, up.bell.notify())
    assert told(world, ONE) == ("0/bell", "0/door, held by 0.1")
    assert named(world, ONE) == {TWO}
    world.do(TWO, up.door.release())
    world.do(CONTROL, down.door.destroy())
    assert told(world, ONE) == ("0/bell", "0/door, which was destroyed")
    assert named(world, ONE) == set()


def test_joining() -> None:
    world = World()
    world.give(ONE, up.word.wait_until(9))
    world.give(MAIN, join(ONE))
    assert told(world, MAIN) == (ONE, "0.0 to finish")
    assert named(world, MAIN) == {ONE}


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("0/door", 0, "free"),
        ("0/door", 2, "held by 0.0"),
        ("0/door", -1, "destroyed"),
        ("0/segment", 0, "empty"),
        ("0/segment", 1, "fresh"),
        ("0/segment", 2, "folded"),
        ("0/segment", -1, "1 slice"),
        ("0/segment", -10, "10 slices"),
        ("0/segment", 11, "1 slice"),
        ("0/segment", 20, "10 slices"),
        ("0/segment", 21, "11 slices"),
        ("0/word", -3, "-3"),
    ],
)
def test_values_in_words(name: str, value: int, text: str) -> None:
    item = [thing.name for thing in SYSTEM.objects].index(name)
    assert value_text(SYSTEM, item, value) == text


def test_a_lock_of_a_child_is_named_under_the_cursor() -> None:
    world = after((ONE, me.lock.acquire()), (CONTROL, down.next()))
    world.give(CONTROL, down.at.lock.acquire())
    assert told(world, CONTROL) == ("0.0/lock", "0.0/lock, held by 0.0")
