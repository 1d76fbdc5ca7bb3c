"""What happens before what in a schedule, and the walk that tells who waits and who can go after every step."""

from pathlib import Path
from typing import Any

import pytest

from cllm_sim import check, checker, library
from cllm_sim.checker.order import modes, orders
from cllm_sim.checker.space import Space
from cllm_sim.checker.walk import parse_schedule
from cllm_sim.checker.walkthrough import walkthrough
from cllm_sim.errors import BadRequest
from cllm_sim.library import shipped

HEAD = """
from cllm_sim import *
from cllm_sim import Condition, Mutex, Semaphore, Word
class Crew(Team[Seat]):
    lock = Mutex()
    ready = Condition("lock")
    free = Semaphore()
    flag = Word()
    value = Variable()
def worker(me: Seat, team: Crew, work: Work) -> Steps:
    yield from work(BATCH)
def root(me: Seat, work: Work) -> Steps:
    yield from work(BATCH)
"""
FLAG = "0/flag"
TAIL = "\narchitecture = Architecture(root, worker, control, leaf, team=Crew)\n"


def text(leaf: str, control: str) -> str:
    parts = []
    for name, body in (("leaf", leaf), ("control", control)):
        rows = "".join(f"    yield team.{row}\n" for row in body.split("; "))
        parts.append(f"def {name}(me: Seat, team: Crew, order: int) -> Steps:\n{rows}")
    return HEAD + "".join(parts) + TAIL


def found(tmp_path: Path, source: str, schedule: str) -> list[tuple[int, int, str]]:
    path = tmp_path / "given.py"
    path.write_text(f'"""Given."""\n{source}', encoding="utf-8")
    loaded = library.load(str(path))
    system = checker.system_of(loaded, 1, 1)
    told = orders(Space(system, loaded.path), parse_schedule(system, schedule))
    return [(one.before, one.after, one.on) for one in told]


@pytest.mark.parametrize(
    ("leaf", "control", "schedule", "expected"),
    [
        (
            "lock.acquire(); value.write(1); lock.release()",
            "lock.acquire(); value.write(2); lock.release()",
            "0,0,0,0.0,0.0,0.0",
            [(3, 4, "0/lock")],
        ),
        ("value.write(1); free.up()", "free.down(); value.write(2)", "0.0,0.0,0,0", [(2, 3, "0/free")]),
        ("value.write(1); flag.store(1)", "flag.load(); value.write(2)", "0.0,0.0,0,0", [(2, 3, "0/flag")]),
        ("flag.store(1); flag.store(1)", "flag.load(); flag.load()", "0.0,0,0.0,0", [(1, 2, FLAG), (3, 4, FLAG)]),
        ("flag.add(1); value.write(1)", "flag.wait_until(1); value.write(2)", "0.0,0,0,0.0", [(1, 2, "0/flag")]),
        ("value.write(1); value.write(2)", "value.read(); value.read()", "0.0,0,0.0,0", []),
        (
            "lock.acquire(); ready.wait(); lock.release()",
            "lock.acquire(); ready.notify(); lock.release()",
            "0.0,0.0,0,0,0,0.0,0.0",
            [(2, 3, "0/lock"), (5, 6, "0/lock")],
        ),
    ],
)  # fmt: skip
def test_what_brings_an_order(
    tmp_path: Path, leaf: str, control: str, schedule: str, expected: list[tuple[int, int, str]]
) -> None:
    assert found(tmp_path, text(leaf, control), schedule) == expected


def test_a_barrier_orders_every_arrival_before_what_comes_after() -> None:
    walk = walkthrough(library.load("node_zero"), "0:batch,0,0,0.0,0.1,0.0,0.1", workers=2)
    assert [(row["from"], row["to"]) for row in walk["order"]] == [(3, 5), (4, 5), (5, 6)]
    assert {row["on"] for row in walk["order"]} == {"0/batch"}


def test_the_end_of_an_actor_orders_it_before_who_joins(tmp_path: Path) -> None:
    path = tmp_path / "joins.py"
    path.write_text(
        '"""Joins."""\n'
        "from cllm_sim import *\nfrom cllm_sim import join\nresult = Variable('result')\n"
        "def leaf(me, team, order):\n    yield result.write(1)\n"
        "def root(me, work):\n    yield from work(BATCH)\n"
        "def main(team):\n    yield join('0')\n    yield result.read()\n"
        "architecture = Architecture(root, leaf=leaf, shared=(result,), others={'main': main})\n",
        encoding="utf-8",
    )
    walk = walkthrough(library.load(str(path)), "0,main,main", workers=1)
    assert walk["order"] == [{"from": 1, "to": 2, "on": "end of 0"}]


@pytest.mark.parametrize("name", sorted(shipped()))
def test_nothing_orders_the_sides_of_a_race(name: str) -> None:
    """The orders told here agree with the search: the two accesses of every race that it found have none."""
    import networkx as nx

    loaded = library.load(name)
    for row in check(name, workers=2).broken:
        race = (row["counterexample"] or {}).get("race")
        if race is None:
            continue
        walk = walkthrough(loaded, row["counterexample"]["schedule"], workers=2)
        graph: nx.DiGraph[int] = nx.DiGraph((one["from"], one["to"]) for one in walk["order"])
        steps = walk["steps"]
        for number, step in enumerate(steps, 1):
            later = next((n for n in range(number + 1, len(steps) + 1) if steps[n - 1]["actor"] == step["actor"]), None)
            graph.add_node(number)
            if later is not None:
                graph.add_edge(number, later)
        first, second = (last(steps, side) for side in race["accesses"])
        assert not nx.has_path(graph, min(first, second), max(first, second))


def last(steps: list[Any], side: Any) -> int:
    return max(n for n, step in enumerate(steps, 1) if all(step[key] == side[key] for key in ("actor", "op", "line")))


def test_the_walk_is_a_counterexample_and_more() -> None:
    loaded, schedule = library.load("leaves_early"), "0:stop,0,0,0.0,0.1,0,0.0,0.1"
    walk = walkthrough(loaded, schedule, workers=2)
    plain = checker.replay(loaded, schedule, workers=2)
    for name in ("schedule", "stuck", "waits", "finished", "no_way_back", "scope"):
        assert walk[name] == plain[name]
    assert [step["op"] for step in walk["steps"]] == [step["op"] for step in plain["steps"]]
    assert walk["steps"][0]["choice"] == "stop"
    assert walk["steps"][0]["next"] == ["0", "0.0", "0.1"]
    assert [row["actor"] for row in walk["steps"][-1]["waiting"]] == ["0"]


def test_an_impossible_move_is_refused() -> None:
    with pytest.raises(BadRequest, match="step 4: 0 cannot move here"):
        walkthrough(library.load("node_zero"), "0:batch,0,0,0", workers=2)


def test_what_an_operation_does_to_a_place() -> None:
    system = checker.system_of(library.load("node_zero"), 2, 1)
    space = Space(system, "")
    names = {item.name: number for number, item in enumerate(system.objects)}
    walked = walkthrough(library.load("node_zero"), "0:batch,0", workers=2)
    assert walked["steps"][1]["op"] == "write 0/order 1"
    bound = space.pending(space.start().nodes)[0]
    assert bound is not None
    assert modes(system, bound, names["0/order"]) == ""
