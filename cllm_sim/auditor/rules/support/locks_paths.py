"""Paths through a role's flow that no condition contradicts: "can this be reached from there, and how?"

`if (shared) lock(); ... if (shared) unlock();` has no path that locks and does not unlock. A search therefore carries
what is known: constants that plain variables (and static or global ones) were given, what a function just returned, and
what conditions have already been decided to be. Rules of this file: what is not understood may go either way; facts of
members and globals are forgotten where other threads may have changed them; a search that grows beyond its limit
answers None ("cannot be told").
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.facts import Assign, Binary, Call, Cast, Expr, Name, Number, Site, Unary
from cllm_sim.auditor.flow import Edge, Step
from cllm_sim.auditor.outline.failure import CONSTANTS
from cllm_sim.auditor.roles import Role
from cllm_sim.auditor.rules.support.locks_places import Places, places
from cllm_sim.auditor.traverse import within
from cllm_sim.auditor.vocabulary import WRITES, Act

STATES_MAX = 8_000
FACTS_MAX = 24
OPPOSITE = {"!=": "==", ">=": "<", "<=": ">"}
OTHERS_RUN = frozenset({Act.SLEEP, Act.TIMED_SLEEP, Act.WAIT, Act.DOWN, Act.PAUSE, Act.JOIN})
SHARED_MARKS = ("->", ".", "[", "*")

Facts = frozenset[tuple[str, int | bool]]


@dataclass(frozen=True, slots=True)
class Search:
    """What to look for. `goal` and `stop` see a step when it is reached; `enter` may forbid an edge."""

    goal: Callable[[Step], bool]
    stop: Callable[[Step], bool]
    enter: Callable[[Step, Edge], bool] = lambda step, edge: edge.kind != "failure"


class Paths:
    """Searches the flow of one role."""

    def __init__(self, analysis: Analysis, role: Role) -> None:
        self.program = analysis.program
        self.flow = analysis.flow(role)
        self.places: Places = places(analysis, role)

    def find(self, starts: Iterable[tuple[int, Facts]], search: Search) -> list[Step] | None:
        """The steps of a shortest way from one of `starts` to a goal; empty: there is none; None: cannot be told."""
        useful = self._useful(search)
        waiting = deque(start for start in starts if start[0] in useful)
        before: dict[tuple[int, Facts], tuple[int, Facts] | None] = dict.fromkeys(waiting)
        while waiting:
            here = waiting.popleft()
            step = self.flow.steps[here[0]]
            if search.goal(step):
                return self._way(here, before)
            if search.stop(step):
                continue
            for edge in self.flow.next[step.index]:
                if edge.to not in useful or not search.enter(step, edge):
                    continue
                facts = self.after(step, edge, here[1])
                if facts is None or (edge.to, facts) in before:
                    continue
                before[edge.to, facts] = here
                waiting.append((edge.to, facts))
            if len(before) > STATES_MAX:
                return None
        return []

    def succeeded(self, step: Step) -> Facts:
        """What is known behind a call that returned 0."""
        if step.event is None or step.event.call is None:
            return frozenset()
        call = step.event.call
        return frozenset({(_result(Site(step.function.path, call.line, call.column), step.how), 0)})

    def _useful(self, search: Search) -> set[int]:
        """The steps from which a goal can be reached at all, whatever conditions say."""
        waiting = [step.index for step in self.flow.steps if search.goal(step)]
        found = set(waiting)
        while waiting:
            here = waiting.pop()
            for edge in self.flow.before[here]:
                step = self.flow.steps[edge.to]
                if edge.to not in found and not search.stop(step) and search.enter(step, Edge(here, edge.kind)):
                    found.add(edge.to)
                    waiting.append(edge.to)
        return found

    def _way(self, last: tuple[int, Facts], before: dict[tuple[int, Facts], tuple[int, Facts] | None]) -> list[Step]:
        way = []
        here: tuple[int, Facts] | None = last
        while here is not None:
            way.append(self.flow.steps[here[0]])
            here = before[here]
        return way[::-1]

    def known_at(self, step: Step) -> Facts:
        """What must be so where a step is reached: the conditions on the only way that leads there."""
        facts: Facts = frozenset()
        here = step.index
        seen = {here}
        while True:
            edges = [edge for edge in self.flow.before[here] if edge.kind != "again"]
            if len(edges) != 1 or edges[0].to in seen:
                return facts
            here = edges[0].to
            seen.add(here)
            found = self.flow.steps[here]
            if found.what == "condition" and edges[0].kind in {"then", "other"} and found.condition is not None:
                facts |= self._assumed(found.condition, edges[0].kind == "then", found, facts)

    # ---------------------------------------------------------------------------------------------------- one step on
    def after(self, step: Step, edge: Edge, facts: Facts) -> Facts | None:
        """What is known behind a step on one of its edges; None where that edge cannot be taken."""
        if step.what == "condition" and step.condition is not None:
            truth = _truth_of(edge, self.flow.next[step.index])
            decided = self.truth(step.condition, step, facts)
            if decided is not None and decided is not truth:
                return None
            return _limited(facts | self._assumed(step.condition, truth, step, facts))
        if step.set is not None:
            return self._set(step, step.set.name, step.set.operator, step.set.value, facts)
        if step.leave is not None and step.leave.kind == "return":
            return self._returned(step, facts)
        if step.act in WRITES and step.event is not None:
            return self._written(step, facts)
        if step.act in OTHERS_RUN:
            return frozenset(fact for fact in facts if not any(mark in fact[0] for mark in SHARED_MARKS))
        return facts

    def _set(self, step: Step, name: str, operator: str, value: Expr | None, facts: Facts) -> Facts:
        key = self._key(Name(name, step.site.line), step)
        number = None
        if operator == "=" and value is not None:
            number = self.value(value, step, facts)
        kept = frozenset(fact for fact in facts if key not in fact[0])
        return kept if number is None else _limited(kept | {(key, number)})

    def _written(self, step: Step, facts: Facts) -> Facts:
        event = step.event
        if event is None or event.expression is None:
            return facts
        key = self._key(event.expression, step)
        ending = key.rsplit("->", 1)[-1].rsplit(".", 1)[-1]
        kept = frozenset(fact for fact in facts if ending not in fact[0])
        if event.operator == "=" and event.value is not None:
            number = self.value(event.value, step, facts)
            if number is not None:
                return _limited(kept | {(key, number)})
        return kept

    def _returned(self, step: Step, facts: Facts) -> Facts:
        assert step.leave is not None
        if not step.how or step.leave.value is None:
            return facts
        key = _result(step.how[-1], step.how[:-1])
        kept = frozenset(fact for fact in facts if fact[0] != key)
        number = self.value(step.leave.value, step, facts)
        if number is None:
            truth = self.truth(step.leave.value, step, facts)
            number = None if truth is None else int(truth)
        return kept if number is None else _limited(kept | {(key, number)})

    # ------------------------------------------------------------------------------------------------------ evaluation
    def truth(self, expr: Expr, step: Step, facts: Facts) -> bool | None:
        """What a condition is, as far as is known."""
        match expr:
            case Unary(operator="!", operand=operand):
                inner = self.truth(operand, step, facts)
                return None if inner is None else not inner
            case Binary(operator="&&" | "||" as operator, left=left, right=right):
                one, other = self.truth(left, step, facts), self.truth(right, step, facts)
                decides = operator == "||"
                if one is decides or other is decides:
                    return decides
                return None if one is None or other is None else not decides
            case Binary(operator="==" | "!=" | "<" | ">" | "<=" | ">=" as operator, left=left, right=right):
                return self._compared(expr, operator, left, right, step, facts)
            case Cast(operand=operand):
                return self.truth(operand, step, facts)
            case _:
                number = self.value(expr, step, facts)
                if number is not None:
                    return bool(number)
                return _fact(facts, self._key(expr, step) + "?")

    def _compared(self, expr: Binary, operator: str, left: Expr, right: Expr, step: Step, facts: Facts) -> bool | None:
        one, other = self.value(left, step, facts), self.value(right, step, facts)
        if one is not None and other is not None:
            table = {"==": one == other, "!=": one != other, "<": one < other, ">": one > other,
                     "<=": one <= other, ">=": one >= other}  # fmt: skip
            return table[operator]
        if other == 0 and operator in {"==", "!="}:
            truth = self.truth(left, step, facts)
            return None if truth is None else truth is (operator == "!=")
        known = _fact(facts, self._comparison(expr, OPPOSITE.get(operator, operator), step))
        return None if known is None else bool(known) is (operator not in OPPOSITE)

    def _comparison(self, expr: Binary, operator: str, step: Step) -> str:
        return f"{self._key(expr.left, step)} {operator} {self._key(expr.right, step)}?"

    def value(self, expr: Expr, step: Step, facts: Facts) -> int | None:
        """The number an expression has, as far as is known."""
        match expr:
            case Number(value=value):
                return value
            case Cast(operand=operand):
                return self.value(operand, step, facts)
            case Assign(operator="=", value=given):
                return self.value(given, step, facts)
            case Unary(operator="-", operand=operand):
                inner = self.value(operand, step, facts)
                return None if inner is None else -inner
            case Call(line=line, column=column):
                return _number(facts, _result(Site(step.function.path, line, column), step.how))
            case Name(name=name):
                known = _number(facts, self._key(expr, step))
                if known is not None:
                    return known
                constant = self.program.constant(expr, step.function, step.function.path)
                return CONSTANTS.get(name) if constant is None else constant
            case Binary(operator="+" | "-" | "*" | "/" | "%"):
                return self.program.constant(expr, step.function, step.function.path)
            case _:
                return _number(facts, self._key(expr, step))

    def _key(self, expr: Expr, step: Step) -> str:
        return self.places.of(expr, step).text

    def _assumed(self, expr: Expr, truth: bool, step: Step, facts: Facts) -> Facts:
        """What follows from a condition's being true or false."""
        if self.truth(expr, step, facts) is not None:
            return frozenset()
        match expr:
            case Unary(operator="!", operand=operand):
                return self._assumed(operand, not truth, step, facts)
            case Binary(operator="&&" | "||" as operator, left=left, right=right):
                if truth is not (operator == "&&"):
                    return frozenset()
                return self._assumed(left, truth, step, facts) | self._assumed(right, truth, step, facts)
            case Binary(operator="==" | "!=" | "<" | ">" | "<=" | ">=" as operator, left=left, right=right):
                return self._assumed_comparison(expr, operator, truth, step, facts)
            case _:
                return frozenset() if _impure(expr) else frozenset({(self._key(expr, step) + "?", truth)})

    def _assumed_comparison(self, expr: Binary, operator: str, truth: bool, step: Step, facts: Facts) -> Facts:
        other = self.value(expr.right, step, facts)
        if other == 0 and operator in {"==", "!="}:
            return self._assumed(expr.left, truth is (operator == "!="), step, facts)
        if _impure(expr):
            return frozenset()
        equal = truth is (operator == "==")
        if other is not None and operator in {"==", "!="} and equal:
            return frozenset({(self._key(expr.left, step), other)})
        return frozenset({
            (self._comparison(expr, OPPOSITE.get(operator, operator), step), truth is (operator not in OPPOSITE))
        })  # fmt: skip


def _truth_of(edge: Edge, edges: list[Edge]) -> bool:
    """Which value of a condition leads to an edge; a failure's is the other of the one that goes on."""
    if edge.kind == "failure":
        return not any(other.kind in {"then", "again"} for other in edges)
    return edge.kind != "other"


def _fact(facts: Facts, key: str) -> bool | None:
    return next((bool(value) for name, value in facts if name == key), None)


def _number(facts: Facts, key: str) -> int | None:
    return next((int(value) for name, value in facts if name == key and not isinstance(value, bool)), None)


def _impure(expr: Expr) -> bool:
    return any(
        isinstance(one, Call | Assign) or (isinstance(one, Unary) and one.operator in {"x++", "x--", "++x", "--x"})
        for one in within(expr)
    )


def _limited(facts: Facts) -> Facts:
    return facts if len(facts) <= FACTS_MAX else frozenset(sorted(facts, key=str)[-FACTS_MAX:])


def _result(site: Site, how: tuple[Site, ...]) -> str:
    where = "/".join(f"{one.line}:{one.column}" for one in how)
    return f"result {site.path}:{site.line}:{site.column} {where}"
