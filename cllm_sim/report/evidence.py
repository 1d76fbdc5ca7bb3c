"""From a defect of a check result to the graph that shows it: who waits for whom, or what happens before what.

The orders drawn are those that the steps themselves tell: the order of one actor's own steps, a mutex given back and
then taken, a barrier that lets its members go on, a word stored and then awaited. Rules of this file: it reads the
`broken` rows of a result and writes the `graphs` rows of a comparison; keep it in step with the words of `changes`
there.
"""

import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Any

from cllm_sim.report.naming import base_name

Row = dict[str, Any]
Edge = tuple[int, int, str]

NODES_MAX = 12
FREED = re.compile(r"(.+) held by .+ → free")
TAKEN = re.compile(r"(.+) free → held by .+")
GO_ON = re.compile(r"all go on: (.+)")
STORED = re.compile(r"(?:store|add|exchange|compare_exchange|write_word) (\S+)")
AWAITED = re.compile(r"(?:await|load) (\S+)")


def graphs(result: Mapping[str, Any]) -> list[Row]:
    """The `graphs` rows for the result of a check or a simulation: the first race and the first deadlock."""
    found: dict[str, Row] = {}
    for defect in (*_came_to_rest(result), *(result.get("broken") or ())):
        graph = graph_of(result["architecture"], (result.get("scope") or {}).get("workers") or 0, defect)
        if graph is not None:
            found.setdefault(graph["kind"], graph)
    return list(found.values())


def _came_to_rest(result: Mapping[str, Any]) -> list[Row]:
    """The deadlock of a simulated run, as if a check had found it."""
    deadlock = result.get("deadlock") or {}
    if not deadlock.get("stuck"):
        return []
    example = {
        "stuck": deadlock["stuck"],
        "waits": deadlock.get("edges") or (),
        "finished": deadlock.get("finished") or (),
    }
    return [{"text": "the simulated run came to rest before everybody had finished", "counterexample": example}]


def graph_of(architecture: str, workers: int, defect: Mapping[str, Any]) -> Row | None:
    """The graph of one defect; None where its counterexample shows neither a race nor anybody stuck."""
    example = defect.get("counterexample") or {}
    if example.get("race"):
        nodes, edges = _happens_before(example)
        kind, title = "happens-before", example["race"]["missing"]
    elif example.get("stuck"):
        nodes, edges = _wait_for(example)
        kind, title = "wait-for", str(defect.get("text", ""))
    else:
        return None
    named = {"architecture": architecture, "workers": workers, "kind": kind, "title": title}
    return {**named, "nodes": nodes, "edges": edges}


# ----------------------------------------------------------------------------------------------------- happens-before
def _happens_before(example: Mapping[str, Any]) -> tuple[list[Row], list[Row]]:
    steps: Sequence[Mapping[str, Any]] = example["steps"]
    first, second = (_last(steps, access) for access in example["race"]["accesses"])
    across = [*_mutex_edges(steps), *_barrier_edges(steps), *_word_edges(steps)]
    shown = sorted({first, second, *_leading(steps, across, (first, second))})
    edges = [_edge(source, target, on, "order") for source, target, on in across if {source, target} <= set(shown)]
    for actor in dict.fromkeys(steps[number]["actor"] for number in shown):
        mine = [number for number in shown if steps[number]["actor"] == actor]
        edges += [_edge(source, target, "", "order") for source, target in itertools.pairwise(mine)]
    edges.append(_edge(first, second, "nothing orders these", "missing"))
    return [_node(number, steps[number]) for number in shown], edges


def _last(steps: Sequence[Mapping[str, Any]], access: Mapping[str, Any]) -> int:
    """The last step that is this access."""
    return max(
        number for number, step in enumerate(steps) if all(step[key] == access[key] for key in ("actor", "op", "line"))
    )


def _node(number: int, step: Mapping[str, Any]) -> Row:
    label = f"{step['op']}\n{base_name(step['path'])}:{step['line']}"
    return {"id": str(number + 1), "label": label, "group": step["actor"]}


def _edge(source: int, target: int, label: str, style: str) -> Row:
    return {"from": str(source + 1), "to": str(target + 1), "label": label, "style": style}


def _leading(steps: Sequence[Mapping[str, Any]], across: Sequence[Edge], ends: Sequence[int]) -> set[int]:
    """Ends of orders between actors from which one of the last two accesses can be reached; the latest if many."""
    reached = set(ends)
    kept: set[int] = set()
    for source, target, _ in sorted(across, reverse=True):
        leads = any(number >= target and steps[number]["actor"] == steps[target]["actor"] for number in reached)
        if leads and len(kept) < NODES_MAX - len(ends):
            kept |= {source, target}
            reached |= {source, target}
    return kept


