"""Two-phase commit: N resource managers (the workers) and a transaction manager (the root).

One action of the specification is what stands between taking `lock` and giving it back. The messages need no objects
of their own: a manager's word says what it has sent and what has been received from it, `decision` is the transaction
manager's message. Whoever takes the lock chooses among the actions that are enabled. "Received from r" is performed by
r, for an action belongs to nobody.
"""

from cllm_sim import Architecture, Mutex, Seat, StateView, Steps, Team, Word, Work, always, choose

WORKING, PREPARED, COMMITTED, ABORTED = 0, 1, 2, 3
SENT, RECEIVED = 4, 8
"""Added to a manager's word: its "prepared" was sent; it has reached the transaction manager."""

UNDECIDED, COMMIT, ABORT = 0, 1, 2
PREPARE, CHOOSE_ABORT, LEARN, RECEIVE = 1, 2, 3, 4


class Manager(Seat):
    state = Word()


class Managers(Team[Manager]):
    lock = Mutex()
    decision = Word()
    received = Word()


def worker(me: Manager, team: Managers, work: Work) -> Steps:
    while True:
        yield team.lock.acquire()
        yield from manager(me, team)
        yield team.lock.release()


def manager(me: Manager, team: Managers) -> Steps:
    decision = yield team.decision.load()
    state = yield me.state.load()
    options = enabled(state, decision)
    if options == ():
        return
    action = yield choose(*options)
    if action == PREPARE:
        yield me.state.store(PREPARED + SENT)
    elif action == CHOOSE_ABORT:
        yield me.state.store(ABORTED)
    elif action == LEARN:
        yield me.state.store(state // 4 * 4 + (COMMITTED if decision == COMMIT else ABORTED))
    elif action == RECEIVE and state < RECEIVED:
        yield me.state.store(state + RECEIVED)
        yield team.received.add(1)


def enabled(state: int, decision: int) -> tuple[int, ...]:
    """The actions of one manager's, as the specification has them: also those that change nothing any more."""
    actions: tuple[int, ...] = ()
    if state % 4 == WORKING:
        actions += (PREPARE, CHOOSE_ABORT)
    if decision != UNDECIDED:
        actions += (LEARN,)
    elif state >= SENT:
        actions += (RECEIVE,)
    return actions


def control(me: Manager, team: Managers, order: int) -> Steps:
    while True:
        yield team.lock.acquire()
        yield from transaction(team)
        yield team.lock.release()


def transaction(team: Managers) -> Steps:
    decision = yield team.decision.load()
    if decision != UNDECIDED:
        return
    received = yield team.received.load()
    if received == team.workers:
        decision = yield choose(COMMIT, ABORT)
    else:
        decision = yield choose(ABORT)
    yield team.decision.store(decision)


def root(me: Manager, work: Work) -> Steps:
    yield from work(1)


def idle(me: Manager, team: Managers, order: int) -> Steps:
    yield from ()


def agree(state: StateView) -> bool:
    return not {COMMITTED, ABORTED} <= {value % 4 for value in state.values("state")}


architecture = Architecture(
    root, worker, control, idle, team=Managers, promises=(always("never commit and abort", agree),)
)
