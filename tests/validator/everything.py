"""An architecture in which everybody does whatever the environment chooses: every operation meets every other one."""

from cllm_sim import (
    Architecture,
    Barrier,
    Condition,
    Mutex,
    Seat,
    Semaphore,
    Steps,
    Team,
    Variable,
    Word,
    Work,
    choose,
    join,
)  # fmt: skip

word = Word("word")
flag = Variable("flag")
mutex = Mutex("mutex")
LEAVE = 0
KINDS = 15


class Crew(Team[Seat]):
    pair = Barrier(lambda workers: 2)  # fewer parties than members
    end = Barrier()
    lock = Mutex()
    bell = Condition("lock")
    count = Semaphore()


def worker(me: Seat, team: Crew, work: Work) -> Steps:
    while (kind := (yield choose(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, LEAVE))) != LEAVE:
        if kind == 1:
            yield mutex.acquire()
            yield flag.write(1)
            yield mutex.release()
        elif kind == 2:
            yield word.store(2)
        elif kind == 3:
            yield word.add(1)
        elif kind == 4:
            yield word.load()
        elif kind == 5:
            yield word.exchange(1, 3)
        elif kind == 6:
            yield team.count.up()
        elif kind == 7:
            yield team.count.down()
        elif kind == 8:
            yield team.pair.wait()
        elif kind == 9:
            yield team.lock.acquire()
            yield team.bell.wait()
            yield team.lock.release()
        elif kind == 10:
            yield team.lock.acquire()
            yield team.bell.notify()
            yield team.lock.release()
        elif kind == 11:
            yield flag.read()
        elif kind == 12:
            yield word.wait_until(1)
        elif kind == 13:
            yield mutex.release()  # whoever holds it
        elif kind == 14:
            yield mutex.destroy()
        elif kind == 15:
            yield join("side")
    yield team.end.wait()


def leaf(me: Seat, team: Crew, order: int) -> Steps:
    yield word.load()


def control(me: Seat, team: Crew, order: int) -> Steps:
    yield flag.write(2)
    yield team.end.wait()


def root(me: Seat, work: Work) -> Steps:
    yield word.add(5)
    yield from work(1)


def side(team: Crew) -> Steps:
    yield mutex.acquire()
    yield word.load()
    yield mutex.release()
    yield word.add(1)


architecture = Architecture(root, worker, control, leaf, team=Crew, shared=(word, flag, mutex), others={"side": side})
