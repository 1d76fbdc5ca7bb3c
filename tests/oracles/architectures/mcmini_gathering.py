"""N threads say that they are there, then wait for a permit under the mutex; `main` awaits all and gives N permits."""

from cllm_sim import Architecture, Mutex, Seat, Semaphore, Steps, Team, Work, join

mutex = Mutex("mutex")
there = Semaphore("there")
permits = Semaphore("permits")


def idle(me: Seat, team: Team[Seat], order: int) -> Steps:
    yield from ()


def thread(team: Team[Seat]) -> Steps:
    yield there.up()
    yield mutex.acquire()
    yield permits.down()
    yield mutex.release()


def architecture(threads: str = "3") -> Architecture:
    names = tuple(f"thread{number}" for number in range(int(threads)))

    def main(me: Seat, work: Work) -> Steps:
        for _ in range(len(names)):
            yield there.down()
        for _ in range(len(names)):
            yield permits.up()
        for number in range(len(names)):
            yield join(names[number])

    others = dict.fromkeys(names, thread)
    return Architecture(main, leaf=idle, shared=(mutex, there, permits), others=others)
