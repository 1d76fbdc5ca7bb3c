"""Protocols put together at random: whatever they do, every way of searching them must say the same.

Most of them are broken in several ways at once, which is the point. The classes found must be those of a plain search;
both ways of looking for races must agree that there is one; and the quotient must have one state per orbit (with marks
in the state it may waste some where siblings race with one another, but never miss one).
"""

import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from cllm_sim.architecture import Architecture, Loaded
from cllm_sim.checker import run
from cllm_sim.checker.search import Found, Limits, search
from cllm_sim.checker.space import Space
from cllm_sim.checker.walk import parse_schedule, walk
from cllm_sim.compose import System, compose
from cllm_sim.operations import (
    BATCH,
    Barrier,
    Condition,
    Mutex,
    Op,
    Region,
    Seat,
    Semaphore,
    Steps,
    Team,
    Variable,
    Word,
    Work,
    choose,
    compute,
    fold,
    update,
)
from cllm_sim.tree import Tree

from tests.checker.searching import explored, orbits

STATES_MAX = 3_000


class Desk(Seat):
    gate = Barrier(lambda workers: 2)
    own = Mutex()


class Crew(Team[Desk]):
    batch = Barrier()
    door = Mutex()
    bell = Condition("door")
    token = Semaphore(initial=1)
    word = Word()
    note = Variable()


weights = Region("weights")
scratch = Region("scratch")

Line = Callable[[Desk, Crew], Op]
BOTH: tuple[Line, ...] = (
    lambda me, team: team.batch.wait(),
    lambda me, team: team.batch.wait(),
    lambda me, team: team.door.acquire(),
    lambda me, team: team.door.acquire(),
    lambda me, team: team.door.release(),
    lambda me, team: team.door.release(),
    lambda me, team: team.bell.wait(),
    lambda me, team: team.bell.notify(),
    lambda me, team: team.bell.notify_all(),
    lambda me, team: team.token.down(),
    lambda me, team: team.token.up(),
    lambda me, team: team.word.add(1),
    lambda me, team: team.word.store(1),
    lambda me, team: team.word.load(),
    lambda me, team: team.word.exchange(0, 1),
    lambda me, team: team.word.wait_until(1),
    lambda me, team: team.note.read(),
    lambda me, team: team.note.write(1),
)
WORKER: tuple[Line, ...] = (
    *BOTH,
    lambda me, team: me.gate.wait(),
    lambda me, team: me.own.acquire(),
    lambda me, team: me.own.release(),
    lambda me, team: compute(weights, into=me.segment),
    lambda me, team: compute(weights, into=me.segment, using=scratch),
    lambda me, team: fold(team.each.segment, into=team.owner.segment, parts=team.workers),
)
CONTROL: tuple[Line, ...] = (
    *BOTH,
    lambda me, team: team.next(),
    lambda me, team: team.at.gate.wait(),
    lambda me, team: team.at.own.acquire(),
    lambda me, team: team.at.own.release(),
    lambda me, team: fold(team.each.segment, into=me.segment),
    lambda me, team: update(me.segment, into=weights),
    lambda me, team: choose(1, 2),
)

Program = tuple[tuple[Line, bool], ...]
"""Lines one after another; the second half says that the next line is left out where the reply is 0."""


def text_of(program: Program, for_ever: bool) -> Callable[[Desk, Crew], Steps]:
    def text(me: Desk, team: Crew) -> Steps:
        position = 0
        while position < len(program):
            reply = yield program[position][0](me, team)
            position += 2 if program[position][1] and reply == 0 else 1
            if for_ever:
                position %= len(program)

    return text


