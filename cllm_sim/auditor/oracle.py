"""What the checker says of a program: its skeleton is extracted and judged once, on first use, within limits.

Rules of this file: rules ask here and nowhere else; no complete answer is None, never "nothing wrong". A counterexample
that rests on choices which stand for conditions of the program names them (`spurious`): it may be no real run.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import cached_property

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.facts import Site
from cllm_sim.auditor.locations import Location
from cllm_sim.auditor.skeleton import Broken, CheckOutcome, Skeleton, Step, Stuck, check, extract

WORKERS = 2
ATTEMPTS: tuple[tuple[int, bool], ...] = ((2, True), (2, False), (1, False))
"""How large constants become, and whether the slots of rings are told apart: tried in turn until a search ends."""


@dataclass(frozen=True, slots=True)
class RaceSites:
    """The two accesses of a race, and the run that leads there."""

    first: Site
    second: Site
    message: str
    steps: tuple[Step, ...]
    spurious: tuple[tuple[str, Site], ...]


@dataclass(frozen=True, slots=True)
class Hang:
    """Threads that wait for ever: who, where, for what, and the run that leads there."""

    kind: str
    stuck: tuple[Stuck, ...]
    steps: tuple[Step, ...]
    spurious: tuple[tuple[str, Site], ...]


class Oracle:
    """The checker's answers about one program."""

    def __init__(self, analysis: Analysis) -> None:
        self.analysis = analysis

    @cached_property
    def _judged(self) -> tuple[Skeleton, CheckOutcome | None]:
        """The skeleton and its outcome; coarser ones are tried while a limit is hit and time is left."""
        options = self.analysis.options
        end = time.monotonic() + options.oracle_seconds
        made = Skeleton(refused="there was no time")
        outcome: CheckOutcome | None = None
        for limit, rings in ATTEMPTS:
            left = end - time.monotonic()
            if left <= 0:
                break
            made = extract(self.analysis, WORKERS, limit=limit, rings=rings)
            if not made.made:
                return made, None
            outcome = check(made, WORKERS, max(0.1, end - time.monotonic()), options.oracle_states)
            if outcome.verdict != "undecided":
                break
        return made, outcome

    @property
    def skeleton(self) -> Skeleton:
        """The program's skeleton at two threads of every role of which there are many."""
        return self._judged[0]

    @property
    def outcome(self) -> CheckOutcome | None:
        """What checking it gave; None where no skeleton could be made or a limit was hit before anything was found."""
        outcome = self._judged[1]
        return None if outcome is None or outcome.verdict == "undecided" else outcome

    @property
    def complete(self) -> bool:
        """Was every interleaving looked at?"""
        return self.outcome is not None and self.outcome.complete

    def covers(self, location: Location, *sites: Site) -> bool:
        """Are the accesses of this memory (at these places) in the skeleton? Only then is no race found no race.

        Memory is left out where one lock guards all of it or where nobody else touches it, and an access where it is
        not known which of many pieces it is. Pieces that are always touched together are shown at one place.
        """
        names = {location, location.contents, location.holder}
        shown = [several for several in self.skeleton.locations.values() if names & set(several)]
        if not shown:
            return False
        lines = {(one.site.path, one.site.line) for one in self.skeleton.lines.values()}
        together = any(len(several) > 1 for several in shown)
        return together or all((site.path, site.line) in lines for site in sites)

    @cached_property
    def found_races(self) -> dict[Location, RaceSites]:
        """The races that were found, complete answer or not."""
        found: dict[Location, RaceSites] = {}
        for one in self.outcome.broken if self.outcome is not None else ():
            if one.kind != "race" or one.other is None:
                continue
            sites = RaceSites(one.site, one.other, one.message, one.steps, one.spurious)
            for location in one.locations:
                found.setdefault(location, sites)
        return found

    def races(self) -> dict[Location, RaceSites] | None:
        """All races by memory; None where not every interleaving was looked at."""
        return self.found_races if self.complete else None

    def deadlocks(self) -> list[Hang] | None:
        """All ways to hang; None where nothing was found and not every interleaving was looked at."""
        if self.outcome is None:
            return None
        hangs = [_hang(one) for one in self.outcome.broken if one.kind in {"deadlock", "partial-deadlock", "livelock"}]
        return hangs if hangs or self.complete else None


def _hang(one: Broken) -> Hang:
    return Hang(one.kind, tuple(replace(stuck) for stuck in one.stuck), one.steps, one.spurious)
