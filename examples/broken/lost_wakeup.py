"""A lost wake-up: the control looks how many are done, gives the lock back, and then sleeps without looking again."""

from cllm_sim import BATCH, Architecture, Condition, Mutex, Seat, Steps, Team, Variable, Work


class Crew(Team[Seat]):
    lock = Mutex()
    ready = Condition("lock")
    done = Variable()


def worker(me: Seat, team: Crew, work: Work) -> Steps:
    yield from work(BATCH)


def leaf(me: Seat, team: Crew, order: int) -> Steps:
    yield team.lock.acquire()
    done = yield team.done.read()
    yield team.done.write(done + 1)
    yield team.ready.notify()
    yield team.lock.release()


def control(me: Seat, team: Crew, order: int) -> Steps:
    done = 0
    while done < team.workers:
        yield team.lock.acquire()
        done = yield team.done.read()
        yield team.lock.release()
        if done < team.workers:
            yield team.lock.acquire()
            yield team.ready.wait()
            yield team.lock.release()


def root(me: Seat, work: Work) -> Steps:
    yield from work(BATCH)


architecture = Architecture(root, worker, control, leaf, team=Crew)
