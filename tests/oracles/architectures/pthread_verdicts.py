"""Small programs of a competition, each with its known verdict: `sync01`, `stateful01_1` and `stateful01_2`.

An assertion is a look of `main` at the end, and `error` remembers that it failed. That is another verdict than a race:
both `stateful01` are free of races.
"""

from cllm_sim import (
    Architecture,
    Condition,
    Mutex,
    Seat,
    StateView,
    Steps,
    Team,
    Variable,
    Word,
    Work,
    always,
    join,
)

lock = Mutex("lock")
empty = Condition("lock", name="empty")
full = Condition("lock", name="full")
number = Variable("number", 1)
data1 = Variable("data1", 10)
data2 = Variable("data2", 10)
error = Word("error")


def idle(me: Seat, team: Team[Seat], order: int) -> Steps:
    yield from ()


def puts(team: Team[Seat]) -> Steps:
    yield lock.acquire()
    while (yield number.read()) > 0:
        yield empty.wait()
    before = yield number.read()
    yield number.write(before + 1)
    yield lock.release()
    yield full.notify()


def takes(team: Team[Seat]) -> Steps:
    yield lock.acquire()
    while (yield number.read()) == 0:
        yield full.wait()
    before = yield number.read()
    yield number.write(before - 1)
    yield lock.release()
    yield empty.notify()


def expects_one(me: Seat, work: Work) -> Steps:
    yield join("first")
    yield join("second")
    if (yield number.read()) != 1:
        yield error.store(1)


def changes(data: Variable, by: int) -> Steps:
    yield lock.acquire()
    before = yield data.read()
    yield data.write(before + by)
    yield lock.release()


def first(team: Team[Seat]) -> Steps:
    yield from changes(data1, 1)
    yield from changes(data2, 1)


def second(team: Team[Seat]) -> Steps:
    yield from changes(data1, 5)
    yield from changes(data2, -6)


def fails_if_both(me: Seat, work: Work) -> Steps:
    yield join("first")
    yield join("second")
    if (yield data1.read()) == 16 and (yield data2.read()) == 5:
        yield error.store(1)


def fails_if_neither(me: Seat, work: Work) -> Steps:
    yield join("first")
    yield join("second")
    if (yield data1.read()) != 16 and (yield data2.read()) != 5:
        yield error.store(1)


def no_error(state: StateView) -> bool:
    return state.values("error") == (0,)


VARIANTS = {
    "sync01": (expects_one, puts, takes),
    "stateful01_1": (fails_if_both, first, second),
    "stateful01_2": (fails_if_neither, first, second),
}


def architecture(variant: str = "sync01") -> Architecture:
    main, one, two = VARIANTS[variant]
    shared = (lock, empty, full, number, data1, data2, error)
    others = {"first": one, "second": two}
    return Architecture(main, leaf=idle, shared=shared, others=others, promises=(always("no error", no_error),))
