"""Actors that share nothing; `lengths` says how many steps each of them has."""

from collections.abc import Callable

from cllm_sim import Architecture, Seat, Steps, Team, Work, choose


def root(me: Seat, work: Work) -> Steps:
    yield from ()


def idle(me: Seat, team: Team[Seat], order: int) -> Steps:
    yield from ()


def steps(count: int) -> Callable[[Team[Seat]], Steps]:
    def text(team: Team[Seat]) -> Steps:
        for _ in range(count):
            yield choose(1)

    return text


def architecture(lengths: str = "2,2") -> Architecture:
    others = {f"actor{number}": steps(int(length)) for number, length in enumerate(lengths.split(","))}
    return Architecture(root, leaf=idle, others=others)
