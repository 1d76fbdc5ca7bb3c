"""Promises by name: which class breaks which, those of an architecture's own, asking for more and leaving out."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cllm_sim.architecture import Loaded
from cllm_sim.checker import run, verdict
from cllm_sim.errors import BadArchitecture, BadRequest
from cllm_sim.library import load, shipped
from cllm_sim.promises import CLASS_PROMISE, OPTIONAL, PROMISES, promised, verdicts

from tests.checker.searching import loaded

WithPromises = Callable[[str], Loaded]


@pytest.fixture
def with_promises(tmp_path: Path) -> WithPromises:
    """Node Zero with promises of its own, given as Python source."""

    def make(promises: str) -> Loaded:
        source = shipped()["node_zero"].read_text(encoding="utf-8")
        source = source.replace("promises=(uncontended,)", f"promises=({promises},)")
        source = source.replace("choose, compute", "always, choose, compute, sometimes")
        path = tmp_path / "mine.py"
        path.write_text(source, encoding="utf-8")
        return load(str(path))

    return make


def rows(result: object) -> dict[str, tuple[str, str | None]]:
    return {row["name"]: (row["verdict"], row["class"]) for row in result.promises}  # type: ignore[attr-defined]


def test_every_class_breaks_a_known_promise() -> None:
    assert {name for names in CLASS_PROMISE.values() for name in names} == {*PROMISES, *OPTIONAL}


def test_all_promises_are_judged_in_order() -> None:
    result = run(loaded("node_zero"), workers=2)
    assert [row["name"] for row in result.promises] == [*PROMISES, "uncontended"]
    assert [row["name"] for row in run(loaded("work_queue"), workers=2).promises] == list(PROMISES)


@pytest.mark.parametrize("reductions", ["symmetry", "none"])
def test_an_always_that_holds(with_promises: WithPromises, reductions: str) -> None:
    mine = with_promises("always('orders only', lambda state: set(state.values('order')) <= {0, 1, 2, 3})")
    result = run(mine, workers=2, reductions=reductions)
    assert rows(result)["orders only"] == ("holds", None)
    assert result.holds


@pytest.mark.parametrize("reductions", ["symmetry", "none"])
def test_an_always_that_is_broken(with_promises: WithPromises, reductions: str) -> None:
    mine = with_promises("always('never two computing', lambda state: state.about_to('compute') < 2)")
    result = run(mine, workers=2, reductions=reductions)
    assert rows(result)["never two computing"] == ("broken", "never two computing")
    (row,) = result.broken
    assert row["class"] == "never two computing"
    assert "never two computing" in Path(mine.path).read_text(encoding="utf-8").splitlines()[row["line"] - 1]
    assert [step["op"] for step in row["counterexample"]["steps"]].count("read 0/order") == 2
    assert result.exit_code == 1


def test_a_sometimes_that_holds(with_promises: WithPromises) -> None:
    mine = with_promises("sometimes('all at once', lambda state: state.about_to('compute') == state.workers)")
    assert rows(run(mine, workers=3))["all at once"] == ("holds", None)


@pytest.mark.parametrize("reductions", ["symmetry", "none"])
def test_a_sometimes_that_is_never_true(with_promises: WithPromises, reductions: str) -> None:
    """The guard against holding because nothing happens: it has a row, its own line, and no counterexample."""
    mine = with_promises("sometimes('order nine', lambda state: state.values('order') == (9,))")
    result = run(mine, workers=2, reductions=reductions)
    assert rows(result)["order nine"] == ("broken", "order nine")
    (row,) = result.broken
    assert "sometimes(" in Path(mine.path).read_text(encoding="utf-8").splitlines()[row["line"] - 1]
    assert row["counterexample"] is None
    assert (result.verdict, result.exit_code) == ("broken", 1)


def test_a_sometimes_is_undecided_where_the_search_is_not_complete(with_promises: WithPromises) -> None:
    mine = with_promises("sometimes('order nine', lambda state: state.values('order') == (9,))")
    result = run(mine, workers=2, max_states=20)
    assert rows(result)["order nine"] == ("undecided", None)
    assert result.verdict == "undecided"


@pytest.mark.parametrize(
    ("promise", "message"),
    [
        (
            "always('p', lambda state: state.values('ordre') == ())",
            "promise 'p': ValueError: nothing is declared as 'ordre'",
        ),
        (
            "always('p', lambda state: state.about_to('wiat') == 0)",
            "promise 'p': ValueError: 'wiat' is not a valid Verb",
        ),
        ("sometimes('p', lambda state: state.values('order')[1] == 0)", "promise 'p': IndexError"),
    ],
)
def test_a_promise_that_cannot_be_asked_is_refused_at_its_line(
    with_promises: WithPromises, promise: str, message: str
) -> None:
    """A misspelt name would otherwise hold for ever."""
    mine = with_promises(promise)
    with pytest.raises(BadArchitecture) as raised:
        run(mine, workers=2)
    path, line, rest = str(raised.value).split(":", 2)
    assert path == mine.path
    assert promise in Path(path).read_text(encoding="utf-8").splitlines()[int(line) - 1]
    assert rest.strip().startswith(message)


def test_values_are_sorted_so_that_no_answer_depends_on_who_is_who(with_promises: WithPromises) -> None:
    mine = with_promises(
        "always('sorted', lambda state: state.values('segment') == tuple(sorted(state.values('segment'))))"
    )
    assert run(mine, workers=3).holds


def test_an_unknown_promise_is_refused() -> None:
    with pytest.raises(BadRequest, match="no promise called 'no livelock'; known: no deadlock, no race"):
        run(loaded("node_zero"), workers=2, promise=("no livelock",))
    with pytest.raises(BadRequest, match="no promise called 'x'"):
        promised(loaded("node_zero").architecture, without=("x",))


def test_leaving_a_promise_out_leaves_out_its_defects() -> None:
    result = run(loaded("control_computes"), workers=2, without=("control never computes", "exactly once"))
    assert (result.verdict, result.broken) == ("holds", [])
    result = run(loaded("control_computes"), workers=2, without=("control never computes",))
    assert {row["class"] for row in result.broken} == {"double-processing"}


def test_a_deadlock_is_told_as_long_as_one_of_its_promises_is_asked_for() -> None:
    result = run(loaded("leaves_early"), workers=2, without=("no deadlock",))
    assert rows(result)["progress"] == ("broken", "deadlock")
    assert run(loaded("leaves_early"), workers=2, without=("no deadlock", "progress")).holds


def test_a_race_on_the_weights_also_breaks_update_before_use() -> None:
    result = run(loaded("forgets_last_child"), workers=2)
    assert rows(result)["update before use"] == ("broken", "race")
    assert rows(result)["no race"] == ("broken", "race")
    assert rows(run(loaded("early_reduce"), workers=2))["update before use"] == ("holds", None)


def test_all_classes_are_told_where_two_break_one_promise() -> None:
    result = run(loaded("count_too_small"), workers=2)
    assert {"lost-batch", "double-processing"} <= {row["class"] for row in result.broken}
    assert rows(result)["exactly once"][0] == "broken"


def test_a_limit_of_explained_defects_hides_no_class(monkeypatch: pytest.MonkeyPatch) -> None:
    every = run(loaded("count_too_small"), workers=2)
    monkeypatch.setattr(verdict, "BROKEN_MAX", 2)
    few = run(loaded("count_too_small"), workers=2)
    assert {row["class"] for row in few.broken} == {row["class"] for row in every.broken}
    assert len(few.broken) < len(every.broken)
    assert rows(few) == rows(every)
    assert few.defects == every.defects == len(every.broken)


def test_verdicts_of_an_incomplete_search() -> None:
    assert verdicts(("no race", "fresh"), ("race-on-weights",), complete=False) == [
        {"name": "no race", "verdict": "broken", "class": "race"},
        {"name": "fresh", "verdict": "undecided", "class": None},
    ]


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"reductions": "some"}, "--reductions some: known are none, symmetry, partial-order, both"),
        ({"races": "both"}, "races 'both': known are auto, next, monitor"),
        ({"workers": 0}, "--workers 0"),
        ({"workers": -3}, "--workers -3"),
        ({"workers": 13}, "arity of 12"),
        ({"depth": 0}, "--depth 0"),
    ],
)
def test_bad_options_are_refused(option: dict[str, object], message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        run(loaded("node_zero"), **{"workers": 2, **option})  # type: ignore[arg-type]


def test_an_architecture_for_one_level_is_not_checked_at_two() -> None:
    with pytest.raises(BadRequest, match="work_queue is written for at most 1 level"):
        run(loaded("work_queue"), workers=2, depth=2)


def test_the_scope_says_when_the_arity_is_not_the_declared_one() -> None:
    said = "checked with 2 workers; the declared arity is 12"
    assert said in run(loaded("node_zero"), workers=2).assumptions
    assert not [text for text in run(loaded("serial"), workers=2).assumptions if "arity" in text]


def test_coverage_is_arithmetic(tmp_path: Path) -> None:
    source = shipped()["lost_remainder"].read_text(encoding="utf-8")
    path = tmp_path / "mine.py"
    path.write_text(
        source.replace("return range(index * size,", "return range(max(0, index * size - 1),"), encoding="utf-8"
    )
    row = run(load(str(path)), workers=2).broken[0]
    assert row["class"] == "coverage"
    assert "belong to two workers" in row["text"]
    path.write_text(source.replace("size = ", "size = 1 // 0 + "), encoding="utf-8")
    with pytest.raises(BadArchitecture, match=r"mine\.py:\d+: share\(index, workers, total\): ZeroDivisionError"):
        run(load(str(path)), workers=2)
