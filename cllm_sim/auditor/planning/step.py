"""One step of an implementation plan, as data.

Rules of this file: data only; field names are those of the result's schema. A step is made without its number, which
the plan gives it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cllm_sim.auditor.facts import Site
from cllm_sim.auditor.requirements import Evidence

Data = dict[str, Any]


@dataclass(frozen=True, slots=True)
class PlanStep:
    """What to add, where it hooks in, what it replaces, what it buys and how that is seen."""

    title: str
    requirements: tuple[str, ...]
    where: tuple[Evidence, ...]
    replaces: str
    test: str
    order_reason: str
    functions: tuple[str, ...] = ()
    sides: tuple[Evidence, ...] = ()
    patch: str = ""
    promise: str = ""
    step: int = 0

    def data(self) -> Data:
        """The step as the result document holds it."""
        return {
            "step": self.step,
            "title": self.title,
            "requirements": list(self.requirements),
            "where": [place(one) for one in self.where],
            "replaces": self.replaces,
            "promise": self.promise,
            "test": self.test,
            "sides": [place(one) for one in self.sides],
            "functions": list(self.functions),
            "patch": self.patch,
            "order_reason": self.order_reason,
        }


def place(one: Evidence) -> Data:
    """A place with its text."""
    site = one.site if one.site is not None else Site("", 0)
    return {"path": site.path, "line": site.line, "text": one.text}