def random_system(seed: int, depth: int = 1) -> System:
    chance = random.Random(seed)

    def program(lines: tuple[Line, ...], length: int) -> Program:
        return tuple((chance.choice(lines), chance.random() < 0.3) for _ in range(length))

    longest = 5 if depth == 1 else 2
    worker_text = text_of(program(WORKER, chance.randint(1, longest)), for_ever=chance.random() < 0.1)
    control_text = text_of(program(CONTROL, chance.randint(1, longest)), for_ever=chance.random() < 0.1)

    def worker(me: Desk, team: Crew, work: Work) -> Steps:
        if depth > 1:
            yield from work(BATCH)
        yield from worker_text(me, team)

    def control(me: Desk, team: Crew, order: int) -> Steps:
        yield from control_text(me, team)

    def leaf(me: Desk, team: Crew, order: int) -> Steps:
        yield compute(weights, into=me.segment)

    def root(me: Desk, work: Work) -> Steps:
        yield from work(BATCH)

    architecture = Architecture(root, worker, control, leaf, team=Crew, shared=(weights, scratch))
    return compose(architecture, Tree(3 if depth == 1 else 2, depth))


def searched(system: System, symmetric: bool, monitor: bool = True) -> Found | None:
    """The whole search; None where it is too large for this test."""
    found, _ = search(Space(replace(system, monitor=monitor), ""), symmetric, Limits(states=STATES_MAX))
    return found if found.complete else None


def kinds(found: Found) -> set[str]:
    return {defect.kind for defect in found.defects.values()}


def check(system: System) -> bool:
    """All ways of searching one system; False where it is too large."""
    system = replace(system, any_order=frozenset(range(len(system.actors))))
    if searched(system, symmetric=False) is None:
        return False
    for monitor in (True, False):
        space = Space(replace(system, monitor=monitor), "")
        plain, quotient = explored(space), searched(system, symmetric=True, monitor=monitor)
        assert quotient is not None
        assert kinds(quotient) == plain.faults
        assert bool(quotient.ends) == bool(plain.ends)
        count = orbits(space, plain.states)
        assert count <= len(quotient.states) <= (len(plain.states) if monitor else count)
    return True


SEEDS = 60


@pytest.mark.parametrize("block", range(5))
def test_random_protocols(block: int) -> None:
    seeds = range(block * SEEDS, (block + 1) * SEEDS)
    assert sum(check(random_system(seed)) for seed in seeds) > SEEDS // 2


def test_random_protocols_at_depth_two() -> None:
    assert sum(check(random_system(seed, depth=2)) for seed in range(20)) > 10


@pytest.mark.nightly
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("depth", "count"), [(1, 2000), (2, 400)])
def test_many_random_protocols(depth: int, count: int) -> None:
    assert sum(check(random_system(seed, depth)) for seed in range(10_000, 10_000 + count)) > count // 3


# --- whole verdicts --------------------------------------------------------------------------------------------------
def judged(system: System, reductions: str, races: str) -> dict[str, int]:
    """Class -> length of its shortest counterexample; every schedule is walked, and must end as its class says."""
    loaded = Loaded("random", __file__, "", "", system.architecture)
    depth, workers = system.tree.depth, system.tree.workers
    result = run(loaded, workers=workers, depth=depth, reductions=reductions, races=races, max_states=STATES_MAX)
    space = Space(system, __file__)
    lengths: dict[str, int] = {}
    for row in result.broken:
        walked, last = walk(space, parse_schedule(space.system, row["counterexample"]["schedule"]))
        lengths.setdefault(row["class"], len(walked))
        able = {step.actor for step in space.steps(last, space.pending(last.nodes))}
        if row["class"] == "deadlock":
            assert not able
        elif row["class"] == "partial-deadlock":
            assert able
            assert row["counterexample"]["stuck"]
        elif row["class"] not in ("livelock", "race"):
            assert row["class"] in {fault.kind for fault in walked[-1].faults}
    assert not result.unconfirmed
    assert result.complete or result.limit
    return lengths if result.complete else {}


@pytest.mark.parametrize("block", range(4))
def test_verdicts_of_random_protocols(block: int) -> None:
    told: set[str] = set()
    for seed in range(1000 + 25 * block, 1025 + 25 * block):
        system = random_system(seed)
        if searched(system, symmetric=False) is None or searched(system, symmetric=True) is None:
            continue
        plain = judged(system, "none", "next")
        assert set(judged(system, "symmetry", "next")) == set(plain)
        assert set(judged(system, "none", "monitor")) == set(plain)
        told |= set(plain)
    assert told >= {"deadlock", "race", "lock-misuse"}
