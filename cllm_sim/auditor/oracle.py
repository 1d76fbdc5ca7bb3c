"""What the checker says of the extracted protocol: which races and hangs there really are, within a limit.

Rules ask where structure alone cannot decide. The skeleton is made and searched once, at two workers, on the first
question. Rules of this file: None is "no answer" (no skeleton, or a limit was reached), never "there is none".
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from cllm_sim.auditor import skeleton
from cllm_sim.auditor.locations import Location
from cllm_sim.auditor.skeleton import Broken, CheckOutcome, Skeleton

if TYPE_CHECKING:
    from cllm_sim.auditor.analysis import Analysis

WORKERS = 2
HANGS = frozenset({"deadlock", "partial-deadlock"})


class Oracle:
    """Answers about one program."""

    def __init__(self, analysis: Analysis) -> None:
        self._analysis = analysis

    @cached_property
    def skeleton(self) -> Skeleton:
        """The protocol text at two workers (refused where none can be made)."""
        return skeleton.extract(self._analysis, WORKERS)

    @cached_property
    def outcome(self) -> CheckOutcome | None:
        """The search of the whole protocol; None where it is refused or reached a limit."""
        options = self._analysis.options
        if not self.skeleton.made or options.oracle_seconds <= 0:
            return None
        found = skeleton.check(self.skeleton, WORKERS, options.oracle_seconds, options.oracle_states)
        return found if found.complete else None

    def races(self) -> dict[Location, Broken] | None:
        """Every location that is raced for, with the sides; None where there is no complete answer."""
        if self.outcome is None:
            return None
        raced = [one for one in self.outcome.broken if one.kind == "race" and one.location is not None]
        return {one.location: one for one in raced if one.location is not None}

    def deadlocks(self) -> list[Broken] | None:
        """Every kind of hang, with who is stuck where; None where there is no complete answer."""
        if self.outcome is None:
            return None
        return [one for one in self.outcome.broken if one.kind in HANGS]
