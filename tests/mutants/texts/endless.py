"""The workers take turns with one token, as often as they like; the environment ends it for each of them."""

from cllm_sim import BATCH, STOP, Architecture, Seat, Semaphore, Steps, Team, Word, Work, choose


class Crew(Team[Seat]):
    token = Semaphore(initial=1)
    bell = Semaphore()
    claimed = Word()


def worker(me: Seat, team: Crew, work: Work) -> Steps:
    while (yield choose(BATCH, STOP)) == BATCH:
        yield team.token.down()
        yield team.token.up()


def leaf(me: Seat, team: Crew, order: int) -> Steps:
    yield from ()


def control(me: Seat, team: Crew, order: int) -> Steps:
    while (yield choose(BATCH, STOP)) == BATCH:
        yield team.bell.up()
        yield team.bell.down()


def root(me: Seat, work: Work) -> Steps:
    yield from work(BATCH)


architecture = Architecture(root, worker, control, leaf, team=Crew, depth_max=1)
