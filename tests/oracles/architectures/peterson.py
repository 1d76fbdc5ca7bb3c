"""Peterson's mutual exclusion without end, by atomic actions: `labels` says which steps the published text has.

An action is what stands between taking `atomic` and giving it back, and it is one only if it chooses; so a guard that
does not hold is no action. `tla`: the head of the loop and the critical section are labels of their own. `spin`: no
such labels, but a counter of those inside that goes up, is looked at, and goes down. There a thread gives the turn to
itself and goes in when it is the other's; that is the same algorithm with the other name for a turn.
"""

from collections.abc import Callable

from cllm_sim import Architecture, Mutex, Seat, StateView, Steps, Team, Word, Work, always, choose

flags = (Word("flag0"), Word("flag1"))
turn = Word("turn")
inside = Word("inside")
atomic = Mutex("atomic")
Text = Callable[[Team[Seat]], Steps]


def root(me: Seat, work: Work) -> Steps:
    yield from ()


def idle(me: Seat, team: Team[Seat], order: int) -> Steps:
    yield from ()


def stores(word: Word, value: int) -> Steps:
    yield atomic.acquire()
    yield choose(1)
    yield word.store(value)
    yield atomic.release()


def adds(word: Word, delta: int) -> Steps:
    yield atomic.acquire()
    yield choose(1)
    yield word.add(delta)
    yield atomic.release()


def looks() -> Steps:
    yield atomic.acquire()
    yield choose(1)
    yield atomic.release()


def waits(other: int, mine: int) -> Steps:
    """Go on when the other one does not want to come in, or it is my turn."""
    while True:
        yield atomic.acquire()
        wanted = yield flags[other].load()
        whose = yield turn.load()
        if not wanted or whose == mine:
            break
        del wanted, whose
        yield atomic.release()
    yield choose(1)
    yield atomic.release()


def tla(me: int) -> Text:
    def text(team: Team[Seat]) -> Steps:
        while True:
            yield from looks()  # a0
            yield from stores(flags[me], 1)  # a1
            yield from stores(turn, 1 - me)  # a2
            yield from waits(1 - me, me)  # a3
            yield from looks()  # cs
            yield from stores(flags[me], 0)  # a4

    return text


def spin(me: int) -> Text:
    def text(team: Team[Seat]) -> Steps:
        yield from looks()  # at its own number
        while True:
            yield from stores(flags[me], 1)
            yield from stores(turn, me)
            yield from waits(1 - me, 1 - me)
            yield from adds(inside, 1)
            yield from looks()
            yield from adds(inside, -1)
            yield from stores(flags[me], 0)

    return text


def alone(state: StateView) -> bool:
    return state.values("inside") <= (1,)


def architecture(labels: str = "tla") -> Architecture:
    text = tla if labels == "tla" else spin
    shared = (*flags, turn, inside, atomic)
    others = {"zero": text(0), "one": text(1)}
    return Architecture(root, leaf=idle, shared=shared, others=others, promises=(always("alone inside", alone),))
