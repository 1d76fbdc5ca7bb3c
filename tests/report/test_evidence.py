"""From the defects of real checks to the graphs that show them."""

from typing import Any

import pytest

from cllm_sim.report.evidence import graph_of, graphs
from cllm_sim.report.orders import across, between, last_common
from cllm_sim.report.shape import read_comparison

Step = dict[str, Any]


def step(actor: str, op: str, line: int, *changes: str) -> Step:
    return {"actor": actor, "op": op, "path": "models/x.py", "line": line, "changes": list(changes), "faults": []}


def access(row: Step) -> Step:
    return {name: row[name] for name in ("actor", "op", "path", "line")}


def race(steps: list[Step], first: int, second: int) -> dict[str, Any]:
    accesses = [access(steps[first]), access(steps[second])]
    example = {
        "steps": steps,
        "stuck": [],
        "race": {"object": "o", "accesses": accesses, "missing": "nothing orders them"},
    }
    return {"class": "race", "text": "a race", "counterexample": example}


def orders(graph: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(edge["from"], edge["to"], edge["label"]) for edge in graph["edges"] if edge["style"] == "order"]


def drawn(graph: dict[str, Any] | None) -> dict[str, Any]:
    """The graph, after the page has accepted its shape."""
    assert graph is not None
    read_comparison({"graphs": [graph]})
    return graph


def test_a_mutex_orders_two_actors() -> None:
    steps = [
        step("0", "acquire m", 1, "m free → held by 0"),
        step("0", "write order 1", 2, "order 0 → 1"),
        step("0", "release m", 3, "m held by 0 → free"),
        step("0.0", "acquire m", 4, "m free → held by 0.0"),
        step("0.0", "compute 0.0/segment", 5),
        step("0", "fold 0/segment", 6),
    ]
    graph = drawn(graph_of("x", 2, race(steps, 4, 5)))
    assert orders(graph) == [("3", "4", "m"), ("3", "6", ""), ("4", "5", "")]
    assert [(edge["from"], edge["to"]) for edge in graph["edges"] if edge["style"] == "missing"] == [("5", "6")]
    assert graph["nodes"][0] == {"id": "3", "label": "release m\nx.py:3", "group": "0"}


def test_a_barrier_orders_all_that_meet() -> None:
    steps = [
        step("0", "wait 0/batch", 1, "waits"),
        step("0.0", "wait 0/batch", 2, "waits"),
        step("0.1", "wait 0/batch", 2, "all go on: 0, 0.0"),
        step("0", "fold 0/segment", 3),
        step("0.0", "compute 0.0/segment", 4),
    ]
    graph = drawn(graph_of("x", 2, race(steps, 3, 4)))
    across = [edge for edge in orders(graph) if edge[2]]
    assert across == [("1", "3", "0/batch"), ("2", "3", "0/batch"), ("3", "4", "0/batch"), ("3", "5", "0/batch")]


def test_a_word_orders_its_writer_before_its_reader() -> None:
    steps = [
        step("0", "store flag 1", 1),
        step("0.0", "await flag 1", 2),
        step("0.0", "compute s", 3),
        step("0", "fold s", 4),
    ]
    assert ("1", "2", "flag") in orders(drawn(graph_of("x", 1, race(steps, 2, 3))))


def test_what_leads_nowhere_is_left_out() -> None:
    steps = [
        step("0.1", "release m", 1, "m held by 0.1 → free"),
        step("0.2", "acquire m", 1, "m free → held by 0.2"),
        step("0.0", "compute s", 2),
        step("0", "fold s", 3),
    ]
    graph = drawn(graph_of("x", 3, race(steps, 2, 3)))
    assert [node["id"] for node in graph["nodes"]] == ["3", "4"]


def deadlock(
    stuck: list[tuple[str, str]], waits: list[tuple[str, str, str]], finished: tuple[str, ...] = ()
) -> dict[str, Any]:
    return {
        "class": "deadlock",
        "text": "nobody can move",
        "counterexample": {
            "steps": [],
            "stuck": [
                {"actor": who, "waits_for": on, "needs": f"{on} (more)", "path": "a/x.py", "line": 9}
                for who, on in stuck
            ],
            "waits": [{"from": who, "to": whom, "on": on} for who, whom, on in waits],
            "finished": [{"actor": who, "path": "a/x.py", "line": 8} for who in finished],
        },
    }


