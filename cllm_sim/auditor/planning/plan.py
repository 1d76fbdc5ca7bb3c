"""The implementation plan: the steps that lead this program to the plan's requirements, in order.

Rules of this file: the order is that of the makers below and is a promise (each step's reason says why it stands
there); a step appears only if one of its rows is open, and names open rows only. A program that meets all rows has an
empty plan.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.findings import Finding
from cllm_sim.auditor.planning import (  # noqa: F401  # each registers its makers
    cleanup_steps,
    control_steps,
    memory_steps,
    round_steps,
    tree_steps,
)
from cllm_sim.auditor.planning.context import MAKERS, Context
from cllm_sim.auditor.planning.step import PlanStep
from cllm_sim.auditor.requirements import Judgement, Subject

ORDER = (
    "twelve", "scratch", "segments", "control", "persistent", "batch", "handoff", "epoch", "stop", "lock", "races",
    "fresh", "validate", "region", "modules", "fallback", "measure", "lifetimes", "leftovers", "sphere", "nodes",
    "reports", "growth",
)  # fmt: skip


def plan(analysis: Analysis, judgements: Iterable[Judgement], findings: Sequence[Finding]) -> list[PlanStep]:
    """The steps for this program, numbered from 1."""
    context = Context(Subject(analysis, findings), judgements)
    steps: list[PlanStep] = []
    for name in ORDER:
        rows, maker = MAKERS[name]
        if not context.open(*rows):
            continue
        made = maker(context)
        if made is not None:
            steps.append(replace(made, step=len(steps) + 1))
    return steps


def code_changes(steps: Iterable[PlanStep]) -> list[tuple[str, tuple[int, ...]]]:
    """For every function that changes, the steps that touch it, in the order of the first."""
    touched: dict[str, list[int]] = {}
    for one in steps:
        for name in one.functions:
            touched.setdefault(name, []).append(one.step)
    return [(name, tuple(numbers)) for name, numbers in touched.items()]
