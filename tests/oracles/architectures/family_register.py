"""One word, `writers` that store different values in it, and `readers` that load it once."""

from collections.abc import Callable

from cllm_sim import Architecture, Seat, Steps, Team, Word, Work

x = Word("x")


def root(me: Seat, work: Work) -> Steps:
    yield from ()


def idle(me: Seat, team: Team[Seat], order: int) -> Steps:
    yield from ()


def writes(value: int) -> Callable[[Team[Seat]], Steps]:
    def text(team: Team[Seat]) -> Steps:
        yield x.store(value)

    return text


def reads(team: Team[Seat]) -> Steps:
    yield x.load()


def architecture(writers: str = "2", readers: str = "2") -> Architecture:
    others = {f"writer{number}": writes(number + 1) for number in range(int(writers))}
    others |= {f"reader{number}": reads for number in range(int(readers))}
    return Architecture(root, leaf=idle, shared=(x,), others=others)
