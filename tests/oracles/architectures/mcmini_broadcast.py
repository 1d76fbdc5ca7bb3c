"""N threads sleep on one condition, `main` wakes all of them once.

`awaited`: after how many of them have said that they hold the mutex does `main` broadcast (the right number is N)?
"""

from cllm_sim import Architecture, Condition, Mutex, Seat, Semaphore, Steps, Team, Work, join

mutex = Mutex("mutex")
condition = Condition("mutex", name="condition")
there = Semaphore("there")


def idle(me: Seat, team: Team[Seat], order: int) -> Steps:
    yield from ()


def sleeps(team: Team[Seat]) -> Steps:
    yield mutex.acquire()
    yield there.up()
    yield condition.wait()
    yield mutex.release()


def sleeps_unannounced(team: Team[Seat]) -> Steps:
    yield mutex.acquire()
    yield condition.wait()
    yield mutex.release()


def architecture(threads: str = "3", awaited: str = "3") -> Architecture:
    names = tuple(f"thread{number}" for number in range(int(threads)))
    needed = int(awaited)

    def main(me: Seat, work: Work) -> Steps:
        for _ in range(needed):
            yield there.down()
        yield mutex.acquire()
        yield condition.notify_all()
        yield mutex.release()
        for number in range(len(names)):
            yield join(names[number])

    others = dict.fromkeys(names, sleeps if needed else sleeps_unannounced)
    return Architecture(main, leaf=idle, shared=(mutex, condition, there), others=others)
