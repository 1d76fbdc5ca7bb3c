"""What a proof by induction may run into: a condition that does not hold, or a step that the interface does not allow.

Rules of this file: data only.
"""

from dataclasses import dataclass
from typing import Any

from cllm_sim.operations import Place


class NotProvable(Exception):
    """A condition of the proof does not hold for this text."""

    def __init__(self, condition: str, why: str, place: Place | None = None) -> None:
        super().__init__(why)
        self.condition = condition
        self.why = why
        self.place = place


class OutOfBudget(Exception):
    """The time or the number of states that the proof may use is spent."""


@dataclass(frozen=True)
class Violation:
    """What is wrong in one state of a case: its class, in words, its line, and what would have been right."""

    kind: str
    text: str
    place: Place
    allowed: str = ""
    stuck: tuple[dict[str, Any], ...] = ()


@dataclass
class Case:
    """One part of the proof at one fan-out."""

    name: str
    workers: int
    verdict: str = "holds"
    states: int = 0
    transitions: int = 0
    seconds: float = 0.0
    counterexample: dict[str, Any] | None = None

    def row(self) -> dict[str, Any]:
        """The case as data."""
        return {
            "name": self.name,
            "workers": self.workers,
            "verdict": self.verdict,
            "states": self.states,
            "transitions": self.transitions,
            "seconds": round(self.seconds, 6),
            "counterexample": self.counterexample,
        }


@dataclass
class Condition:
    """A condition under which the induction is valid."""

    name: str
    text: str
    holds: bool = True
    why: str = ""
    path: str = ""
    line: int = 0

    def row(self) -> dict[str, Any]:
        """The condition as data."""
        return {
            "name": self.name,
            "text": self.text,
            "holds": self.holds,
            "why": self.why,
            "path": self.path,
            "line": self.line,
        }


@dataclass
class Budget:
    """Where a proof stops: a moment of `time.perf_counter` and a number of states."""

    until: float
    states: int
