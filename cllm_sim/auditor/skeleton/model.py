"""What the skeleton of a program is, and what checking it gave: data that reports and rules read.

Rules of this file: plain values, no logic beyond look-ups. The shape of `CheckOutcome.data()` is that of one entry of
`skeleton.checks` in an audit's result.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from cllm_sim.auditor.facts import Site
from cllm_sim.auditor.locations import Location


class Origin(NamedTuple):
    """Where a line of the skeleton comes from."""

    site: Site
    function: str
    location: Location | None = None


@dataclass(frozen=True, slots=True)
class Skeleton:
    """A program's protocol as an architecture file.

    `text` is Python; `lines` maps its lines to the C program; `abstracted` lists everything that was left out or made
    a choice of the environment; `actors` maps actors to the names of the C threads; `objects` maps the checker's names
    of objects to what they are called in C, `locations` to the memory they stand for (several pieces that are always
    touched together are one object). `vague` are objects that stand for one of many, where
    it cannot be told which. `refused` says why no skeleton could be made ("" if one was). `workers` is
    the number of threads of every role of which the program makes many.
    """

    text: str = ""
    abstracted: tuple[tuple[str, Site], ...] = ()
    lines: dict[int, Origin] = field(default_factory=dict)
    choices: dict[int, str] = field(default_factory=dict)
    actors: dict[str, str] = field(default_factory=dict)
    objects: dict[str, tuple[str, Location | None]] = field(default_factory=dict)
    workers: int = 2
    refused: str = ""
    locations: dict[str, tuple[Location, ...]] = field(default_factory=dict)
    vague: tuple[str, ...] = ()

    @property
    def made(self) -> bool:
        """Is there a skeleton?"""
        return not self.refused


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a counterexample."""

    actor: str
    op: str
    site: Site
    changes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stuck:
    """A thread that cannot go on: what it waits for, what would have to happen, and where it stands."""

    actor: str
    waits_for: str
    needs: str
    site: Site


@dataclass(frozen=True, slots=True)
class Broken:
    """A broken promise, in the words and lines of the C program."""

    kind: str
    message: str
    site: Site
    other: Site | None = None
    locations: tuple[Location, ...] = ()
    schedule: str = ""
    steps: tuple[Step, ...] = ()
    stuck: tuple[Stuck, ...] = ()
    spurious: tuple[tuple[str, Site], ...] = ()


@dataclass(frozen=True, slots=True)
class CheckOutcome:
    """What checking a skeleton gave. `verdict` is holds, broken or undecided.

    `limit` says why not every interleaving was looked at, where that is so; a defect found before that is a defect.
    """

    workers: int
    verdict: str
    states: int
    transitions: int
    complete: bool
    seconds: float
    limit: str = ""
    promises: tuple[dict[str, Any], ...] = ()
    broken: tuple[Broken, ...] = ()

    @property
    def kind(self) -> str:
        """The class of the first broken promise; "holds" or "undecided" where there is none."""
        return self.broken[0].kind if self.broken else self.verdict

    @property
    def kinds(self) -> frozenset[str]:
        """The classes of all broken promises."""
        return frozenset(one.kind for one in self.broken)

    def data(self) -> dict[str, Any]:
        """The outcome as an audit's result has it."""
        first = self.broken[0] if self.broken else None
        return {
            "workers": self.workers,
            "verdict": self.verdict,
            "states": self.states,
            "transitions": self.transitions,
            "complete": self.complete,
            "seconds": self.seconds,
            "limit": self.limit or None,
            "class": first.kind if first else None,
            "promises": list(self.promises),
            "counterexample": _example(first) if first else None,
            "broken": [_row(one) for one in self.broken],
        }


def _place(site: Site) -> dict[str, Any]:
    return {"path": site.path, "line": site.line}


def _row(one: Broken) -> dict[str, Any]:
    return {
        "class": one.kind,
        "message": one.message,
        **_place(one.site),
        "other": None if one.other is None else _place(one.other),
        "spurious": [{"text": text, **_place(site)} for text, site in one.spurious],
    }


def _example(one: Broken) -> dict[str, Any]:
    return {
        "schedule": one.schedule,
        "steps": [
            {"actor": step.actor, "op": step.op, **_place(step.site), "role": step.actor.partition(" ")[0],
             "changes": list(step.changes)}
            for step in one.steps
        ],
        "stuck": [
            {"actor": stuck.actor, "waits_for": stuck.waits_for, "needs": stuck.needs, **_place(stuck.site)}
            for stuck in one.stuck
        ],
    }  # fmt: skip
