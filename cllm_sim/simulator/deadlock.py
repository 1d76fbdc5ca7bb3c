"""A run that came to rest before everybody had finished: who waits for what, and for whom.

Rules of this file: it describes a state in which nobody can move; whether that is so was asked of `semantics.outcomes`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cllm_sim.compose import System
from cllm_sim.operations import Place
from cllm_sim.semantics import Memory, Pending
from cllm_sim.waiting import blocked_on, waits_for

NAMED_MAX = 3


@dataclass(frozen=True)
class Deadlock:
    """Everybody who is stuck (`actor, waits_for, needs, path, line`) and the wait-for graph (`from, to, on`)."""

    stuck: list[dict[str, Any]]
    edges: list[dict[str, str]]

    @property
    def text(self) -> str:
        """The deadlock in one line."""
        named = "; ".join(f"{row['actor']} waits for {row['waits_for']}" for row in self.stuck[:NAMED_MAX])
        more = f" and {len(self.stuck) - NAMED_MAX} more" if len(self.stuck) > NAMED_MAX else ""
        return f"nobody can move, and not everybody has finished: {named}{more}"


def deadlock(system: System, pending: Pending, memory: Memory, places: Sequence[Place]) -> Deadlock:
    """Describe a state in which nobody can move; `places` says where each actor's text stands."""
    names = [actor.name for actor in system.actors]
    stuck: list[dict[str, Any]] = []
    edges: list[dict[str, str]] = []
    for actor, bound in enumerate(pending):
        if bound is None:
            continue
        place = places[actor]
        waiting = blocked_on(system, pending, memory, actor, place)
        assert waiting is not None, f"{names[actor]} can move, yet the run came to rest"
        row = {"actor": waiting.actor, "waits_for": waiting.on, "needs": waiting.needs}
        stuck.append({**row, "path": place.path, "line": place.line})
        for other in waits_for(system, pending, memory, actor):
            edges.append({"from": names[actor], "to": names[other], "on": waiting.on})
    return Deadlock(stuck, edges)
