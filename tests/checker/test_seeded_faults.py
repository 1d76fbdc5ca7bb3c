"""The checker with a fault put into it on purpose: every one must be noticed by a small suite that is otherwise green.

The suite repeats in short what the other tests of this folder do at length, so that a fault can be tried in a second.
"""

import importlib
import random
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from cllm_sim import semantics
from cllm_sim.checker import run, unfold, verdict
from cllm_sim.checker.search import Found, Limits, search
from cllm_sim.checker.space import Space, State
from cllm_sim.checker.symmetry import Symmetry
from cllm_sim.checker.walk import Move, parse_schedule, walk
from cllm_sim.operations import Verb
from cllm_sim.semantics import Memory, Outcome

from tests.checker.searching import Renaming, explored, loaded, orbits, renamings, space_of, wander

Patch = pytest.MonkeyPatch
search_module: Any = importlib.import_module("cllm_sim.checker.search")  # the package has a function of this name


# --- the small suite: each answers whether the checker is as it should be ---------------------------------------------
def node_zero_holds() -> bool:
    result = run(loaded("node_zero"), workers=2)
    return bool(result.holds) and (result.states, result.transitions) == (152, 316)


def locks_hold() -> bool:
    return all(run(loaded("locks", variant=v), workers=1, races="monitor").holds for v in ("counter", "in_order"))


def semaphores_hold() -> bool:
    return bool(run(loaded("words", variant="bounded_buffer"), workers=1, races="monitor").holds)


def classes_are_found() -> bool:
    expected = {"early_reduce": "race", "count_too_large": "deadlock", "control_computes": "role"}
    found = {name: {row["class"] for row in run(loaded(name), workers=2).broken} for name in expected}
    return all(kind in found[name] for name, kind in expected.items())


def lost_signals_are_found() -> bool:
    result = run(loaded("conditions", variant="one_signal_for_two"), workers=1)
    return {row["class"] for row in result.broken} == {"deadlock"}


def spinning_is_found() -> bool:
    return [row["class"] for row in run(loaded("endings", variant="turns"), workers=2).broken] == ["livelock"]


def misuse_is_found() -> bool:
    return run(loaded("locks", variant="stranger"), workers=1).broken[0]["class"] == "lock-misuse"


def quotients_are_exact() -> bool:
    for name, workers, depth in (("nested", 2, 2), ("handover", 2, 1), ("early_reduce", 2, 1)):
        space = space_of(name, workers, depth, any_order=True)
        found, _ = search(space, True, Limits())
        if len(found.states) != orbits(space, explored(space).states):
            return False
    return True


def steps_commute() -> bool:
    for name, workers in (("model_lock", 3), ("shared_segment", 2), ("handover", 3)):
        space = space_of(name, workers, any_order=True)
        symmetry, chance = Symmetry(space.system, frozenset({0})), random.Random(1)
        every = [Renaming(space.system, renaming) for renaming in renamings(space.system)]
        for state, _ in wander(space, 1, 60):
            renaming = chance.choice(every)
            if symmetry.permute(state, list(renaming.actor)) != renaming(state):
                return False
    return True


def schedules_replay() -> bool:
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
    counts = {run(loaded("shared_segment"), workers=2, reductions=mode).states for mode in ("none", "symmetry")}
    return len(counts) == 1


SUITE = (
    node_zero_holds,
    locks_hold,
    semaphores_hold,
    classes_are_found,
    lost_signals_are_found,
    spinning_is_found,
    misuse_is_found,
    quotients_are_exact,
    steps_commute,
    schedules_replay,
    indexed_children_are_kept_apart,
)


def noticed_by() -> set[str]:
    """The checks of the small suite that fail; one that cannot even be carried out has failed."""
    found = set()
    for check in SUITE:
        try:
            fine = check()
        except Exception:
            fine = False
        if not fine:
            found.add(check.__name__)
    return found


# --- the faults -------------------------------------------------------------------------------------------------------
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


def only_the_first_level_is_sorted(patch: Patch) -> None:
    original = Symmetry.__init__

    def init(self: Symmetry, system: Any, crews: frozenset[int]) -> None:
        original(self, system, crews & {0})

    patch.setattr(Symmetry, "__init__", init)


def marks_are_not_renamed(patch: Patch) -> None:
    patch.setattr(Symmetry, "_permute_marks", lambda self, marks, permutation: marks)


def barriers_do_not_join(patch: Patch) -> None:
    original = semantics.HANDLERS[Verb.WAIT]

    def wait(system: Any, pending: Any, memory: Memory, actor: int, bound: Any) -> tuple[Outcome, ...]:
        found = original(system, pending, memory, actor, bound)
        return tuple(outcome._replace(events=()) for outcome in found)

    patch.setitem(semantics.HANDLERS, Verb.WAIT, wait)


