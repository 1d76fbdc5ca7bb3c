"""Everybody needs two locks at once and takes them in the same order; the third is for edits."""

from cllm_sim import BATCH, Architecture, Barrier, Mutex, Seat, Steps, Team, Variable, Work


class Crew(Team[Seat]):
    first = Mutex()
    second = Mutex()
    third = Mutex()
    count = Variable()
    door = Barrier()


def worker(me: Seat, team: Crew, work: Work) -> Steps:
    yield team.first.acquire()  # worker
    yield team.second.acquire()  # worker
    count = yield team.count.read()  # worker
    yield team.count.write(count + 1)  # worker
    yield team.second.release()  # worker
    yield team.first.release()  # worker


def leaf(me: Seat, team: Crew, order: int) -> Steps:
    yield from ()


def control(me: Seat, team: Crew, order: int) -> Steps:
    yield team.first.acquire()  # control
    yield team.second.acquire()  # control
    count = yield team.count.read()  # control
    yield team.count.write(count + 1)  # control
    yield team.second.release()  # control
    yield team.first.release()  # control


def root(me: Seat, work: Work) -> Steps:
    yield from work(BATCH)


architecture = Architecture(root, worker, control, leaf, team=Crew, depth_max=1)
