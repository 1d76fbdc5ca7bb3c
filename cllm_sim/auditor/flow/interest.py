"""Which functions have anything to show in a flow, and which synchronise: themselves or by what they call.

Rules of this file: found from what happens directly, then handed on to the callers, so that recursion has no say in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property

from cllm_sim.auditor.facts import Function
from cllm_sim.auditor.outline import Event, Outliner, events
from cllm_sim.auditor.vocabulary import SYNCHRONISES, Act

Key = tuple[str, int]


class Interest:
    """Answers for all functions of a program."""

    def __init__(self, outliner: Outliner) -> None:
        self._outliner = outliner

    @cached_property
    def _held(self) -> dict[Key, list[Event]]:
        return {one.key: events(self._outliner.of(one).body) for one in self._outliner.program.functions}

    @cached_property
    def _shown(self) -> set[Key]:
        return self._with(lambda event: event.act is not Act.CALL)

    @cached_property
    def _synchronising(self) -> set[Key]:
        return self._with(lambda event: event.act in SYNCHRONISES)

    def _with(self, wanted: Callable[[Event], bool]) -> set[Key]:
        return with_callers({key for key, found in self._held.items() if any(map(wanted, found))}, self._held)

    def silent(self, function: Function) -> bool:
        """Has a function nothing worth entering (also in what it calls)?"""
        return function.key not in self._shown

    def synchronises(self, function: Function) -> bool:
        """Does a function, or one it calls, lock, wait, signal or the like?"""
        return function.key in self._synchronising


def with_callers(direct: Iterable[Key], held: Mapping[Key, list[Event]]) -> set[Key]:
    """Functions and all that lead to them by calls; `held` are the events of the functions that count."""
    callers: dict[Key, set[Key]] = {}
    for key, found in held.items():
        for event in found:
            for callee in event.callees:
                callers.setdefault(callee.key, set()).add(key)
    waiting = list(direct)
    seen = set(waiting)
    while waiting:
        for caller in callers.get(waiting.pop(), ()):
            if caller not in seen:
                seen.add(caller)
                waiting.append(caller)
    return seen
