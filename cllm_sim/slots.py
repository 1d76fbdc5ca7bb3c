"""Slots own the arithmetic: which slots an actor answers for, and in which order gradients are folded.

A job has a fixed number of slots. Their gradients are folded along a 12-ary tree over the slots that belongs to the
job, never to the processes: at every node a left fold over at most twelve operands, the first of which is copied. Any
process tree over the same slots therefore produces the same bits; an actor folds exactly those nodes of the slot tree
that lie in its own range of slots and in no single child's.

Rules of this file: integers only, no arrays, no processes. The simulator takes its sizes from here and the runtime its
order of additions; neither may compute them a second time.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from cllm_sim.errors import BadRequest

ARITY = 12
"""Operands folded at one node of the slot tree, and the declared number of children of a control."""

Share = Callable[[int, int, int], range]
"""`share(index, workers, total)`: the part of `total` items that child `index` of `workers` answers for."""


def even_share(index: int, workers: int, total: int) -> range:
    """The contiguous part of child `index`; the first `total % workers` children take one more, so none is lost."""
    base, remainder = divmod(total, workers)
    start = index * base + min(index, remainder)
    return range(start, start + base + (index < remainder))


def default_slots(leaves: int) -> int:
    """12 for at most 12 leaves, else the next power of twelve (144, 1,728, ...)."""
    slots = ARITY
    while slots < leaves:
        slots *= ARITY
    return slots


def checked_slots(slots: int | None, leaves: int) -> int:
    """The number of slots to use; raises BadRequest where a leaf would be left without one."""
    chosen = default_slots(leaves) if slots is None else slots
    if chosen < 1:
        raise BadRequest(f"--slots {chosen}: at least one slot is needed")
    if leaves > chosen:
        raise BadRequest(
            f"{leaves} leaves but only {chosen} slots: use --slots {default_slots(leaves)} or fewer workers"
        )
    return chosen


@dataclass(frozen=True, slots=True)
class FoldNode:
    """One node of the slot tree: its row, the slots below it, and the rows it adds up from left to right."""

    row: int
    slots: range
    operands: tuple[int, ...]


@cache
def slot_tree(slots: int) -> tuple[FoldNode, ...]:
    """All folds of a job, lowest level first. Rows 0 .. slots-1 are the slots; the last node's row holds the total."""
    level = [(row, range(row, row + 1)) for row in range(slots)]
    nodes: list[FoldNode] = []
    while len(level) > 1:
        groups = [level[start : start + ARITY] for start in range(0, len(level), ARITY)]
        level = []
        for group in groups:
            covered = range(group[0][1].start, group[-1][1].stop)
            nodes.append(FoldNode(slots + len(nodes), covered, tuple(row for row, _ in group)))
            level.append((nodes[-1].row, covered))
    return tuple(nodes)


def row_count(slots: int) -> int:
    """Rows of the gradient array: one per slot and one per fold."""
    return slots + len(slot_tree(slots))


def total_row(slots: int) -> int:
    """The row that holds the gradient of the whole batch."""
    return row_count(slots) - 1


def inside(part: range, whole: range) -> bool:
    """Does `whole` contain every item of `part`?"""
    return whole.start <= part.start and part.stop <= whole.stop


def folds_of(own: range, children: Sequence[range], slots: int) -> tuple[FoldNode, ...]:
    """The folds that the actor answering for `own` performs, given its children's ranges (none at a leaf)."""
    return tuple(
        node
        for node in slot_tree(slots)
        if inside(node.slots, own) and not any(inside(node.slots, child) for child in children)
    )


def share_defects(share: Share, workers_max: int = ARITY, total_max: int = 40) -> str | None:
    """What is wrong with `share`, tried for all small sizes: overlap, or items that no child answers for; else None.

    Covering and disjointness are arithmetic, not interleaving, so no search is needed.
    """
    for workers in range(1, workers_max + 1):
        for total in range(workers, total_max + 1):
            taken = [item for index in range(workers) for item in share(index, workers, total)]
            if len(set(taken)) < len(taken):
                return f"with {workers} workers and {total} items, some items belong to two workers"
            if set(taken) != set(range(total)):
                lost = sorted(set(range(total)) - set(taken)) or sorted(set(taken) - set(range(total)))
                return f"with {workers} workers and {total} items, nobody answers for item {lost[0]}"
    return None
