"""A wrong algorithm for mutual exclusion, from an exercise: `k` is every process's own, so both may be inside."""

from collections.abc import Callable

from cllm_sim import Architecture, Seat, Steps, Team, Word, Work, choose

b = (Word("b0"), Word("b1"))


def root(me: Seat, work: Work) -> Steps:
    yield from ()


def idle(me: Seat, team: Team[Seat], order: int) -> Steps:
    yield from ()


def process(i: int) -> Callable[[Team[Seat]], Steps]:
    j = 1 - i

    def text(team: Team[Seat]) -> Steps:
        k = 0
        while True:
            yield b[i].store(0)
            while True:
                yield choose(1)  # is k another one's?
                if k == i:
                    break
                while True:
                    if (yield b[j].load()):
                        break
                yield choose(1)
                k = i
            yield choose(1)  # the critical section
            yield b[i].store(1)
            yield choose(1)

    return text


architecture = Architecture(root, leaf=idle, shared=b, others={"zero": process(0), "one": process(1)})
