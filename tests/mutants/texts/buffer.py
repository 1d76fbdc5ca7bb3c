"""The control puts one item per worker into a queue, one after the other, and every worker takes one."""

from cllm_sim import BATCH, Architecture, Condition, Mutex, Seat, Steps, Team, Variable, Work


class Crew(Team[Seat]):
    lock = Mutex()
    changed = Condition("lock")
    items = Variable()


def worker(me: Seat, team: Crew, work: Work) -> Steps:
    yield team.lock.acquire()  # worker
    while not (left := (yield team.items.read())):
        yield team.changed.wait()
    yield team.items.write(left - 1)
    yield team.lock.release()  # worker


def leaf(me: Seat, team: Crew, order: int) -> Steps:
    yield from ()


def control(me: Seat, team: Crew, order: int) -> Steps:
    for _ in range(team.workers):
        yield team.lock.acquire()  # control
        left = yield team.items.read()
        yield team.items.write(left + 1)
        yield team.changed.notify()
        yield team.lock.release()  # control


def root(me: Seat, work: Work) -> Steps:
    yield from work(BATCH)


promises = ()
architecture = Architecture(root, worker, control, leaf, team=Crew, depth_max=1, promises=promises)
