"""BROKEN: main and the control both fold after Point B, and main joins a control that is parked at Point A."""

from cllm_sim import (
    BATCH,
    STOP,
    Architecture,
    Barrier,
    Region,
    Seat,
    Steps,
    Team,
    Word,
    Work,
    choose,
    compute,
    fold,
    join,
    update,
)  # fmt: skip

weights = Region("weights")
gradient = Region("gradient")
running = Word("running", initial=1)


class Crew(Team[Seat]):
    batch = Barrier(lambda workers: workers + 2)  # the workers, the control and main


def worker(me: Seat, team: Crew, work: Work) -> Steps:
    while True:
        yield team.batch.wait()  # Point A
        if not (yield running.load()):
            return
        yield from work(BATCH)
        yield team.batch.wait()  # Point B


def leaf(me: Seat, team: Crew, order: int) -> Steps:
    yield compute(weights, into=me.segment)


def control(me: Seat, team: Crew, order: int) -> Steps:
    while True:
        yield team.batch.wait()  # Point A: only parked here
        if not (yield running.load()):
            return
        yield team.batch.wait()  # Point B
        yield fold(team.each.segment, into=gradient)


def root(me: Seat, work: Work) -> Steps:
    yield from work(BATCH)  # main decides; the control only keeps in step


def main(team: Crew) -> Steps:
    """The thread that calls into the trainer."""
    while (yield choose(BATCH, STOP)) == BATCH:
        yield team.batch.wait()  # Point A
        yield team.batch.wait()  # Point B
        yield fold(team.each.segment, into=gradient)  # BROKEN: the control does the same now
        yield update(gradient, into=weights)
    yield running.store(0)
    yield join("0")  # BROKEN: the control waits at Point A for ever


architecture = Architecture(
    root, worker, control, leaf, team=Crew, shared=(weights, gradient, running), others={"main": main}, depth_max=1
)
