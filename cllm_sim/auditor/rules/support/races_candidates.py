"""Pairs of accesses that nothing structural keeps apart: other threads, one writes, no common lock, no order.

Rules of this file: "conflict" knows locks, creation, joining and barriers; hand-offs are asked for separately. Where an
order cannot be worked out there is no conflict.
"""

from __future__ import annotations

import re

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.facts import Cast, Expr, Index, Member, Unary
from cllm_sim.auditor.flow import Held, Step
from cllm_sim.auditor.flow.own import distinct
from cllm_sim.auditor.kept import once
from cllm_sim.auditor.roles import function_key
from cllm_sim.auditor.rules.support.locks_places import places
from cllm_sim.auditor.rules.support.races_accesses import Access, Accesses
from cllm_sim.auditor.rules.support.races_order import Orders
from cllm_sim.auditor.rules.support.races_sharing import Sharing, sharings
from cllm_sim.auditor.traverse import assigned_locals, names
from cllm_sim.auditor.vocabulary import Act


class Candidates:
    """What one program's accesses are and which of them conflict."""

    def __init__(self, analysis: Analysis) -> None:
        self.analysis = analysis
        self.accesses = Accesses(analysis, sharings(analysis))
        self.orders = Orders(analysis)

    @staticmethod
    @once
    def of(analysis: Analysis) -> Candidates:
        """The candidates of a program, made once."""
        return Candidates(analysis)

    def conflict(self, one: Access, other: Access) -> bool:
        """May two accesses of the same location meet, as far as locks, creation, joining and barriers say?"""
        return (
            (one.write or other.write)
            and self.analysis.roles.together(one.role, other.role)
            and not self._apart(one, other)
            and not self._locked(one, other)
            and not self._prepares(one, other)
            and not self._prepares(other, one)
            and self._together(one, other)
        )

    def unsure(self, one: Access, other: Access) -> bool:
        """Could the barriers between two accesses be crossed in more than one combination?"""
        walk = self.orders.walk(one.role, other.role)
        return walk is None or walk.unsure

    def _apart(self, one: Access, other: Access) -> bool:
        """Do two accesses never speak of the same memory, or are they never of two threads?"""
        if _local(one) and _local(other):
            return True  # two frames; a local is known to others only through what they were given
        if one.role is not other.role:
            return self._other_instances(one, other)
        if one.sharing is Sharing.OWN and other.sharing is Sharing.OWN:
            return True
        return bool(one.alone & other.alone)

    def _other_instances(self, one: Access, other: Access) -> bool:
        """Do accesses of two roles speak of two instances: two variables, or what one creation gave to each?"""
        if one.sharing is Sharing.OWN and other.sharing is Sharing.OWN:
            events = {id(creation.event) for creation in one.role.created}
            if events and events == {id(creation.event) for creation in other.role.created}:
                return True
        if self._given_apart(one, other):
            return True
        if Sharing.OWN in {one.sharing, other.sharing} and _same_words(self.analysis, one, other):
            return True  # one function that both use with their own number
        return different(
            places(self.analysis, one.role).target(one.step).text,
            places(self.analysis, other.role).target(other.step).text,
        )

    def _given_apart(self, one: Access, other: Access) -> bool:
        """Do both reach the memory by what one creation, that gives each thread another object, gave to them?"""
        events = [one.role.created[0].event if len(one.role.created) == 1 else None for one in (one, other)]
        if events[0] is None or events[0] is not events[1] or events[0].argument is None:
            return False
        texts = [places(self.analysis, access.role).target(access.step).text for access in (one, other)]
        return distinct(events[0].argument) and all(_ARGUMENT.match(text) for text in texts)

    def _together(self, one: Access, other: Access) -> bool:
        walk = self.orders.walk(one.role, other.role)
        return walk is not None and (
            walk.together(one.step.index, other.step.index)
            or (one.role is other.role and walk.together(other.step.index, one.step.index))
        )

    # ---------------------------------------------------------------------------------------------------------- locks
    def _locked(self, one: Access, other: Access) -> bool:
        """Do both hold a lock in common, at least one of them for itself alone?"""
        for held in one.held:
            for also in other.held:
                if held.lock != also.lock or (held.shared and also.shared):
                    continue
                if not (one.role is other.role and self._others(one, held) and self._others(other, also)):
                    return True
        return False

    def _others(self, access: Access, held: Held) -> bool:
        """Is the lock one that every thread has for itself, and the memory not?"""
        return self.analysis.flow(access.role).steps[held.taken].own and access.sharing is not Sharing.OWN

    # ------------------------------------------------------------------------------------------------------- creation
    def _prepares(self, one: Access, other: Access) -> bool:
        """Does a creator fill in what only a thread to come will have as its own?"""
        if one.role is other.role or not self._element(one):
            return False
        flow = self.analysis.flow(one.role)
        above = list(self.orders.creators(other.role))
        made = {function_key(entry) for role in above for entry in role.entries if role is not one.role}
        after = flow.reachable(one.step.index, lambda step: step.act is Act.JOIN)
        for step in flow.events(Act.CREATE):
            assert step.event is not None
            makes = step.index in after and bool(made & {function_key(entry) for entry in step.event.entries})
            if makes and (other.sharing is Sharing.OWN or self._hands_over(one, step)):
                return True
        return False

    def _hands_over(self, access: Access, creation: Step) -> bool:
        """Is the memory, in the loop that creates the threads, part of what the next one is given?"""
        assert creation.event is not None
        assert access.step.event is not None
        if not creation.loops or creation.loops[-1] not in access.step.loops:
            return False
        return bool(names(creation.event.argument) & names(access.step.event.expression))

    def _element(self, access: Access) -> bool:
        """Is the memory one of several pieces (an element, or what a pointer leads to)?"""
        expr: Expr | None = access.step.event.expression if access.step.event is not None else None
        while expr is not None:
            match expr:
                case Index() | Member(arrow=True) | Unary(operator="*"):
                    return True
                case Member(base=base):
                    expr = base
                case _:
                    return False
        return False


