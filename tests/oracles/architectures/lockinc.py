"""N threads increment one plain counter, each under the lock."""

from cllm_sim import Architecture, Mutex, Seat, Steps, Team, Variable, Work

lock = Mutex("lock")
x = Variable("x")


def root(me: Seat, work: Work) -> Steps:
    yield from ()


def worker(me: Seat, team: Team[Seat], work: Work) -> Steps:
    yield lock.acquire()
    value = yield x.read()
    yield x.write(value + 1)
    yield lock.release()


def idle(me: Seat, team: Team[Seat], order: int) -> Steps:
    yield from ()


architecture = Architecture(root, worker, idle, idle, shared=(lock, x))
