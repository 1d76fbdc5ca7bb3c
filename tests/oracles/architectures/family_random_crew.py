"""Workers that all run one random text, beside a control with a random text of its own; `seed` chooses."""

import random
from collections.abc import Callable

from cllm_sim import Architecture, Barrier, Mutex, Op, Seat, Semaphore, Steps, Team, Word, Work, choose


class Desk(Seat):
    note = Word()
    drawer = Mutex()


class Crew(Team[Desk]):
    word = Word()
    permits = Semaphore(initial=1)
    door = Mutex()
    all = Barrier()
    workers_only = Barrier(lambda workers: workers)
    two = Barrier(lambda workers: 2)


WORKER: tuple[Callable[[Desk, Crew], Op], ...] = (
    lambda me, team: team.word.load(),
    lambda me, team: team.word.add(1),
    lambda me, team: team.word.exchange(0, 2),
    lambda me, team: me.note.add(1),
    lambda me, team: team.owner.note.store(1),
    lambda me, team: team.permits.down(),
    lambda me, team: team.permits.up(),
    lambda me, team: team.door.acquire(),
    lambda me, team: me.drawer.acquire(),
    lambda me, team: team.all.wait(),
    lambda me, team: team.workers_only.wait(),
    lambda me, team: team.two.wait(),
    lambda me, team: choose(1, 2),
)
CONTROL: tuple[Callable[[Desk, Crew], Op], ...] = (
    lambda me, team: team.word.store(3),
    lambda me, team: team.word.load(),
    lambda me, team: me.note.add(1),
    lambda me, team: team.permits.up(),
    lambda me, team: team.door.acquire(),
    lambda me, team: team.all.wait(),
    lambda me, team: team.two.wait(),
)


def root(me: Desk, work: Work) -> Steps:
    yield from work(1)


def idle(me: Desk, team: Crew, order: int) -> Steps:
    yield from ()


def architecture(seed: str = "0", steps: str = "3") -> Architecture:
    chance = random.Random(int(seed))
    mine = tuple(chance.randrange(len(WORKER)) for _ in range(int(steps)))
    control_s = tuple(chance.randrange(len(CONTROL)) for _ in range(2))

    def worker(me: Desk, team: Crew, work: Work) -> Steps:
        last = 0
        for position in range(len(mine)):
            last = yield WORKER[mine[position]](me, team)
        if last == 1:
            yield team.permits.up()

    def control(me: Desk, team: Crew, order: int) -> Steps:
        for position in range(len(control_s)):
            yield CONTROL[control_s[position]](me, team)

    return Architecture(root, worker, control, idle, team=Crew)
