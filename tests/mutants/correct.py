"""Correct variants: as near to a mutant as possible, and right. The checker must find nothing in any of them.

Rules of this file: data. `attacks` says what a careless checker would be alarmed by.
"""

from tests.mutants import barriers, locks, words
from tests.mutants.catalogue import Variant

ONE_AT_A_TIME = 'promises = (always("one at a time", lambda state: state.about_to("compute") <= 1),)\n'
UNSCRATCHED = (locks.COMPUTE, "    yield compute(weights, into=me.segment)\n")
ONCE_B = "    yield team.batch.wait()  # Point B\n"
ONCE_CONTROL_B = "    yield team.batch.wait()  # Point B of the control\n"
ONCE_END = "architecture = Architecture(root, worker, control, leaf, team=Crew, shared=(weights, level))\n"
MAIN = "def main(team: Crew) -> Steps:\n    yield team.batch.wait()\n    yield team.batch.wait()\n\n\n"
GATE = ("    yield team.third.acquire()\n", "    yield team.third.release()\n")
TAKE, GIVE = "    yield team.lock.acquire()\n", "    yield team.lock.release()\n"
LAST_NOTES = "    if (yield team.taken.add(1)) == team.workers - 1:\n        yield team.note.write(1)\n"
DOOR = "    yield team.door.wait()\n"
PIECE = "        yield compute(weights, into=team.piece[piece])  # mine, because I claimed it\n"
LOCKED_CLAIM = (
    "    yield team.lock.acquire()\n    piece = yield team.noted.read()\n"
    "    yield team.noted.write(piece + 1)\n    yield team.lock.release()\n"
)
INVERTED = (locks.FIRST + locks.SECOND, locks.SECOND + locks.FIRST)

