"""Which operation computes which slots and performs which folds: in every tree each of them exactly once."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from cllm_sim.architecture import Architecture
from cllm_sim.compose import System, compose
from cllm_sim.errors import BadRequest
from cllm_sim.job import NOTHING, Job, Piece
from cllm_sim.library import load
from cllm_sim.operations import BATCH, Op, Region, Regions, Seat, Steps, Team, Verb, Work, compute, fold, update
from cllm_sim.slots import slot_tree
from cllm_sim.tree import Tree

TREES = [(1, 1), (2, 1), (5, 1), (12, 1), (3, 2), (2, 3), (12, 2)]


def operations_of_a_step(system: System, actor: int) -> list[Op]:
    """What an actor does when the order is always a batch, up to its first repetition."""
    steps = system.text(actor)
    op = next(steps)
    found: list[Op] = []
    while op.verb not in (Verb.COMPUTE, Verb.FOLD, Verb.UPDATE) or op not in found:
        found.append(op)
        op = steps.send(BATCH if op.verb in (Verb.READ, Verb.CHOOSE) else 0)
    return found


def pieces(system: System, job: Job) -> Iterator[Piece]:
    for actor in range(len(system.actors)):
        for op in operations_of_a_step(system, actor):
            yield job.piece(actor, system.bound(actor, op))


@pytest.mark.parametrize(("workers", "depth"), TREES)
@pytest.mark.parametrize("name", ["serial", "node_zero", "sliced_reduce"])
@pytest.mark.parametrize("more", [0, 1, 29])
def test_everything_is_done_once(name: str, workers: int, depth: int, more: int) -> None:
    system = compose(load(name).architecture, Tree(workers, depth))
    slots = Job(system).slots + more
    found = list(pieces(system, Job(system, slots)))
    assert Counter(slot for piece in found for slot in piece.slots) == Counter(range(slots))
    parts = [(node, piece.parts) for piece in found for node in piece.folds]
    wanted: Counter[Any] = Counter()
    for node, count in dict(parts).items():
        wanted[node, count] = count
    assert Counter(parts) == wanted
    assert {node for node, _ in parts} == set(slot_tree(slots))
    slices = Counter((node, piece.part) for piece in found for node in piece.folds)
    assert set(slices.values()) == {1}
    assert all(piece.part < piece.parts for piece in found)


def test_a_leaf_without_a_slot_is_refused() -> None:
    system = compose(load("node_zero").architecture, Tree(12, 1))
    with pytest.raises(BadRequest, match="12 leaves but only 11 slots"):
        Job(system, 11)


class Crew(Team[Seat]):
    total = Region()
    piece = Regions(lambda workers: workers + 1)


def work(me: Seat, team: Crew, order: int) -> Steps:
    yield compute(team.piece, into=me.segment)


def worker(me: Seat, team: Crew, work: Work) -> Steps:
    yield from work(0)


def root(me: Seat, work: Work) -> Steps:
    yield from work(0)


@pytest.fixture
def system() -> System:
    return compose(Architecture(root, worker, work, work, team=Crew), Tree(2, 2))


def item(system: System, name: str) -> int:
    return next(number for number, thing in enumerate(system.objects) if thing.name == name)


def test_regions_hold_the_slots_of_those_they_belong_to(system: System) -> None:
    job = Job(system, 24)
    assert job.region_slots(item(system, "0/total")) == range(24)
    assert job.region_slots(item(system, "0.1/total")) == range(12, 24)
    assert job.region_slots(item(system, "0.1.0/segment")) == range(12, 18)
    found = [job.region_slots(item(system, f"0.1/piece[{number}]")) for number in range(3)]
    assert found == [range(12, 16), range(16, 20), range(20, 24)]


def test_a_control_takes_the_slice_after_those_of_its_workers(system: System) -> None:
    job = Job(system, 24)
    inner = system.actor_number("0.1")
    for actor, up in ((system.actor_number("0.1.1"), True), (inner, False)):
        prefix = "up" if up else "down"
        bound = system.bound(actor, fold(Region(f"{prefix}.each.segment"), into=Region(f"{prefix}.total"), parts=3))
        piece = job.piece(actor, bound)
        assert (piece.part, piece.parts) == ((1, 3) if up else (2, 3))
        assert piece.operands == sum(len(node.operands) for node in piece.folds)


def test_other_operations_have_no_slots(system: System) -> None:
    bound = system.bound(0, update(Region("me.segment"), into=Region("down.total")))
    assert Job(system, 24).piece(0, bound) == NOTHING
