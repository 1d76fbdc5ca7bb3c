"""One batch after another, two crossings of one barrier; the activations belong to whoever holds a lock."""

from cllm_sim import (
    BATCH,
    STOP,
    Architecture,
    Barrier,
    Mutex,
    Region,
    Seat,
    Steps,
    Team,
    Variable,
    Work,
    choose,
    compute,
    fold,
    update,
)  # fmt: skip

weights = Region("weights")
activations = Region("activations")
model = Mutex("model")


class Desk(Seat):
    own = Mutex()  # an edit may need it


class Crew(Team[Desk]):
    batch = Barrier()
    order = Variable()


def worker(me: Desk, team: Crew, work: Work) -> Steps:
    order = 0
    while order != STOP:
        yield team.batch.wait()  # Point A
        order = yield team.order.read()
        if order == BATCH:
            yield from work(order)
            yield team.batch.wait()  # Point B


def leaf(me: Desk, team: Crew, order: int) -> Steps:
    yield model.acquire()
    yield compute(weights, into=me.segment, using=activations)
    yield model.release()


def control(me: Desk, team: Crew, order: int) -> Steps:
    yield team.order.write(order)
    yield team.batch.wait()  # Point A of the control
    if order == BATCH:
        yield team.batch.wait()  # Point B of the control
        yield fold(team.each.segment, into=me.segment)


def root(me: Desk, work: Work) -> Steps:
    order = 0
    while order != STOP:
        order = yield choose(BATCH, STOP)
        yield from work(order)
        if order == BATCH:
            yield update(me.segment, into=weights)


shared = (weights, activations, model)
promises = ()
architecture = Architecture(root, worker, control, leaf, team=Crew, shared=shared, promises=promises)