def _same_words(analysis: Analysis, one: Access, other: Access) -> bool:
    """Do two accesses pick their memory with the same words of one function, so that what it was given decides?"""
    function, owned = one.step.function, one.step.owned or other.step.owned
    if function.key != other.step.function.key or one.step.event is None or other.step.event is None:
        return False
    if one.step.site == other.step.site:
        return True
    picks = [_pick(one.step.event.expression), _pick(other.step.event.expression)]
    if picks[0] is None or picks[1] is None or owned is None:
        return False
    given = {parameter.name for parameter in function.parameters} - set(assigned_locals(function)) - owned.moving
    return analysis.program.text(picks[0]) == analysis.program.text(picks[1]) and names(picks[0]) <= given


def _pick(expr: Expr | None) -> Expr | None:
    """The first element that an lvalue takes on its way from a name (`p->rows[id]` of `p->rows[id][k].x`)."""
    found: Expr | None = None
    while expr is not None:
        match expr:
            case Index(base=base):
                found, expr = expr, base
            case Member(base=base) | Unary(operator="*" | "&", operand=base) | Cast(operand=base):
                expr = base
            case _:
                return found
    return found


def _local(access: Access) -> bool:
    return access.step.target is not None and access.step.target.kind == "local"


_ARGUMENT = re.compile(r"\w+:\w+->\w+(\.\w+|\[[^]]*\])*$")
_ROOT = re.compile(r"[(&]*([\w@/:.]*\w)((?:\[[^][]*\])*)")


def different(one: str, other: str) -> bool:
    """Do two places surely mean different objects: other variables, or other constant elements of one array?"""
    if "->" in one + other or "*" in one[:1] + other[:1] or "@" in one + other:
        return False
    first, second = _ROOT.match(one), _ROOT.match(other)
    if first is None or second is None:
        return False
    if first[1].split(".")[0] != second[1].split(".")[0]:
        return True
    numbers = [re.findall(r"\[(\d+)\]", found[2]) for found in (first, second)]
    return first[1] == second[1] and all(numbers) and numbers[0][0] != numbers[1][0]
