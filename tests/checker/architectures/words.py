"""Protocols of atomic words, semaphores and their plain look-alikes, from the literature; `variant` chooses."""

from collections.abc import Callable

from cllm_sim import (
    Architecture,
    Seat,
    Semaphore,
    StateView,
    Steps,
    Team,
    Variable,
    Word,
    Work,
    always,
)

arrived = Word("arrived")
sense = Word("sense")
wants = (Word("wants_one"), Word("wants_two"))
turn = Word("turn")
inside = Word("inside")
plain_wants = (Variable("plain_one"), Variable("plain_two"))
plain_turn = Variable("plain_turn")
shared_word = Word("shared_word")
data = Variable("data")
ready = Word("ready")
plain_ready = Variable("plain_ready")
free = Semaphore("free", 1)
full = Semaphore("full")
mutex = Semaphore("mutex", 1)
slot = Variable("slot")
Crew = Team[Seat]
Text = Callable[[Crew], Steps]


def root(me: Seat, work: Work) -> Steps:
    yield from ()


def leaf(me: Seat, team: Crew, order: int) -> Steps:
    yield from ()


def sense_reversing(rounds: int) -> Text:
    """A barrier for two written out: the last to arrive turns the sense, the others wait for it to turn."""

    def text(team: Crew) -> Steps:
        mine = 0
        for _ in range(rounds):
            mine = 1 - mine
            if (yield arrived.add(1)) == 1:
                yield arrived.store(0)
                yield sense.store(mine)
            else:
                yield sense.wait_until(mine)

    return text


def without_generation(team: Crew) -> Steps:
    """A barrier without a generation: whoever is fast resets the count before the slow one has seen it."""
    for _ in range(2):
        if (yield arrived.add(1)) == 1:
            yield arrived.store(0)  # BROKEN: the other one may wait for 2 for ever
        else:
            while (yield arrived.load()) != 0:
                pass


def counting(team: Crew) -> Steps:
    for _ in range(2):
        yield arrived.add(1)
        while (yield arrived.load()) < 2:  # BROKEN: nobody ever resets it, but everybody passes
            pass
        yield arrived.add(-1)


def peterson(me: int) -> Text:
    """Mutual exclusion with three words; `inside` counts who is in the critical section."""

    def text(team: Crew) -> Steps:
        yield wants[me].store(1)
        yield turn.store(1 - me)
        while True:
            if not (yield wants[1 - me].load()):
                break
            if (yield turn.load()) == me:
                break
        yield inside.add(1)
        yield inside.add(-1)
        yield wants[me].store(0)

    return text


def peterson_plain(me: int) -> Text:
    """The same with plain variables, as a C program with `volatile` has it."""

    def text(team: Crew) -> Steps:
        yield plain_wants[me].write(1)
        yield plain_turn.write(1 - me)
        while True:
            if not (yield plain_wants[1 - me].read()):
                break
            if (yield plain_turn.read()) == me:
                break
        yield inside.add(1)
        yield inside.add(-1)
        yield plain_wants[me].write(0)

    return text


def without_turn(me: int) -> Text:
    """Looks before it says that it wants: both may be inside."""

    def text(team: Crew) -> Steps:
        while (yield wants[1 - me].load()):
            pass
        yield wants[me].store(1)
        yield inside.add(1)
        yield inside.add(-1)
        yield wants[me].store(0)

    return text


def sends(team: Crew) -> Steps:
    yield data.write(7)
    yield ready.store(1)


def receives(team: Crew) -> Steps:
    yield ready.wait_until(1)
    yield data.read()


def sends_plainly(team: Crew) -> Steps:
    yield data.write(7)
    yield plain_ready.write(1)


def receives_plainly(team: Crew) -> Steps:
    while not (yield plain_ready.read()):
        pass
    yield data.read()


def writes_word(team: Crew) -> Steps:
    yield shared_word.store(1)


def reads_word(team: Crew) -> Steps:
    yield shared_word.load()


def produces(team: Crew) -> Steps:
    for item in range(2):
        yield free.down()
        yield mutex.down()
        yield slot.write(item)
        yield mutex.up()
        yield full.up()


def consumes(team: Crew) -> Steps:
    for _ in range(2):
        yield full.down()
        yield mutex.down()
        yield slot.read()
        yield mutex.up()
        yield free.up()


def consumes_holding(team: Crew) -> Steps:
    for _ in range(2):
        yield mutex.down()
        yield full.down()  # BROKEN: the producer needs the mutex to make it full
        yield slot.read()
        yield mutex.up()
        yield free.up()


VARIANTS: dict[str, tuple[Text, ...]] = {
    "sense_reversing": (sense_reversing(2), sense_reversing(2)),
    "without_generation": (without_generation, without_generation),
    "counting": (counting, counting),
    "peterson": (peterson(0), peterson(1)),
    "peterson_plain": (peterson_plain(0), peterson_plain(1)),
    "without_turn": (without_turn(0), without_turn(1)),
    "message": (sends, receives),
    "message_plain": (sends_plainly, receives_plainly),
    "readers": (writes_word, reads_word, reads_word, reads_word),
    "bounded_buffer": (produces, consumes),
    "bounded_buffer_holding": (produces, consumes_holding),
}


def alone_inside(state: StateView) -> bool:
    return state.values("inside") <= (1,)


def architecture(variant: str = "message") -> Architecture:
    others = dict(zip(("one", "two", "three", "four"), VARIANTS[variant], strict=False))
    words = (arrived, sense, *wants, turn, inside, shared_word, ready)
    plain = (*plain_wants, plain_turn, data, plain_ready, slot)
    exclusion = always("alone inside", alone_inside)
    shared = (*words, *plain, free, full, mutex)
    return Architecture(root, leaf=leaf, shared=shared, others=others, promises=(exclusion,))
