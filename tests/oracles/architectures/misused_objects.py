"""Programs of the "wrong" kind: a lock given back by another thread, deadlocks of locks, a spin that nobody ends.

`message`: the data is plain and so is the flag that says it is there; `message_ok`: the flag is atomic.
"""

from collections.abc import Callable

from cllm_sim import Architecture, Mutex, Seat, Steps, Team, Variable, Word, Work

Text = Callable[[Team[Seat]], Steps]
one = Mutex("one")
two = Mutex("two")
data = Variable("data")
flag = Variable("flag")
ready = Word("ready")


def root(me: Seat, work: Work) -> Steps:
    yield from ()


def idle(me: Seat, team: Team[Seat], order: int) -> Steps:
    yield from ()


def takes(team: Team[Seat]) -> Steps:
    yield one.acquire()
    yield ready.store(1)


def gives_back(team: Team[Seat]) -> Steps:
    yield ready.wait_until(1)
    yield one.release()  # the other thread's


def up(team: Team[Seat]) -> Steps:
    yield one.acquire()
    yield two.acquire()
    yield two.release()
    yield one.release()


def down(team: Team[Seat]) -> Steps:
    yield two.acquire()
    yield one.acquire()
    yield one.release()
    yield two.release()


def again(team: Team[Seat]) -> Steps:
    yield one.acquire()
    yield one.acquire()
    yield one.release()


def spins(team: Team[Seat]) -> Steps:
    while True:
        if (yield ready.load()):
            break


def looks_once(team: Team[Seat]) -> Steps:
    yield ready.load()


def sends(team: Team[Seat]) -> Steps:
    yield data.write(42)
    yield flag.write(1)


def receives(team: Team[Seat]) -> Steps:
    if (yield flag.read()):
        yield data.read()


def sends_well(team: Team[Seat]) -> Steps:
    yield data.write(42)
    yield ready.store(1)


def receives_well(team: Team[Seat]) -> Steps:
    if (yield ready.load()):
        yield data.read()


VARIANTS: dict[str, tuple[Text, Text]] = {
    "stranger": (takes, gives_back),
    "inversion": (up, down),
    "twice": (again, looks_once),
    "spin": (spins, looks_once),
    "message": (sends, receives),
    "message_ok": (sends_well, receives_well),
}


def architecture(variant: str = "stranger") -> Architecture:
    first, second = VARIANTS[variant]
    shared = (one, two, data, flag, ready)
    return Architecture(root, leaf=idle, shared=shared, others={"first": first, "second": second})
