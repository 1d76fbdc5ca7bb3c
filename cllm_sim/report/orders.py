"""What happens before what in a counterexample: its own `order` rows, or, where an older result has none, what the
words of its steps tell (a mutex given back and then taken, a barrier that lets its members go on, a word stored and
then awaited).

Rules of this file: steps are numbered from 0 here. Keep it in step with `cllm_sim/checker/order.py` and with the words
of `changes`.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from cllm_sim.report.locks import FREED, TAKEN

Edge = tuple[int, int, str]
Steps = Sequence[Mapping[str, Any]]

GO_ON = re.compile(r"all go on: (.+)")
STORED = re.compile(r"(?:store|add|exchange|compare_exchange|write_word) (\S+)")
AWAITED = re.compile(r"(?:await|load) (\S+)")


def across(example: Mapping[str, Any]) -> list[Edge]:
    """The orders between steps of different actors."""
    told = example.get("order")
    if told is not None:
        return [(row["from"] - 1, row["to"] - 1, row["on"]) for row in told]
    steps: Steps = example.get("steps") or ()
    return [*_mutex_edges(steps), *_barrier_edges(steps), *_word_edges(steps)]


def between(example: Mapping[str, Any], chosen: Sequence[int]) -> list[Edge]:
    """The orders between chosen steps of different actors, those through other steps included, none that follows."""
    import networkx as nx

    steps: Steps = example.get("steps") or ()
    labels = {(before, after): on for before, after, on in (*own(steps), *across(example))}
    graph: nx.DiGraph[int] = nx.DiGraph(labels.keys())
    graph.add_nodes_from(range(len(steps)))
    kept = set(chosen)
    for number in range(len(steps)):
        if number in kept:
            continue
        for before in list(graph.predecessors(number)):
            for after in list(graph.successors(number)):
                on = labels[number, after] or labels[before, number]
                labels.setdefault((before, after), on)
                graph.add_edge(before, after)
        graph.remove_node(number)
    reduced = nx.transitive_reduction(graph)
    found = [edge for edge in reduced.edges if steps[edge[0]]["actor"] != steps[edge[1]]["actor"]]
    return [(before, after, labels[before, after]) for before, after in sorted(found)]


def own(steps: Steps) -> list[Edge]:
    """The order of every actor's own steps."""
    found: list[Edge] = []
    for actor in dict.fromkeys(step["actor"] for step in steps):
        mine = [number for number, step in enumerate(steps) if step["actor"] == actor]
        found += [(before, after, "") for before, after in pairwise(mine)]
    return found


def last_common(example: Mapping[str, Any], first: int, second: int) -> int | None:
    """The last step that comes before both of two steps; None where nothing does."""
    import networkx as nx

    steps: Steps = example.get("steps") or ()
    graph: nx.DiGraph[object] = nx.DiGraph()
    graph.add_nodes_from(range(len(steps)))
    graph.add_edges_from((before, after) for before, after, _ in (*own(steps), *across(example)))
    both = nx.ancestors(graph, first) & nx.ancestors(graph, second)
    return max((number for number in both if isinstance(number, int)), default=None)


def accesses(example: Mapping[str, Any]) -> tuple[int, int]:
    """The steps that are the two sides of a race."""
    steps: Steps = example["steps"]
    first, second = (_last(steps, access) for access in example["race"]["accesses"])
    return first, second


def _last(steps: Steps, access: Mapping[str, Any]) -> int:
    """The last step that is this access."""
    return max(
        number for number, step in enumerate(steps) if all(step[key] == access[key] for key in ("actor", "op", "line"))
    )


# ------------------------------------------------------------------------------------------------------ told by words
def _mutex_edges(steps: Steps) -> list[Edge]:
    freed: dict[str, int] = {}
    edges = []
    for number, step in enumerate(steps):
        for change in step["changes"]:
            if given := FREED.fullmatch(change):
                freed[given[1]] = number
            elif (taken := TAKEN.fullmatch(change)) and _other(steps, freed.get(taken[1]), number):
                edges.append((freed[taken[1]], number, taken[1]))
    return edges


def _barrier_edges(steps: Steps) -> list[Edge]:
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


def _word_edges(steps: Steps) -> list[Edge]:
    stored: dict[str, int] = {}
    edges = []
    for number, step in enumerate(steps):
        if (read := AWAITED.match(step["op"])) and _other(steps, stored.get(read[1]), number):
            edges.append((stored[read[1]], number, read[1]))
        if written := STORED.match(step["op"]):
            stored[written[1]] = number
    return edges


def _other(steps: Steps, source: int | None, target: int) -> bool:
    return source is not None and steps[source]["actor"] != steps[target]["actor"]
