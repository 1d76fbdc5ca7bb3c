"""A job over a system: who computes which slots and performs which folds, for every shipped architecture and tree."""

import random
from dataclasses import replace

import pytest

from cllm_sim.checker.space import Space
from cllm_sim.compose import compose
from cllm_sim.errors import BadRequest
from cllm_sim.job import NOTHING, Job, Piece
from cllm_sim.library import load
from cllm_sim.operations import Op, Verb
from cllm_sim.slots import even_share, slot_tree
from cllm_sim.tree import Tree


def job_of(name: str, workers: int, depth: int = 1, slots: int | None = None) -> Job:
    return Job(compose(load(name).architecture, Tree(workers, depth)), slots)


def test_ranges_follow_the_tree() -> None:
    job = job_of("node_zero", 2, 2, slots=12)
    names = [actor.name for actor in job.system.actors]
    assert dict(zip(names, job.ranges, strict=True)) == {
        "0": range(12),
        "0.0": range(6),
        "0.0.0": range(3),
        "0.0.1": range(3, 6),
        "0.1": range(6, 12),
        "0.1.0": range(6, 9),
        "0.1.1": range(9, 12),
    }


def test_the_number_of_slots() -> None:
    assert job_of("node_zero", 12).slots == 12
    assert job_of("node_zero", 12, 2).slots == 144
    assert job_of("serial", 1, slots=7).ranges == (range(7),)
    with pytest.raises(BadRequest, match="4 leaves but only 3 slots"):
        job_of("node_zero", 2, 2, slots=3)


def pieces(job: Job, seed: int = 0) -> list[tuple[str, Op, Piece]]:
    """Every operation of one batch, in the order of a random schedule, with its piece of work."""
    space = Space(replace(job.system, monitor=False), "")
    chance, state = random.Random(seed), space.start()
    found: list[tuple[str, Op, Piece]] = []
    while not found or found[-1][1].verb is not Verb.UPDATE:
        steps = list(space.steps(state, space.pending(state.nodes)))
        step = chance.choice(
            [step for step in steps if step.outcome.choice in ("", "batch") or "." in step.outcome.choice]
        )
        bound = space.pending(state.nodes)[step.actor]
        assert bound is not None
        found.append((job.system.actors[step.actor].name, bound.op, job.piece(step.actor, bound)))
        state = step.after
    return found


TREES = [
    ("serial", 1, 1),
    *((name, workers, 1) for name in ("node_zero", "work_queue", "model_lock") for workers in (1, 2, 5, 12)),
    ("node_zero", 2, 2),
    ("node_zero", 3, 2),
]


@pytest.mark.parametrize("slots", [12, 13, 144])
@pytest.mark.parametrize(("name", "workers", "depth"), TREES)
def test_one_batch_computes_every_slot_and_performs_every_fold_once(
    name: str, workers: int, depth: int, slots: int
) -> None:
    work = [piece for _, _, piece in pieces(job_of(name, workers, depth, slots), seed=workers)]
    assert sorted(slot for piece in work for slot in piece.slots) == list(range(slots))
    assert sorted(node.row for piece in work for node in piece.folds) == [node.row for node in slot_tree(slots)]


@pytest.mark.parametrize("seed", range(5))
def test_operands_are_there_before_they_are_added_up(seed: int) -> None:
    """In any order that the text allows, every row that a fold reads was made by an operation before it."""
    for name in ("node_zero", "work_queue", "model_lock"):
        made: set[int] = set()
        for _, _, piece in pieces(job_of(name, 5, slots=144), seed):
            made |= set(piece.slots)
            for node in piece.folds:
                assert set(node.operands) <= made
                made.add(node.row)


def test_slices_divide_the_folds_among_the_workers() -> None:
    job = job_of("sliced_reduce", 3, slots=12)
    found = [(actor, piece) for actor, op, piece in pieces(job) if op.verb is Verb.FOLD]
    by_actor = {actor: (piece.part, piece.parts, [node.row for node in piece.folds]) for actor, piece in found}
    assert by_actor == {"0.0": (0, 3, [12]), "0.1": (1, 3, [12]), "0.2": (2, 3, [12])}
    assert {piece.operands for _, piece in found} == {12}


def test_a_piece_of_a_queue_belongs_to_its_number_not_to_who_claimed_it() -> None:
    job = job_of("work_queue", 5, slots=12)
    numbers = [item for item, thing in enumerate(job.system.objects) if thing.number is not None]
    assert [job.region_slots(item) for item in numbers] == [even_share(index, 5, 12) for index in range(5)]


def test_what_is_no_work_has_no_piece() -> None:
    job = job_of("node_zero", 2)
    assert {piece for _, op, piece in pieces(job) if op.verb not in (Verb.COMPUTE, Verb.FOLD)} == {NOTHING}
    assert (NOTHING.operands, len(NOTHING.slots)) == (0, 0)
