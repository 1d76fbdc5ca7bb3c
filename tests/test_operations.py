"""The vocabulary: operations are interned values with relative names; handles give them and refuse nonsense."""

import dataclasses
from typing import Any

import pytest

from cllm_sim import operations
from cllm_sim.operations import (
    BATCH,
    STOP,
    Barrier,
    Condition,
    Kind,
    Mutex,
    Op,
    Place,
    Region,
    Regions,
    Seat,
    Semaphore,
    Shared,
    Team,
    Variable,
    Verb,
    Word,
    choose,
    compute,
    declared,
    expected_operation,
    fold,
    join,
    seat_class,
    update,
)

from tests.checker.searching import explored, space_of


class Desk(Seat):
    lock = Mutex()
    wake = Condition("lock")


class Crew(Team[Desk]):
    batch = Barrier()
    token = Semaphore(initial=2)
    word = Word()
    note = Variable()
    piece = Regions(lambda workers: 2 * workers)


me, up, down = Desk("me"), Crew("up", 3), Crew("down", 3)
weights = Region("weights")


@pytest.mark.parametrize(
    ("op", "verb", "on", "rest"),
    [
        (down.batch.wait(), "wait", "down.batch", {}),
        (down.batch.destroy(), "destroy", "down.batch", {}),
        (me.lock.acquire(), "acquire", "me.lock", {}),
        (me.lock.release(), "release", "me.lock", {}),
        (me.wake.wait(), "sleep", "me.wake", {}),
        (down.at.wake.notify(), "notify", "down.at.wake", {}),
        (down.each.wake.notify_all(), "notify_all", "down.each.wake", {}),
        (up.token.down(), "down", "up.token", {}),
        (up.token.up(), "up", "up.token", {}),
        (up.word.load(), "load", "up.word", {}),
        (up.word.store(3), "store", "up.word", {"value": 3}),
        (up.word.add(-1), "add", "up.word", {"value": -1}),
        (up.word.exchange(1, 2), "exchange", "up.word", {"expected": 1, "value": 2}),
        (up.word.wait_until(4), "await", "up.word", {"value": 4}),
        (up.note.read(), "read", "up.note", {}),
        (up.note.write(5), "write", "up.note", {"value": 5}),
        (down.next(), "next", "down.cursor", {}),
        (join("0.1"), "join", "actor.0.1", {}),
        (choose(BATCH, STOP), "choose", "", {"options": (BATCH, STOP)}),
        (compute(weights, into=me.segment), "compute", "", {"reads": ("weights",), "writes": ("me.segment",)}),
        (
            compute((weights, me.segment), into=up.piece[4], using=(weights,)),
            "compute",
            "",
            {"reads": ("weights", "me.segment"), "writes": ("up.piece[4]",), "scratch": ("weights",)},
        ),
        (
            fold(down.each.segment, into=me.segment),
            "fold",
            "",
            {"reads": ("down.each.segment",), "writes": ("me.segment",), "value": 1},
        ),
        (
            fold(up.piece, into=up.owner.segment, parts=3),
            "fold",
            "",
            {"reads": ("up.piece",), "writes": ("up.owner.segment",), "value": 3},
        ),
        (update(me.segment, into=weights), "update", "", {"reads": ("me.segment",), "writes": ("weights",)}),
    ],
)
def test_what_a_handle_gives(op: Op, verb: str, on: str, rest: dict[str, Any]) -> None:
    fields = {"value": 0, "expected": 0, "reads": (), "writes": (), "scratch": (), "options": (), **rest}
    assert (op.verb, op.on) == (verb, on)
    assert {name: getattr(op, name) for name in fields} == fields


def test_operations_are_interned() -> None:
    """An interpreter keeps a table from operation to action, so the same call must give the same object."""
    assert down.batch.wait() is down.batch.wait() is Crew("down", 3).batch.wait()
    assert down.batch.wait() is not up.batch.wait()
    assert up.word.store(1) is not up.word.store(2)
    assert compute(weights, into=me.segment) is compute([weights], into=me.segment)
    assert choose(BATCH, STOP) is choose(BATCH, STOP)
    assert choose(BATCH, STOP) is not choose(STOP, BATCH)


