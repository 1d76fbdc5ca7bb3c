"""Mutants of mutexes and conditions: missing, leaked, inverted, misused; signals lost or sent to the wrong one.

Rules of this file: data. `attacks` names sections of the soundness conditions (3.3 to 3.7) or declarations.
"""

from tests.mutants.catalogue import Edit, Variant

ACQUIRE = "    yield model.acquire()\n"
RELEASE = "    yield model.release()\n"
COMPUTE = "    yield compute(weights, into=me.segment, using=activations)\n"
POINT_B = "            yield team.batch.wait()  # Point B\n"
CONTROL_B = "        yield team.batch.wait()  # Point B of the control\n"
PROMISES = "promises = ()\n"

ORDER = "        yield team.at.order.write(order)\n"
NOTIFY = "        yield team.at.wake.notify()  # tells the worker\n"
HAND_OUT = "        yield team.at.lock.acquire()  # hands out\n"
HANDED_OUT = "        yield team.at.lock.release()  # handed out\n"
COLLECT = "        yield team.at.lock.acquire()  # collects\n"
COLLECTED = "        yield team.at.lock.release()  # collected\n"
UNTIL_COMPLETE = (
    "        while not (yield team.at.complete.read()):\n"
    "            yield team.at.wake.wait()  # until it is complete\n"
)
UNTIL_ORDER = (
    "        while not (yield me.order.read()):\n            yield me.wake.wait()  # until there is an order\n"
)
ROUND = "    while (yield team.next()):  # collects\n"
TELL = "        yield me.wake.notify()  # tells the control\n"
REPORTS = "        yield me.lock.acquire()  # reports\n"
REPORTED = "        yield me.lock.release()  # has reported\n"
ASKS = "        yield me.lock.acquire()  # asks for an order\n"
LOOKS = "        if not (yield me.order.read()):\n"
LEAVES = "    if (yield team.flag.read()):\n        return\n"
NEVER_BELOW = 'promises = (always("never below zero", lambda state: state.values("items") >= (0,)),)\n'
ALL_AT_ONCE = 'promises = (sometimes("all at once", lambda state: state.about_to("compute") >= state.workers),)\n'
TWICE = ("BATCHES = 1\n", "BATCHES = 2\n")

FIRST = "    yield team.first.acquire()  # control\n"
SECOND = "    yield team.second.acquire()  # control\n"
LAST = "    yield team.first.release()  # control\n"
WORKER_FIRST = "    yield team.first.acquire()  # worker\n"
WORKER_SECOND = "    yield team.second.acquire()  # worker\n"
WORKER_LAST = "    yield team.first.release()  # worker\n"
WORKER_MIDDLE = "    yield team.second.release()  # worker\n"

CONTROL_BODY = (
    FIRST
    + SECOND
    + "    count = yield team.count.read()  # control\n    yield team.count.write(count + 1)  # control\n"
    + "    yield team.second.release()  # control\n"
    + LAST
)
EITHER_WAY = (
    "    if (yield choose(1, 2)) == 1:\n"
    "        yield team.first.acquire()\n"
    "        yield team.second.acquire()\n"
    "    else:\n"
    "        yield team.second.acquire()\n"
    "        yield team.first.acquire()\n"
)
SECOND_AND_THIRD = (
    "    if (yield choose(1, 2)) == 2:\n"
    "        yield team.second.acquire()\n"
    "        yield team.third.acquire()\n"
    "        yield team.third.release()\n"
    "        yield team.second.release()\n"
    "        return\n"
)

WAITS = "    while not (yield team.flag.read()):\n        yield team.changed.wait()\n"
SETS = "    yield team.flag.write(1)\n"
WAKES = "    yield team.changed.notify_all()\n"
LOCKS = "    yield team.lock.acquire()  # control\n"
UNLOCKS = "    yield team.lock.release()  # control\n"
WORKER_LOCKS = "    yield team.lock.acquire()  # worker\n"
WORKER_UNLOCKS = "    yield team.lock.release()  # worker\n"

