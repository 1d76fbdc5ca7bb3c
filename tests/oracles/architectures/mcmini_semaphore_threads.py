"""Two threads hand permits to each other; the first one takes its second permit before it has given any, or after."""

from cllm_sim import Architecture, Seat, Semaphore, Steps, Team, Work, join

two = Semaphore("two", 1)


def main(me: Seat, work: Work) -> Steps:
    yield join("first")
    yield join("second")


def idle(me: Seat, team: Team[Seat], order: int) -> Steps:
    yield from ()


def architecture(variant: str = "ok", initial: str = "3") -> Architecture:
    start = int(initial)
    one = Semaphore("one", start)

    def gives_between(team: Team[Seat]) -> Steps:
        yield two.down()
        yield one.up()
        yield two.down()

    def gives_last(team: Team[Seat]) -> Steps:
        yield two.down()
        yield two.down()
        yield one.up()

    def second(team: Team[Seat]) -> Steps:
        for _ in range(start + 1):
            yield one.down()
        yield two.up()

    others = {"first": gives_between if variant == "ok" else gives_last, "second": second}
    return Architecture(main, leaf=idle, shared=(one, two), others=others)
