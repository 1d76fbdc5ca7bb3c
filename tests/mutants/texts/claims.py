"""One batch in as many pieces as there are workers; a piece belongs to whoever claims its number from a counter."""

from cllm_sim import (
    BATCH,
    Architecture,
    Barrier,
    Mutex,
    Region,
    Regions,
    Seat,
    Steps,
    Team,
    Variable,
    Word,
    Work,
    compute,
    fold,
    update,
)  # fmt: skip

weights = Region("weights")


class Crew(Team[Seat]):
    done = Barrier()
    claimed = Word()
    noted = Variable()  # an edit may need it
    lock = Mutex()
    piece = Regions(lambda workers: workers)


def worker(me: Seat, team: Crew, work: Work) -> Steps:
    yield from work(BATCH)
    yield team.done.wait()


def leaf(me: Seat, team: Crew, order: int) -> Steps:
    piece = yield team.claimed.add(1)
    if piece < team.workers:
        yield compute(weights, into=team.piece[piece])  # mine, because I claimed it


def control(me: Seat, team: Crew, order: int) -> Steps:
    yield team.done.wait()  # every piece is computed
    yield fold(team.piece, into=me.segment)


def root(me: Seat, work: Work) -> Steps:
    yield from work(BATCH)
    yield update(me.segment, into=weights)


architecture = Architecture(root, worker, control, leaf, team=Crew, shared=(weights,), depth_max=1)
