"""N threads take two locks in the same order. `main` waits for all of them to end, as `pthread_join` does."""

from cllm_sim import Architecture, Mutex, Seat, Steps, Team, Work, join

one = Mutex("one")
two = Mutex("two")


def idle(me: Seat, team: Team[Seat], order: int) -> Steps:
    yield from ()


def takes_both(team: Team[Seat]) -> Steps:
    yield one.acquire()
    yield two.acquire()
    yield two.release()
    yield one.release()


def architecture(threads: str = "2") -> Architecture:
    names = tuple(f"thread{number}" for number in range(int(threads)))

    def main(me: Seat, work: Work) -> Steps:
        for number in range(len(names)):
            yield join(names[number])

    return Architecture(main, leaf=idle, shared=(one, two), others=dict.fromkeys(names, takes_both))
