"""CT007: code for threads that nothing reaches.

An entry function that no thread is started with, or a static function that synchronises and that nothing calls. Rules
of this file: a function whose address is handed to somebody may be a callback and is left alone, and what it calls too.
"""

from __future__ import annotations

from collections.abc import Iterator

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.facts import Function, Site
from cllm_sim.auditor.findings import Confidence, Finding, Note, Rule, Severity
from cllm_sim.auditor.outline import events
from cllm_sim.auditor.rules.support.threads_dead import callers, may_run
from cllm_sim.auditor.vocabulary import SYNCHRONISES, WRITES, Act

RULE = Rule(
    "CT007", "thread-code-unreached", Severity.NOTE, "a thread's entry function is never started, or never reached"
)

DEPTH_MAX = 12


def findings(analysis: Analysis) -> Iterator[Finding]:
    """One finding for every function for threads that nothing reaches."""
    if not analysis.roles.all or any(analysis.flow(role).truncated for role in analysis.roles.all):
        return
    for function in analysis.program.functions:
        if analysis.roles.of(function) or may_run(analysis, function):
            continue
        if _is_entry(analysis, function) and (_synchronises(analysis, function) or _works(analysis, function)):
            yield _entry_finding(analysis, function)
        elif function.static and _directly(analysis, function) and not _called_by_unused(analysis, function):
            yield _static_finding(function)


def _is_entry(analysis: Analysis, function: Function) -> bool:
    """void *f(void *), or int f(void *) in a program with threads of C11."""
    if len(function.parameters) != 1:
        return False
    given = analysis.program.resolved(function.parameters[0].type, function.path)
    result = analysis.program.resolved(function.result, function.path)
    if given.base != "void" or given.pointers != 1:
        return False
    if result.base == "void" and result.pointers == 1:
        return True
    return result.base == "int" and result.pointers == 0 and _starts_c11_threads(analysis)


def _starts_c11_threads(analysis: Analysis) -> bool:
    return any(
        event.act is Act.CREATE and event.name == "thrd_create"
        for function in analysis.program.functions
        for event in events(analysis.outliner.of(function).body)
    )


def _directly(analysis: Analysis, function: Function) -> bool:
    return any(event.act in SYNCHRONISES for event in events(analysis.outliner.of(function).body))


def _synchronises(analysis: Analysis, function: Function, depth: int = 0) -> bool:
    """Does a function synchronise, itself or in what it calls?"""
    if depth > DEPTH_MAX:
        return False
    return any(
        event.act in SYNCHRONISES or any(_synchronises(analysis, one, depth + 1) for one in event.callees)
        for event in events(analysis.outliner.of(function).body)
    )


def _works(analysis: Analysis, function: Function, depth: int = 0) -> bool:
    """Does a function write shared memory or reach batch processing?"""
    if depth > DEPTH_MAX:
        return False
    return any(
        event.act in WRITES or any(analysis.is_work(one) or _works(analysis, one, depth + 1) for one in event.callees)
        for event in events(analysis.outliner.of(function).body)
    )


def _called_by_unused(analysis: Analysis, function: Function) -> bool:
    """Does only a function call it that others may use (not static), or that is reported itself?"""
    return bool(callers(analysis, function))


def _entry_finding(analysis: Analysis, function: Function) -> Finding:
    started = [
        Note(event.site, f"started here, but nothing reaches {other.name}")
        for other in analysis.program.functions
        for event in events(analysis.outliner.of(other).body)
        if event.act is Act.CREATE and function in event.entries
    ]
    why = (
        "is started only by code that nothing reaches" if started else "has the form of a thread's entry, but no thread"
    )
    return Finding(
        RULE.code, RULE.severity, Confidence.HIGH if function.static or started else Confidence.MEDIUM,
        Site(function.path, function.line),
        f"{function.name} {why}" + ("" if started else " is started with it and nothing calls it"),
        function.name, tuple(started),
        tip="start a thread with it or remove it together with what only it uses",
    )  # fmt: skip


def _static_finding(function: Function) -> Finding:
    return Finding(
        RULE.code, RULE.severity, Confidence.HIGH, Site(function.path, function.line),
        f"static function {function.name} synchronises, but nothing reaches it",
        function.name, tip="call it where it was meant to be called, or remove it",
    )  # fmt: skip
