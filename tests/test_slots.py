"""The arithmetic of slots: shares cover everything, any tree of processes cuts the slot tree into the same folds."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cllm_sim.errors import BadRequest
from cllm_sim.slots import (
    ARITY,
    FoldNode,
    checked_slots,
    default_slots,
    even_share,
    folds_of,
    inside,
    row_count,
    share_defects,
    slot_tree,
    total_row,
)


def test_the_even_share_of_small_sizes() -> None:
    assert [even_share(index, 3, 7) for index in range(3)] == [range(3), range(3, 5), range(5, 7)]
    assert [len(even_share(index, 5, 12)) for index in range(5)] == [3, 3, 2, 2, 2]
    assert even_share(0, 1, 12) == range(12)


@given(st.integers(1, 12), st.integers(0, 2000))
def test_the_even_share_covers_everything_once_and_evenly(workers: int, total: int) -> None:
    parts = [even_share(index, workers, total) for index in range(workers)]
    assert [item for part in parts for item in part] == list(range(total))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_the_shares_of_the_shipped_kind_have_no_defect() -> None:
    assert share_defects(even_share) is None


def without_remainder(index: int, workers: int, total: int) -> range:
    size = total // workers
    return range(index * size, (index + 1) * size)


def overlapping(index: int, workers: int, total: int) -> range:
    return range(max(0, even_share(index, workers, total).start - 1), even_share(index, workers, total).stop)


def too_many(index: int, workers: int, total: int) -> range:
    part = even_share(index, workers, total)
    return range(part.start, part.stop + (index == workers - 1))


@pytest.mark.parametrize(
    ("share", "defect"),
    [
        (without_remainder, "with 2 workers and 3 items, nobody answers for item 2"),
        (overlapping, "with 2 workers and 2 items, some items belong to two workers"),
        (too_many, "with 1 workers and 1 items, nobody answers for item 1"),
    ],
)
def test_shares_with_a_defect(share, defect: str) -> None:
    assert share_defects(share) == defect


@pytest.mark.parametrize(("leaves", "slots"), [(1, 12), (12, 12), (13, 144), (144, 144), (145, 1728), (1728, 1728)])
def test_the_default_is_the_next_power_of_twelve(leaves: int, slots: int) -> None:
    assert default_slots(leaves) == checked_slots(None, leaves) == slots


def test_a_chosen_number_of_slots() -> None:
    assert checked_slots(7, 7) == 7
    with pytest.raises(BadRequest, match="--slots 0: at least one slot is needed"):
        checked_slots(0, 1)
    with pytest.raises(BadRequest, match="13 leaves but only 12 slots: use --slots 144 or fewer workers"):
        checked_slots(12, 13)


@pytest.mark.parametrize(
    ("slots", "folds"), [(1, 0), (2, 1), (12, 1), (13, 3), (24, 3), (144, 13), (145, 16), (1728, 157)]
)
def test_the_slot_tree(slots: int, folds: int) -> None:
    tree = slot_tree(slots)
    assert len(tree) == folds
    assert row_count(slots) == slots + folds
    assert total_row(slots) == slots + folds - 1
    assert [node.row for node in tree] == list(range(slots, slots + folds))
    assert all(1 <= len(node.operands) <= ARITY for node in tree)
    assert all(operand < node.row for node in tree for operand in node.operands)
    assert not tree or tree[-1].slots == range(slots)
    read = [operand for node in tree for operand in node.operands]
    assert sorted(read) == list(range(row_count(slots) - 1))  # every row but the total is added up exactly once


def test_the_folds_of_one_control_and_two_workers() -> None:
    whole, halves = range(144), [range(72), range(72, 144)]
    own = [folds_of(half, (), 144) for half in halves]
    assert [len(folds) for folds in own] == [6, 6]
    assert [node.row for node in folds_of(whole, halves, 144)] == [156]
    assert inside(range(3, 5), range(2, 5))
    assert not inside(range(3, 6), range(2, 5))


SHAPES = st.lists(st.integers(1, 12), max_size=3)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.sampled_from([1, 2, 7, 12, 13, 24, 100, 144, 200, 1728]), SHAPES)
def test_any_tree_of_processes_performs_every_fold_once(slots: int, shape: list[int]) -> None:
    """Whatever the tree, the folds of all its actors together are the slot tree; therefore the bits are the same."""
    performed = sorted(node.row for node in folds_of_all(range(slots), shape, slots))
    assert performed == [node.row for node in slot_tree(slots)]


def folds_of_all(own: range, shape: list[int], slots: int) -> list[FoldNode]:
    shares = [even_share(index, shape[0], len(own)) for index in range(shape[0])] if shape else []
    children = [own[part.start : part.stop] for part in shares]
    found = list(folds_of(own, children, slots))
    for child in children:
        found += folds_of_all(child, shape[1:], slots)
    return found
