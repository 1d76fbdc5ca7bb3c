"""N threads that have nothing to do with each other; `main` waits for all of them. `choose(1)` is their own work."""

from cllm_sim import Architecture, Seat, Steps, Team, Work, choose, join


def idle(me: Seat, team: Team[Seat], order: int) -> Steps:
    yield from ()


def thread(team: Team[Seat]) -> Steps:
    yield choose(1)


def architecture(threads: str = "3") -> Architecture:
    names = tuple(f"thread{number}" for number in range(int(threads)))

    def main(me: Seat, work: Work) -> Steps:
        for number in range(len(names)):
            yield join(names[number])

    return Architecture(main, leaf=idle, others=dict.fromkeys(names, thread))
