"""Architectures for the tests of the induction, written as changes of one text.

`below_root(wrong)` is Node Zero whose controls below the root run other statements than the root's own control: trees
of depth 1 are right, and only the induction step (or a tree of depth 2) can tell. `changed` edits a shipped file.
"""

from pathlib import Path

from cllm_sim.architecture import Loaded
from cllm_sim.library import load

MODELS = Path(load("node_zero").path).parent

HEAD = '''"""Node Zero with another control below the root."""

from cllm_sim import (
    BATCH, EPOCH, STOP, Architecture, Barrier, Region, Seat, Steps, Team, Variable, Work,
    choose, compute, fold, uncontended, update,
)

weights = Region("weights")


class Desk(Seat):
    top = Variable()  # 1 in the root's seat only
    last = Variable()


class Crew(Team[Desk]):
    batch = Barrier()
    epoch = Barrier()
    order = Variable(initial=INITIAL)


def worker(me: Desk, team: Crew, work: Work) -> Steps:
    order = 0
    while order != STOP:
        yield team.batch.wait()
        order = yield team.order.read()
        yield from work(order)
        if order == BATCH:
            yield team.batch.wait()
        elif order == EPOCH:
            yield team.epoch.wait()


def leaf(me: Desk, team: Crew, order: int) -> Steps:
    if order == BATCH:
        yield compute(weights, into=me.segment)


def right(me: Desk, team: Crew, order: int) -> Steps:
    yield team.order.write(order)
    yield team.batch.wait()
    if order == BATCH:
        yield team.batch.wait()
        yield fold(team.each.segment, into=me.segment)
    elif order == EPOCH:
        yield team.epoch.wait()


def below(me: Desk, team: Crew, order: int) -> Steps:
'''

TAIL = """

def control(me: Desk, team: Crew, order: int) -> Steps:
    top = yield me.top.read()
    if top:
        yield from right(me, team, order)
    else:
        yield from below(me, team, order)


def root(me: Desk, work: Work) -> Steps:
    order = 0
    yield me.top.write(1)
    while order != STOP:
        order = yield choose(BATCH, EPOCH, STOP)
        yield from work(order)
        if order == BATCH:
            yield update(me.segment, into=weights)


architecture = Architecture(root, worker, control, leaf, team=Crew, shared=(weights,), promises=(uncontended,))
"""

COMMAND = """    yield team.order.write(order)
    yield team.batch.wait()
"""
POINT_B = """    if order == BATCH:
        yield team.batch.wait()
"""
FOLD = """        yield fold(team.each.segment, into=me.segment)
"""
AN_EPOCH = """    elif order == EPOCH:
        yield team.epoch.wait()
"""
RIGHT = COMMAND + POINT_B + FOLD + AN_EPOCH


def below_root(folder: Path, statements: str, initial: str = "0") -> Loaded:
    """Node Zero whose controls below the root run these statements."""
    path = folder / "below_root.py"
    path.write_text(HEAD.replace("INITIAL", initial) + statements + TAIL, encoding="utf-8")
    return load(str(path))


def changed(folder: Path, name: str, *changes: tuple[str, str]) -> Loaded:
    """A shipped architecture with some of its text replaced; every change must find its place."""
    text = (MODELS / f"{name}.py").read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text, f"{name} has no {old!r} to change"
        text = text.replace(old, new, 1)
    path = folder / f"{name}.py"
    path.write_text(text, encoding="utf-8")
    return load(str(path))
