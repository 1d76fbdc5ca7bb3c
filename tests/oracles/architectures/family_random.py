"""Three threads, each some random pieces on a few shared objects; `seed` chooses. Many end in a deadlock."""

import random
from collections.abc import Callable

from cllm_sim import (
    Architecture,
    Barrier,
    Condition,
    Mutex,
    Seat,
    Semaphore,
    Steps,
    Team,
    Variable,
    Word,
    Work,
    choose,
    join,
)

THREADS = 3
word = Word("word")
other = Word("other")
plain = Variable("plain")
permits = Semaphore("permits", 1)
lock = Mutex("lock")
changed = Condition("lock", name="changed")
pair = Barrier(lambda workers: 2, name="pair")
everybody = Barrier(lambda workers: THREADS, name="everybody")

OPERATIONS = (
    word.load(),
    word.store(1),
    word.add(1),
    word.exchange(0, 2),
    other.load(),
    other.store(3),
    plain.read(),
    plain.write(1),
    permits.down(),
    permits.up(),
    lock.acquire(),
    changed.notify(),
    changed.notify_all(),
    pair.wait(),
    everybody.wait(),
    choose(1, 2),
    join("thread0"),
)


def sleeps() -> Steps:
    yield lock.acquire()
    yield changed.wait()
    yield lock.release()


def sleeps_unless_told() -> Steps:
    yield lock.acquire()
    if not (yield word.load()):
        yield changed.wait()
    yield lock.release()


def tells_one() -> Steps:
    yield lock.acquire()
    yield word.store(1)
    yield changed.notify()
    yield lock.release()


def tells_all() -> Steps:
    yield lock.acquire()
    yield changed.notify_all()
    yield lock.release()


def adds() -> Steps:
    yield lock.acquire()
    before = yield plain.read()
    yield plain.write(before + 1)
    yield lock.release()


SECTIONS = (sleeps, sleeps_unless_told, tells_one, tells_all, adds)


def root(me: Seat, work: Work) -> Steps:
    yield from ()


def idle(me: Seat, team: Team[Seat], order: int) -> Steps:
    yield from ()


def piece(code: int) -> Steps:
    if code < len(OPERATIONS):
        yield OPERATIONS[code]
    else:
        yield from SECTIONS[code - len(OPERATIONS)]()


def thread(codes: tuple[int, ...]) -> Callable[[Team[Seat]], Steps]:
    def text(team: Team[Seat]) -> Steps:
        for position in range(len(codes)):
            yield from piece(codes[position])

    return text


def architecture(seed: str = "0", pieces: str = "3") -> Architecture:
    chance = random.Random(int(seed))
    texts = [
        tuple(chance.randrange(len(OPERATIONS) + len(SECTIONS)) for _ in range(int(pieces))) for _ in range(THREADS)
    ]
    others = {f"thread{number}": thread(codes) for number, codes in enumerate(texts)}
    shared = (word, other, plain, permits, lock, changed, pair, everybody)
    return Architecture(root, leaf=idle, shared=shared, others=others)
