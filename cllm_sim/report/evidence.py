"""From a defect of a check result to the graph that shows it: who waits for whom, or what happens before what.

Rules of this file: it reads the `broken` rows of a result and writes the `graphs` rows of a comparison; which orders
there are is said in `orders`, who waits for whom in `waits`.
"""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from cllm_sim.report.naming import base_name
from cllm_sim.report.orders import Edge, accesses, across, between, own
from cllm_sim.report.waits import circle, labels_of, left_at, sentence, waits

Row = dict[str, Any]

NODES_MAX = 12
STEPS_MAX = 40
ACTORS_MAX = 6


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
        kind, title = "wait-for", _waiting(example) or str(defect.get("text", ""))
    else:
        return None
    named = {"architecture": architecture, "workers": workers, "kind": kind, "title": title}
    return {**named, "nodes": nodes, "edges": edges}


# ----------------------------------------------------------------------------------------------------- happens-before
def _happens_before(example: Mapping[str, Any]) -> tuple[list[Row], list[Row]]:
    steps: Sequence[Mapping[str, Any]] = example["steps"]
    first, second = accesses(example)
    between = across(example)
    shown = sorted({first, second, *_leading(steps, between, (first, second))})
    edges = [_edge(source, target, on, "order") for source, target, on in between if {source, target} <= set(shown)]
    for actor in dict.fromkeys(steps[number]["actor"] for number in shown):
        mine = [number for number in shown if steps[number]["actor"] == actor]
        edges += [_edge(source, target, "", "order") for source, target in itertools.pairwise(mine)]
    edges.append(_edge(first, second, "nothing orders these", "missing"))
    return [_node(number, steps[number]) for number in shown], edges


def schedule_of(architecture: str, workers: int, defect: Mapping[str, Any]) -> Row | None:
    """A whole counterexample as a graph, its steps in order; None where there are no steps.

    Of a long one the last steps are shown, of many actors those that the defect is about; what orders two of them
    through others is drawn from one to the other.
    """
    example = defect.get("counterexample") or {}
    steps: Sequence[Mapping[str, Any]] = example.get("steps") or ()
    if not steps:
        return None
    shown_actors = _actors_shown(example)
    chosen = [number for number, step in enumerate(steps) if step["actor"] in shown_actors][-STEPS_MAX:]
    sides = accesses(example) if example.get("race") else ()
    nodes = [
        {**_node(number, steps[number]), "label": _one_line(steps[number]), "mark": "side" if number in sides else ""}
        for number in chosen
    ]
    edges = [_edge(source, target, "", "own") for source, target, _ in own([steps[number] for number in chosen])]
    edges = [
        {**edge, "from": str(chosen[int(edge["from"]) - 1] + 1), "to": str(chosen[int(edge["to"]) - 1] + 1)}
        for edge in edges
    ]
    edges += [_edge(source, target, on, "order") for source, target, on in between(example, chosen)]
    if sides:
        edges.append(_edge(*sides, "no order", "missing"))
    named = {"architecture": architecture, "workers": workers, "kind": "schedule", "title": str(defect["text"])}
    hidden = len({step["actor"] for step in steps}) - len({steps[number]["actor"] for number in chosen})
    return {**named, "nodes": nodes, "edges": edges, "no_way_back": example.get("no_way_back"), "hidden": hidden}


def _actors_shown(example: Mapping[str, Any]) -> set[str]:
    """The actors that a defect is about, the most important first, as many as have room."""
    race = example.get("race") or {}
    steps: Sequence[Mapping[str, Any]] = example["steps"]
    names = [access["actor"] for access in race.get("accesses") or ()]
    names += [wait.actor for wait in circle(waits(example))]
    names += [steps[-1]["actor"], steps[0]["actor"]]
    names += [row["actor"] for row in example.get("stuck") or ()]
    names += [step["actor"] for step in steps]
    return set(list(dict.fromkeys(names))[:ACTORS_MAX])


def _one_line(step: Mapping[str, Any]) -> str:
    return f"{step['op']}  :{step['line']}"


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


# ----------------------------------------------------------------------------------------------------------- wait-for
def _waiting(example: Mapping[str, Any]) -> str:
    """The circle in words, or whom the first one waits for; nothing where the result does not say."""
    found = waits(example)
    shown = circle(found) or [wait for wait in found if wait.kind][:1]
    labels, left = labels_of(example, 1), left_at(example)
    return "; ".join(sentence(wait, labels, left) for wait in shown)


def _wait_for(example: Mapping[str, Any]) -> tuple[list[Row], list[Row]]:
    """Who is stuck waits for an object, the object for whoever could help; a circle of actors needs no objects."""
    stuck = {row["actor"]: row for row in example["stuck"]}
    found = [edge for edge in example.get("waits") or () if edge["from"] in stuck]
    if any(edge["to"] in stuck for edge in found):
        return _circle(stuck, found, example)
    nodes = [_stuck_node(row) for row in stuck.values()]
    objects = dict.fromkeys(row["waits_for"] for row in stuck.values())
    needs = {row["waits_for"]: row.get("needs", "").partition(" (")[0] for row in stuck.values()}
    nodes += [
        {"id": f"object {name}", "label": f"{name}\n{needs[name]}".strip(), "group": "object"} for name in objects
    ]
    helpers = dict.fromkeys(edge["to"] for edge in found)
    nodes += [_ended_node(name, example) for name in helpers]
    edges = [_waits(actor, f"object {row['waits_for']}") for actor, row in stuck.items()]
    edges += [_waits(f"object {on}", to) for on, to in dict.fromkeys((edge["on"], edge["to"]) for edge in found)]
    return nodes, edges


def _circle(stuck: Mapping[str, Row], edges: Sequence[Row], example: Mapping[str, Any]) -> tuple[list[Row], list[Row]]:
    nodes = [_stuck_node(row) for row in stuck.values()]
    nodes += [_ended_node(name, example) for name in dict.fromkeys(edge["to"] for edge in edges) if name not in stuck]
    ring = [wait.actor for wait in circle(waits(example))]
    round_it = set(zip(ring, [*ring[1:], *ring[:1]], strict=True))
    return nodes, [
        _waits(edge["from"], edge["to"], edge["on"], "circle" if (edge["from"], edge["to"]) in round_it else "waits")
        for edge in edges
    ]


def _waits(source: str, target: str, label: str = "", style: str = "waits") -> Row:
    return {"from": source, "to": target, "label": label, "style": style}


def _stuck_node(row: Mapping[str, Any]) -> Row:
    place = f"\n{base_name(row['path'])}:{row['line']}" if row.get("path") and row.get("line") else ""
    return {"id": row["actor"], "label": f"{row['actor']}{place}", "group": "actor"}


def _ended_node(name: str, example: Mapping[str, Any]) -> Row:
    ended = next((row for row in example.get("finished") or () if row["actor"] == name), None)
    place = f"\nleft at {base_name(ended['path'])}:{ended['line']}" if ended else ""
    return {"id": name, "label": name + place, "group": "helper"}