def _mutex_edges(steps: Sequence[Mapping[str, Any]]) -> list[Edge]:
    freed: dict[str, int] = {}
    edges = []
    for number, step in enumerate(steps):
        for change in step["changes"]:
            if given := FREED.fullmatch(change):
                freed[given[1]] = number
            elif (taken := TAKEN.fullmatch(change)) and _other(steps, freed.get(taken[1]), number):
                edges.append((freed[taken[1]], number, taken[1]))
    return edges


def _barrier_edges(steps: Sequence[Mapping[str, Any]]) -> list[Edge]:
    """Everybody's arrival comes before the last one's, and that before everybody's next step."""
    arrived: dict[str, int] = {}
    released: dict[str, tuple[int, str]] = {}
    edges = []
    for number, step in enumerate(steps):
        actor, on = step["actor"], step["op"].rpartition(" ")[2]
        if actor in released:
            source, name = released.pop(actor)
            edges.append((source, number, name))
        if "waits" in step["changes"] and step["op"].startswith("wait "):
            arrived[actor] = number
        for change in step["changes"]:
            if members := GO_ON.fullmatch(change):
                others = [name for name in members[1].split(", ") if name in arrived and name != actor]
                edges += [(arrived.pop(name), number, on) for name in others]
                released.update(dict.fromkeys(others, (number, on)))
    return edges


def _word_edges(steps: Sequence[Mapping[str, Any]]) -> list[Edge]:
    stored: dict[str, int] = {}
    edges = []
    for number, step in enumerate(steps):
        if (read := AWAITED.match(step["op"])) and _other(steps, stored.get(read[1]), number):
            edges.append((stored[read[1]], number, read[1]))
        if written := STORED.match(step["op"]):
            stored[written[1]] = number
    return edges


def _other(steps: Sequence[Mapping[str, Any]], source: int | None, target: int) -> bool:
    return source is not None and steps[source]["actor"] != steps[target]["actor"]


# ----------------------------------------------------------------------------------------------------------- wait-for
def _wait_for(example: Mapping[str, Any]) -> tuple[list[Row], list[Row]]:
    """Who is stuck waits for an object, the object for whoever could help; a circle of actors needs no objects."""
    stuck = {row["actor"]: row for row in example["stuck"]}
    waits = [edge for edge in example.get("waits") or () if edge["from"] in stuck]
    if any(edge["to"] in stuck for edge in waits):
        return _circle(stuck, waits, example)
    nodes = [_stuck_node(row) for row in stuck.values()]
    objects = dict.fromkeys(row["waits_for"] for row in stuck.values())
    needs = {row["waits_for"]: row.get("needs", "").partition(" (")[0] for row in stuck.values()}
    nodes += [
        {"id": f"object {name}", "label": f"{name}\n{needs[name]}".strip(), "group": "object"} for name in objects
    ]
    helpers = dict.fromkeys(edge["to"] for edge in waits)
    nodes += [_ended_node(name, example) for name in helpers]
    edges = [_waits(actor, f"object {row['waits_for']}") for actor, row in stuck.items()]
    edges += [_waits(f"object {on}", to) for on, to in dict.fromkeys((edge["on"], edge["to"]) for edge in waits)]
    return nodes, edges


def _circle(stuck: Mapping[str, Row], waits: Sequence[Row], example: Mapping[str, Any]) -> tuple[list[Row], list[Row]]:
    nodes = [_stuck_node(row) for row in stuck.values()]
    nodes += [_ended_node(name, example) for name in dict.fromkeys(edge["to"] for edge in waits) if name not in stuck]
    return nodes, [_waits(edge["from"], edge["to"], edge["on"]) for edge in waits]


def _waits(source: str, target: str, label: str = "") -> Row:
    return {"from": source, "to": target, "label": label, "style": "waits"}


def _stuck_node(row: Mapping[str, Any]) -> Row:
    place = f"\n{base_name(row['path'])}:{row['line']}" if row.get("path") and row.get("line") else ""
    return {"id": row["actor"], "label": f"{row['actor']}{place}", "group": "actor"}


def _ended_node(name: str, example: Mapping[str, Any]) -> Row:
    ended = next((row for row in example.get("finished") or () if row["actor"] == name), None)
    place = f"\nleft at {base_name(ended['path'])}:{ended['line']}" if ended else ""
    return {"id": name, "label": name + place, "group": "helper"}