CORRECT = (
    Variant("Node Zero", "node_zero", why="as shipped"),
    Variant("Node Zero, two levels", "node_zero", workers=(2,), depth=2, why="as shipped", attacks="3.6 levels"),
    Variant(
        "two barriers for two points", "node_zero", barriers.two_barriers("lambda workers: workers + 1"),
        why="a barrier object of its own for Point B", attacks="3.4 (i) membership of two objects",
    ),
    Variant(
        "three points", "node_zero",
        ((barriers.WORKER_B, barriers.WORKER_B * 2), (barriers.CONTROL_B, barriers.CONTROL_B * 2)),
        why="one barrier object crossed three times with the right count", attacks="3.4 (ii) generations",
    ),
    Variant(
        "destroyed after its last use", "node_zero",
        ((barriers.ORDER, barriers.ORDER + "    if order == STOP:\n        yield team.batch.destroy()\n"),),
        why="nobody comes to the barrier after the stop", attacks="declaration: life of an object",
    ),
    Variant("sliced reduction", "sliced_reduce", why="as shipped", attacks="slices do not conflict"),
    Variant("one after another", "serial", workers=(2,), why="as shipped: a single actor"),
    Variant("work queue", "work_queue", workers=(2, 3), why="as shipped", attacks="3.3 adds depend on each other"),
    Variant("locked model", "model_lock", workers=(2,), why="as shipped: conditions, private locks, one lock for all"),
    Variant("once", "once", why="one batch"),
    Variant("once, two levels", "once", workers=(2,), depth=2, why="one batch at depth 2", attacks="3.6 levels"),
    Variant(
        "an outsider that is counted", "once",
        ((barriers.ONCE_BATCH, "    batch = Barrier(lambda workers: workers + 2)\n"),
         (ONCE_END, MAIN + ONCE_END.replace("team=Crew", 'team=Crew, others={"main": main}'))),
        why="main meets with the crew and is one of the parties", attacks="3.4 (i) membership beyond the crew",
    ),
    Variant(
        "the last to come leaves a note", "once",
        (
            ("    order = Variable()\n", "    order = Variable()\n    note = Variable()\n    taken = Word()\n"),
            (ONCE_B, LAST_NOTES + ONCE_B),
            (ONCE_CONTROL_B, ONCE_CONTROL_B + "    yield team.note.read()\n"),
        ),
        why="the leader is observed, and the result does not depend on who it is",
        attacks="3.4 (iii) the order is observed",
    ),
    Variant("a lock around the model", "locked", why="the base of the lock mutants", attacks="3.5 lock clusters"),
    Variant(
        "one at a time, promised and kept", "locked", ((locks.PROMISES, ONE_AT_A_TIME),),
        why="an invariant over several processes", attacks="3.3 visible operations",
    ),
    Variant(
        "all at once, promised and kept", "locked",
        ((locks.ACQUIRE, ""), (locks.RELEASE, ""), UNSCRATCHED, (locks.PROMISES, locks.ALL_AT_ONCE)),
        why="some state has all workers at work, and a reduced search may not miss it",
        attacks="3.3 visible operations",
    ),
    Variant("hand-over", "handoff", why="the base of the condition mutants", attacks="3.5 private locks"),
    Variant("hand-over, two batches", "handoff", (locks.TWICE,), workers=(2,), why="flags are taken back"),
    Variant(
        "hand-over in turn", "handoff", ((locks.HANDED_OUT + locks.ROUND, locks.HANDED_OUT),),
        why="every worker is awaited before the next one gets its order",
    ),
    Variant("claims", "claims", why="pieces claimed from an atomic counter", attacks="3.3 adds depend on each other"),
    Variant(
        "claims under a lock", "claims",
        ((words.CLAIM, LOCKED_CLAIM),),
        why="read and written, but under a lock", attacks="3.3 races: both orders of a lock",
    ),
    Variant(
        "claims until none is left", "claims",
        (
            ("    if piece < team.workers:\n", "    while piece < team.workers:\n"),
            (PIECE, PIECE + "        piece = yield team.claimed.add(1)\n"),
        ),
        why="a fast worker may take several", attacks="3.7 exactly once",
    ),
    Variant("two locks in one order", "two_locks", why="the base of the inversions", attacks="3.5 lock clusters"),
    Variant(
        "released in the order taken", "two_locks",
        ((locks.WORKER_MIDDLE + locks.WORKER_LAST, locks.WORKER_LAST + locks.WORKER_MIDDLE),),
        why="the order of releases does not matter", attacks="3.3 releases depend on acquisitions",
    ),
    Variant(
        "inverted behind a gate", "two_locks",
        (
            INVERTED,
            (locks.WORKER_FIRST, GATE[0] + locks.WORKER_FIRST),
            (locks.WORKER_LAST, locks.WORKER_LAST + GATE[1]),
            (locks.LAST, locks.LAST + GATE[1]),
            ("def control(me: Seat, team: Crew, order: int) -> Steps:\n",
             "def control(me: Seat, team: Crew, order: int) -> Steps:\n" + GATE[0]),
        ),
        why="the order is inverted, but a third lock lets only one in", attacks="3.5 lock clusters",
    ),
    Variant(
        "inverted after a meeting", "two_locks",
        (
            INVERTED,
            (locks.WORKER_LAST, locks.WORKER_LAST + DOOR),
            ("def control(me: Seat, team: Crew, order: int) -> Steps:\n",
             "def control(me: Seat, team: Crew, order: int) -> Steps:\n" + DOOR),
        ),
        why="the workers are done with their locks before the control begins", attacks="3.5 who can still reach a lock",
    ),
    Variant("signal", "signal", why="flag, lock, predicate, notify_all", attacks="3.3 lost signals"),
    Variant(
        "signal after the lock", "signal", ((locks.WAKES + locks.UNLOCKS, locks.UNLOCKS + locks.WAKES),),
        why="the signal may come after the lock is given back", attacks="3.3 lost signals",
    ),
    Variant(
        "signal before the flag, under the lock", "signal", ((locks.SETS + locks.WAKES, locks.WAKES + locks.SETS),),
        why="whoever wakes needs the lock first", attacks="3.3 lost signals",
    ),
    Variant(
        "one wakes the next", "signal",
        (
            (locks.WAKES, locks.WAKES.replace("notify_all", "notify")),
            (locks.WORKER_UNLOCKS, "    yield team.changed.notify()\n" + locks.WORKER_UNLOCKS),
        ),
        why="a single signal is passed on", attacks="3.3 who is woken is explored",
    ),
    Variant(
        "one condition for two purposes", "signal", locks.meet_by_signals("notify_all()"),
        why="everybody is woken, so the right one is, too", attacks="3.3 who is woken is explored",
    ),
    Variant("buffer", "buffer", why="consumers with `while`", attacks="3.3 who is woken is explored"),
    Variant(
        "buffer, never below zero", "buffer", ((locks.PROMISES, locks.NEVER_BELOW),),
        why="an invariant over the values of a queue", attacks="3.3 visible operations",
    ),
    Variant(
        "buffer, everybody woken", "buffer", ((locks.SIGNALS, locks.SIGNALS.replace("notify", "notify_all")),),
        why="too many wake up and sleep again", attacks="3.3 who is woken is explored",
    ),
    Variant("sense-reversing barrier", "sense", why="two atomic words", attacks="3.3 awaits depend on stores"),
    Variant("two words in one order", "polite", why="taken by exchange, awaited while taken"),
    Variant("tokens", "tokens",
    why="a semaphore as a lock, another as a count", attacks="3.3 downs depend on each other"),
    Variant("message", "message", why="written, then said so", attacks="3.3 release and acquire"),
    Variant(
        "message under a lock", "message",
        (
            (words.TEXT + words.READY, TAKE + words.TEXT + GIVE),
            (words.HEAR + words.READ, TAKE + words.READ + GIVE),
        ),
        why="in either order of the lock the accesses are ordered", attacks="3.3 races: both orders of a lock",
    ),
    Variant(
        "read after the join", "message", ((words.JOIN, words.JOIN + words.READ),),
        why="the end of the control orders what it wrote", attacks="3.3 joins",
    ),
    Variant("turns as long as one likes", "endless", why="no bound, but the end can always be reached",
            attacks="3.3 no process ignored around a cycle"),
)  # fmt: skip
