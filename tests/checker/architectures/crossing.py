"""Contention that only a cursor in another order could cause: the first child visited takes the lock in both rounds.

In index order that is the same child twice. If rounds could be visited in different orders, two children would want it.
"""

from cllm_sim import BATCH, Architecture, Mutex, Seat, Semaphore, Steps, Team, Word, Work, compute


class Desk(Seat):
    go = Semaphore()


class Office(Team[Desk]):
    visited = Word()
    lock = Mutex()
    done = Semaphore()


def worker(me: Desk, team: Office, work: Work) -> Steps:
    for _ in range(2):
        yield me.go.down()
        if (yield team.visited.add(1)) % 2 == 0:
            yield team.lock.acquire()
            yield team.lock.release()
        yield team.done.up()


def leaf(me: Desk, team: Office, order: int) -> Steps:
    yield compute(me.segment, into=me.segment)


def control(me: Desk, team: Office, order: int) -> Steps:
    for _ in range(2):
        while (yield team.next()):
            yield team.at.go.up()
            if (yield team.visited.load()) < 4:
                yield team.visited.load()


def root(me: Desk, work: Work) -> Steps:
    yield from work(BATCH)


architecture = Architecture(root, worker, control, leaf, team=Office, depth_max=1)
