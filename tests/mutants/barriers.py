"""Mutants of barriers, orders, segments and roles: Node Zero and its sliced sister with something wrong.

Rules of this file: data. `attacks` names sections of the soundness conditions (3.3 to 3.7) or declarations.
"""

from tests.mutants.catalogue import Edit, Variant

BATCH_BARRIER = "    batch = Barrier()  # parties: the control and all its workers\n"
DONE = "    done = Barrier({})\n"
WORKER_B = "            yield team.batch.wait()  # Point B: every segment is written\n"
SLICED = "            yield fold(team.each.segment, into=team.owner.segment, parts=team.workers)"
SLICE = SLICED + "  # my slice of all of them\n"
CONTROL_B = "        yield team.batch.wait()  # Point B\n"
WORKER_EPOCH = "        elif order == EPOCH:\n            yield team.epoch.wait()\n\n\ndef leaf"
CONTROL_EPOCH = "    elif order == EPOCH:\n        yield team.epoch.wait()\n\n\ndef root"
WORK = "        yield from work(order)  # a leaf computes; a control commands its own workers\n"
READ = "        order = yield team.order.read()\n"
POINT_A = "        yield team.batch.wait()  # Point A: the order stands\n"
ORDER = "    yield team.order.write(order)\n    yield team.batch.wait()  # Point A\n"
COMPUTE = "        yield compute(weights, into=me.segment)\n"
FOLD = "        yield fold(team.each.segment, into=me.segment)  # nobody writes a segment before the next Point A\n"
UPDATE = "        if order == BATCH:\n            yield update(me.segment, into=weights)  # validate, clip, apply\n"
DECIDES = "        order = yield choose(BATCH, EPOCH, STOP)  # the environment decides\n"
CONTROL = "def control(me: Seat, team: Crew, order: int) -> Steps:\n"
ONCE_BATCH = "    batch = Barrier()\n"
SMALLER = "    batch = Barrier(lambda workers: workers)\n"
ONCE_WORK = "    yield from work(order)\n"
ONCE_B = "    yield team.batch.wait()  # Point B\n"
ONCE_CONTROL_B = "    yield team.batch.wait()  # Point B of the control\n"
ONCE_FOLD = "    yield fold(team.each.segment, into=me.segment)\n"
ONCE_COMPUTE = "    yield compute(weights, into=me.segment)\n"
PARTIES = "Barrier()  # parties: the control and all its workers"
END = "architecture = Architecture(root, worker, control, leaf, team=Crew, shared=(weights,), promises=(uncontended,))"


def two_barriers(done: str) -> tuple[Edit, ...]:
    """A barrier of its own for Point B, with so many parties."""
    return (
        (BATCH_BARRIER, BATCH_BARRIER + DONE.format(done)),
        (WORKER_B, WORKER_B.replace("batch", "done")),
        (CONTROL_B, CONTROL_B.replace("batch", "done")),
    )


