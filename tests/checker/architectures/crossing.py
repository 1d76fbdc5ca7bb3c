"""What only a cursor in changing order could cause, in two variants.

Who was visited first in round one holds the lock, and who is visited first in round two wants it; or the latter waits
for ever if it is another one. In index order that is the same child, so nothing of this ever happens.
"""

from cllm_sim import BATCH, Architecture, Mutex, Seat, Semaphore, Steps, Team, Word, Work, compute


class Desk(Seat):
    go = Semaphore()


class Office(Team[Desk]):
    visited = Word()
    lock = Mutex()
    done = Semaphore()


def worker(me: Desk, team: Office, work: Work) -> Steps:
    yield me.go.down()
    one = yield team.visited.add(1)
    if one == 0:
        yield team.lock.acquire()
    yield team.done.up()
    yield me.go.down()
    two = yield team.visited.add(1)
    yield team.done.up()
    if one == 0:
        yield team.lock.release()
    elif two == team.workers:
        yield team.lock.acquire()
        yield team.lock.release()


def worker_for_ever(me: Desk, team: Office, work: Work) -> Steps:
    yield me.go.down()
    one = yield team.visited.add(1)
    yield team.done.up()
    yield me.go.down()
    two = yield team.visited.add(1)
    yield team.done.up()
    if one != 0 and two == team.workers:
        yield me.go.down()  # nobody rings a third time


def leaf(me: Desk, team: Office, order: int) -> Steps:
    yield compute(me.segment, into=me.segment)


def control(me: Desk, team: Office, order: int) -> Steps:
    for _ in range(2):
        while (yield team.next()):
            yield team.at.go.up()
            yield team.done.down()


def root(me: Desk, work: Work) -> Steps:
    yield from work(BATCH)


def architecture(variant: str = "lock") -> Architecture:
    text = worker if variant == "lock" else worker_for_ever
    return Architecture(root, text, control, leaf, team=Office, depth_max=1)
