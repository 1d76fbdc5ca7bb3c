"""The repaired twin of parked_control: only the control folds, and main comes to Point A once more before it joins."""

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
        yield team.batch.wait()  # Point C: the gradient is folded


def leaf(me: Seat, team: Crew, order: int) -> Steps:
    yield compute(weights, into=me.segment)


def control(me: Seat, team: Crew, order: int) -> Steps:
    while True:
        yield team.batch.wait()  # Point A: only parked here
        if not (yield running.load()):
            return
        yield team.batch.wait()  # Point B
        yield fold(team.each.segment, into=gradient)
        yield team.batch.wait()  # Point C


def root(me: Seat, work: Work) -> Steps:
    yield from work(BATCH)  # main decides; the control only keeps in step


def main(team: Crew) -> Steps:
    """The thread that calls into the trainer."""
    while (yield choose(BATCH, STOP)) == BATCH:
        yield team.batch.wait()  # Point A
        yield team.batch.wait()  # Point B
        yield team.batch.wait()  # Point C
        yield update(gradient, into=weights)
    yield running.store(0)
    yield team.batch.wait()  # Point A once more: everybody sees that it is over
    yield join("0")


architecture = Architecture(
    root, worker, control, leaf, team=Crew, shared=(weights, gradient, running), others={"main": main}, depth_max=1
)
