"""One batch, then the end: an order, Point A, the work, Point B. It goes to any depth."""

from cllm_sim import BATCH, Architecture, Barrier, Region, Seat, Steps, Team, Variable, Work, compute, fold, update

weights = Region("weights")
level = Barrier(name="level")


class Crew(Team[Seat]):
    batch = Barrier()
    done = Barrier()
    order = Variable()


def worker(me: Seat, team: Crew, work: Work) -> Steps:
    yield team.batch.wait()  # Point A
    order = yield team.order.read()
    yield from work(order)
    yield team.batch.wait()  # Point B


def leaf(me: Seat, team: Crew, order: int) -> Steps:
    yield compute(weights, into=me.segment)


def control(me: Seat, team: Crew, order: int) -> Steps:
    yield team.order.write(order)
    yield team.batch.wait()  # Point A of the control
    yield team.batch.wait()  # Point B of the control
    yield fold(team.each.segment, into=me.segment)


def root(me: Seat, work: Work) -> Steps:
    yield from work(BATCH)
    yield update(me.segment, into=weights)


architecture = Architecture(root, worker, control, leaf, team=Crew, shared=(weights, level))
