"""Faults put into the checker on purpose: one function of the checker or of the semantics is exchanged for a wrong one.

Every fault names a check of the small suite (`oracles.py`) that must be among those that notice it. Rules of this file:
a fault is a function of a monkeypatch; it changes one thing and leaves the checker running.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest

from cllm_sim import semantics
from cllm_sim.checker import independence, unfold, verdict
from cllm_sim.checker.independence import Independence
from cllm_sim.checker.layout import Layout
from cllm_sim.checker.packing import Packing
from cllm_sim.checker.persistent import Persistent
from cllm_sim.checker.reduced import Reduced
from cllm_sim.checker.search import Found, Search
from cllm_sim.checker.space import Space, State
from cllm_sim.checker.symmetry import Symmetry
from cllm_sim.checker.table import PARKS, Row, Table
from cllm_sim.checker.walk import Move
from cllm_sim.operations import Verb
from cllm_sim.semantics import Event, Outcome

Patch = pytest.MonkeyPatch
Fault = Callable[[Patch], None]

search_module: Any = importlib.import_module("cllm_sim.checker.search")  # the package has a function of this name


@dataclass(frozen=True)
class Seeded:
    """A fault, and a check of the suite that must notice it."""

    fault: Fault
    check: str

    @property
    def name(self) -> str:
        return self.fault.__name__


def _handler(patch: Patch, verb: Verb, change: Callable[[tuple[Outcome, ...], int], tuple[Outcome, ...]]) -> None:
    """Exchange the meaning of a verb: its outcomes, changed."""
    original = semantics.HANDLERS[verb]

    def handler(system: Any, pending: Any, memory: Any, actor: int, bound: Any) -> tuple[Outcome, ...]:
        return change(original(system, pending, memory, actor, bound), actor)

    patch.setitem(semantics.HANDLERS, verb, handler)


# --- meaning ----------------------------------------------------------------------------------------------------------
def barriers_do_not_join(patch: Patch) -> None:
    _handler(patch, Verb.WAIT, lambda found, _: tuple(one._replace(events=()) for one in found))


def barriers_release_only_the_last(patch: Patch) -> None:
    _handler(
        patch,
        Verb.WAIT,
        lambda found, actor: tuple(one._replace(done=tuple(d for d in one.done if d[0] == actor)) for one in found),
    )


def reads_do_not_conflict_with_writes(patch: Patch) -> None:
    patch.setattr(semantics, "conflicting", lambda mode, other: mode == other == semantics.WRITE)


def locks_release_without_acquiring(patch: Patch) -> None:
    patch.setattr(semantics, "_take", lambda system, actor, item: Event("spread", 0, 0))


def stores_carry_nothing(patch: Patch) -> None:
    _handler(patch, Verb.STORE, lambda found, _: tuple(one._replace(events=()) for one in found))


def anybody_may_release(patch: Patch) -> None:
    _handler(patch, Verb.RELEASE, lambda found, _: tuple(one._replace(faults=()) for one in found))


def signals_wake_everybody(patch: Patch) -> None:
    patch.setitem(semantics.HANDLERS, Verb.NOTIFY, semantics.HANDLERS[Verb.NOTIFY_ALL])


def signals_wake_the_first_sleeper_only(patch: Patch) -> None:
    _handler(patch, Verb.NOTIFY, lambda found, _: found[:1])


def only_the_first_option_is_followed(patch: Patch) -> None:
    _handler(patch, Verb.CHOOSE, lambda found, _: found[:1])


def reads_leave_no_mark(patch: Patch) -> None:
    original = semantics._touch

    def touch(system: Any, marks: Any, actor: int, location: int, mode: int, faults: Any) -> Any:
        after = original(system, marks, actor, location, mode, faults)
        return tuple(mark for mark in after if mark[1] != semantics.READ)

    patch.setattr(semantics, "_touch", touch)


# --- search -----------------------------------------------------------------------------------------------------------
def blocked_counts_as_finished(patch: Patch) -> None:
    patch.setattr(Space, "finished", lambda self, pending: True)


def accesses_that_are_both_next_are_not_told(patch: Patch) -> None:
    patch.setattr(Search, "_clash", lambda self, number, clash: None)


def choices_count_as_steps(patch: Patch) -> None:
    """Rounds are looked for through the environment's choices, too."""
    original = Search._go

    def go(self: Any, *step: Any) -> None:
        original(self, *step)
        self.found.chosen[-1] = False

    patch.setattr(Search, "_go", go)


