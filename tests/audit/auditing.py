"""Auditing texts in tests: from C source (or several files) to an analysis or findings."""

from __future__ import annotations

from collections.abc import Mapping

from cllm_sim.auditor import syntax
from cllm_sim.auditor.analysis import Analysis, Options
from cllm_sim.auditor.findings import Finding
from cllm_sim.auditor.judging import judge


def analysed(
    text: str | Mapping[str, str], bind: Mapping[str, tuple[str, ...]] | None = None, **options: float
) -> Analysis:
    """The analysis of a program given as text, or as texts by file name."""
    files = {"program.c": text} if isinstance(text, str) else text
    facts = [syntax.read(name, content.encode()) for name, content in files.items()]
    return Analysis(facts, Options(bind=dict(bind or {}), **options))  # type: ignore[arg-type]  # limits by name


def found(
    text: str | Mapping[str, str], *codes: str, bind: Mapping[str, tuple[str, ...]] | None = None
) -> list[Finding]:
    """The findings of an audit (of these codes, if any are given), suppressions applied."""
    findings, _ = judge(analysed(text, bind))
    return [one for one in findings if not codes or one.code in codes]