TAKES = "    while not (left := (yield team.items.read())):\n        yield team.changed.wait()\n"
PUTS = "        yield team.items.write(left + 1)\n"
SIGNALS = "        yield team.changed.notify()\n"


def meet_by_signals(signal: str) -> tuple[Edit, ...]:
    """The control waits until all workers have come and then sets the flag; one condition serves both."""
    return (
        ("    flag = Variable()\n", "    flag = Variable()\n    count = Variable()\n"),
        (WORKER_LOCKS, WORKER_LOCKS + "    count = yield team.count.read()\n    yield team.count.write(count + 1)\n"
         f"    yield team.changed.{signal}\n"),
        (LOCKS, LOCKS + "    while (yield team.count.read()) < team.workers:\n        yield team.changed.wait()\n"),
    )  # fmt: skip


MUTEXES = (
    Variant(
        "no lock around the model", "locked", ((ACQUIRE, ""), (RELEASE, "")),
        "race", attacks="declaration: mutex", why="all workers use one set of activations",
    ),
    Variant(
        "lock given back too early", "locked", ((COMPUTE + RELEASE, RELEASE + COMPUTE),),
        "race", attacks="3.5 who may hold the lock", why="the lock is released before the work it guards",
    ),
    Variant(
        "a lock of one's own", "locked",
        ((ACQUIRE, "    yield me.own.acquire()\n"), (RELEASE, "    yield me.own.release()\n")),
        "race", attacks="declaration: scope of a mutex", why="everybody locks something else",
    ),
    Variant(
        "the lock is skipped sometimes", "locked",
        ((ACQUIRE, "    if (yield choose(BATCH, STOP)) == STOP:\n" + "    " + COMPUTE + "        return\n" + ACQUIRE),),
        "race", attacks="3.3 choices of an actor are explored", why="one path through the leaf forgets the lock",
    ),
    Variant(
        "the control looks without the lock", "locked",
        ((CONTROL_B, "        yield compute(activations, into=me.segment)\n" + CONTROL_B),),
        "role", ("double-processing", "race"), attacks="3.5 outside users",
        why="the control computes, and reads what the workers write",
    ),
    Variant(
        "lock leaked", "locked", ((RELEASE, ""),),
        "deadlock", number=14, attacks="3.5 hand-over", why="the lock is never given back",
    ),
    Variant(
        "lock leaked on one path", "locked",
        ((RELEASE, "    if (yield choose(BATCH, STOP)) == STOP:\n        return\n" + RELEASE),),
        "deadlock", number=14, attacks="3.5 hand-over", why="one path out of the leaf keeps the lock",
    ),
    Variant(
        "meets with the lock", "locked", ((RELEASE, ""), (POINT_B, POINT_B + "            yield model.release()\n")),
        "deadlock", number=14, attacks="3.4 and 3.5 a barrier inside a lock",
        why="the others need the lock to come to Point B",
    ),
    Variant(
        "takes the lock twice", "locked", ((ACQUIRE, ACQUIRE + ACQUIRE),),
        "deadlock", attacks="declaration: mutex has one owner", why="it waits for itself",
    ),
    Variant(
        "gives the lock back twice", "locked", ((RELEASE, RELEASE + RELEASE),),
        "lock-misuse", ("race",), fewer=((2, ("race",)),), attacks="3.3 two releases depend on each other",
        why="the second may free somebody else's lock",
    ),
    Variant(
        "a stranger gives it back", "locked", ((CONTROL_B, RELEASE.replace("    ", "        ") + CONTROL_B),),
        "lock-misuse", ("race",), number=15, attacks="3.3 two releases depend on each other",
        why="the control frees what a worker holds",
    ),
    Variant(
        "released without being taken", "locked", ((ACQUIRE, ""),),
        "lock-misuse", ("race",), attacks="declaration: mutex has one owner", why="nobody ever takes it",
    ),
    Variant(
        "destroyed in use", "locked", ((CONTROL_B, "        yield model.destroy()\n" + CONTROL_B),),
        "use-after-destroy", ("lock-misuse", "race"), attacks="declaration: life of an object",
        why="the lock goes while the workers need it",
    ),
    Variant(
        "a lock, although uncontended is promised", "locked", ((PROMISES, "promises = (uncontended,)\n"),),
        "contention", attacks="3.3 invariants over several processes", why="workers wait for the model",
    ),
    Variant(
        "one at a time promised, no lock", "locked",
        ((ACQUIRE, ""), (RELEASE, ""),
         (PROMISES, 'promises = (always("one at a time", lambda state: state.about_to("compute") <= 1),)\n')),
        "one at a time", ("race",), attacks="3.3 invariants over several processes", why="two compute at once",
    ),
    Variant(
        "all at once promised, one lock", "locked",
        ((PROMISES, ALL_AT_ONCE),),
        "all at once", attacks="3.3 invariants over several processes", why="the lock never lets two compute",
    ),
    Variant(
        "lock order inverted", "two_locks", ((FIRST + SECOND, SECOND + FIRST),),
        "deadlock", number=13, attacks="3.3 acquisitions depend on each other",
        why="the control takes them the other way round",
    ),
    Variant(
        "lock order inverted by a choice", "two_locks",
        ((WORKER_FIRST + WORKER_SECOND, EITHER_WAY),),
        "deadlock", number=13, attacks="3.3 acquisitions depend on each other", why="a worker chooses the order",
    ),
    Variant(
        "a ring of three locks", "two_locks",
        (
            (WORKER_FIRST, SECOND_AND_THIRD + WORKER_FIRST),
            (FIRST + SECOND, "    yield team.third.acquire()\n    yield team.first.acquire()\n"),
            ("    yield team.second.release()  # control\n", "    yield team.third.release()\n"),
        ),
        "deadlock", attacks="3.3 acquisitions depend on each other",
        why="first before second, second before third, third before first",
    ),
    Variant(
        "count under the wrong lock", "two_locks",
        ((SECOND, ""), (FIRST, FIRST.replace("first", "third")), (LAST, LAST.replace("first", "third")),
         ("    yield team.second.release()  # control\n", "")),
        "race", attacks="3.3 races: both orders of a lock", why="the control guards the count with another lock",
    ),
    Variant(
        "a race that one lock order hides", "two_locks",
        ((FIRST, "    yield team.count.write(1)\n" + FIRST),),
        "race", attacks="3.3 races: both orders of a lock",
        why="written before the lock: if the control locks first it is ordered, else it is not",
    ),
    Variant(
        "meets at the door with a lock", "two_locks",
        ((WORKER_LAST, "    yield team.door.wait()\n" + WORKER_LAST), (LAST, LAST + "    yield team.door.wait()\n")),
        "deadlock", number=14, attacks="3.4 and 3.5 a barrier inside a lock", why="the others cannot come to the door",
    ),
    Variant(
        "destroyed while somebody may hold it", "two_locks",
        ((CONTROL_BODY, "    yield team.first.destroy()\n"),),
        "lock-misuse", ("use-after-destroy",), attacks="3.3 releases depend on destructions",
        why="between taking and giving back: neither before nor after it",
    ),
    Variant(
        "releases in a stranger's name", "two_locks", ((LAST, LAST + "    yield team.second.release()\n"),),
        "lock-misuse", number=15, attacks="3.3 two releases depend on each other",
        why="frees the lock of whoever holds it",
    ),
)  # fmt: skip

