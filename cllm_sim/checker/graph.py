"""What the graph of all states says about progress.

Without the edges of `choose` the graph of a sound architecture has no cycle: every schedule reaches the end of the
step, whatever the environment decides next. And the end is reachable from every state. Both are facts about the graph;
they need no fairness and are valid in the quotient under symmetry too (a permutation has finite order, so a cycle of
the quotient lifts to a cycle).

Rules of this file: arrays of integers in, state numbers out; it knows no operation.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import breadth_first_order, connected_components

from cllm_sim.checker.search import Found

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Progress:
    """`hopeless[s]`: the end cannot be reached from s. `trapped`: the states from which neither the end nor a
    total deadlock can be reached; `cycle`: the first state on a cycle without a choice of the
    environment."""

    hopeless: NDArray[np.bool_]
    trapped: Integers
    cycle: int | None


def progress(found: Found, deadlocks: list[int]) -> Progress:
    """Analyse a complete graph; `deadlocks` are the states in which nobody can move."""
    count = len(found.states)
    source = np.frombuffer(found.source, dtype=np.int64)
    target = np.frombuffer(found.target, dtype=np.int64)
    ends = np.asarray(found.ends, dtype=np.int64)
    hopeless = ~_reaching(count, source, target, ends)
    some_end = _reaching(count, source, target, np.concatenate([ends, np.asarray(deadlocks, dtype=np.int64)]))
    trapped = np.flatnonzero(~some_end)
    return Progress(hopeless, trapped, _cycle(count, found, source, target))


def _reaching(count: int, source: Integers, target: Integers, goals: Integers) -> NDArray[np.bool_]:
    """Which states can reach one of the goals? A breadth-first walk backwards from an extra state behind all goals."""
    rows = np.concatenate([target, np.full(len(goals), count)])
    columns = np.concatenate([source, goals])
    backwards = csr_matrix((np.ones(len(rows), dtype=np.int8), (rows, columns)), shape=(count + 1, count + 1))
    reached = np.zeros(count + 1, dtype=np.bool_)
    reached[breadth_first_order(backwards, count, return_predecessors=False)] = True
    return reached[:count]


def _cycle(count: int, found: Found, source: Integers, target: Integers) -> int | None:
    kept = np.frombuffer(bytes(found.chosen), dtype=np.int8) == 0
    source, target = source[kept], target[kept]
    loops = source[source == target]
    graph = csr_matrix((np.ones(len(source), dtype=np.int8), (source, target)), shape=(count, count))
    parts, label = connected_components(graph, directed=True, connection="strong")
    if parts == count:
        return int(loops.min()) if len(loops) else None
    sizes = np.bincount(label, minlength=parts)
    on_cycle = np.flatnonzero(sizes[label] > 1)
    first = int(on_cycle[0])
    return min(first, int(loops.min())) if len(loops) else first
