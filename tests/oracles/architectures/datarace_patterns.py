"""Patterns of a race benchmark for parallel loops, two threads each; `variant` is the number in the benchmark.

`13`: a loop that does not wait at its end, and one thread that reads what another one has written. `104`: the same with
the barrier. `21`: a sum without a reduction. `23`: two sections write one variable. `69`: the same under a lock.
`108`: the same by atomic additions.
"""

from collections.abc import Callable

from cllm_sim import Architecture, Barrier, Mutex, Seat, Steps, Team, Variable, Word, Work

Text = Callable[[Team[Seat]], Steps]
parts = (Variable("part0"), Variable("part1"))
error = Variable("error")
total = Variable("total")
counter = Word("counter")
single = Word("single")
lock = Mutex("lock")
loop_end = Barrier(lambda workers: 2, name="loop_end")


def root(me: Seat, work: Work) -> Steps:
    yield from ()


def idle(me: Seat, team: Team[Seat], order: int) -> Steps:
    yield from ()


def reads_last() -> Steps:
    """Whoever comes first to the single construct reads the last element."""
    if (yield single.add(1)) == 0:
        yield parts[1].read()
        yield error.write(1)


def does_not_wait(me: int) -> Text:
    def text(team: Team[Seat]) -> Steps:
        yield parts[me].write(1)
        yield from reads_last()

    return text


def waits(me: int) -> Text:
    def text(team: Team[Seat]) -> Steps:
        yield parts[me].write(1)
        yield loop_end.wait()
        yield from reads_last()

    return text


def adds_up(me: int) -> Text:
    def text(team: Team[Seat]) -> Steps:
        before = yield total.read()
        yield total.write(before + 1)

    return text


def section(me: int) -> Text:
    def text(team: Team[Seat]) -> Steps:
        yield total.write(me)

    return text


def locked_section(me: int) -> Text:
    def text(team: Team[Seat]) -> Steps:
        yield lock.acquire()
        yield total.write(me)
        yield lock.release()

    return text


def atomic_section(me: int) -> Text:
    def text(team: Team[Seat]) -> Steps:
        yield counter.add(1)

    return text


VARIANTS = {
    "13": does_not_wait,
    "104": waits,
    "21": adds_up,
    "23": section,
    "69": locked_section,
    "108": atomic_section,
}


def architecture(variant: str = "13") -> Architecture:
    text = VARIANTS[variant]
    shared = (*parts, error, total, counter, single, lock, loop_end)
    return Architecture(root, leaf=idle, shared=shared, others={"zero": text(0), "one": text(1)})
