"""All events of all logs beside each other, and which of them are free.

An event is *free* in a state in which it is possible with its recorded reply, if it commutes with everything that may
still come before it: if the logs can be completed at all from here, then also with this event done now, and no
alternative to it needs to be tried. That is so where

- it changes nothing that another operation could see (read, load, await, join, notify, and all work: the freshness of
  a region decides about faults, never about what is possible), or only ever enables, as giving back does;
- it arrives at a barrier with no more members than parties;
- it changes a value, and every operation of others that uses it and is still to be done began after this one's end; or
  all of those are additions, and so is it: the reply that it got now it could never get after one of them;
- it takes a mutex, and all others that will have taken it end later: they would hold it until then, because nobody
  gives back before his taking had ended, and this event had ended before that; nor does anybody else give it back. With
  units of a semaphore the two can change places. Neither is concluded where two such ends are the same moment.

About objects that are destroyed, and mutexes that somebody gives back without holding them, nothing is concluded.

Rules of this file: being wrong in one direction only. An event that is called free must be free, one that is not only
costs time. `tests/validator` compares with a search that knows none of this.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from cllm_sim.compose import System
from cllm_sim.operations import Verb
from cllm_sim.validator.replay import Log
from cllm_sim.validator.tables import (
    ARRIVE,
    CHANGING,
    GATHER,
    HARD,
    LOOKING,
    SLEEP,
    TAKE,
    Cell,
    Tables,
)

BEGIN, END, AGAIN = 0, 1, 3
"""Kinds of looks at an event, in the order in which they come at one moment."""


class Use(NamedTuple):
    """One actor's uses of a value: their event numbers, when they began, and whether they only add."""

    serials: list[int]
    begins: list[int]
    adds: list[bool]


class Timeline:
    """All events of all logs under one running number, and the times at which the sweep looks at them.

    A look is a number: the time, then what kind of look it is, then in the lowest bits the event. So at the same
    moment taking (`END`) comes after giving back (`BEGIN`), and whoever has to wait for that comes last (`AGAIN`).
    """

    def __init__(self, system: System, logs: Sequence[Log]) -> None:
        self.tables = Tables(system)
        self.cells: list[Cell] = []
        self.replies: list[int] = []
        self.begin: list[int] = []
        self.end: list[int] = []
        self.first: list[int] = []
        self.stop: list[int] = []
        self.keys: list[int] = []
        self.uses: dict[int, dict[int, Use]] = defaultdict(dict)
        self.bits = sum(len(log.target) for log in logs).bit_length()
        self.tied: dict[int, set[int]] = {}
        self.taken: dict[int, list[tuple[int, int]]] = defaultdict(list)
        self._members: dict[int, set[int]] = defaultdict(set)
        self._untrusted: set[int] = set()
        for actor, log in enumerate(logs):
            self._enter(actor, log)
        self._judge(system)
        self.keys.sort()

    def look(self, time: int, kind: int, serial: int) -> int:
        """The number of a look at an event."""
        return (time << 2 | kind) << self.bits | serial

    def _enter(self, actor: int, log: Log) -> None:
        """One log's events."""
        known: dict[int, Cell] = {}
        keys, bits = self.keys, self.bits
        serial = len(self.cells)
        self.first.append(serial)
        held: set[int] = set()
        for target, (_, reply, begin, end) in zip(log.target, log.events, strict=False):
            cell = known.get(id(target))
            if cell is None:
                cell = known[id(target)] = self.tables.cell(actor, target)
            self.cells.append(cell)
            self.replies.append(reply)
            self.begin.append(begin)
            self.end.append(end)
            mode = cell.mode
            if mode < TAKE or mode == SLEEP:
                keys.append(begin << bits + 2 | serial)
            if mode >= TAKE:
                keys.append((end << 2 | END) << bits | serial)
            if cell.noted:
                self._note(cell, serial, begin, end, held)
            serial += 1
        self.stop.append(serial)
        if log.unrecorded and log.rest_target is not None:
            self._note(self.tables.cell(actor, log.rest_target), -1, log.last_end, log.last_end, held)

    def _note(self, cell: Cell, serial: int, begin: int, end: int, held: set[int]) -> None:
        """Remember what decides about the freedom of other events; an operation that is in no log has the number -1."""
        verb, item = cell.target.verb, cell.on
        if verb in CHANGING or verb in LOOKING:
            use = self.uses[item].setdefault(cell.actor, Use([], [], []))
            use.serials.append(serial if serial >= 0 else len(self.cells))
            use.begins.append(begin)
            use.adds.append(verb is Verb.ADD and cell.target.op.value > 0)
        elif verb is Verb.WAIT:
            self._members[item].add(cell.actor)
        elif verb is Verb.DESTROY:
            self._untrusted.add(item)
        elif verb is Verb.DOWN:
            self.taken[item].append((end, serial))
        elif verb is Verb.ACQUIRE:
            self.taken[item].append((end, serial))
            held.add(item)
        elif cell.mutex >= 0:
            if cell.mutex not in held:
                self._untrusted.add(cell.mutex)
            if verb is Verb.RELEASE:
                held.discard(cell.mutex)
            else:
                self.taken[cell.mutex].append((end, serial))

    def _judge(self, system: System) -> None:
        """Find the objects, and the moments, about which nothing can be concluded: those are left to the search."""
        crowded = {item for item, who in self._members.items() if len(who) > system.objects[item].parties}
        for cell in set(self.cells) if crowded or self._untrusted else ():
            if cell.on in self._untrusted or cell.mutex in self._untrusted:
                cell.mode = HARD
            elif cell.mode == ARRIVE and cell.on in crowded:
                cell.mode = GATHER
        last = {stop - 1 for stop in self.stop}
        for item, taken in self.taken.items():
            taken.sort()
            for (end, one), (other_end, other) in pairwise(taken):
                at_once = any(
                    serial >= 0 and (serial in last or self.begin[serial + 1] == end) for serial in (one, other)
                )
                if end == other_end and at_once:
                    self.tied.setdefault(item, set()).add(end)

    def alone(self, serial: int, at: Sequence[int]) -> bool:
        """Does everybody else use a value only after this event's end? (Additions among themselves need not.)

        `at` is the running number of everybody's next event.
        """
        cell, end = self.cells[serial], self.end[serial]
        adds = cell.target.verb is Verb.ADD
        for actor, use in self.uses[cell.on].items():
            if actor == cell.actor:
                continue
            index = bisect_left(use.serials, at[actor])
            while index < len(use.begins) and use.begins[index] <= end:
                if not (adds and use.adds[index]):
                    return False
                index += 1
        return True

    def takes_first(self, serial: int, at: Sequence[int]) -> bool:
        """Does an event, of all still to be done that take the same, end first, and at no moment that is tied?"""
        item, end = self.cells[serial].taken, self.end[serial]
        if end in self.tied.get(item, ()):
            return False
        horizon = min(self.end[number] for number, stop in zip(at, self.stop, strict=True) if number < stop)
        taken = self.taken[item]
        before = taken[bisect_left(taken, (horizon, -1)) : bisect_left(taken, (end, serial))]
        return all(number < at[self.cells[number].actor] for _, number in before if number >= 0)
