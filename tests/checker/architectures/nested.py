"""The smallest protocol that goes to any depth: one batch, one crossing, no loop."""

from cllm_sim import BATCH, Architecture, Barrier, Region, Seat, Steps, Team, Work, compute, fold, update

weights = Region("weights")


class Crew(Team[Seat]):
    done = Barrier()


def worker(me: Seat, team: Crew, work: Work) -> Steps:
    yield from work(BATCH)
    yield team.done.wait()


def leaf(me: Seat, team: Crew, order: int) -> Steps:
    yield compute(weights, into=me.segment)


def control(me: Seat, team: Crew, order: int) -> Steps:
    yield team.done.wait()
    yield fold(team.each.segment, into=me.segment)


def root(me: Seat, work: Work) -> Steps:
    yield from work(BATCH)
    yield update(me.segment, into=weights)


architecture = Architecture(root, worker, control, leaf, team=Crew, shared=(weights,))
