"""Texts become automata: every local situation once, nothing merged that differs; what is no text is told its line."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cllm_sim.architecture import Loaded
from cllm_sim.checker import run, unfold
from cllm_sim.checker.search import Limits, search
from cllm_sim.errors import BadArchitecture, NondeterministicText
from cllm_sim.library import load
from cllm_sim.results import RunResult

from tests.checker.searching import space_of

HEAD = '''"""One control, workers without work."""
import itertools, random, time
from cllm_sim import *

weights = Region("weights")
outside = Mutex("outside")
calls = itertools.count()

def happens_every(times):
    return next(calls) // times % 2 == 1

class Crew(Team[Seat]):
    batch = Barrier()
    word = Word()
    left = Semaphore(initial=1)
    right = Semaphore(initial=1)

def worker(me, team, work):
    yield from ()

def leaf(me, team, order):
    yield from ()

def root(me, work):
    yield from work(BATCH)

def control(me, team, order):
'''
FOOT = "\narchitecture = Architecture(root, worker, control, leaf, team=Crew, shared=(weights,))\n"
FIRST = HEAD.count("\n") + 1

Write = Callable[[str], Loaded]


@pytest.fixture
def text(tmp_path: Path) -> Write:
    """`text(body)`: an architecture whose control has this body (four spaces are put before every line)."""

    def make(body: str) -> Loaded:
        path = tmp_path / "mine.py"
        indented = "".join(f"    {line}\n" for line in body.splitlines())
        path.write_text(HEAD + indented + FOOT, encoding="utf-8")
        return load(str(path))

    return make


def refused(loaded: Loaded) -> tuple[int, str]:
    """The line within the body, and the message, with which a text is refused."""
    with pytest.raises(BadArchitecture) as raised:
        run(loaded, workers=2)
    path, line, message = str(raised.value).split(":", 2)
    assert path == loaded.path
    assert "\n" not in message
    return int(line) - FIRST, message.strip()


def checked(loaded: Loaded) -> RunResult:
    return run(loaded, workers=2, max_states=2000)


@pytest.mark.parametrize(
    ("name", "workers", "situations", "runs"), [("node_zero", 12, [14, 10], 72), ("model_lock", 2, [48, 30], 208)]
)
def test_sizes(name: str, workers: int, situations: list[int], runs: int) -> None:
    """The control of the model lock does not grow with the number of its workers: the cursor is no local value."""
    space = space_of(name, workers, monitor=False)
    search(space, True, Limits())
    assert [len(automaton.op) for automaton in space.automata] == situations
    assert sum(automaton.runs for automaton in space.automata) == runs


def test_the_cursor_keeps_the_controls_automaton_small() -> None:
    space = space_of("model_lock", 4, monitor=False)
    search(space, True, Limits(states=3000))
    assert len(space.automata[0].op) <= 48


# --- nothing is merged that differs -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("body", "states"),
    [
        ("for _ in range(3):\n    yield team.word.load()", 4),
        ("left = 3\nwhile left:\n    left -= 1\n    yield team.word.load()", 4),
        ("for seat in team.seats:\n    yield team.word.load()", 3),
        ("x = (1, ('a', None, True))\nyield team.word.load()\nx = (2, x)\nyield team.word.load()", 3),
        ("x = 1\nyield team.word.load()\nx = True\nyield team.word.load()", 3),
        ("def helper(n):\n    return n + 1\nx = helper(1)\nyield team.word.store(x)", 2),
        ("def count(n):\n    return n and count(n - 1)\nyield team.word.store(count(3))", 2),
        ("if (yield choose(1, 2)) == 1:\n    yield team.word.store(1)\nelse:\n    yield team.word.store(2)", 5),
    ],
)
def test_situations(text: Write, body: str, states: int) -> None:
    result = run(text(body), workers=2, reductions="none")
    assert result.holds
    assert result.states == states  # the workers have finished before they begin


@pytest.mark.parametrize(
    ("first", "second", "act"),
    [
        ("team.left.down", "team.right.down", "act()"),
        ("team.left", "team.right", "act.down()"),
        ("of(team.left)", "of(team.right)", "act()"),
    ],
    ids=["bound methods", "handles", "functions that carry a value"],
)
def test_situations_that_differ_in_what_they_hold(text: Write, first: str, second: str, act: str) -> None:
    body = (
        "def of(which):\n    return lambda: which.down()\n"
        f"act = {first}\nif (yield choose(1, 2)) == 2:\n    act = {second}\nyield team.word.add(0)\nyield {act}"
    )
    result = run(text(body), workers=2, reductions="none")
    assert result.states == 7  # choose, and three more on either way: neither is lost in the other
    assert result.holds


def test_two_ends_keep_their_lines(text: Write) -> None:
    """Who left where is told by the line of this end, not of another one that was met earlier."""
    body = (
        "if (yield choose(1, 2)) == 1:\n    yield team.batch.wait()\n    return\n"
        + "yield team.word.load()\n" * 6
        + "if (yield team.word.load()) == 0:\n    return"
    )
    path = Path(text(body).path)
    idle, waiting = (f"def worker(me, team, work):\n    yield {what}" for what in ("from ()", "team.batch.wait()"))
    path.write_text(path.read_text(encoding="utf-8").replace(idle, waiting), encoding="utf-8")
    (row,) = run(load(str(path)), workers=2, reductions="none").broken
    left = {place["note"]: place["line"] - FIRST for place in row["places"] if "left here" in place["note"]}
    assert left == {"0 left here": 10}


# --- unreached lines --------------------------------------------------------------------------------------------------
def test_lines_that_nothing_reaches_are_told(text: Write) -> None:
    loaded = text(
        "if (yield team.word.load()) == 7:\n    yield team.word.store(1)\nelse:\n    pass\nyield team.word.load()"
    )
    result = checked(loaded)
    assert [(row["line"] - FIRST, row["text"]) for row in result.unreached if row["line"] >= FIRST] == [
        (1, "yield team.word.store(1)")
    ]
    assert all(row["path"] == loaded.path for row in result.unreached)


# --- what is no text --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("body", "line", "message"),
    [
        ("yield team.word.load()\nyield 'wait'", 1, "yielded 'wait' (str); expected an operation"),
        ("yield None", 0, "yielded None (NoneType); expected an operation"),
        ("yield team.batch.wait", 0, "(a method without its parentheses?)"),
        ("yield from [1]", 0, "yielded 1 (int)"),
        ("x = [1]\nyield team.word.load()", 1, "local variable 'x' is a list"),
        ("x = {1}\nyield team.word.load()", 1, "local variable 'x' is a set"),
        ("x = (1, [2])\nyield team.word.load()", 1, "local variable 'x' is a list"),
        ("x = iter(())\nyield team.word.load()", 1, "local variable 'x' is a tuple_iterator"),
        ("yield team.word.load()\n1 // 0", 1, "ZeroDivisionError"),
        ("yield team.nothing.load()", 0, "AttributeError"),
        ("yield team.word.store('x')", 0, "carries 'x'; operations carry integers only"),
        ("yield outside.acquire()", 0, "actor 0 names 'outside', which it cannot reach"),
        ("yield team.each.segment", 0, "yielded <region down.each.segment>"),
        ("yield choose()", 0, "ValueError: choose() needs at least one option"),
        ("while True:\n    pass\nyield team.word.load()", 1, "runs on and on and yields no operation"),
        ("yield from control(me, team, order)", 0, "calls itself without end"),
        ("yield team.word.load()\nyield from control(me, team, order)", 1, "calls itself without end"),
        ("yield compute(weights, into=team.seats[7].segment)", 0, "IndexError"),
    ],
)
def test_a_text_is_told_at_its_own_line(
    text: Write, monkeypatch: pytest.MonkeyPatch, body: str, line: int, message: str
) -> None:
    monkeypatch.setattr(unfold, "SILENT_LINES_MAX", 10_000)
    found, told = refused(text(body))
    assert message in told
    assert found == line


@pytest.mark.parametrize(
    "body",
    [
        "yield team.word.store(random.getrandbits(30))",
        "x = random.getrandbits(30)\nyield team.word.load()\nyield team.word.store(0 * x)",
        "yield team.word.load()\nyield team.word.store(next(calls))",
        "yield team.word.load()\nif happens_every(1):\n    yield team.word.load()\nyield team.word.store(1)",
        "yield team.word.load()\nyield team.word.store(time.perf_counter_ns())",
        "if happens_every(1):\n    return\nyield team.word.load()",
    ],
)
def test_a_text_that_is_not_deterministic_is_refused(text: Write, body: str) -> None:
    loaded = text(body)
    with pytest.raises(NondeterministicText, match=r"mine\.py:\d+: run .* with the same replies") as raised:
        run(loaded, workers=2)
    assert int(str(raised.value).split(":")[1]) >= FIRST


@pytest.mark.parametrize("times", [2, 3, 4, 6])
def test_what_changes_now_and_then_is_found_out_on_the_way_to_a_later_situation(text: Write, times: int) -> None:
    """Two runs one after the other agree here; those that come later do not."""
    steps = "yield team.word.load()\n" * 6
    loaded = text(f"if happens_every({times}):\n    yield team.word.store(1)\n{steps}")
    with pytest.raises(NondeterministicText):
        run(loaded, workers=2)
