"""A thread sleeps on a condition without a predicate; `main` signals once: after the thread has said it holds the mutex
(`ok`), or at once (`deadlock`).
"""

from cllm_sim import Architecture, Condition, Mutex, Seat, Semaphore, Steps, Team, Work, join

mutex = Mutex("mutex")
condition = Condition("mutex", name="condition")
begun = Semaphore("begun")


def idle(me: Seat, team: Team[Seat], order: int) -> Steps:
    yield from ()


def sleeps(team: Team[Seat]) -> Steps:
    yield mutex.acquire()
    yield begun.up()
    yield condition.wait()
    yield mutex.release()


def sleeps_unannounced(team: Team[Seat]) -> Steps:
    yield mutex.acquire()
    yield condition.wait()
    yield mutex.release()


def signals(me: Seat, work: Work) -> Steps:
    yield begun.down()
    yield from signals_at_once(me, work)


def signals_at_once(me: Seat, work: Work) -> Steps:
    yield mutex.acquire()
    yield condition.notify()
    yield mutex.release()
    yield join("thread")


def architecture(variant: str = "ok") -> Architecture:
    main, thread = (signals, sleeps) if variant == "ok" else (signals_at_once, sleeps_unannounced)
    return Architecture(main, leaf=idle, shared=(mutex, condition, begun), others={"thread": thread})
