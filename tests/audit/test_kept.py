"""Answers that are kept with a program: made once, and gone with it.

Rules of this file: whether something is gone is asked of the collector, never of a figure of memory.
"""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.judging import judge
from cllm_sim.auditor.kept import once

from tests.audit.auditing import analysed

CORPUS = Path(__file__).parent / "corpus"
PROGRAM = "int main(void) { return 0; }"


def test_an_answer_is_made_once_for_each_program() -> None:
    asked: list[Analysis] = []

    @once
    def answer(analysis: Analysis) -> list[int]:
        asked.append(analysis)
        return []

    one, other = analysed(PROGRAM), analysed(PROGRAM)
    assert answer(one) is answer(one)
    assert answer(one) is not answer(other)
    assert asked == [one, other]


def test_nothing_keeps_a_judged_program_alive() -> None:
    path = CORPUS / "l_print_queue.c"
    analysis = analysed({path.name: path.read_text(encoding="utf-8")})
    judge(analysis)
    gone = weakref.ref(analysis)
    del analysis
    gc.collect()
    assert gone() is None
