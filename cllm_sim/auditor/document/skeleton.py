"""The skeleton and its checks as data: the field `skeleton`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cllm_sim.auditor import skeleton
from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.document.places import Data


def skeleton_fields(
    analysis: Analysis,
    workers: Sequence[int],
    budget_seconds: float,
    max_states: int,
    progress: Callable[[str], None],
) -> Data:
    """The protocol text (for the smallest number of workers asked for), what it leaves out, and its checks."""
    first = min(workers, default=2)
    made = skeleton.extract(analysis, first)
    checks = []
    for number in workers if made.made else ():
        progress(f"checking the protocol with {number} workers")
        text = made if number == first else skeleton.extract(analysis, number)
        outcome = skeleton.check(text, workers=number, budget_seconds=budget_seconds, max_states=max_states)
        checks.append(outcome.data())
    return {
        "text": made.text,
        "refused": made.refused,
        "abstracted": [{"text": text, "path": site.path, "line": site.line} for text, site in made.abstracted],
        "checks": checks,
    }
