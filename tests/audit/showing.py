"""Outlines and flows as short lines of text, so that a test can say exactly what it expects.

An event is "act label" (with "+1" style operators behind changes), structure stands in brackets. Rules of this file:
nothing is left out silently; what has no name is shown as "?".
"""

from __future__ import annotations

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.facts import Expr, Function
from cllm_sim.auditor.flow import Step
from cllm_sim.auditor.outline import Branch, Either, Event, Leave, Mark, Node, Repeat, Select, Seq, Set
from cllm_sim.auditor.roles import Role
from cllm_sim.auditor.vocabulary import Act

from tests.audit.auditing import analysed


def defined(analysis: Analysis, name: str) -> Function:
    """The first definition of a function."""
    return next(one for one in analysis.program.functions if one.name == name)


def outlined(text: str, name: str = "f") -> list[str]:
    """The outline of a function of a program given as text."""
    analysis = analysed(text)
    return outline(analysis, defined(analysis, name))


def outline(analysis: Analysis, function: Function) -> list[str]:
    """The outline of a function."""
    return _sequence(analysis, function, analysis.outliner.of(function).body)


def role(analysis: Analysis, name: str) -> Role:
    """A role that is there."""
    found = analysis.roles.get(name)
    assert found is not None, [one.name for one in analysis.roles.all]
    return found


def events_of(analysis: Analysis, name: str, *acts: Act) -> list[Step]:
    """The steps with such an event in the flow of a role."""
    return list(analysis.flow(role(analysis, name)).events(*acts))


def shown(step: Step) -> str:
    """A step's event as text, with the place that the flow knows."""
    assert step.event is not None
    label = step.event.name if step.event.act is Act.CALL else "?" if step.target is None else step.target.label
    return f"{step.event.act} {label}"


def _sequence(analysis: Analysis, function: Function, body: Seq) -> list[str]:
    return [text for node in body for text in _node(analysis, function, node)]


def _node(analysis: Analysis, function: Function, node: Node) -> list[str]:
    def text(expr: Expr | None) -> str:
        return "" if expr is None else analysis.program.text(expr)

    def inside(body: Seq) -> str:
        return "; ".join(_sequence(analysis, function, body))

    match node:
        case Event(act=Act.CALL):
            return [f"call {node.name}"]
        case Event():
            label = "?" if node.target is None else node.target.label
            return [" ".join(part for part in (str(node.act), label, node.operator) if part)]
        case Set():
            return [f"{node.name} {node.operator} {text(node.value)}".rstrip()]
        case Branch():
            failing = f" ({node.failure} fails)" if node.failure else ""
            return [f"if {text(node.condition)}{failing} [{inside(node.then)}] [{inside(node.other)}]"]
        case Repeat():
            start = f"{inside(node.start)} | " if node.start else ""
            step = f" | {inside(node.step)}" if node.step else ""
            test = f"{inside(node.test)} ? " if node.test else ""
            return [f"{node.kind} {text(node.condition)} [{start}{test}{inside(node.body)}{step}]"]
        case Select():
            cases = "; ".join(f"{text(value) or 'default'}: [{inside(body)}]" for value, body, _ in node.cases)
            return [f"switch {text(node.subject)} {cases}"]
        case Leave():
            return [f"{node.kind} {node.label or text(node.value)}".rstrip()]
        case Mark():
            return [f"{node.name}:"]
        case Either():
            return [" | ".join(f"#{condition} [{inside(body)}]" for condition, body in node.branches)]
