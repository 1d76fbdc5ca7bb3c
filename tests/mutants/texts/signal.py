"""The workers sleep until the control has set a flag: lock, predicate, one signal for all."""

from cllm_sim import BATCH, Architecture, Condition, Mutex, Seat, Steps, Team, Variable, Work


class Crew(Team[Seat]):
    lock = Mutex()
    changed = Condition("lock")
    flag = Variable()


def worker(me: Seat, team: Crew, work: Work) -> Steps:
    yield team.lock.acquire()  # worker
    while not (yield team.flag.read()):
        yield team.changed.wait()
    yield team.lock.release()  # worker


def leaf(me: Seat, team: Crew, order: int) -> Steps:
    yield from ()


def control(me: Seat, team: Crew, order: int) -> Steps:
    yield team.lock.acquire()  # control
    yield team.flag.write(1)
    yield team.changed.notify_all()
    yield team.lock.release()  # control


def root(me: Seat, work: Work) -> Steps:
    yield from work(BATCH)


architecture = Architecture(root, worker, control, leaf, team=Crew, depth_max=1)