SHIPPED_HAND_OVER = (
    "        yield team.at.lock.acquire()\n        yield team.at.order.write(order)\n"
    "        yield team.at.wake.notify()\n        yield team.at.lock.release()\n"
)
SHIPPED_WAKE = (
    "        while not (order := (yield me.order.read())):\n"
    "            yield me.wake.wait()  # gives the lock back while asleep\n"
)

SHIPPED = (
    Variant(
        "locked model: flag without its lock", "model_lock",
        ((SHIPPED_HAND_OVER, "        yield team.at.order.write(order)\n        yield team.at.wake.notify()\n"),),
        "race", ("deadlock",), number=16, workers=(2,), attacks="3.3 races: plain flags order nothing",
        why="set and signalled without the lock",
    ),
    Variant(
        "locked model: sleeps without a predicate", "model_lock",
        ((SHIPPED_WAKE, "        yield me.wake.wait()\n        order = yield me.order.read()\n"),),
        "deadlock", number=16, workers=(2,), attacks="3.3 lost signals", why="the signal may be over",
    ),
    Variant(
        "locked model: leaks the lock", "model_lock", (("        yield model.release()\n", ""),),
        "deadlock", number=14, workers=(2,), attacks="3.5 hand-over", why="the model is never given back",
    ),
)  # fmt: skip

