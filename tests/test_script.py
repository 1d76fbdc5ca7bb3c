"""The environment's orders in a run of limited length, and where a text stands that does not follow them."""

from collections.abc import Iterator

import pytest

from cllm_sim.errors import BadArchitecture
from cllm_sim.frames import chain, checked_operation, where
from cllm_sim.operations import BATCH, EPOCH, STOP, Op, Steps, Variable
from cllm_sim.script import choice, script


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ((0,), [STOP]),
        ((1,), [BATCH, EPOCH, STOP]),
        ((3,), [BATCH, BATCH, BATCH, EPOCH, STOP]),
        ((4, 2), [BATCH, BATCH, EPOCH, BATCH, BATCH, EPOCH, STOP]),
        ((3, 2), [BATCH, BATCH, EPOCH, BATCH, EPOCH, STOP]),
        ((3, 2, 3), [BATCH, EPOCH, BATCH, BATCH, EPOCH, STOP]),
        ((2, 1), [BATCH, EPOCH, BATCH, EPOCH, STOP]),
    ],
)
def test_scripts(arguments: tuple[int, ...], wanted: list[int]) -> None:
    assert script(*arguments) == wanted


def test_a_resumed_script_is_the_rest_of_the_whole_one() -> None:
    whole = script(30, 4)
    for done in range(30):
        rest = script(30 - done, 4, done)
        assert rest == whole[-len(rest) :]
        assert rest.count(BATCH) == 30 - done


def test_choices_are_options() -> None:
    orders = script(1)
    options = (BATCH, EPOCH, STOP)
    assert [choice(orders, position, options) for position in range(5)] == [BATCH, EPOCH, STOP, STOP, STOP]
    assert choice(orders, 1, (BATCH, STOP)) == STOP
    assert choice(orders, 9, (BATCH,)) == BATCH


shared = Variable("shared")


def inner() -> Steps:
    yield shared.read()
    yield shared.write(1)


def outer() -> Steps:
    yield from inner()
    yield "nothing"  # type: ignore[misc]


def lines(function: object) -> Iterator[int]:
    first: int = function.__code__.co_firstlineno  # type: ignore[attr-defined]
    return iter(range(first + 1, first + 10))


def test_a_text_stands_in_its_innermost_generator() -> None:
    steps, inside, outside = outer(), lines(inner), lines(outer)
    next(steps)
    assert where(steps) == (__file__, next(inside))
    assert [generator.gi_code.co_name for generator in chain(steps)] == ["outer", "inner"]
    steps.send(0)
    assert where(steps) == (__file__, next(inside))
    value: object = steps.send(0)
    next(outside)
    line = next(outside)
    assert where(steps) == (__file__, line)
    with pytest.raises(BadArchitecture, match=rf"test_script\.py:{line}: yielded 'nothing' \(str\); expected an op"):
        checked_operation(value, steps)


def test_an_operation_is_one() -> None:
    steps = outer()
    op = next(steps)
    assert isinstance(op, Op)
    assert checked_operation(op, steps) is op


def test_a_text_that_has_ended_stands_at_its_first_line() -> None:
    steps = inner()
    assert len(list(steps)) == 2
    assert where(steps) == (__file__, inner.__code__.co_firstlineno)
