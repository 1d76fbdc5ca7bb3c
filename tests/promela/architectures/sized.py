"""One protocol per kind of object, for any number of actors: `variant` chooses, `count` says how many."""

from collections.abc import Callable

from cllm_sim import (
    Architecture,
    Barrier,
    Condition,
    Mutex,
    Seat,
    Semaphore,
    Steps,
    Team,
    Variable,
    Word,
    Work,
    join,
)

NAMES = ("ann", "bob", "cid", "dot", "eve", "fay", "guy", "hal")
Crew = Team[Seat]
Text = Callable[[Crew], Steps]

lock = Mutex("lock")
changed = Condition("lock", name="changed")
counter = Variable("counter")
tokens = Semaphore("tokens", 2)
taken = Word("taken")
ticket = Word("ticket")
serving = Word("serving")


def root(me: Seat, work: Work) -> Steps:
    yield from ()


def leaf(me: Seat, team: Crew, order: int) -> Steps:
    yield from ()


def counts(team: Crew) -> Steps:
    yield lock.acquire()
    value = yield counter.read()
    yield counter.write(value + 1)
    yield lock.release()


def takes_a_token(team: Crew) -> Steps:
    for _ in range(2):
        yield tokens.down()
        yield tokens.up()


def spins(team: Crew) -> Steps:
    while (yield taken.exchange(0, 1)) != 0:
        pass
    yield taken.store(0)


def draws_a_ticket(team: Crew) -> Steps:
    mine = yield ticket.add(1)
    yield serving.wait_until(mine)
    yield serving.add(1)


def takes(team: Crew) -> Steps:
    yield lock.acquire()
    while not (left := (yield counter.read())):
        yield changed.wait()
    yield counter.write(left - 1)
    yield lock.release()


def puts(team: Crew) -> Steps:
    yield lock.acquire()
    left = yield counter.read()
    yield counter.write(left + 1)
    yield changed.notify()
    yield lock.release()


def leaves_a_mark(team: Crew) -> Steps:
    """Nobody ever reads it, and still it makes two states of one."""
    yield tokens.down()
    yield taken.store(1)
    yield counter.write(1)
    yield tokens.up()


def puts_for_all(count: int) -> Text:
    def text(team: Crew) -> Steps:
        yield lock.acquire()
        yield counter.write(count)
        yield changed.notify_all()
        yield lock.release()

    return text


def meets(meeting: Barrier) -> Text:
    def text(team: Crew) -> Steps:
        yield meeting.wait()
        yield meeting.wait()

    return text


def ends_the_meeting(meeting: Barrier, waits_for: tuple[str, ...]) -> Text:
    def text(team: Crew) -> Steps:
        for number in range(len(waits_for)):
            yield join(waits_for[number])
        yield meeting.destroy()

    return text


def texts(variant: str, count: int, meeting: Barrier) -> tuple[Text, ...]:
    same = {"mutex": counts, "semaphore": takes_a_token, "spin_lock": spins, "ticket_lock": draws_a_ticket}
    if variant == "marks":
        return (leaves_a_mark,) * count
    if variant in same:
        return (same[variant],) * count
    if variant == "queue":
        return (takes,) * (count // 2) + (puts,) * (count - count // 2)
    if variant == "broadcast":
        return (takes,) * (count - 1) + (puts_for_all(count - 1),)
    if variant == "barrier":
        return (meets(meeting),) * count
    others = NAMES[: count - 1]
    waited_for = others if variant == "destroy" else ()  # `destroy_early` waits for nobody
    return (*(meets(meeting) for _ in others), ends_the_meeting(meeting, waited_for))


def architecture(variant: str = "mutex", count: str = "2") -> Architecture:
    parties = int(count) - ("destroy" in variant)
    meeting = Barrier(lambda workers: parties, name="meeting")
    others = dict(zip(NAMES, texts(variant, int(count), meeting), strict=False))
    shared = (lock, changed, counter, tokens, taken, ticket, serving, meeting)
    return Architecture(root, leaf=leaf, shared=shared, others=others)
