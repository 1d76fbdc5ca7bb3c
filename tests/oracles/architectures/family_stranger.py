"""A lock given back by a stranger lets a visitor pass whom its owner should keep out: a deadlock behind a misuse."""

from cllm_sim import Architecture, Mutex, Seat, Semaphore, Steps, Team, Word, Work

lock = Mutex("lock")
turn = Word("turn")
never = Semaphore("never")
done = Word("done")


def root(me: Seat, work: Work) -> Steps:
    yield from ()


def idle(me: Seat, team: Team[Seat], order: int) -> Steps:
    yield from ()


def owner(team: Team[Seat]) -> Steps:
    yield lock.acquire()
    yield turn.store(1)
    yield done.store(1)
    yield lock.release()


def stranger(team: Team[Seat]) -> Steps:
    yield lock.release()  # BROKEN: the owner's


def visitor(team: Team[Seat]) -> Steps:
    yield turn.wait_until(1)
    yield lock.acquire()
    if not (yield done.load()):
        yield never.down()
    yield lock.release()


others = {"owner": owner, "stranger": stranger, "visitor": visitor}
architecture = Architecture(root, leaf=idle, shared=(lock, turn, never, done), others=others)
