"""Renaming siblings: a step commutes with it, the canonical form is reached by it, and indices switch it off."""

import random
from collections.abc import Iterator
from dataclasses import replace

import pytest

from cllm_sim.checker import run
from cllm_sim.checker.space import Space, State
from cllm_sim.checker.symmetry import Symmetry, indexed_crews
from cllm_sim.compose import System, compose
from cllm_sim.operations import Op, Seat, Steps, Team, join
from cllm_sim.tree import Tree

from tests.checker.searching import Renaming, loaded, renamings, space_of, wander

Crew = Team[Seat]

CASES = [
    ("node_zero", 3, 1),
    ("node_zero", 2, 2),
    ("sliced_reduce", 3, 1),
    ("work_queue", 3, 1),
    ("model_lock", 3, 1),
    ("unguarded", 3, 1),
    ("count_too_small", 3, 1),
    ("parked_control", 3, 1),
    ("handover", 3, 1),
    ("nested", 3, 2),
]


def symmetry_of(space: Space) -> Symmetry:
    return Symmetry(space.system, frozenset(n for n, actor in enumerate(space.system.actors) if actor.children))


def samples(space: Space, seed: int) -> Iterator[tuple[State, Renaming]]:
    """States of random walks, each with a random renaming."""
    chance = random.Random(seed)
    every = renamings(space.system) if len(space.system.actors) < 9 else None
    for state, _ in wander(space, seed, 120):
        renaming = chance.choice(every) if every else shuffled(space, chance)
        yield state, Renaming(space.system, renaming)


def shuffled(space: Space, chance: random.Random) -> tuple[int, ...]:
    """A random renaming of a tree with too many of them to list."""
    actors = space.system.actors
    renaming, pending = list(range(len(actors))), [(0, 0)]
    while pending:
        old, new = pending.pop()
        renaming[old] = new
        places = list(actors[new].children)
        chance.shuffle(places)
        pending.extend(zip(actors[old].children, places, strict=True))
    return tuple(renaming)


@pytest.mark.parametrize(("name", "workers", "depth"), CASES)
def test_a_step_commutes_with_a_renaming(name: str, workers: int, depth: int) -> None:
    space = space_of(name, workers, depth, any_order=True)
    symmetry = symmetry_of(space)
    for state, renaming in samples(space, seed=workers + depth):
        renamed = renaming(state)
        assert symmetry.permute(state, list(renaming.actor)) == renamed
        here = {
            (
                renaming.actor[step.actor],
                renaming(step.after),
                tuple(sorted(fault.kind for fault in step.outcome.faults)),
            )
            for step in space.steps(state, space.pending(state.nodes))
        }
        there = {
            (step.actor, step.after, tuple(sorted(fault.kind for fault in step.outcome.faults)))
            for step in space.steps(renamed, space.pending(renamed.nodes))
        }
        assert here == there


@pytest.mark.parametrize(("name", "workers", "depth"), CASES)
def test_the_canonical_form(name: str, workers: int, depth: int) -> None:
    space = space_of(name, workers, depth, any_order=True)
    symmetry = symmetry_of(space)
    for state, renaming in samples(space, seed=7):
        canonical = symmetry.canonical(state)
        assert symmetry.canonical(renaming(state)) == canonical
        assert symmetry.canonical(canonical) == canonical
        assert symmetry.permute(state, symmetry.renaming(state)) == canonical


@pytest.mark.parametrize(
    ("name", "workers", "depth", "crews"),
    [("shared_segment", 3, 1, {0}), ("forgets_last_child", 2, 1, {0}), ("node_zero", 2, 2, set())],
)
def test_naming_a_child_by_its_index_switches_symmetry_off(
    name: str, workers: int, depth: int, crews: set[int]
) -> None:
    result = run(loaded(name), workers=workers, depth=depth, reductions="symmetry")
    said = [text for text in result.assumptions if "symmetry is off" in text]
    assert len(said) == len(crews)
    assert result.reductions == ([] if crews else ["symmetry"])


def test_shared_segment_at_depth_two_switches_off_every_crew_that_names_an_index() -> None:
    result = run(loaded("shared_segment"), workers=2, depth=2, max_states=2000, reductions="symmetry")
    assert {text.rpartition(" of ")[2].partition(":")[0] for text in result.assumptions if "is off" in text} == {
        "0.0",
        "0.1",
    }
    assert result.reductions == ["symmetry"]  # the root's two crews are still alike


@pytest.mark.parametrize(
    ("name", "crews"), [("0", set()), ("main", set()), ("0.1", {"0"}), ("0.1.0", {"0", "0.1"}), ("0.0", {"0"})]
)
def test_joining_an_actor_names_it_and_all_above_it(name: str, crews: set[str]) -> None:
    system = with_main()
    found = indexed_crews(system, system.actor_number("main"), join(name))
    assert {system.actors[number].name for number in found} == crews


def test_relative_names_keep_symmetry() -> None:
    system = with_main()
    for name in ("me.segment", "up.each.segment", "down.at.segment", "down.done", "weights"):
        op = Op(verb=join("0").verb, on=name)
        assert indexed_crews(system, 1, op) == set()


def with_main() -> System:
    """A tree of depth 2 and an extra actor."""

    def main(team: Crew) -> Steps:
        yield join("0")

    return compose(replace(loaded("nested").architecture, others={"main": main}), Tree(2, 2))