def marks_are_not_in_the_key(patch: Patch) -> None:
    """Two states that differ only in what is ordered after which access are taken for one."""
    original = Search.__init__

    class Fieldwise(dict[int, int]):
        width = 0

        def get(self, key: int, default: Any = None) -> Any:
            return super().get(key & self.width, default)

        def __setitem__(self, key: int, value: int) -> None:
            super().__setitem__(key & self.width, value)

    def init(self: Any, *arguments: Any, **settings: Any) -> None:
        original(self, *arguments, **settings)
        known = Fieldwise()
        known.width = self.packing.fields
        for key, value in self.index.items():
            known[key] = value
        self.index = known

    patch.setattr(Search, "__init__", init)


def local_values_do_not_matter(patch: Patch) -> None:
    original = unfold.frames
    patch.setattr(unfold, "frames", lambda steps, place: ((frame[0], ()) for frame in original(steps, place)))


def an_arrival_does_not_look_who_is_parked(patch: Patch) -> None:
    """The step of the last arrival is looked up without the places of those whom it releases."""
    original = Table._concerned
    patch.setattr(
        Table,
        "_concerned",
        lambda self, row: original(self, row)[: 2 if row.bound.verb is Verb.WAIT else None],
    )


def a_signal_does_not_look_who_sleeps(patch: Patch) -> None:
    original = Table._with_users

    def with_users(self: Table, row: Row, item: int) -> Row:
        found = original(self, row, item)
        if row.bound.verb in PARKS:
            found.mask = row.mask
        return found

    patch.setattr(Table, "_with_users", with_users)


# --- symmetry ---------------------------------------------------------------------------------------------------------
def owners_are_not_renamed(patch: Patch) -> None:
    original = Symmetry.permute

    def permute(self: Symmetry, state: State, permutation: list[int]) -> State:
        without = self.mutexes
        self.mutexes = []
        try:
            return original(self, state, permutation)
        finally:
            self.mutexes = without

    patch.setattr(Symmetry, "permute", permute)


def a_held_lock_says_own(patch: Patch) -> None:
    """A packed lock names the wrong holder as soon as it is held by somebody below or beside its home."""
    original = Layout.mutex_code

    def mutex_code(self: Layout, item: int, value: int) -> int:
        code = original(self, item, value)
        return 2 if code == 4 and self.home[item] is not None else code

    patch.setattr(Layout, "mutex_code", mutex_code)


def only_the_first_level_is_sorted(patch: Patch) -> None:
    original = Packing.__init__

    def init(self: Packing, *arguments: Any) -> None:
        original(self, *arguments)
        self.levels = [level for level in self.levels if level[0] == 0]

    patch.setattr(Packing, "__init__", init)


def marks_are_not_renamed(patch: Patch) -> None:
    patch.setattr(Symmetry, "permute_marks", lambda self, marks, permutation: marks)


def blocks_are_sorted_and_marks_forgotten(patch: Patch) -> None:
    patch.setattr(Packing, "_renamed", lambda self, number, old_at: number)


def renaming_is_not_undone(patch: Patch) -> None:
    """The path of canonical states is printed as it stands."""

    def realise(found: Found, state: int, goal: Any) -> list[Move]:
        path, moves = found.path(state), []
        for here, after in pairwise(path):
            for step in found.space.steps(here, found.space.pending(here.nodes)):
                if found.canonical(step.after) == after:
                    moves.append(Move(step.actor, step.outcome.choice))
                    break
        return moves + (goal(found.space, path[-1]) or [])

    patch.setattr(verdict, "realise", realise)