MUTANTS = (
    Variant(
        "start barrier too large", "node_zero", ((PARTIES, "Barrier(lambda workers: workers + 2)"),),
        "deadlock", number=1, attacks="3.4 (i) members fewer than parties",
        why="one party more than there are members: nobody is ever released",
    ),
    Variant(
        "barrier of both points too small", "once", ((ONCE_BATCH, SMALLER),),
        "race", ("deadlock", "lost-batch", "stale-read"), number=3, attacks="3.4 (i) more members than parties",
        why="one barrier for both points with a count too small: generations mix",
    ),
    Variant(
        "done barrier too small", "node_zero", two_barriers("lambda workers: workers"),
        "stale-read", ("deadlock", "lost-batch", "race"), number=2, attacks="3.4 (i) more members than parties",
        why="the control may be released although a worker still writes",
    ),
    Variant(
        "done barrier too large", "node_zero", two_barriers("lambda workers: workers + 2"),
        "deadlock", attacks="declaration: parties", why="Point B needs one party too many",
    ),
    Variant(
        "epoch barrier too large", "node_zero",
        (("    epoch = Barrier()\n", "    epoch = Barrier(lambda workers: workers + 2)\n"),),
        "deadlock", attacks="declaration: parties", why="only the end of an epoch hangs",
    ),
    Variant(
        "epoch barrier too small", "node_zero",
        (("    epoch = Barrier()\n", "    epoch = Barrier(lambda workers: workers)\n"),),
        "deadlock", ("double-processing", "lost-batch", "race", "stale-read"),
        attacks="3.4 (i) more members than parties",
        why="one is left behind at the end of an epoch",
    ),
    Variant(
        "a worker meets the wrong barrier", "node_zero",
        ((WORKER_EPOCH, WORKER_EPOCH.replace("epoch.wait", "batch.wait")),),
        "deadlock", attacks="3.4 (i) who are the members", why="the workers wait at Point A, the control at the epoch",
    ),
    Variant(
        "leaves without Point B", "node_zero", ((WORKER_B, "            return\n"),),
        "deadlock", number=4, attacks="3.4 (iv) a member leaves", why="an early return before the done barrier",
    ),
    Variant(
        "no epoch barrier in the worker", "node_zero", ((WORKER_EPOCH, "\n\ndef leaf"),),
        "deadlock", attacks="3.4 (i) who are the members", why="the control waits alone at the end of an epoch",
    ),
    Variant(
        "no epoch barrier in the control", "node_zero", ((CONTROL_EPOCH, "\n\ndef root"),),
        "deadlock", ("double-processing", "lost-batch", "race", "stale-read"), attacks="3.4 (i) who are the members",
        why="the workers wait alone at the end of an epoch",
    ),
    Variant(
        "writes after Point B", "node_zero", ((WORK + "        if order == BATCH:\n" + WORKER_B,
        "        if order == BATCH:\n" + WORKER_B + WORK.replace("        yield", "            yield")),),
        "stale-read", ("double-processing", "lost-batch", "race"), number=5, attacks="3.3 races: both orders",
        why="a late gradient: the control reads the old one",
    ),
    Variant(
        "folds before Point B", "node_zero", ((CONTROL_B + FOLD, FOLD + CONTROL_B),),
        "stale-read", ("lost-batch", "race"), number=6, attacks="3.3 races: reads conflict with writes",
        why="the control reads segments while they are written",
    ),
    Variant(
        "two workers share a segment", "node_zero",
        ((COMPUTE, COMPUTE.replace("me.segment", "team.seats[0].segment")),),
        "ownership", ("double-processing", "lost-update", "race", "stale-read"), number=7,
        attacks="3.3 symmetry: an index of a sibling",
        why="index off: all write the first segment",
    ),
    Variant(
        "workers write the total", "node_zero",
        ((COMPUTE, COMPUTE.replace("into=me.segment", "into=team.owner.segment")),),
        "ownership", ("double-processing", "lost-update", "race", "stale-read"),
        attacks="declaration: owner of a segment",
        why="the workers write the control's total",
    ),
    Variant(
        "a worker writes the order", "node_zero", ((COMPUTE, COMPUTE + "        yield team.order.write(order)\n"),),
        "race", number=8, attacks="3.3 races: writes conflict", why="the order belongs to the control",
    ),
    Variant(
        "the control computes", "node_zero", ((CONTROL_B, CONTROL_B + COMPUTE),),
        "role", ("double-processing",), number=9, attacks="declaration: role", why="the control processes a batch",
    ),
    Variant(
        "the root computes at the end of an epoch", "node_zero",
        ((UPDATE, UPDATE + "        elif order == EPOCH:\n            yield compute(weights, into=me.segment)\n"),),
        "role", ("double-processing",), attacks="3.3 assertions local to an operation", why="only one branch shows it",
    ),
    Variant(
        "computes nothing", "node_zero", ((COMPUTE, "        yield team.order.read()\n"),),
        "stale-read", number=11, attacks="3.7 exactly once", why="all barriers match, but no segment is written",
    ),
    Variant(
        "computes sometimes", "node_zero",
        ((COMPUTE, "        if (yield choose(BATCH, STOP)) == BATCH:\n    " + COMPUTE),),
        "stale-read", number=11, attacks="3.3 choices of an actor are explored", why="a batch may be skipped",
    ),
    Variant(
        "dies between the barriers", "node_zero",
        ((WORKER_B, "            if (yield choose(BATCH, STOP)) == STOP:\n                return\n" + WORKER_B),),
        "deadlock", number=12, attacks="3.4 (iv) a crash removes a member", why="a worker may die before Point B",
    ),
    Variant(
        "stop is not passed on", "node_zero", ((CONTROL, CONTROL + "    if order == STOP:\n        return\n"),),
        "deadlock", number=20, attacks="declaration: the root's orders",
        why="the control leaves without a last barrier",
    ),
    Variant(
        "stop is not passed on, two levels", "node_zero",
        ((CONTROL, CONTROL + "    if order == STOP:\n        return\n"),),
        "deadlock", number=20, workers=(2,), depth=2, attacks="3.6 same text at every level",
        why="the same at the second level",
    ),
    Variant(
        "one barrier for all levels", "once",
        (
            ("    order = yield team.order.read()\n    yield from work(order)\n", "    yield from work(BATCH)\n"),
            ("    yield team.order.write(order)\n", ""),
            ("    yield team.batch.wait()  # Point B\n", "    yield level.wait()\n"),
            ("    yield team.batch.wait()  # Point B of the control\n", "    yield level.wait()\n"),
        ),
        "race", ("deadlock", "lost-batch", "stale-read"), number=21, workers=(2,), depth=2,
        attacks="3.6 a barrier belongs to one group",
        why="leaves and inner nodes meet at one object: the wrong level is released",
    ),
    Variant(
        "an inner node reports too early", "once", ((ONCE_WORK + ONCE_B, ONCE_B + ONCE_WORK),),
        "stale-read", ("lost-batch", "race"), workers=(2,), depth=2, attacks="3.6 the interface process",
        why="a node reports before its own workers have worked",
    ),
    Variant(
        "an inner node folds too early", "once", ((ONCE_CONTROL_B + ONCE_FOLD, ONCE_FOLD + ONCE_CONTROL_B),),
        "stale-read", ("lost-batch", "race"), workers=(2,), depth=2, attacks="3.6 the interface process",
        why="a node writes its segment before it has reduced its children's",
    ),
    Variant(
        "an inner node computes", "once", ((ONCE_CONTROL_B, ONCE_CONTROL_B + ONCE_COMPUTE),),
        "role", ("double-processing",), workers=(2,), depth=2, attacks="declaration: role",
        why="a control at the second level computes",
    ),
    Variant(
        "an inner barrier too large", "once",
        ((ONCE_BATCH, ONCE_BATCH.replace("()", "(lambda workers: workers + 2)")),),
        "deadlock", workers=(2,), depth=2, attacks="3.4 (i) members fewer than parties",
        why="every level waits for one more than it has",
    ),
    Variant(
        "never updates", "node_zero", ((UPDATE, ""),),
        "double-processing", attacks="3.7 exactly once", why="the next batch is added to the old gradients",
    ),
    Variant(
        "updates at the end of an epoch, too", "node_zero",
        ((UPDATE, UPDATE.replace("order == BATCH", "order != STOP")),),
        "stale-read", attacks="3.7 exactly once", why="an update without a gradient",
    ),
    Variant(
        "updates before the batch", "node_zero",
        ((UPDATE, ""), (DECIDES, DECIDES + UPDATE)),
        "stale-read", attacks="3.7 exactly once", why="the order of fold and update is exchanged",
    ),
    Variant(
        "folds twice", "node_zero", ((FOLD, FOLD + FOLD),),
        "double-processing", attacks="3.7 exactly once", why="every gradient counts twice",
    ),
    Variant(
        "computes twice", "node_zero", ((COMPUTE, COMPUTE + COMPUTE),),
        "double-processing", attacks="3.7 exactly once", why="a second result in a segment that still holds one",
    ),
    Variant(
        "folds the first segment only", "node_zero",
        ((FOLD, FOLD.replace("team.each.segment", "team.seats[0].segment")),),
        "lost-batch", attacks="3.3 symmetry: an index of a sibling", why="the other gradients are never folded",
    ),
    Variant(
        "leaves update the weights", "node_zero",
        ((COMPUTE, COMPUTE + "        yield update(me.segment, into=weights)\n"),),
        "race", ("lost-batch", "stale-read"), attacks="3.3 races: update is an access",
        why="everybody applies its own gradient",
    ),
    Variant(
        "updates while the workers compute", "node_zero",
        ((CONTROL_B, "        yield update(me.segment, into=weights)\n" + CONTROL_B),),
        "race", ("lost-batch", "stale-read"), attacks="3.3 races: update is an access",
        why="weights change under the workers' hands",
    ),
    Variant(
        "reads a neighbour's segment", "node_zero",
        ((COMPUTE, COMPUTE.replace("compute(weights,", "compute((weights, team.each.segment),")),),
        "race", attacks="3.3 races: reads conflict with writes", why="segments are read while their owners write them",
    ),
    Variant(
        "order written after Point A", "node_zero",
        ((ORDER, "    yield team.batch.wait()  # Point A\n    yield team.order.write(order)\n"),),
        "race", ("deadlock", "double-processing", "lost-batch", "stale-read"),
        attacks="3.3 races: reads conflict with writes",
        why="the workers read the order while it is written",
    ),
    Variant(
        "order read before Point A", "node_zero", ((POINT_A + READ, READ + POINT_A),),
        "race", ("deadlock", "double-processing", "lost-batch", "stale-read"), attacks="3.6 the tag of the interface",
        why="the last order is taken for the new one",
    ),
    Variant(
        "order read again after Point B", "node_zero",
        ((WORKER_B, WORKER_B + "            yield team.order.read()\n"),),
        "race", attacks="3.6 the command is read in time", why="the control may already write the next order",
    ),
    Variant(
        "three meetings of the control", "node_zero", ((CONTROL_B, CONTROL_B + CONTROL_B),),
        "deadlock", ("double-processing", "lost-batch", "race"), attacks="3.4 (ii) one arrival per generation",
        why="the control meets once more than the workers",
    ),
    Variant(
        "three meetings of the workers", "node_zero", ((WORKER_B, WORKER_B + WORKER_B),),
        "deadlock", ("lost-batch", "race", "stale-read"), attacks="3.4 (ii) one arrival per generation",
        why="the workers meet once more than the control",
    ),
    Variant(
        "a stranger at the barrier", "node_zero",
        (
            ("\n\n" + END, "\n\n\ndef main(team: Crew) -> Steps:\n    yield team.batch.wait()\n\n\n" + END),
            (END, END.replace("leaf, team=Crew", 'leaf, team=Crew, others={"main": main}')),
        ),
        "race", ("deadlock", "double-processing", "lost-batch", "stale-read"), attacks="3.4 (i) closed membership",
        why="an outsider takes one place of a generation",
    ),
    Variant(
        "a barrier destroyed in use", "node_zero",
        ((ORDER, "    if order == STOP:\n        yield team.batch.destroy()\n" + ORDER),),
        "use-after-destroy", ("barrier-misuse", "deadlock", "double-processing", "livelock", "race"),
        attacks="declaration: life of an object",
        why="the barrier goes before the last meeting",
    ),
    Variant(
        "the share loses items", "node_zero",
        (
            ("\n\n" + END, "\n\n\ndef short(index: int, workers: int, total: int) -> range:\n"
             "    each = total // workers\n    return range(index * each, (index + 1) * each)\n\n\n" + END),
            (END, END.replace("team=Crew", "team=Crew, share=short")),
        ),
        "coverage", attacks="declaration: share", why="what does not divide evenly is never computed",
    ),
    Variant(
        "slices: folds the whole each", "sliced_reduce", ((", parts=team.workers)", ")"),),
        "double-processing", ("lost-update", "ownership", "race"), attacks="declaration: slices of a region",
        why="every worker folds all of every segment",
    ),
    Variant(
        "slices: one too few", "sliced_reduce", ((", parts=team.workers)", ", parts=team.workers + 1)"),),
        "stale-read", ("lost-batch",), attacks="declaration: slices of a region",
        why="one slice of the total is never folded",
    ),
    Variant(
        "slices: update before they are folded", "sliced_reduce",
        (("        yield team.batch.wait()  # Point C: the workers have folded every slice into my segment\n", ""),),
        "race", ("deadlock", "lost-batch", "stale-read"), attacks="3.4 (i) who are the members",
        why="the control does not come to Point C",
    ),
    Variant(
        "slices: folded before Point B", "sliced_reduce",
        ((WORKER_B + SLICE, SLICE + WORKER_B),),
        "race", ("lost-batch", "stale-read"), attacks="3.3 races: slices conflict with writes",
        why="a neighbour may still write its segment",
    ),
)  # fmt: skip