CONDITIONS = (
    Variant(
        "hand-over: order without the lock", "handoff", ((HAND_OUT, ""), (HANDED_OUT, "")),
        "race", ("deadlock",), number=16, attacks="3.3 races: plain flags order nothing",
        why="16c: flag set and signalled without the lock",
    ),
    Variant(
        "hand-over: worker sleeps at once", "handoff", ((UNTIL_ORDER, "        yield me.wake.wait()\n"),),
        "deadlock", number=16, attacks="3.3 lost signals", why="16a: waits without a predicate",
    ),
    Variant(
        "hand-over: worker looks outside the lock", "handoff",
        ((ASKS + UNTIL_ORDER, LOOKS + "    " + ASKS + "            yield me.wake.wait()\n        else:\n    " + ASKS),),
        "race", ("deadlock",), number=16, attacks="3.3 lost signals", why="16b: predicate tested outside the lock",
    ),
    Variant(
        "hand-over: control sleeps at once", "handoff", ((UNTIL_COMPLETE, "        yield team.at.wake.wait()\n"),),
        "deadlock", number=16, attacks="3.3 lost signals", why="the completion may be over already",
    ),
    Variant(
        "hand-over: control does not wait", "handoff", ((UNTIL_COMPLETE, ""),),
        "race", ("lost-batch", "stale-read"), workers=(2, 3), attacks="3.3 a cursor's steps",
        why="it folds what is still being computed",
    ),
    Variant(
        "hand-over: nobody is told of the end", "handoff", ((TELL, ""),),
        "deadlock", attacks="3.3 lost signals", why="the control sleeps for ever",
    ),
    Variant(
        "hand-over: nobody is told of the order", "handoff", ((NOTIFY, ""),),
        "deadlock", attacks="3.3 lost signals", why="a worker that sleeps already is never woken",
    ),
    Variant(
        "hand-over: one worker forgotten", "handoff", (("    while (yield team.next()):  # hands out\n",
        "    yield team.next()\n    while (yield team.next()):  # hands out\n"),),
        "deadlock", attacks="3.3 loops in index order", why="the first child is skipped",
    ),
    Variant(
        "hand-over: collected without the cursor", "handoff", ((ROUND, "    if (yield team.next()):\n"),),
        "race", ("lost-batch", "stale-read"), attacks="3.3 loops in index order", why="only the first child is awaited",
    ),
    Variant(
        "hand-over: the lock is kept", "handoff", ((HANDED_OUT, ""),),
        "deadlock", number=14, attacks="3.5 private locks", why="the control never gives a worker its lock back",
    ),
    Variant(
        "hand-over: worker keeps its lock", "handoff", ((REPORTED, ""),),
        "deadlock", number=14, attacks="3.5 private locks", why="the control cannot collect",
    ),
    Variant(
        "hand-over: completion not taken back", "handoff", (TWICE, ("        yield team.at.complete.write(0)\n", "")),
        "race", ("lost-batch", "stale-read"), workers=(2,), attacks="3.7 exactly once",
        why="the second batch counts as complete at once",
    ),
    Variant(
        "hand-over: order not taken back", "handoff", (TWICE, ("        yield me.order.write(0)\n", "")),
        "double-processing", ("deadlock", "lost-batch", "race", "stale-read"), workers=(2,), attacks="3.7 exactly once",
        why="a worker takes the old order for a new one",
    ),
    Variant(
        "signal without a predicate", "signal", ((WAITS, "    yield team.changed.wait()\n"),),
        "deadlock", number=16, attacks="3.3 lost signals", why="16a: the signal may be over",
    ),
    Variant(
        "predicate outside the lock", "signal",
        ((WORKER_LOCKS + WAITS, LEAVES + WORKER_LOCKS + "    yield team.changed.wait()\n"),),
        "deadlock", ("race",), number=16, attacks="3.3 lost signals", why="16b: it may change before the lock is taken",
    ),
    Variant(
        "flag set without the lock", "signal", ((LOCKS, ""), (UNLOCKS, "")),
        "deadlock", ("race",), number=16, attacks="3.3 lost signals", why="16c: between the look and the sleep",
    ),
    Variant(
        "one signal for several", "signal", ((WAKES, WAKES.replace("notify_all", "notify")),),
        "deadlock", number=16, attacks="3.3 who is woken is explored", why="16d: all but one sleep for ever",
    ),
    Variant(
        "signal before the flag", "signal", ((SETS + WAKES + UNLOCKS, WAKES + UNLOCKS + SETS),),
        "deadlock", ("race",), attacks="3.3 lost signals", why="who wakes looks, sees nothing, and sleeps again",
    ),
    Variant(
        "sleeps without the lock", "signal", ((WORKER_LOCKS, ""), (WORKER_UNLOCKS, "")),
        "lock-misuse", ("deadlock", "race"), attacks="declaration: a condition's mutex",
        why="the wait gives back a lock it has not",
    ),
    Variant(
        "wakes and destroys", "signal", ((UNLOCKS, UNLOCKS + "    yield team.lock.destroy()\n"),),
        "use-after-destroy", ("deadlock", "lock-misuse"), attacks="declaration: life of an object",
        why="the sleepers need the lock to wake up",
    ),
    Variant(
        "what only a sleeper does wrong", "signal",
        ((WAITS, "    yield team.changed.wait()\n    yield team.lock.release()\n"), (LOCKS + SETS, ""), (UNLOCKS, "")),
        "lock-misuse", ("deadlock",), attacks="3.3 signals depend on sleeps",
        why="shows only if the signal comes after the sleep; before it, the signal is lost",
    ),
    Variant(
        "a signal wakes the wrong one", "signal", meet_by_signals("notify()"),
        "deadlock", number=16, attacks="3.3 who is woken is explored",
        why="two purposes, one condition: a worker wakes, and the control it was meant for sleeps on",
    ),
    Variant(
        "if instead of while", "buffer", ((PROMISES, NEVER_BELOW), (TAKES,
        "    left = yield team.items.read()\n    if not left:\n        yield team.changed.wait()\n"
        "        left = yield team.items.read()\n"),),
        "never below zero", number=17, attacks="3.3 who is woken is explored", why="another took the item in between",
    ),
    Variant(
        "signals only the first item", "buffer", ((SIGNALS, "        if not left:\n    " + SIGNALS),),
        "deadlock", attacks="3.3 lost signals",
        why="the second item arrives before the first sleeper has taken its own",
    ),
    Variant(
        "puts without the lock", "buffer", (("        yield team.lock.acquire()  # control\n", ""),
        ("        yield team.lock.release()  # control\n", "")),
        "race", ("deadlock",), attacks="3.3 races: both orders of a lock", why="two change the number of items at once",
    ),
    Variant(
        "one item too few", "buffer", (("range(team.workers)", "range(1, team.workers)"),),
        "deadlock", attacks="3.3 deadlock: every terminal state", why="one worker never gets an item",
    ),
    Variant(
        "signals before it puts, unlocked", "buffer",
        ((PUTS + SIGNALS + "        yield team.lock.release()  # control\n",
        SIGNALS + "        yield team.lock.release()  # control\n" + PUTS),),
        "race", ("deadlock",), attacks="3.3 races: both orders of a lock",
        why="the item is counted after the lock is gone",
    ),
)  # fmt: skip

MUTANTS = (*MUTEXES, *SHIPPED, *CONDITIONS)