def indices_do_not_matter(patch: Patch) -> None:
    patch.setattr(search_module, "indexed_crews", lambda system, actor, op: set())


# --- partial order ----------------------------------------------------------------------------------------------------
def _independent(patch: Patch, verb: Verb) -> None:
    """Operations of this verb use nothing."""
    patch.setattr(independence, "ALONE", independence.ALONE - {verb})
    patch.setattr(independence, "TOGETHER", independence.TOGETHER - {verb})


def _commuting(patch: Patch, verb: Verb) -> None:
    """Operations of this verb commute with one another."""
    patch.setattr(independence, "ALONE", independence.ALONE - {verb})
    patch.setattr(independence, "TOGETHER", independence.TOGETHER | {verb})


def acquisitions_commute(patch: Patch) -> None:
    _commuting(patch, Verb.ACQUIRE)


def releases_are_independent(patch: Patch) -> None:
    _independent(patch, Verb.RELEASE)


def stores_are_independent(patch: Patch) -> None:
    _independent(patch, Verb.STORE)


def adds_commute(patch: Patch) -> None:
    """They do, but the replies tell in which order they came."""
    _commuting(patch, Verb.ADD)


def downs_commute(patch: Patch) -> None:
    _commuting(patch, Verb.DOWN)


def signals_are_independent(patch: Patch) -> None:
    _independent(patch, Verb.NOTIFY)
    _independent(patch, Verb.NOTIFY_ALL)


def exchanges_commute(patch: Patch) -> None:
    _commuting(patch, Verb.EXCHANGE)


def arrivals_always_commute(patch: Patch) -> None:
    """Whether or not the members are as many as the parties."""
    original = Independence._uses_of

    def init(self: Independence, *arguments: Any, **settings: Any) -> None:
        before(self, *arguments, **settings)
        self.closed = set(self.members)

    def uses_of(self: Independence, bound: Any) -> Any:
        return (0, 1 << bound.on, 0) if bound.verb is Verb.WAIT else original(self, bound)

    before = Independence.__init__
    patch.setattr(Independence, "__init__", init)
    patch.setattr(Independence, "_uses_of", uses_of)


def updates_are_independent_of_regions(patch: Patch) -> None:
    original = Independence._uses_of

    def uses_of(self: Independence, bound: Any) -> Any:
        found = original(self, bound)
        return independence.NOTHING if bound.verb in (Verb.UPDATE, Verb.FOLD, Verb.COMPUTE) else found

    patch.setattr(Independence, "_uses_of", uses_of)


def nobody_is_followed_fully_on_a_cycle(patch: Patch) -> None:
    patch.setattr(Reduced, "_ignoring", lambda self: [])


def everybody_is_a_persistent_set_alone(patch: Patch) -> None:
    patch.setattr(Persistent, "alone", lambda self, packed, actor: True)


def only_the_next_step_of_others_counts(patch: Patch) -> None:
    """What an actor may do after its next operation is forgotten."""

    def walked(self: Independence, actor: int, spot: Any, phase: int, stops: int) -> Any:
        return self.uses(actor, spot)

    patch.setattr(Independence, "_walked", walked)


def every_mutex_stops_whoever_wants_it(patch: Patch) -> None:
    """A mutex counts as held by the members whether or not one of them holds it."""
    patch.setattr(Independence, "holds", lambda self, packed, actor, mutex: True)


def new_situations_are_overlooked(patch: Patch) -> None:
    patch.setattr(Independence, "grown", property(lambda self: False))


def faults_inside_a_chain_are_lost(patch: Patch) -> None:
    original = Reduced._only

    def only(self: Reduced, fields: int, actor: int) -> Any:
        layout = self.packing.layout
        row = self.table.row(actor, fields >> layout.local[actor] & layout.field)
        moves = self.table.moves(row, fields) if row is not None else ()
        if len(moves) == 1 and moves[0].faults:
            return moves[0]._replace(faults=())
        return original(self, fields, actor)

    patch.setattr(Reduced, "_only", only)


