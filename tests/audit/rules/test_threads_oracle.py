"""Suspected hangs and the check of the protocol: confirmed, not found, no answer."""

from __future__ import annotations

import pytest

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.facts import Site
from cllm_sim.auditor.findings import Confidence, Finding, Note, Severity
from cllm_sim.auditor.oracle import Hang
from cllm_sim.auditor.rules.support.oracle import confirmed
from cllm_sim.auditor.skeleton.model import Stuck

from tests.audit.auditing import analysed

FINDING = Finding(
    "CT002", Severity.ERROR, Confidence.MEDIUM, Site("a.c", 5), "left", "worker", (Note(Site("a.c", 9), "waits"),)
)


class Answering:
    """An oracle with a ready answer."""

    def __init__(self, answer: list[Hang] | None) -> None:
        self.answer = answer

    def deadlocks(self) -> list[Hang] | None:
        return self.answer


def hang(line: int) -> Hang:
    """A hang at a line of a.c."""
    stuck = (Stuck("worker 1", "gate", "3 threads", Site("a.c", line, 4)),)
    return Hang("deadlock", stuck, (), ())


def with_answer(answer: list[Hang] | None) -> Analysis:
    """An analysis whose oracle gives this answer."""
    analysis = analysed("int main(void) { return 0; }")
    analysis.__dict__["oracle"] = Answering(answer)
    return analysis


@pytest.mark.parametrize(("answer", "expected"), [(None, None), ([], False), ([hang(9)], True), ([hang(7)], None)])
def test_answers(answer: list[Hang] | None, expected: bool | None) -> None:
    assert confirmed(with_answer(answer), FINDING) is expected
