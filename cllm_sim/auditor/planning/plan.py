"""The implementation plan: the steps that lead this program to the plan's requirements, in order.

Rules of this file: the order is that of the makers below and is a promise (each step's reason says why it stands
there); a step appears only if one of its rows is open, and names open rows only. A program that meets all rows has an
empty plan.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.findings import Finding
from cllm_sim.auditor.planning import (  # noqa: F401  # each registers its makers
    cleanup_steps,
    control_steps,
    gradient_steps,
    memory_steps,
    order_steps,
    region_steps,
    round_steps,
    tree_steps,
)
from cllm_sim.auditor.planning.context import AUDITED, MAKERS, RACES, Context
from cllm_sim.auditor.planning.draft import Draft
from cllm_sim.auditor.planning.step import PlanStep
from cllm_sim.auditor.requirements import Evidence, Judgement, Subject
from cllm_sim.auditor.requirements.answer import at
from cllm_sim.auditor.requirements.subject import site_of

ORDER = (
    "twelve", "fallback", "scratch", "segments", "control", "persistent", "batch", "handoff", "stop", "epoch", "lock",
    "races", "fresh", "validate", "region", "sphere", "modules", "measure", "lifetimes", "leftovers", "nodes",
    "reports", "growth",
)  # fmt: skip
ROW_OF_RACES = "SM3"


def plan(analysis: Analysis, judgements: Iterable[Judgement], findings: Sequence[Finding]) -> list[PlanStep]:
    """The steps for this program, numbered from 1."""
    context = Context(Subject(analysis, findings), judgements)
    steps: list[PlanStep] = []
    for name in ORDER:
        rows, maker = MAKERS[name]
        if not context.open(*rows):
            continue
        before = context.draft
        made = maker(context)
        if made is not None and made.requirements:
            steps.append(replace(made, step=len(steps) + 1, where=_where(context, before, made)))
    return [replace(one, test=_tested(context, steps, one)) for one in steps]


def _where(context: Context, before: Draft, step: PlanStep) -> tuple[Evidence, ...]:
    """The places that are still there when it is this step's turn; at least one that can be pointed at."""
    there = tuple(one for one in step.where if one.site is None or not before.is_gone(one.site.path, one.site.line))
    where = there or step.where
    if any(one.site is not None for one in where):
        return where
    entry = context.layout.worker_entry or next((one for one in context.reached() if one.name == "main"), None)
    return where if entry is None else (at(site_of(entry), f"{entry.name}: it hooks in here"), *where)


def _tested(context: Context, steps: Sequence[PlanStep], step: PlanStep) -> str:
    """The test with its audit in words: a row that later steps serve, too, is met with the last of them."""
    last = {id: one.step for one in steps for id in one.requirements}
    final = {code: one.step for one in steps for found in AUDITED.finditer(one.test) for code in found[1].split()}

    def words(found: re.Match[str]) -> str:
        gone = [code for code in found[1].split() if final[code] == step.step]
        met = [id for id in found[2].split() if last.get(id, step.step) == step.step]
        later = [f"{id} with step {last[id]}" for id in found[2].split() if id not in met]
        told = [f"without {', '.join(gone)}"] * bool(gone) + [f"with {', '.join(met)} met"] * bool(met)
        rest = f"{', '.join(later)}" if later else ""
        if not told:
            return f"`{context.layout.again}` shows no new finding ({rest})"
        return f"`{context.layout.again}` ends {' and '.join(told)}{f' ({rest})' if rest else ''}"

    racing = step.step < last.get(ROW_OF_RACES, 0)
    races = "ends without a new data race" if racing else "reports no data race and ends"
    return AUDITED.sub(words, step.test.replace(RACES, races))


def code_changes(steps: Iterable[PlanStep]) -> list[tuple[str, tuple[int, ...]]]:
    """For every function that changes, the steps that touch it, in the order of the first."""
    touched: dict[str, list[int]] = {}
    for one in steps:
        for name in one.functions:
            touched.setdefault(name, []).append(one.step)
    return [(name, tuple(numbers)) for name, numbers in touched.items()]
