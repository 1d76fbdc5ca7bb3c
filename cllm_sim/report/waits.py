"""Who waits for whom, read from a counterexample: the kind of every wait, the circle, and who would have to act.

Rules of this file: it reads the words of `needs` (keep it in step with `cllm_sim/waiting.py`) and the edges of `waits`;
it says nothing that does not stand there.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from cllm_sim.report.naming import actor_labels
from cllm_sim.report.quantities import listed

NAMED_MAX = 4
KINDS = {
    "mutex": re.compile(r"(?P<on>.+), held by (?P<holder>.+)"),
    "barrier": re.compile(r"(?P<parties>\d+) part(?:ies|y), (?P<arrived>\d+) ha(?:ve|s) arrived(?: \(.*\))?"),
    "condition": re.compile(r"a notify of (?P<on>.+)"),
    "semaphore": re.compile(r"an up of (?P<on>.+), it is 0"),
    "word": re.compile(r"(?P<on>.+) to become (?P<value>-?\d+), it is (?P<now>-?\d+)"),
    "actor": re.compile(r"(?P<on>.+) to finish"),
    "destroyed": re.compile(r"(?P<on>.+), which was destroyed"),
}


class Wait(NamedTuple):
    """One actor that cannot go on; `helpers` are those who could do what it waits for."""

    actor: str
    on: str
    kind: str
    helpers: tuple[str, ...]
    missing: int
    there: str
    path: str
    line: int | None
    needs: str


def waits(example: Mapping[str, Any], rows: Sequence[Mapping[str, Any]] | None = None) -> list[Wait]:
    """The `stuck` rows of a counterexample (or `rows` of the same shape), with what they wait for made plain."""
    edges: dict[str, list[str]] = {}
    for edge in example.get("waits") or ():
        edges.setdefault(edge["from"], []).append(edge["to"])
    found = example.get("stuck") or () if rows is None else rows
    return [_wait(row, row.get("from", edges.get(row["actor"], ()))) for row in found]


def _wait(row: Mapping[str, Any], helpers: Sequence[str]) -> Wait:
    needs = row.get("needs") or ""
    for kind, pattern in KINDS.items():
        if told := pattern.fullmatch(needs):
            parts = told.groupdict()
            missing = int(parts["parties"]) - int(parts["arrived"]) if kind == "barrier" else 0
            there = f"{parts['arrived']} of {parts['parties']} are there" if kind == "barrier" else ""
            on = parts.get("on") or row["waits_for"]
            where = (row.get("path", ""), row.get("line"))
            return Wait(row["actor"], on, kind, tuple(helpers), missing, there, *where, needs)
    return Wait(row["actor"], row["waits_for"], "", tuple(helpers), 0, "", row.get("path", ""), row.get("line"), needs)


def circle(found: Sequence[Wait]) -> list[Wait]:
    """The shortest circle of actors that wait for one another; empty where there is none."""
    import networkx as nx

    by_name = {wait.actor: wait for wait in found}
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(by_name)
    graph.add_edges_from((wait.actor, other) for wait in found for other in wait.helpers if other in by_name)
    best: list[str] = []
    for source, target in graph.edges:
        if not best or len(best) > 1:
            try:
                path = nx.shortest_path(graph, target, source)
            except nx.NetworkXNoPath:
                continue
            if not best or len(path) < len(best):
                best = path
    return [by_name[name] for name in best]


def labels_of(example: Mapping[str, Any], depth: int) -> dict[str, str]:
    """What every actor of a counterexample is called."""
    names = [row["actor"] for part in ("steps", "stuck", "finished") for row in example.get(part) or ()]
    names += [name for edge in example.get("waits") or () for name in (edge["from"], edge["to"])]
    names += [entry.partition(":")[0] for entry in example.get("next") or ()]
    names += [name for step in example.get("steps") or () for row in step.get("waiting") or () for name in row["from"]]
    return actor_labels(list(dict.fromkeys(names)), depth)


def sentence(wait: Wait, labels: Mapping[str, str], left: Mapping[str, int | None] | None = None) -> str:
    """`worker 0.3 waits for barrier 0/batch, which needs worker 0.5`; `left` are the lines at which others ended."""
    who = labels.get(wait.actor, wait.actor)
    if wait.kind == "condition":
        return f"{who} sleeps on {wait.on} until a notify by {_any(wait.helpers, labels, left)}"
    return f"{who} waits for {what(wait, labels, left)}"


def what(wait: Wait, labels: Mapping[str, str], left: Mapping[str, int | None] | None = None) -> str:
    """What an actor waits for, and who would have to act: the second half of `sentence`."""
    if wait.kind == "mutex":
        return f"mutex {wait.on}, held by {named(wait.helpers, labels, left)}"
    if wait.kind == "barrier":
        return f"barrier {wait.on} ({wait.there}), which needs {_comers(wait, labels, left)}"
    if wait.kind == "condition":
        return f"a notify of {wait.on} by {_any(wait.helpers, labels, left)}"
    if wait.kind == "semaphore":
        return f"an up of {wait.on} by {_any(wait.helpers, labels, left)}"
    if wait.kind == "actor":
        return f"{named((wait.on,), labels, left)} to finish"
    if wait.kind == "word":
        return f"{wait.needs}, by {_any(wait.helpers, labels, left)}"
    return f"{wait.on}: {wait.needs}"


def _comers(wait: Wait, labels: Mapping[str, str], left: Mapping[str, int | None] | None) -> str:
    if not wait.helpers:
        return f"{wait.missing} more, and nobody is left who could come"
    known = named(wait.helpers, labels, left)
    if len(wait.helpers) < wait.missing:
        return f"{wait.missing} more, and only {known} could come"
    return known if len(wait.helpers) == wait.missing else f"{wait.missing} more of {known}"


def _any(names: Sequence[str], labels: Mapping[str, str], left: Mapping[str, int | None] | None) -> str:
    return named(names, labels, left, "or") if names else "somebody, and nobody is left who could"


def named(
    names: Sequence[str],
    labels: Mapping[str, str],
    left: Mapping[str, int | None] | None = None,
    word: str = "and",
) -> str:
    """`worker 0.1 and worker 0.2 (which have left, line 24)`; many are counted."""
    gone = [name for name in names if name in (left or {})]
    here = [name for name in names if name not in gone]
    parts = [_some(here, labels, word)] if here else []
    if gone:
        lines = sorted({line for name in gone if (line := (left or {})[name])})
        at = f", line {', '.join(map(str, lines))}" if lines else ""
        parts.append(f"{_some(gone, labels, word)} (which {'has' if len(gone) == 1 else 'have'} left{at})")
    return f" {word} ".join(parts) or "nobody"


def _some(names: Sequence[str], labels: Mapping[str, str], word: str) -> str:
    told = [labels.get(name, name) for name in names[:NAMED_MAX]]
    if len(names) > NAMED_MAX:
        return f"{', '.join(told)} {word} {len(names) - NAMED_MAX} others"
    return listed(told) if word == "and" else " or ".join(told)


def left_at(example: Mapping[str, Any]) -> dict[str, int | None]:
    """The line at which everybody who has finished left its text."""
    return {row["actor"]: row.get("line") for row in example.get("finished") or ()}