def barriers_release_only_the_last(patch: Patch) -> None:
    original = semantics.HANDLERS[Verb.WAIT]

    def wait(system: Any, pending: Any, memory: Memory, actor: int, bound: Any) -> tuple[Outcome, ...]:
        found = original(system, pending, memory, actor, bound)
        return tuple(
            outcome._replace(done=tuple(done for done in outcome.done if done[0] == actor)) for outcome in found
        )

    patch.setitem(semantics.HANDLERS, Verb.WAIT, wait)


def reads_do_not_conflict_with_writes(patch: Patch) -> None:
    patch.setattr(semantics, "conflicting", lambda mode, other: mode == other == semantics.WRITE)


def locks_release_without_acquiring(patch: Patch) -> None:
    patch.setattr(semantics, "_take", lambda system, actor, item: semantics.Event("spread", 0))


def anybody_may_release(patch: Patch) -> None:
    original = semantics.HANDLERS[Verb.RELEASE]

    def release(system: Any, pending: Any, memory: Memory, actor: int, bound: Any) -> tuple[Outcome, ...]:
        found = original(system, pending, memory, actor, bound)
        return tuple(outcome._replace(faults=()) for outcome in found)

    patch.setitem(semantics.HANDLERS, Verb.RELEASE, release)


def signals_wake_everybody(patch: Patch) -> None:
    patch.setitem(semantics.HANDLERS, Verb.NOTIFY, semantics.HANDLERS[Verb.NOTIFY_ALL])


def blocked_counts_as_finished(patch: Patch) -> None:
    patch.setattr(Space, "finished", lambda self, pending: True)


def renaming_is_not_undone(patch: Patch) -> None:
    """The path of canonical states is printed as it stands."""

    def realise(found: Found, state: int, goal: Any) -> list[Move]:
        path, moves = found.path(state), []
        for here, after in pairwise(path):
            for step in found.space.steps(here, found.space.pending(here.nodes)):
                if found.symmetry.canonical(step.after) == after:
                    moves.append(Move(step.actor, step.outcome.choice))
                    break
        return moves + (goal(found.space, path[-1]) or [])

    patch.setattr(verdict, "realise", realise)


def indices_do_not_matter(patch: Patch) -> None:
    patch.setattr(search_module, "indexed_crews", lambda system, actor, op: set())


def local_values_do_not_matter(patch: Patch) -> None:
    original = unfold.frames
    patch.setattr(unfold, "frames", lambda steps, place: ((frame[0], ()) for frame in original(steps, place)))


def choices_count_as_steps(patch: Patch) -> None:
    """Rounds are looked for through the environment's choices, too."""
    original = search_module._Search._visit

    def visit(self: Any, number: int) -> None:
        original(self, number)
        self.found.chosen[:] = bytes(len(self.found.chosen))

    patch.setattr(search_module._Search, "_visit", visit)


def only_the_first_option_is_followed(patch: Patch) -> None:
    original = semantics.HANDLERS[Verb.CHOOSE]
    patch.setitem(semantics.HANDLERS, Verb.CHOOSE, lambda *state: original(*state)[:1])


FAULTS: dict[Callable[[Patch], None], str] = {
    owners_are_not_renamed: "steps_commute",
    only_the_first_level_is_sorted: "quotients_are_exact",
    marks_are_not_renamed: "quotients_are_exact",
    barriers_do_not_join: "node_zero_holds",
    barriers_release_only_the_last: "node_zero_holds",
    reads_do_not_conflict_with_writes: "classes_are_found",
    locks_release_without_acquiring: "locks_hold",
    anybody_may_release: "misuse_is_found",
    signals_wake_everybody: "lost_signals_are_found",
    blocked_counts_as_finished: "classes_are_found",
    renaming_is_not_undone: "schedules_replay",
    indices_do_not_matter: "indexed_children_are_kept_apart",
    local_values_do_not_matter: "node_zero_holds",
    choices_count_as_steps: "node_zero_holds",
    only_the_first_option_is_followed: "node_zero_holds",
}
"""Fault -> a check that must be among those that notice it."""


def test_the_suite_is_green_without_a_fault() -> None:
    assert noticed_by() == set()


@pytest.mark.parametrize(("fault", "check"), FAULTS.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_a_seeded_fault_is_noticed(monkeypatch: Patch, fault: Callable[[Patch], None], check: str) -> None:
    fault(monkeypatch)
    assert check in noticed_by()
