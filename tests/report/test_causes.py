"""What to repair: each kind of mistake is named with its lines, and nothing is claimed that the steps do not show."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cllm_sim import check
from cllm_sim.library import load, shipped
from cllm_sim.report.causes import causes
from cllm_sim.report.locks import held_at_end
from cllm_sim.report.waits import circle, labels_of, left_at, sentence, waits
from cllm_sim.report.wakeups import resolved

HEAD = """\"\"\"Given.\"\"\"
from cllm_sim import *
from cllm_sim import Condition, Mutex, Semaphore, Word
class Crew(Team[Seat]):
    a = Mutex()
    b = Mutex()
    ready = Condition("a")
    free = Semaphore()
    flag = Word()
    gate = Barrier()
    other = Barrier()
    value = Variable()
def worker(me, team, work):
    yield from work(BATCH)
def root(me, work):
    yield from work(BATCH)
architecture = None
"""
Found = Callable[..., dict[str, Any]]


@pytest.fixture
def checked(tmp_path: Path) -> Found:
    """Check two texts given as operations: one line each, beginning with line 20 (leaf) and 40 (control)."""

    def run(leaf: str, control: str, workers: int = 1) -> dict[str, Any]:
        rows = HEAD.removesuffix("architecture = None\n").splitlines()
        for start, name, body in ((19, "leaf", leaf), (39, "control", control)):
            rows += [""] * (start - 1 - len(rows))
            rows += [f"def {name}(me, team, order):", *(f"    {row}" for row in body.split("; "))]
        rows.append("architecture = Architecture(root, worker, control, leaf, team=Crew)")
        path = tmp_path / "given.py"
        path.write_text("\n".join(rows) + "\n", encoding="utf-8")
        return check(str(path), workers=workers).data

    return run


def first(data: dict[str, Any]) -> tuple[str, str]:
    cause = causes(data, 1)[0]
    return cause.text, cause.advice


def take(*names: str) -> str:
    return "; ".join(f"yield team.{name}" for name in names)


# --------------------------------------------------------------------------------------------------------------- causes
def test_two_locks_in_two_orders(checked: Found) -> None:
    text, advice = first(
        checked(
            take("a.acquire()", "b.acquire()", "b.release()", "a.release()"),
            take("b.acquire()", "a.acquire()", "a.release()", "b.release()"),
        )
    )
    assert "worker 0.0 holds 0/a (line 20) and wants 0/b (line 21)" in text
    assert "control holds 0/b (line 40) and wants 0/a (line 41)" in text
    assert advice == "take a and b in the same order everywhere, for example a before b"


def test_a_mutex_taken_twice(checked: Found) -> None:
    text, advice = first(checked(take("value.read()"), take("a.acquire()", "a.acquire()")))
    assert text == "control wants 0/a, which it holds itself"
    assert "give a back before taking it again" in advice


def test_a_mutex_that_nobody_gives_back(checked: Found) -> None:
    text, advice = first(checked(take("a.acquire()"), take("a.acquire()", "a.release()")))
    assert text == "worker 0.0 took 0/a (line 20) and left with it (line 20)"
    assert advice == "give a back before the end"


def test_a_mutex_held_at_a_barrier(checked: Found) -> None:
    text, advice = first(
        checked(take("a.acquire()", "a.release()", "gate.wait()"), take("a.acquire()", "gate.wait()", "a.release()"))
    )
    assert text.startswith("control holds 0/a (line 40) while it waits for barrier 0/gate (1 of 2 are there)")
    assert advice.startswith("give a back before line 41")


SLEEPS = take("a.acquire()", "ready.wait()", "a.release()")


def test_a_notify_that_nobody_hears(checked: Found) -> None:
    text, advice = first(checked(take("a.acquire()", "ready.notify()", "a.release()"), SLEEPS))
    assert "worker 0.0 notifies 0/ready in step 2 (line 21) while nobody sleeps on it: the notify is lost" in text
    assert "control looks at nothing before it sleeps" in text
    assert advice.startswith("set a variable before the notify")


def test_a_notify_that_nobody_makes(checked: Found) -> None:
    text, _ = first(checked(take("value.read()"), SLEEPS))
    assert text == "control sleeps on 0/ready (step 2), and nobody notifies it"


def test_a_notify_that_wakes_somebody_else(checked: Found) -> None:
    sleeps = take("a.acquire()", "free.up()", "ready.wait()", "a.release()")
    wakes = take("free.down()", "free.down()", "a.acquire()", "ready.notify()", "a.release()")
    data = checked(sleeps, wakes, workers=2)
    texts = [cause.text for cause in causes(data, 1)]
    assert any("woke worker" in text and "sleeps on" in text for text in texts)
    assert any("use notify_all" in cause.advice for cause in causes(data, 1))


def test_barriers_in_two_orders(checked: Found) -> None:
    text, advice = first(checked(take("gate.wait()", "other.wait()"), take("other.wait()", "gate.wait()")))
    assert "waits for barrier 0/gate" in text
    assert advice == "let all cross gate and other in the same order, equally often"


def test_a_word_and_a_semaphore_that_nobody_brings_on(checked: Found) -> None:
    text, advice = first(checked(take("value.read()"), take("flag.wait_until(1)")))
    assert "0/flag to become 1, it is 0" in text
    assert advice.startswith("bring flag to the value waited for on every way")
    text, advice = first(checked(take("value.read()"), take("free.down()")))
    assert "an up of 0/free" in text
    assert advice == "every down of free needs an up of its own"


def test_a_value_that_passes_by(checked: Found) -> None:
    text, _ = first(checked(take("flag.wait_until(1)"), take("flag.store(1)", "flag.store(0)")))
    assert text.endswith("it was 1 until step 2, 'store 0/flag 0' by control (line 41)")


def test_what_one_tells_itself_was_not_lost(checked: Found) -> None:
    own = take("a.acquire()", "ready.notify()", "ready.wait()", "a.release()")
    text, _ = first(checked(take("value.read()"), own))
    assert text == "control sleeps on 0/ready (step 3), and nobody notifies it"


def test_others_have_to_come_to_a_barrier(checked: Found) -> None:
    text, advice = first(checked(take("value.read()"), take("gate.wait()")))
    assert text == (
        "barrier 0/gate is declared for 2 parties, but only 1 actor waits on it: control (line 40). "
        "Nobody ever gets past it"
    )
    assert advice == "let the other one wait on it, too, or declare it for 1 (lambda workers: workers)"


def test_the_child_under_a_cursor_has_its_name() -> None:
    steps = [
        {"actor": "0", "op": "next", "changes": ["cursor at 0.1"]},
        {"actor": "0", "op": "notify 0/at/wake", "changes": []},
        {"actor": "0.1", "op": "sleep 0.1/wake", "changes": ["waits"]},
    ]
    assert [step["op"] for step in resolved(steps)] == ["next", "notify 0.1/wake", "sleep 0.1/wake"]


def test_a_value_that_nobody_makes(tmp_path: Path) -> None:
    source = shipped()["node_zero"].read_text(encoding="utf-8")
    changed = source.replace("yield compute(weights, into=me.segment)", "yield team.order.read()")
    assert changed != source
    path = tmp_path / "idle.py"
    path.write_text(changed, encoding="utf-8")
    found = causes(check(str(path), workers=2).data, 1)
    assert any("here nobody does" in cause.advice for cause in found)


@pytest.mark.parametrize(
    ("leaf", "control", "advice"),
    [
        ("value.write(1)", "value.write(2)", "let both cross a barrier between lines 40 and 20"),
        (
            "a.acquire() value.write(1) a.release()",
            "b.acquire() value.write(2) b.release()",
            "hold the same mutex around lines 41 and 21: 0/b and 0/a are two",
        ),
        ("a.acquire() value.write(1) a.release()", "value.write(2)", "hold 0/a around line 40 as well"),
    ],
)
def test_a_race_says_what_is_missing(checked: Found, leaf: str, control: str, advice: str) -> None:
    data = checked(take(*leaf.split()), take(*control.split()))
    text, found = first(data)
    assert "both touch value, and nothing orders them" in text
    assert words(advice) <= words(found)


def words(text: str) -> set[str]:
    """The two sides may come in either order."""
    return set(text.replace(",", "").replace(":", "").split())


def test_a_wrong_count_hides_what_follows_from_it() -> None:
    for name in ("count_too_small", "count_too_large"):
        found = causes(check(name, workers=2).data, 1)
        assert len(found) == 1
        assert "actors wait on it" in found[0].text
        assert "declare it for 3 (Barrier(), which counts a control and its workers)" in found[0].advice


@pytest.mark.parametrize("name", [name for name in sorted(shipped()) if load(name).broken])
def test_every_shipped_mistake_has_a_cause_with_its_line(name: str) -> None:
    data = check(name, workers=2).data
    found = causes(data, 1)
    assert found
    assert [cause.weight for cause in found] == sorted(cause.weight for cause in found)
    assert all(cause.path.endswith(f"{name}.py") and cause.line and cause.advice for cause in found)
    assert len({(cause.path, cause.line, cause.advice) for cause in found}) == len(found)


# ------------------------------------------------------------------------------------------------------ waits and locks
def example(stuck: list[tuple[str, str, str]], edges: list[tuple[str, str]], **more: Any) -> dict[str, Any]:
    return {
        "steps": [],
        "stuck": [
            {"actor": who, "waits_for": on, "needs": needs, "path": "x.py", "line": 9} for who, on, needs in stuck
        ],
        "waits": [{"from": who, "to": whom, "on": ""} for who, whom in edges],
        **more,
    }


def test_a_circle_is_told_from_one_to_the_next() -> None:
    found = example(
        [
            ("0.3", "0/batch", "3 parties, 2 have arrived (0.3, 0.4)"),
            ("0.5", "0/m", "0/m, held by 0.3"),
            ("0.4", "0/batch", "3 parties, 2 have arrived (0.3, 0.4)"),
        ],
        [("0.3", "0.5"), ("0.5", "0.3"), ("0.4", "0.5")],
    )
    labels = labels_of(found, 1)
    ring = circle(waits(found))
    assert {wait.actor for wait in ring} == {"0.3", "0.5"}
    told = {sentence(wait, labels) for wait in ring}
    assert told == {
        "worker 0.3 waits for barrier 0/batch (2 of 3 are there), which needs worker 0.5",
        "worker 0.5 waits for mutex 0/m, held by worker 0.3",
    }


def test_who_has_left_is_told_with_the_line() -> None:
    found = example(
        [("0", "0/batch", "3 parties, 1 have arrived (0)")],
        [("0", "0.0"), ("0", "0.1")],
        finished=[{"actor": "0.1", "path": "x.py", "line": 4}],
    )
    (wait,) = waits(found)
    assert circle([wait]) == []
    assert sentence(wait, labels_of(found, 1), left_at(found)) == (
        "control waits for barrier 0/batch (1 of 3 are there), which needs worker 0.0 and worker 0.1 "
        "(which has left, line 4)"
    )


def test_too_few_can_come() -> None:
    found = example([("0", "0/batch", "5 parties, 2 have arrived (0, 0.0)")], [("0", "0.1")])
    assert "which needs 3 more, and only worker 0.1 could come" in sentence(waits(found)[0], labels_of(found, 1))
    nobody = example([("0", "0/batch", "5 parties, 2 have arrived (0, 0.0)")], [])
    assert "nobody is left who could come" in sentence(waits(nobody)[0], labels_of(nobody, 1))


def test_words_of_another_kind_are_passed_on() -> None:
    found = example([("0", "thing", "something new")], [])
    assert sentence(waits(found)[0], labels_of(found, 1)) == "control waits for thing: something new"


def test_locks_in_hand() -> None:
    steps = [
        {"changes": ["m free → held by 0"], "path": "x.py", "line": 1},
        {"changes": ["n free → held by 0.1"], "path": "x.py", "line": 2},
        {"changes": ["waits", "m held by 0 → free"], "path": "x.py", "line": 3},
    ]
    assert {who: [lock.name for lock in locks] for who, locks in held_at_end({"steps": steps}).items()} == {
        "0.1": ["n"]
    }
    assert [(lock.name, lock.step, lock.line) for lock in held_at_end({"steps": steps}, 1)["0"]] == [("m", 1, 1)]