def test_who_waits_for_an_object_that_others_left() -> None:
    waits = [("0", "0.0", "0/batch"), ("0", "0.1", "0/batch")]
    graph = drawn(graph_of("x", 2, deadlock([("0", "0/batch")], waits, ("0.0", "0.1"))))
    assert [node["label"] for node in graph["nodes"]] == [
        "0\nx.py:9",
        "0/batch\n0/batch",
        "0.0\nleft at x.py:8",
        "0.1\nleft at x.py:8",
    ]
    assert [(edge["from"], edge["to"]) for edge in graph["edges"]] == [
        ("0", "object 0/batch"),
        ("object 0/batch", "0.0"),
        ("object 0/batch", "0.1"),
    ]


def test_a_circle_goes_from_actor_to_actor() -> None:
    graph = drawn(graph_of("x", 2, deadlock([("0.0", "m"), ("0.1", "n")], [("0.0", "0.1", "m"), ("0.1", "0.0", "n")])))
    assert [(edge["from"], edge["to"], edge["label"]) for edge in graph["edges"]] == [
        ("0.0", "0.1", "m"),
        ("0.1", "0.0", "n"),
    ]


def test_a_simulated_deadlock_is_drawn_the_same_way() -> None:
    example = deadlock([("0", "0/batch")], [])["counterexample"]
    result = {
        "architecture": "x",
        "scope": {"workers": 2},
        "deadlock": {"stuck": example["stuck"], "edges": []},
        "broken": [],
    }
    assert [graph["kind"] for graph in graphs(result)] == ["wait-for"]


def test_what_cannot_be_drawn_is_left_out() -> None:
    assert graph_of("x", 2, {"class": "coverage", "text": "", "counterexample": None}) is None
    assert graphs({"architecture": "x", "broken": []}) == []


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("unguarded", ["happens-before"]),
        ("early_reduce", ["happens-before"]),
        ("count_too_large", ["wait-for"]),
        ("leaves_early", ["wait-for"]),
        ("node_zero", []),
    ],
)
def test_the_shipped_architectures(name: str, kinds: list[str]) -> None:
    from cllm_sim import check

    found = graphs(check(name, workers=2).data)
    assert [graph["kind"] for graph in found] == kinds
    for graph in found:
        drawn(graph)
        assert len(graph["nodes"]) >= 2
        assert graph["edges"]


# --------------------------------------------------------------------------------------------------------------- orders
def test_orders_through_others_are_drawn_between_those_that_are_shown() -> None:
    steps = [
        step("0", "release m", 1, "m held by 0 → free"),
        step("0.0", "acquire m", 2, "m free → held by 0.0"),
        step("0.0", "release m", 3, "m held by 0.0 → free"),
        step("0.1", "acquire m", 4, "m free → held by 0.1"),
    ]
    assert across({"steps": steps}) == [(0, 1, "m"), (2, 3, "m")]
    assert between({"steps": steps}, [0, 3]) == [(0, 3, "m")]
    assert between({"steps": steps}, [0, 1, 2, 3]) == [(0, 1, "m"), (2, 3, "m")]
    assert between({"steps": steps}, [1, 2]) == []


def test_the_checkers_own_orders_come_first() -> None:
    steps = [
        step("0", "store flag 1", 1),
        step("0.0", "load flag", 2),
        step("0", "fold s", 3),
        step("0.0", "read s", 4),
    ]
    example = {"steps": steps, "order": [{"from": 1, "to": 4, "on": "elsewhere"}]}
    assert across(example) == [(0, 3, "elsewhere")]
    assert last_common({"steps": steps}, 2, 3) == 0
    assert last_common({"steps": steps, "order": []}, 2, 3) is None


def test_the_words_and_the_checker_tell_the_same_orders() -> None:
    """An older result has no `order` field; what its words tell is what the checker says."""
    from cllm_sim import library
    from cllm_sim.checker.walkthrough import walkthrough

    for name, schedule in (
        ("leaves_early", "0:stop,0,0,0.0,0.1,0,0.0,0.1"),
        ("node_zero", "0:batch,0,0,0.0,0.1,0.0,0.1,0.0,0.1,0.0,0,0.1,0"),
    ):
        walk = walkthrough(library.load(name), schedule, workers=2)
        told = {(row["from"] - 1, row["to"] - 1) for row in walk["order"]}
        assert {(before, after) for before, after, _ in across({"steps": walk["steps"]})} == told
