"""Two actors and two locks, in the ways to get them wrong: `variant` chooses. The root does nothing."""

from cllm_sim import Architecture, Barrier, Mutex, Seat, Steps, Team, Variable, Word, Work, choose

first = Mutex("first")
second = Mutex("second")
counter = Variable("counter")
taken = Word("taken")
other_taken = Word("other_taken")


class Pair(Team[Seat]):
    pass


meeting = Barrier(lambda workers: 2, name="meeting")


def root(me: Seat, work: Work) -> Steps:
    yield from ()


def leaf(me: Seat, team: Pair, order: int) -> Steps:
    yield from ()


def in_order(team: Pair) -> Steps:
    yield first.acquire()
    yield second.acquire()
    yield second.release()
    yield first.release()


def inverted(team: Pair) -> Steps:
    yield second.acquire()
    yield first.acquire()  # BROKEN: the other one takes them the other way round
    yield first.release()
    yield second.release()


def leaks(team: Pair) -> Steps:
    yield first.acquire()
    if (yield choose(1, 2)) == 2:
        return  # BROKEN: still holds the lock
    yield first.release()


def takes_first(team: Pair) -> Steps:
    yield first.acquire()
    yield first.release()


def takes_it_twice(team: Pair) -> Steps:
    yield first.acquire()
    yield first.acquire()  # BROKEN: it holds it already
    yield first.release()


def meets_with_the_lock(team: Pair) -> Steps:
    yield first.acquire()
    yield meeting.wait()  # BROKEN: the other one needs the lock before it can come
    yield first.release()


def meets_after_the_lock(team: Pair) -> Steps:
    yield first.acquire()
    yield first.release()
    yield meeting.wait()


def gives_back_what_it_has_not(team: Pair) -> Steps:
    yield first.release()  # BROKEN: somebody else's, or nobody's


def counts(team: Pair) -> Steps:
    yield first.acquire()
    value = yield counter.read()
    yield counter.write(value + 1)
    yield first.release()


def counts_unlocked(team: Pair) -> Steps:
    value = yield counter.read()
    yield counter.write(value + 1)  # BROKEN: two read the same value


def polite(team: Pair) -> Steps:
    """Try-lock with back-off: whoever finds the other word taken gives its own back and starts again."""
    while True:
        if (yield taken.exchange(0, 1)) == 0:
            if (yield other_taken.exchange(0, 1)) == 0:
                break
            yield taken.store(0)  # BROKEN: both may do so for ever
    yield other_taken.store(0)
    yield taken.store(0)


def polite_inverted(team: Pair) -> Steps:
    while True:
        if (yield other_taken.exchange(0, 1)) == 0:
            if (yield taken.exchange(0, 1)) == 0:
                break
            yield other_taken.store(0)
    yield taken.store(0)
    yield other_taken.store(0)


VARIANTS = {
    "in_order": (in_order, in_order),
    "inverted": (in_order, inverted),
    "leaked": (leaks, takes_first),
    "twice": (takes_it_twice, takes_first),
    "meeting_with_the_lock": (meets_with_the_lock, meets_after_the_lock),
    "meeting_after_the_lock": (meets_after_the_lock, meets_after_the_lock),
    "stranger": (gives_back_what_it_has_not, takes_first),
    "counter": (counts, counts),
    "counter_unlocked": (counts_unlocked, counts),
    "polite": (polite, polite_inverted),
}


def architecture(variant: str = "in_order") -> Architecture:
    one, two = VARIANTS[variant]
    shared = (first, second, counter, taken, other_taken, meeting)
    return Architecture(root, leaf=leaf, team=Pair, shared=shared, others={"one": one, "two": two})
