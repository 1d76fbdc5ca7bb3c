"""The text that `cllm new NAME` writes: a small architecture that holds, with what every line is for and what to try.

Rules of this file: the text is a correct architecture at any number of workers and any depth, it imports from
`cllm_sim` only, and everything its comments claim is true; a test makes each change that it proposes and compares
what is found.
"""

TEMPLATE = '''\
"""NAME: one control and its workers meet twice per batch on one barrier, and nobody locks anything.

Four small texts say who does what: `worker` looks up to its control, `control` looks down to its workers, `leaf` is
the work at the bottom, `root` is the top. A text yields operations, one at a time, and goes on with the reply (a
number). The very same texts are checked, simulated and run on real processes:

    cllm check ./NAME.py --workers 3      can it ever go wrong? every interleaving
    cllm simulate ./NAME.py               how long does it take, and who waits for whom?
    cllm train ./NAME.py --steps 50       does it learn? one process per actor
    cllm compare ./NAME.py node_zero      is it better?

What is shared is declared in a class (`Crew` below); what a text may yield:

    gate = Barrier()           gate.wait()                       all parties wait for one another
    lock = Mutex()             lock.acquire()  .release()        one at a time
    ready = Condition("lock")  ready.wait()                      holding that mutex: give it back and sleep until told
                               ready.notify()  .notify_all()     tell one sleeper, or all; lost where nobody sleeps
    free = Semaphore()         free.down()  .up()                a counter that cannot fall below zero
    flag = Word()              flag.load()  .store(1)  .add(1)   an atomic number, which also brings others' accesses
                               flag.wait_until(1)                into an order
    order = Variable()         order.read()  .write(1)           a plain number: something else must keep its accesses
                                                                 in order
    weights = Region()         compute(reads, into=region)       forward and backward over my part of the batch
                               fold(reads, into=region)          add up gradients
                               update(reads, into=region)        validate, clip and apply them: the end of a step
                               choose(BATCH, EPOCH, STOP)        the environment decides

An operation replies a number: `order = yield team.order.read()`. `team.workers` is the number of workers.
A `yield` is the first thing its statement evaluates, and a text keeps numbers only in its variables. The marks (1) to
(7) are explained at the end: seven ways to break this file.
"""

from cllm_sim import (
    BATCH,
    EPOCH,
    STOP,
    Architecture,
    Barrier,
    Region,
    Seat,
    Steps,
    Team,
    Variable,
    Work,
    choose,
    compute,
    fold,
    sometimes,
    uncontended,
    update,
)

# Declared on the module, an object exists once for all.
weights = Region("weights")


# Declared in the team, an object exists once per control and is shared by the control and its workers. (In a class
# derived from `Seat` it exists once per node. Every seat has a gradient segment already: `me.segment`.)
class Crew(Team[Seat]):
    meet = Barrier()  # (1) parties: all workers and their control
    epoch = Barrier()
    order = Variable()


def worker(me: Seat, team: Crew, work: Work) -> Steps:
    order = 0
    while order != STOP:
        yield team.meet.wait()  # Point A: from here on the order stands
        order = yield team.order.read()  # (2)
        yield from work(order)  # at a leaf: `leaf`; at an inner node: its own `control`, one level down
        if order == BATCH:
            yield team.meet.wait()  # (3) Point B: every segment is written
        elif order == EPOCH:
            yield team.epoch.wait()


def leaf(me: Seat, team: Crew, order: int) -> Steps:
    if order == BATCH:
        yield compute(weights, into=me.segment)  # (4) reads the weights, writes my own segment


def control(me: Seat, team: Crew, order: int) -> Steps:
    yield team.order.write(order)  # nobody reads it before Point A
    yield team.meet.wait()  # Point A
    if order == BATCH:
        yield team.meet.wait()  # (5) Point B
        yield fold(team.each.segment, into=me.segment)  # (6) safe: nobody writes a segment before the next Point A
    elif order == EPOCH:
        yield team.epoch.wait()


def root(me: Seat, work: Work) -> Steps:
    order = 0
    while order != STOP:
        order = yield choose(BATCH, EPOCH, STOP)  # any number of batches and epochs, in any order, then STOP
        yield from work(order)
        if order == BATCH:
            yield update(me.segment, into=weights)  # (7)


architecture = Architecture(
    root,
    worker,
    control,
    leaf,
    team=Crew,
    shared=(weights,),
    promises=(
        uncontended,  # nobody ever waits for a mutex
        sometimes("all workers compute at once", lambda state: state.about_to("compute") >= state.workers),
    ),
)

# Seven ways to break it, one at a time. `cllm check ./NAME.py --workers 2` finds each of them, and `cllm explain race`
# (or another class) says more:
#
# (1) make it Barrier(lambda workers: workers), one party too few      race, deadlock, ...
# (2) read the order before Point A                                    race, deadlock, ...
# (3) leave out this wait and the `if` above, let `elif` be `if`       deadlock, race, ...
# (4) make it into=team.seats[0].segment, for all workers              ownership, race, ...
# (5) put this wait below (6)                                          race, stale-read, ...
# (6) leave out the fold                                               stale-read, lost-batch
# (7) put compute(weights, into=me.segment) before it                  role, ...
'''


def new_file(name: str) -> str:
    """The text of a new architecture file called NAME.py."""
    return TEMPLATE.replace("NAME", name)
