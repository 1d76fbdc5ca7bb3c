"""Mutants of atomic words, plain flags, semaphores, claims and ends: what holds without any lock, with something wrong.

Rules of this file: data. `attacks` names sections of the soundness conditions (3.3 to 3.7) or declarations.
"""

from tests.mutants.catalogue import Edit, Variant

CLAIM = "    piece = yield team.claimed.add(1)\n"
FOLD_PIECES = "    yield fold(team.piece, into=me.segment)\n"
PIECES_DONE = "    yield team.done.wait()  # every piece is computed\n"

QUEUE_NOTE = "            yield team.claimed.write(piece + 1)\n"
QUEUE_CLAIM = "        while (piece := (yield team.claimed.add(1))) < team.workers:\n"

TURN = "        yield team.arrived.store(0)\n        yield team.sense.store(mine)\n"
AWAIT = "        yield team.sense.wait_until(mine)\n"
LAST = "    if (yield team.arrived.add(1)) == team.workers:\n"

CONTROL_TAKES = (
    "    while (yield team.one.exchange(0, 1)):  # control\n"
    "        yield team.one.wait_until(0)  # control\n"
    "    while (yield team.two.exchange(0, 1)):  # control\n"
    "        yield team.two.wait_until(0)  # control\n"
)
WORKER_TWO = "    while (yield team.two.exchange(0, 1)):  # worker\n        yield team.two.wait_until(0)\n"
FREES = "    yield team.two.store(0)\n    yield team.one.store(0)\n"

DOWN = "    yield team.token.down()\n"
UP = "    yield team.token.up()\n"
RING = "    yield team.bell.up()\n"
COUNT = "    yield team.count.write(count + 1)\n"
LISTEN = "        yield team.bell.down()\n"

TEXT = "    yield team.text.write(7)\n"
READY = "    yield team.ready.store(1)\n"
HEAR = "    yield team.ready.wait_until(1)\n"
READ = "    yield team.text.read()\n"
END = "    yield team.end.wait()  # control\n"
DESTROY = "    yield team.end.destroy()  # nobody will come again\n"
WORKER_END = "    yield team.end.wait()\n"
JOIN = '    yield join("0")\n'

TURNS = "        yield team.token.down()\n        yield team.token.up()\n"
BELLS = "        yield team.bell.up()\n        yield team.bell.down()\n"
FIRST_IS_LOST = "    if (yield team.claimed.add(1)) == 0:\n        yield team.bell.down()\n"
FREELY = "    while (yield choose(BATCH, STOP)) == BATCH:\n"


def backs_off(first: str, second: str) -> str:
    """Take one word, try the other, give the first back where that fails, and start again."""
    return (
        "    while True:\n"
        f"        if (yield team.{first}.exchange(0, 1)) == 0:\n"
        f"            if (yield team.{second}.exchange(0, 1)) == 0:\n"
        "                break\n"
        f"            yield team.{first}.store(0)\n"
    )


WORKER_ONE = "    while (yield team.one.exchange(0, 1)):  # worker\n        yield team.one.wait_until(0)\n"
WORKER_TAKES = WORKER_ONE + WORKER_TWO
TAKEN: Edit = ("    order = Variable()\n", "    order = Variable()\n    taken = Word()\n")
ONCE_COMPUTE = "    yield compute(weights, into=me.segment)\n"

ONCE_READS = "    order = yield team.order.read()\n"
ORDER_WRITTEN = "    yield team.order.write(order)\n"
FIRST_COMPUTES = "    if (yield team.taken.add(1)) == 0:\n        yield compute(weights, into=me.segment)\n"
WORKER_COMES: Edit = (
    "    yield team.batch.wait()  # Point A\n",
    "    first = yield team.taken.add(1)\n    yield team.batch.wait()  # Point A\n",
)
CONTROL_LISTENS = "    for _ in range(team.workers):\n        yield team.bell.down()\n"
CONTROL_FIRST = (
    "    yield team.token.down()\n    for _ in range(team.workers):\n"
    "        yield team.token.up()\n        yield team.bell.down()\n"
)
WORKER_INSIDE = DOWN + "    count = yield team.count.read()  # worker\n" + COUNT + UP + RING
FIRST_INSIDE = (
    "    if (yield team.taken.add(1)) == 0:\n        yield team.lock.acquire()\n"
    "        yield team.bell.up()\n        yield team.lock.release()\n"
)
TRIES = (
    "    if (yield team.one.exchange(0, 1)):\n        yield team.two.wait_until(9)\n"
    "    while (yield team.two.exchange(0, 1)):  # control\n        yield team.two.wait_until(0)  # control\n"
)

