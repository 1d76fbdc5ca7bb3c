"""One thread and one semaphore: it takes what there is and what it has given back, or one more than that."""

from cllm_sim import Architecture, Seat, Semaphore, Steps, Team, Work


def idle(me: Seat, team: Team[Seat], order: int) -> Steps:
    yield from ()


def architecture(variant: str = "ok", initial: str = "5") -> Architecture:
    permits = Semaphore("permits", int(initial) if variant == "ok" else 0)
    first = permits.initial
    again = 2 if variant == "ok" else 3

    def main(me: Seat, work: Work) -> Steps:
        for _ in range(first):
            yield permits.down()
        yield permits.up()
        yield permits.up()
        for _ in range(again):
            yield permits.down()

    return Architecture(main, leaf=idle, shared=(permits,))
