"""Two locks taken in two orders: a worker takes the log and then the total, the control the total and then the log."""

from cllm_sim import BATCH, Architecture, Mutex, Seat, Steps, Team, Variable, Work


class Crew(Team[Seat]):
    log = Mutex()
    total = Mutex()
    lines = Variable()
    loss = Variable()


def worker(me: Seat, team: Crew, work: Work) -> Steps:
    yield from work(BATCH)


def leaf(me: Seat, team: Crew, order: int) -> Steps:
    yield team.log.acquire()
    lines = yield team.lines.read()
    yield team.lines.write(lines + 1)
    yield team.total.acquire()
    loss = yield team.loss.read()
    yield team.loss.write(loss + 1)
    yield team.total.release()
    yield team.log.release()


def control(me: Seat, team: Crew, order: int) -> Steps:
    yield team.total.acquire()
    loss = yield team.loss.read()
    yield team.log.acquire()
    yield team.lines.write(loss)
    yield team.log.release()
    yield team.total.release()


def root(me: Seat, work: Work) -> Steps:
    yield from work(BATCH)


architecture = Architecture(root, worker, control, leaf, team=Crew)