def test_operations_are_immutable() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        down.batch.wait().value = 3  # type: ignore[misc]
    assert not hasattr(down.batch.wait(), "__dict__")


def test_operations_say_what_they_are() -> None:
    assert str(down.batch.wait()) == "wait down.batch"
    assert str(compute(weights, into=me.segment)) == "compute weights, into me.segment"
    assert str(choose(BATCH)) == "choose"


def test_a_choice_needs_an_option() -> None:
    with pytest.raises(ValueError, match="at least one option"):
        choose()


@pytest.mark.parametrize("make", [lambda: Barrier(3), lambda: Regions(3)])  # type: ignore[arg-type]
def test_counts_are_functions_of_the_number_of_workers(make: Any) -> None:
    with pytest.raises(TypeError, match=r"expected a function such as lambda workers: workers \+ 1, not 3"):
        make()


def test_a_family_knows_its_members() -> None:
    assert up.piece.size == 6
    assert up.piece[5].name == "up.piece[5]"
    for index in (6, -1):
        with pytest.raises(IndexError, match="the family has 6 members"):
            up.piece[index]


def test_scopes_bind_what_they_declare() -> None:
    assert (up.each.lock.name, up.at.lock.name, up.owner.lock.name) == ("up.each.lock", "up.at.lock", "up.owner.lock")
    assert [seat.segment.name for seat in up.seats] == [f"up.{index}.segment" for index in range(3)]
    assert up.workers == 3
    assert Crew.batch.name == "batch"  # the declaration itself stays as it was


def test_declarations_come_in_the_order_of_the_text_base_first() -> None:
    assert list(declared(Desk)) == ["segment", "lock", "wake"]
    assert list(declared(Crew)) == ["batch", "token", "word", "note", "piece"]


def test_a_declaration_knows_its_line() -> None:
    place = Crew.batch.place
    assert place.path == __file__
    with open(__file__, encoding="utf-8") as file:  # noqa: PTH123
        assert file.readlines()[place.line - 1].strip() == "batch = Barrier()"


class Plain(Team):
    pass


class Nested(Crew):
    more = Word()


def test_the_seat_of_a_team() -> None:
    assert seat_class(Crew) is Desk
    assert seat_class(Plain) is seat_class(Team) is Seat
    assert seat_class(Nested) is Desk
    assert list(declared(Nested)) == [*declared(Crew), "more"]


def test_every_kind_of_object_has_a_handle() -> None:
    classes = [value for value in vars(operations).values() if isinstance(value, type) and issubclass(value, Shared)]
    assert {cls.kind for cls in classes if cls is not Shared} == set(Kind) - {Kind.CURSOR}


def test_what_is_no_operation_is_told_with_a_hint() -> None:
    place = Place("mine.py", 7)
    assert str(expected_operation("x", place)) == (
        "mine.py:7: yielded 'x' (str); expected an operation such as team.batch.wait()"
    )
    assert "(a method without its parentheses?)" in str(expected_operation(up.batch.wait, place))


@pytest.mark.parametrize(
    ("name", "workers"), [("node_zero", 2), ("work_queue", 2), ("model_lock", 1), ("parked_control", 2)]
)
def test_what_is_said_not_to_block_never_does(name: str, workers: int) -> None:
    space = space_of(name, workers, monitor=False)
    seen = set()
    for state in explored(space).states:
        pending = space.pending(state.nodes)
        able = {step.actor for step in space.steps(state, pending)}
        for actor, bound in enumerate(pending):
            if bound is not None:
                seen.add(bound.verb)
                assert actor in able or operations.RULES[bound.verb].blocks
    assert len(seen) > 4
    assert Verb.WAIT in seen or Verb.ACQUIRE in seen
