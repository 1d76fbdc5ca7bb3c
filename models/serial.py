"""Serial: one actor computes every slot, folds them in order and updates; the reference for all others."""

from cllm_sim import BATCH, EPOCH, STOP, Architecture, Region, Seat, Steps, Team, Work, choose, compute, update

weights = Region("weights")


def leaf(me: Seat, team: Team[Seat], order: int) -> Steps:
    if order == BATCH:
        yield compute(weights, into=me.segment)


def root(me: Seat, work: Work) -> Steps:
    order = 0
    while order != STOP:
        order = yield choose(BATCH, EPOCH, STOP)
        yield from work(order)
        if order == BATCH:
            yield update(me.segment, into=weights)


architecture = Architecture(root, leaf=leaf, shared=(weights,))
