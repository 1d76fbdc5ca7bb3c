"""A barrier written out with two atomic words, crossed twice: the last to arrive turns the sense."""

from cllm_sim import BATCH, Architecture, Region, Seat, Steps, Team, Variable, Word, Work, compute, fold, update

weights = Region("weights")


class Crew(Team[Seat]):
    arrived = Word()
    sense = Word()
    flag = Variable()  # an edit may need it


def meet(team: Crew, mine: int) -> Steps:
    if (yield team.arrived.add(1)) == team.workers:
        yield team.arrived.store(0)
        yield team.sense.store(mine)
    else:
        yield team.sense.wait_until(mine)


def worker(me: Seat, team: Crew, work: Work) -> Steps:
    yield from meet(team, 1)  # Point A
    yield from work(BATCH)
    yield from meet(team, 0)  # Point B


def leaf(me: Seat, team: Crew, order: int) -> Steps:
    yield compute(weights, into=me.segment)


def control(me: Seat, team: Crew, order: int) -> Steps:
    yield from meet(team, 1)  # Point A of the control
    yield from meet(team, 0)  # Point B of the control
    yield fold(team.each.segment, into=me.segment)


def root(me: Seat, work: Work) -> Steps:
    yield from work(BATCH)
    yield update(me.segment, into=weights)


architecture = Architecture(root, worker, control, leaf, team=Crew, shared=(weights,), depth_max=1)
