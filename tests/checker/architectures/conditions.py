"""A flag, or a queue, under a lock with a condition variable, in the ways to miss a signal; `variant` chooses."""

from cllm_sim import Architecture, Condition, Mutex, Seat, StateView, Steps, Team, Variable, Work, always

lock = Mutex("lock")
changed = Condition("lock", name="changed")
flag = Variable("flag")
items = Variable("items")
Crew = Team[Seat]


def root(me: Seat, work: Work) -> Steps:
    yield from ()


def leaf(me: Seat, team: Crew, order: int) -> Steps:
    yield from ()


def waits(team: Crew) -> Steps:
    yield lock.acquire()
    while not (yield flag.read()):
        yield changed.wait()
    yield lock.release()


def waits_without_predicate(team: Crew) -> Steps:
    yield lock.acquire()
    yield changed.wait()  # BROKEN: the signal may be over
    yield lock.release()


def tests_outside_the_lock(team: Crew) -> Steps:
    if not (yield flag.read()):  # BROKEN: it may change before the lock is taken
        yield lock.acquire()
        yield changed.wait()
        yield lock.release()


def sleeps_unlocked(team: Crew) -> Steps:
    yield changed.wait()  # BROKEN: without the mutex


def sets(team: Crew) -> Steps:
    yield lock.acquire()
    yield flag.write(1)
    yield changed.notify()
    yield lock.release()


def sets_for_all(team: Crew) -> Steps:
    yield lock.acquire()
    yield flag.write(1)
    yield changed.notify_all()
    yield lock.release()


def sets_unlocked(team: Crew) -> Steps:
    yield flag.write(1)  # BROKEN: without the lock
    yield changed.notify()


def takes(team: Crew) -> Steps:
    yield lock.acquire()
    while not (left := (yield items.read())):
        yield changed.wait()
    yield items.write(left - 1)
    yield lock.release()


def takes_if(team: Crew) -> Steps:
    yield lock.acquire()
    left = yield items.read()
    if not left:
        yield changed.wait()
        left = yield items.read()
    yield items.write(left - 1)  # BROKEN where the queue is empty again
    yield lock.release()


def puts(team: Crew) -> Steps:
    yield lock.acquire()
    left = yield items.read()
    yield items.write(left + 1)
    yield changed.notify()
    yield lock.release()


VARIANTS = {
    "predicate": (waits, sets),
    "no_predicate": (waits_without_predicate, sets),
    "outside_the_lock": (tests_outside_the_lock, sets),
    "set_unlocked": (waits, sets_unlocked),
    "sleep_unlocked": (sleeps_unlocked,),
    "one_signal_for_two": (waits, waits, sets),
    "signal_for_all": (waits, waits, sets_for_all),
    "queue_while": (takes, takes, puts, puts),
    "queue_if": (takes_if, takes_if, puts, puts),
}


def never_below_zero(state: StateView) -> bool:
    return state.values("items") >= (0,)


def architecture(variant: str = "predicate") -> Architecture:
    others = dict(zip(("one", "two", "three", "four"), VARIANTS[variant], strict=False))
    promise = always("never below zero", never_below_zero)
    return Architecture(root, leaf=leaf, shared=(lock, changed, flag, items), others=others, promises=(promise,))
