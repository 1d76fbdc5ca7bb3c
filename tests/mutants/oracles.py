"""A small suite that a sound checker passes in a second or two, and that any fault put into the checker must upset.

Two kinds of check: cells of the matrix (a mutant or a correct variant under one setting), and oracles that do without
the checker's own search (a plain search over steps, orbits by brute force, schedules walked again). Rules of this file:
a check is a name and a function that answers whether all is well; one that cannot even be carried out has failed.
"""

import random
from collections.abc import Callable, Iterable
from functools import partial

from cllm_sim.checker import run
from cllm_sim.checker.search import Limits, search
from cllm_sim.checker.symmetry import Symmetry
from cllm_sim.checker.walk import parse_schedule, walk

from tests.checker.searching import Renaming, explored, loaded, orbits, renamings, space_of, wander
from tests.mutants.matrix import VARIANTS, examined, modes

Check = Callable[[], bool]

BY_NAME = {variant.name: variant for variant in VARIANTS}

CELLS = (
    "Node Zero",
    "once, two levels",
    "sliced reduction",
    "three points",
    "a lock around the model",
    "all at once, promised and kept",
    "claims until none is left",
    "released in the order taken",
    "inverted behind a gate",
    "inverted after a meeting",
    "one wakes the next",
    "buffer",
    "sense-reversing barrier",
    "two words in one order",
    "tokens",
    "message under a lock",
    "hand-over",
    "turns as long as one likes",
    "start barrier too large",
    "barrier of both points too small",
    "done barrier too small",
    "folds before Point B",
    "two workers share a segment",
    "the control computes",
    "dies between the barriers",
    "stop is not passed on",
    "updates while the workers compute",
    "a stranger at the barrier",
    "no lock around the model",
    "meets with the lock",
    "a stranger gives it back",
    "gives the lock back twice",
    "lock order inverted",
    "a race that one lock order hides",
    "count under the wrong lock",
    "one signal for several",
    "a signal wakes the wrong one",
    "two locks in one order",
    "if instead of while",
    "signals only the first item",
    "hand-over: one worker forgotten",
    "claims by loading and storing",
    "who comes first skips its batch",
    "the first to arrive folds",
    "the sense turned before the count",
    "try and back off",
    "a token is lost",
    "works before the token",
    "the value passes by",
    "the word is taken back by its reader",
    "joins who never ends",
    "one is lost, the others go on",
    "a fault beside an endless loop",
    "the control comes first",
    "a worker comes first",
    "a worker takes the control's token",
    "the control takes a worker's token",
    "the control's word is taken",
    "a fault beside a loop of its own",
    "destroyed while somebody may hold it",
    "what only a sleeper does wrong",
    "a worker tries first",
    "a lock destroyed while it is held",
)
"""Texts of the small suite: each takes some hundredths of a second with two workers."""


# --- oracles ----------------------------------------------------------------------------------------------------------
def counts_of_node_zero() -> bool:
    """Numbers found by hand and by brute force, unreduced and under symmetry."""
    found = [run(loaded("node_zero"), workers=2, reductions=mode) for mode in ("none", "symmetry")]
    return [(one.states, one.transitions) for one in found] == [(225, 457), (152, 316)]


def every_state_is_met() -> bool:
    """The search meets what a plain search over `Space.steps` meets, step by step."""
    queue = {"variant": "queue_while"}
    for name, workers, settings in (("model_lock", 2, {}), ("handover", 2, {}), ("conditions", 1, queue)):
        space = space_of(name, workers, settings=settings)
        found, _ = search(space, False, Limits())
        plain = explored(space)
        if (len(found.states), len(found.source), len(found.deadlocks)) != (
            len(plain.states),
            plain.transitions,
            len(plain.deadlocks),
        ):
            return False
    return True


def quotients_are_exact() -> bool:
    """As many states under symmetry as there are orbits."""
    for name, workers, depth in (("nested", 2, 2), ("handover", 2, 1), ("early_reduce", 2, 1)):
        space = space_of(name, workers, depth, any_order=True)
        found, _ = search(space, True, Limits())
        if len(found.states) != orbits(space, explored(space).states):
            return False
    return True


def renamings_agree() -> bool:
    """A permutation of actors does to a state what renaming everything by hand does."""
    for name, workers in (("model_lock", 3), ("shared_segment", 2), ("handover", 3)):
        space = space_of(name, workers, any_order=True)
        symmetry, chance = Symmetry(space.system, frozenset({0})), random.Random(1)
        every = [Renaming(space.system, renaming) for renaming in renamings(space.system)]
        for state, _ in wander(space, 1, 60):
            renaming = chance.choice(every)
            if symmetry.permute(state, list(renaming.actor)) != renaming(state):
                return False
    return True


def schedules_are_real() -> bool:
    """Schedules that were printed can be walked in the original names and end where they say."""
    for name, workers, settings in (
        ("early_reduce", 3, {}),
        ("leaves_early", 3, {}),
        ("endings", 3, {"variant": "first_lost"}),
    ):
        space = space_of(name, workers, settings=settings)
        for row in run(loaded(name, **settings), workers=workers).broken:
            walked, last = walk(space, parse_schedule(space.system, row["counterexample"]["schedule"]))
            if row["class"] == "deadlock" and list(space.steps(last, space.pending(last.nodes))):
                return False
            if row["class"] == "race" and walked[-1].actor == walked[-2].actor:
                return False
    return True


def indexed_children_are_kept_apart() -> bool:
    """A crew whose text names a child by its index is searched as without symmetry."""
    counts = {run(loaded("shared_segment"), workers=2, reductions=mode).states for mode in ("none", "symmetry")}
    return len(counts) == 1


def locks_order_accesses() -> bool:
    """What a mutex or a semaphore orders is no race, seen by the monitor."""
    texts = (("locks", "counter"), ("locks", "in_order"), ("words", "bounded_buffer"))
    return all(run(loaded(name, variant=one), workers=1, races="monitor").holds for name, one in texts)


ORACLES: tuple[Check, ...] = (
    counts_of_node_zero,
    every_state_is_met,
    quotients_are_exact,
    renamings_agree,
    schedules_are_real,
    indexed_children_are_kept_apart,
    locks_order_accesses,
)


def cell_is_as_expected(name: str, mode: str) -> bool:
    """Is a text judged as the table says, and its counterexample confirmed?"""
    row = examined(BY_NAME[name], 2, mode)
    return row.passed and row.confirmed


def suite() -> dict[str, Check]:
    """All checks by name: `oracle`, or `text | setting`."""
    found: dict[str, Check] = {check.__name__: check for check in ORACLES}
    for name in CELLS:
        found.update({f"{name} | {mode}": partial(cell_is_as_expected, name, mode) for mode in modes()})
    return found


def fails(check: Check) -> bool:
    """Does a check fail, or break down?"""
    try:
        return not check()
    except Exception:
        return True


def failing(names: Iterable[str] | None = None) -> list[str]:
    """The checks of the suite (or those of these names) that fail."""
    known = suite()
    return [name for name in (known if names is None else names) if fails(known[name])]
