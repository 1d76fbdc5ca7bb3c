"""Which events of the logs leave the judge no choice: an event that commutes with everything which may come before it.

Let X be possible now with its recorded reply, in a state from which the logs can be completed with X somewhere later.
If X commutes with every event that may stand between now and then, it can as well be done now, and no alternative to
it needs to be tried. This file finds such events ahead of the search, from the operations and their times:

- an event that changes nothing another operation could see (read, load, await, join, notify, and all work: the
  freshness of a region decides about faults, never about what is possible);
- giving a mutex or a semaphore back (it only ever enables), where nobody gives back a mutex that is not its own;
- taking, storing or adding, where no conflicting event of another actor overlaps it in time: those which ended before
  it began are done already, those which begin after it ended come later;
- arriving at a barrier that has no more members than parties, or where no other arrival overlaps in time.

Rules of this file: being wrong in one direction only. An event that is called free must be free, one that is not only
costs time. A destroyed object frees nothing. `tests/validator` compares with a search that knows none of this.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from math import inf
from typing import NamedTuple

from cllm_sim.compose import Bound, System
from cllm_sim.operations import Kind, Verb
from cllm_sim.validator.replay import Log

FIRST, SECOND = 1, 2
"""Bits of an event's freedom: its only (or first) half, and the second half of a sleep."""

LOOKING = frozenset({Verb.READ, Verb.LOAD, Verb.AWAIT})
CHANGING = frozenset({Verb.STORE, Verb.ADD, Verb.WRITE})
SILENT = frozenset({Verb.JOIN, Verb.NOTIFY, Verb.NOTIFY_ALL, Verb.CHOOSE, Verb.NEXT, Verb.UP, *LOOKING})
WORK = frozenset({Verb.COMPUTE, Verb.FOLD, Verb.UPDATE})


class Use(NamedTuple):
    """One event's use of an object: its times (ns), whose it is, and whether somebody else's order with it matters."""

    begin: float
    end: float
    actor: int
    at: int
    bit: int
    matters: bool


Uses = dict[tuple[str, int], list[Use]]


def freedom(system: System, logs: Sequence[Log]) -> list[bytearray]:
    """Per actor and event, the bits FIRST and SECOND; the operation after a log's end is never free."""
    free = [bytearray(len(log.bound) + 1) for log in logs]
    uses: Uses = defaultdict(list)
    untrusted = _untrusted(system, logs)
    for actor, log in enumerate(logs):
        for index, bound, begin, end in _operations(log):
            for key, use in _uses(system, bound, Use(begin, end, actor, index, FIRST, True)):
                uses[key].append(use)
            if index < len(log.bound):
                free[actor][index] = _always(system, bound, untrusted)
    for (role, item), found in uses.items():
        if item not in untrusted:
            for use in _alone(system, role, item, found):
                if use.at < len(logs[use.actor].bound):
                    free[use.actor][use.at] |= use.bit
    return free


def _operations(log: Log) -> Iterator[tuple[int, Bound, float, float]]:
    """The operations of a log with their times, the unrecorded one at its end included."""
    for index, bound in enumerate(log.target):
        yield index, bound, log.events[index].begin, log.events[index].end
    if log.unrecorded and log.rest_target is not None:
        yield len(log.target), log.rest_target, log.last_end, inf


def _untrusted(system: System, logs: Sequence[Log]) -> frozenset[int]:
    """Objects about which nothing is concluded: destroyed ones, and mutexes that somebody gives back without holding
    them.
    """
    found = set()
    for log in logs:
        held: set[int] = set()
        for _, bound, _, _ in _operations(log):
            if bound.verb is Verb.DESTROY:
                found.add(bound.on)
            elif bound.verb is Verb.ACQUIRE:
                held.add(bound.on)
            elif bound.verb is Verb.RELEASE or bound.verb is Verb.SLEEP:
                mutex = _mutex(system, bound)
                if mutex not in held:
                    found.add(mutex)
                if bound.verb is Verb.RELEASE:
                    held.discard(mutex)
    return frozenset(found)


def _mutex(system: System, bound: Bound) -> int:
    return system.objects[bound.on].mutex if bound.verb is Verb.SLEEP and bound.on >= 0 else bound.on


def _always(system: System, bound: Bound, untrusted: frozenset[int]) -> int:
    """The freedom that an operation has whatever the others do."""
    if bound.verb in SILENT:
        return FIRST
    if bound.verb in WORK:
        touched = (*bound.reads, *bound.writes)
        return FIRST if all(system.objects[item].kind is Kind.REGION for item in touched) else 0
    if bound.verb is Verb.RELEASE or bound.verb is Verb.SLEEP:
        return 0 if _mutex(system, bound) in untrusted else FIRST
    return 0


def _uses(system: System, bound: Bound, use: Use) -> Iterator[tuple[tuple[str, int], Use]]:
    """The uses whose order among several actors may matter, by role and object."""
    verb = bound.verb
    if bound.on < 0:
        return
    if verb in CHANGING or verb is Verb.EXCHANGE or verb in LOOKING:
        yield ("value", bound.on), use._replace(matters=verb not in LOOKING)
    elif verb is Verb.ACQUIRE or verb is Verb.DOWN:
        yield ("take", bound.on), use
    elif verb is Verb.SLEEP:
        yield ("take", _mutex(system, bound)), use._replace(bit=SECOND)
    elif verb is Verb.WAIT:
        yield ("arrive", bound.on), use


def _alone(system: System, role: str, item: int, uses: list[Use]) -> Iterator[Use]:
    """The uses of one object that no conflicting use by another actor overlaps in time."""
    if role == "arrive" and len({use.actor for use in uses}) <= system.objects[item].parties:
        yield from uses
        return
    uses.sort()
    overlapped = bytearray(len(uses))
    for order in (range(len(uses)), range(len(uses) - 1, -1, -1)):
        _sweep(uses, order, overlapped)
    yield from (use for use, taken in zip(uses, overlapped, strict=True) if use.matters and not taken)


def _sweep(uses: list[Use], order: range, overlapped: bytearray) -> None:
    """Mark every use that overlaps one met before it. Forward, the latest ends of two different actors are enough to
    know; backward, the two earliest begins."""
    forward = order.step > 0
    nearest: list[tuple[float, int]] = []
    for position in order:
        use = uses[position]
        for edge, actor in nearest:
            if actor != use.actor and (edge >= use.begin if forward else edge <= use.end):
                overlapped[position] = 1
        edge = use.end if forward else use.begin
        known = [pair for pair in nearest if pair[1] != use.actor]
        own = [pair[0] for pair in nearest if pair[1] == use.actor]
        best = max([edge, *own]) if forward else min([edge, *own])
        nearest = sorted([*known, (best, use.actor)], reverse=forward)[:2]
