"""A barrier counted wrong: it is declared for the workers, and the control waits on it as well."""

from cllm_sim import BATCH, Architecture, Barrier, Region, Seat, Steps, Team, Work, compute, fold, update

weights = Region("weights")


class Crew(Team[Seat]):
    written = Barrier(lambda workers: workers)


def worker(me: Seat, team: Crew, work: Work) -> Steps:
    yield from work(BATCH)


def leaf(me: Seat, team: Crew, order: int) -> Steps:
    yield compute(weights, into=me.segment)
    yield team.written.wait()


def control(me: Seat, team: Crew, order: int) -> Steps:
    yield team.written.wait()
    yield fold(team.each.segment, into=me.segment)


def root(me: Seat, work: Work) -> Steps:
    yield from work(BATCH)
    yield update(me.segment, into=weights)


architecture = Architecture(root, worker, control, leaf, team=Crew, shared=(weights,))