def chains_run_through_choices(patch: Patch) -> None:
    """Where an actor has several moves, only the first is followed."""
    original = Table.moves
    inside: list[bool] = []

    def only(self: Reduced, fields: int, actor: int) -> Any:
        inside.append(True)
        try:
            return before(self, fields, actor)
        finally:
            inside.pop()

    before = Reduced._only
    patch.setattr(Reduced, "_only", only)
    patch.setattr(Table, "moves", lambda self, row, packed: original(self, row, packed)[: 1 if inside else None])


FAULTS: tuple[Seeded, ...] = (
    Seeded(barriers_do_not_join, "counts_of_node_zero"),
    Seeded(barriers_release_only_the_last, "counts_of_node_zero"),
    Seeded(reads_do_not_conflict_with_writes, "a race that one lock order hides | none"),
    Seeded(locks_release_without_acquiring, "locks_order_accesses"),
    Seeded(stores_carry_nothing, "sense-reversing barrier | none"),
    Seeded(anybody_may_release, "a stranger gives it back | none"),
    Seeded(signals_wake_everybody, "one signal for several | none"),
    Seeded(signals_wake_the_first_sleeper_only, "a signal wakes the wrong one | none"),
    Seeded(only_the_first_option_is_followed, "dies between the barriers | none"),
    Seeded(reads_leave_no_mark, "the first to arrive folds | none"),
    Seeded(blocked_counts_as_finished, "start barrier too large | none"),
    Seeded(accesses_that_are_both_next_are_not_told, "no lock around the model | none"),
    Seeded(choices_count_as_steps, "Node Zero | none"),
    Seeded(marks_are_not_in_the_key, "every_state_is_met"),
    Seeded(local_values_do_not_matter, "counts_of_node_zero"),
    Seeded(an_arrival_does_not_look_who_is_parked, "counts_of_node_zero"),
    Seeded(a_signal_does_not_look_who_sleeps, "every_state_is_met"),
    Seeded(owners_are_not_renamed, "renamings_agree"),
    Seeded(a_held_lock_says_own, "two locks in one order | none"),
    Seeded(only_the_first_level_is_sorted, "quotients_are_exact"),
    Seeded(marks_are_not_renamed, "quotients_are_exact"),
    Seeded(blocks_are_sorted_and_marks_forgotten, "quotients_are_exact"),
    Seeded(renaming_is_not_undone, "schedules_are_real"),
    Seeded(indices_do_not_matter, "indexed_children_are_kept_apart"),
    Seeded(acquisitions_commute, "one signal for several | partial-order"),
    Seeded(releases_are_independent, "a lock destroyed while it is held | partial-order"),
    Seeded(stores_are_independent, "the sense turned before the count | partial-order"),
    Seeded(adds_commute, "a worker comes first | partial-order"),
    Seeded(exchanges_commute, "a worker tries first | partial-order"),
    Seeded(downs_commute, "a worker takes the control's token | partial-order"),
    Seeded(signals_are_independent, "what only a sleeper does wrong | partial-order"),
    Seeded(arrivals_always_commute, "barrier of both points too small | partial-order"),
    Seeded(updates_are_independent_of_regions, "updates while the workers compute | both"),
    Seeded(nobody_is_followed_fully_on_a_cycle, "a fault beside a loop of its own | partial-order"),
    Seeded(everybody_is_a_persistent_set_alone, "folds before Point B | partial-order"),
    Seeded(only_the_next_step_of_others_counts, "once, two levels | partial-order"),
    Seeded(every_mutex_stops_whoever_wants_it, "a race that one lock order hides | partial-order"),
    Seeded(new_situations_are_overlooked, "done barrier too small | partial-order"),
    Seeded(faults_inside_a_chain_are_lost, "the control computes | partial-order"),
    Seeded(chains_run_through_choices, "dies between the barriers | partial-order"),
)
