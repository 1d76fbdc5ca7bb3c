"""Peterson's mutual exclusion, each thread once; a thread that finds the door closed never asks again.

This is how a stateless tool with assumptions reads a spin loop: only executions whose last look succeeds are counted.
`shut` has the value 1 for nobody, so waiting for it is giving up.
"""

from collections.abc import Callable

from cllm_sim import Architecture, Seat, Steps, Team, Variable, Word, Work

flags = (Word("flag0"), Word("flag1"))
turn = Word("turn")
shut = Word("shut")
x = Variable("x")


def root(me: Seat, work: Work) -> Steps:
    yield from ()


def idle(me: Seat, team: Team[Seat], order: int) -> Steps:
    yield from ()


def thread(me: int) -> Callable[[Team[Seat]], Steps]:
    other = 1 - me

    def text(team: Team[Seat]) -> Steps:
        yield flags[me].store(1)
        yield turn.store(other)
        if (yield flags[other].load()) and (yield turn.load()) == other:
            yield shut.wait_until(1)
        yield x.write(me)
        yield flags[me].store(0)

    return text


architecture = Architecture(
    root, leaf=idle, shared=(*flags, turn, shut, x), others={"zero": thread(0), "one": thread(1)}
)
