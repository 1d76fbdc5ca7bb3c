"""Crews that never come to an end, or to a bad one; `variant` chooses what worker and root do."""

from collections.abc import Callable
from typing import Any

from cllm_sim import (
    BATCH,
    STOP,
    Architecture,
    Barrier,
    Condition,
    Mutex,
    Seat,
    Semaphore,
    Steps,
    Team,
    Word,
    Work,
    choose,
    compute,
)  # fmt: skip


class Crew(Team[Seat]):
    meeting = Barrier()
    early = Barrier(lambda workers: workers)
    claimed = Word()
    bell = Semaphore()
    token = Semaphore(initial=1)
    lock = Mutex()
    wake = Condition("lock")


def leaf(me: Seat, team: Crew, order: int) -> Steps:
    yield compute(me.segment, into=me.segment)


def nothing(me: Any, team: Any, work: Any) -> Steps:
    yield from ()


# --- one worker is lost, the others go on for ever -------------------------------------------------------------------
def one_is_lost(me: Seat, team: Crew, work: Work) -> Steps:
    first = yield team.claimed.add(1)
    if first == 0:
        yield team.claimed.load()
        yield team.bell.down()  # BROKEN: nobody ever rings
    while True:
        yield team.token.down()
        yield team.token.up()


def keeps_choosing(me: Seat, team: Crew, order: int) -> Steps:
    while True:
        yield choose(BATCH)


# --- everybody goes on for ever, one of them always waits, but never the same ----------------------------------------
def takes_turns(me: Seat, team: Crew, work: Work) -> Steps:
    while True:
        yield team.token.down()
        yield team.token.up()


# --- one worker is lost, the others come to their end ----------------------------------------------------------------
def first_is_lost(me: Seat, team: Crew, work: Work) -> Steps:
    if (yield team.claimed.add(1)) == 0:
        yield team.bell.down()  # BROKEN: nobody ever rings


# --- destruction -----------------------------------------------------------------------------------------------------
def meets(me: Seat, team: Crew, work: Work) -> Steps:
    yield team.early.wait()
    yield team.meeting.wait()


def destroys_at_once(me: Seat, team: Crew, order: int) -> Steps:
    yield team.meeting.destroy()  # BROKEN: workers may be waiting at it, or come later


def destroys_after(me: Seat, team: Crew, order: int) -> Steps:
    yield team.meeting.wait()
    yield team.meeting.destroy()


def locks_once(me: Seat, team: Crew, work: Work) -> Steps:
    yield team.lock.acquire()
    yield team.lock.release()


def destroys_the_lock(me: Seat, team: Crew, order: int) -> Steps:
    yield team.lock.destroy()  # BROKEN: a worker may hold it, or want it


def sleeps(me: Seat, team: Crew, work: Work) -> Steps:
    yield team.lock.acquire()
    yield team.wake.wait()
    yield team.lock.release()


def destroys_and_wakes(me: Seat, team: Crew, order: int) -> Steps:
    yield team.lock.acquire()
    yield team.wake.notify_all()
    yield team.lock.release()
    yield team.lock.destroy()  # BROKEN: the sleepers need it to wake up


# --- counting without bound ------------------------------------------------------------------------------------------
def counts(me: Seat, team: Crew, order: int) -> Steps:
    rounds = 0
    while (yield choose(BATCH, STOP)) == BATCH:
        rounds += 1


def counts_in_a_word(me: Seat, team: Crew, order: int) -> Steps:
    while (yield choose(BATCH, STOP)) == BATCH:
        yield team.claimed.add(1)


Part = Callable[..., Steps]
VARIANTS: dict[str, tuple[Part, Part]] = {
    "one_lost": (one_is_lost, keeps_choosing),
    "turns": (takes_turns, nothing),
    "first_lost": (first_is_lost, nothing),
    "barrier_in_use": (meets, destroys_at_once),
    "barrier_after_use": (meets, destroys_after),
    "lock_in_use": (locks_once, destroys_the_lock),
    "lock_of_sleepers": (sleeps, destroys_and_wakes),
    "counter": (nothing, counts),
    "counting_word": (nothing, counts_in_a_word),
}


def root(me: Seat, work: Work) -> Steps:
    yield from work(BATCH)


def architecture(variant: str = "turns") -> Architecture:
    worker, control = VARIANTS[variant]
    return Architecture(root, worker, control, leaf, team=Crew, depth_max=1)