WORDS = (
    Variant(
        "claims by reading and writing", "claims",
        ((CLAIM, "    piece = yield team.noted.read()\n    yield team.noted.write(piece + 1)\n"),),
        "double-processing", ("race", "stale-read"), number=10, attacks="3.7 exactly once",
        why="two workers take the same piece",
    ),
    Variant(
        "work queue: claims by reading and writing", "work_queue",
        (
            ("claimed = Word()", "claimed = Variable()"),
            (QUEUE_CLAIM, QUEUE_CLAIM.replace("add(1)", "read()") + QUEUE_NOTE),
            ("team.claimed.store(0)", "team.claimed.write(0)"),
        ),
        "double-processing", ("race",), number=10, workers=(2,), attacks="3.7 exactly once",
        why="as shipped, batch after batch",
    ),
    Variant(
        "claims by loading and storing", "claims",
        ((CLAIM, "    piece = yield team.claimed.load()\n    yield team.claimed.store(piece + 1)\n"),),
        "double-processing", ("race", "stale-read"), number=10, attacks="3.3 loads depend on stores",
        why="the same with an atomic word: no race on it",
    ),
    Variant(
        "the first piece is never claimed", "claims", (("    claimed = Word()\n", "    claimed = Word(initial=1)\n"),),
        "stale-read", attacks="declaration: initial value", why="the counter starts at one",
    ),
    Variant(
        "the last piece is left", "claims", (("    if piece < team.workers:\n", "    if piece < team.workers - 1:\n"),),
        "stale-read", attacks="3.7 exactly once", why="the limit is one too small",
    ),
    Variant(
        "pieces folded before they are done", "claims",
        ((PIECES_DONE + FOLD_PIECES, FOLD_PIECES + PIECES_DONE),),
        "stale-read", ("lost-batch", "race"), number=6, attacks="3.3 races: reads conflict with writes",
        why="the control does not wait",
    ),
    Variant(
        "who comes first skips its batch", "once",
        (TAKEN, (ONCE_COMPUTE, "    if (yield team.taken.add(1)):\n    " + ONCE_COMPUTE)),
        "stale-read", attacks="3.4 (iii) somebody observes the order", why="the arrival that is first does nothing",
    ),
    Variant(
        "the first to arrive folds", "once",
        (TAKEN,
         ("    yield team.batch.wait()  # Point B\n", "    if (yield team.taken.add(1)) == 0:\n"
          "        yield fold(team.each.segment, into=team.owner.segment)\n    yield team.batch.wait()  # Point B\n"),
         ("    yield fold(team.each.segment, into=me.segment)\n", "")),
        "race", ("lost-batch", "ownership", "stale-read"), attacks="3.4 (iii) somebody observes the order",
        why="the leader of an arrival should be the last, not the first",
    ),
    Variant(
        "the control comes first", "once", (TAKEN, (ORDER_WRITTEN, FIRST_COMPUTES + ORDER_WRITTEN), WORKER_COMES),
        "role", ("double-processing",), attacks="3.3 replies of adds tell their order",
        why="only if the control's add comes before all others",
    ),
    Variant(
        "a worker comes first", "once", (TAKEN, (ORDER_WRITTEN, "    yield team.taken.add(1)\n" + ORDER_WRITTEN),
        WORKER_COMES, (ONCE_READS, ONCE_READS + "    if first == 0:\n        order = 0\n"),
        (ONCE_COMPUTE, "    if order:\n    " + ONCE_COMPUTE)),
        "stale-read", attacks="3.3 replies of adds tell their order", why="only if an add of a worker comes first",
    ),
    Variant(
        "a worker tries first", "once",
        (TAKEN, (ORDER_WRITTEN, "    yield team.taken.exchange(0, 1)\n" + ORDER_WRITTEN),
        (WORKER_COMES[0], WORKER_COMES[1].replace("add(1)", "exchange(0, 1)")),
        (ONCE_READS, ONCE_READS + "    if first == 0:\n        order = 0\n"),
        (ONCE_COMPUTE, "    if order:\n    " + ONCE_COMPUTE)),
        "stale-read", attacks="3.3 exchanges depend on each other", why="only if the exchange of a worker comes first",
    ),
    Variant(
        "a spin barrier without generation", "sense",
        ((LAST + TURN, LAST + "        yield team.arrived.store(0)\n"),
         (AWAIT, "        yield team.arrived.wait_until(0)\n")),
        "deadlock", number=18, attacks="3.3 liveness", why="the fast ones come again before the slow one has looked",
    ),
    Variant(
        "a spin barrier that polls without generation", "sense",
        ((LAST + TURN, LAST + "        yield team.arrived.store(0)\n"),
         (AWAIT, "        while (yield team.arrived.load()) != 0:\n            yield team.sense.load()\n")),
        "livelock", number=18, workers=(2, 3), attacks="3.3 liveness",
        why="the same with a loop: everybody moves, nobody gets on",
    ),
    Variant(
        "the sense turned before the count", "sense",
        ((TURN, "        yield team.sense.store(mine)\n        yield team.arrived.store(0)\n"),),
        "deadlock", attacks="3.3 stores depend on adds", why="an arrival of the next round is wiped out",
    ),
    Variant(
        "the count one too small", "sense", ((LAST, LAST.replace("team.workers", "team.workers - 1")),),
        "stale-read", ("deadlock", "lost-batch", "race"), attacks="3.4 (iii) somebody observes the count",
        why="the barrier opens although one is missing",
    ),
    Variant(
        "the count one too large", "sense", ((LAST, LAST.replace("team.workers", "team.workers + 1")),),
        "deadlock", attacks="3.4 (iii) somebody observes the count", why="it never opens",
    ),
    Variant(
        "a plain sense", "sense", (("        yield team.sense.store(mine)\n", "        yield team.flag.write(mine)\n"),
        (AWAIT, "        while (yield team.flag.read()) != mine:\n            yield team.arrived.load()\n")),
        "race", ("livelock",), workers=(2,), attacks="3.3 races: plain flags order nothing",
        why="a C volatile is no atomic",
    ),
    Variant(
        "try and back off", "polite",
        ((WORKER_TAKES, backs_off("one", "two")), (CONTROL_TAKES, backs_off("two", "one"))),
        "livelock", number=19, attacks="3.3 liveness", why="both take one, fail on the other, release, retry",
    ),
    Variant(
        "the control's word is taken", "polite", ((CONTROL_TAKES, TRIES),),
        "deadlock", attacks="3.3 exchanges depend on each other", why="only if a worker tries before the control",
    ),
    Variant(
        "waits in the other order", "polite",
        ((CONTROL_TAKES, CONTROL_TAKES.replace("one", "three").replace("two", "one").replace("three", "two")),),
        "deadlock", number=13, attacks="3.3 awaits depend on stores", why="lock order inverted, with words",
    ),
    Variant(
        "one word is not given back", "polite", ((FREES, "    yield team.two.store(0)\n"),),
        "deadlock", number=14, attacks="3.3 deadlock: every terminal state", why="the next waits for ever",
    ),
    Variant(
        "two tokens", "tokens", (("Semaphore(initial=1)", "Semaphore(initial=2)"),),
        "race", attacks="declaration: initial value", why="two are inside at once",
    ),
    Variant(
        "no token", "tokens", (("Semaphore(initial=1)", "Semaphore()"),),
        "deadlock", attacks="declaration: initial value", why="nobody ever gets in",
    ),
    Variant(
        "a token is lost", "tokens", ((UP, ""),),
        "deadlock", attacks="3.3 downs depend on each other", why="only one ever gets in",
    ),
    Variant(
        "a token too many", "tokens", ((UP, UP + UP),),
        "race", workers=(3, 4), attacks="3.3 ups are visible", why="from the third worker on, two are inside at once",
    ),
    Variant(
        "a worker takes the control's token", "tokens", ((UP, ""), (CONTROL_LISTENS, CONTROL_FIRST)),
        "deadlock", attacks="3.3 downs depend on each other", why="only if a worker is there before the control",
    ),
    Variant(
        "the control takes a worker's token", "tokens",
        ((CONTROL_LISTENS, "    yield team.token.down()\n" + CONTROL_LISTENS),),
        "deadlock", attacks="3.3 downs depend on each other", why="only if the control is there before a worker",
    ),
    Variant(
        "a lock destroyed while it is held", "tokens",
        (
            (WORKER_INSIDE, FIRST_INSIDE),
            (CONTROL_LISTENS, "    yield team.bell.down()\n    yield team.lock.destroy()\n"),
            ("    bell = Semaphore()\n", "    bell = Semaphore()\n    lock = Mutex()\n    taken = Word()\n"),
        ),
        "lock-misuse", ("use-after-destroy",), attacks="3.3 releases depend on destructions",
        why="only between the bell and the release of the one who rang",
    ),
    Variant(
        "works before the token", "tokens", ((DOWN + "    count = yield team.count.read()  # worker\n",
        "    count = yield team.count.read()  # worker\n" + DOWN),),
        "race", attacks="3.3 races: both orders of a lock", why="reads outside, writes inside",
    ),
    Variant(
        "rings before it is done", "tokens", ((RING, ""), (COUNT, RING + COUNT)),
        "race", attacks="3.3 races: both orders of a lock", why="the control looks while the last one still writes",
    ),
    Variant(
        "listens once too often", "tokens", (("range(team.workers)", "range(team.workers + 1)"),),
        "deadlock", attacks="3.3 deadlock: every terminal state", why="nobody rings again",
    ),
    Variant(
        "listens once too seldom", "tokens", (("range(team.workers)", "range(team.workers - 1)"),),
        "race", attacks="3.3 races: both orders of a lock", why="one worker may still count",
    ),
    Variant(
        "ready before it is written", "message", ((TEXT + READY, READY + TEXT),),
        "race", attacks="3.3 release and acquire", why="the word says ready, the text is not",
    ),
    Variant(
        "reads before it is ready", "message", ((HEAR + READ, READ + HEAR),),
        "race", attacks="3.3 release and acquire", why="the worker looks too early",
    ),
    Variant(
        "a plain word", "message", ((READY, "    yield team.flag.write(1)\n"),
        (HEAR + READ, "    if (yield team.flag.read()):\n    " + READ)),
        "race", attacks="3.3 races: plain flags order nothing", why="the flag is plain: its accesses carry no order",
    ),
    Variant(
        "waits for another value", "message", ((HEAR, HEAR.replace("(1)", "(2)")),),
        "deadlock", attacks="3.3 deadlock: every terminal state", why="nobody ever stores it",
    ),
    Variant(
        "the value passes by", "message", ((READY, READY + READY.replace("(1)", "(0)")),),
        "deadlock", attacks="3.3 awaits depend on stores", why="who was not waiting yet misses the value",
    ),
    Variant(
        "the word is taken back by its reader", "message", ((HEAR, HEAR + READY.replace("(1)", "(0)")),),
        "deadlock", attacks="3.3 awaits depend on stores", why="the first reader takes it from the others",
    ),
    Variant(
        "the barrier ends too early", "message", ((END + DESTROY, DESTROY + END),),
        "use-after-destroy", ("barrier-misuse", "deadlock"), attacks="declaration: life of an object",
        why="destroyed before the last meeting",
    ),
    Variant(
        "two wait for each other's end", "message", ((END, '    yield join("main")\n' + END),),
        "deadlock", attacks="3.3 joins", why="the control joins who joins it",
    ),
    Variant(
        "joins who never ends", "message", ((WORKER_END, ""),),
        "deadlock", attacks="3.3 joins", why="the control waits at the barrier, and main for the control",
    ),
    Variant(
        "one is lost, the others go on", "endless",
        ((FREELY + TURNS, FIRST_IS_LOST + "    while True:\n" + TURNS), (FREELY + BELLS, "    yield from ()\n")),
        "partial-deadlock", attacks="3.3 partial deadlock is not terminal",
        why="the first waits for a bell nobody rings",
    ),
    Variant(
        "turns without an end", "endless", ((FREELY + TURNS, "    while True:\n" + TURNS),),
        "livelock", attacks="3.3 no process ignored around a cycle", why="the workers never stop",
    ),
    Variant(
        "a fault beside an endless loop", "endless",
        (
            (TURNS, TURNS + "    yield team.lock.release()\n"),
            ("    claimed = Word()\n", "    claimed = Word()\n    lock = Mutex()\n"),
        ),
        "lock-misuse", attacks="3.3 no process ignored around a cycle",
        why="the control could go round for ever before it",
    ),
    Variant(
        "a fault beside a loop of its own", "endless",
        (
            (FREELY + TURNS, "    yield team.lock.release()\n"),
            (FREELY + BELLS, "    while True:\n" + BELLS),
            ("    claimed = Word()\n", "    claimed = Word()\n    lock = Mutex()\n"),
        ),
        "lock-misuse", ("livelock",), attacks="3.3 no process ignored around a cycle",
        why="the control goes round without any choice; the workers' fault is beside it",
    ),
    Variant(
        "the bell is taken away", "endless", ((TURNS, TURNS + "    yield team.bell.down()\n"),),
        "deadlock", attacks="3.3 no process ignored around a cycle", why="the worker takes what the control needs",
    ),
)  # fmt: skip

MUTANTS = WORDS
