"""The static rules of a text: each habit that would hide state is refused at its line; what is plain is let through."""

import pytest

from cllm_sim.errors import BadArchitecture
from cllm_sim.grammar import check_source, text_lines
from cllm_sim.library import shipped

FIRST = "this yield is not the first thing its statement evaluates"
LOOP = "a text may loop over range(...) or team.seats only"
MADE = "this operation is made but not yielded"
OUTLIVES = "a text keeps plain local values only"


def source_of(body: str) -> str:
    lines = ["def control(me, team, order):", *(f"    {line}" for line in body.splitlines())]
    return "\n".join([*lines, "    yield team.batch.wait()", ""])


REFUSED = [
    ("x = (yield a) + (yield b)", 2, FIRST),
    ("x = 1 + (yield a)", 2, FIRST),
    ("x = f((yield a))", 2, FIRST),
    ("x = [(yield a)]", 2, FIRST),
    ("x = (yield a), (yield b)", 2, FIRST),
    ("x = team.word.add((yield a))", 2, FIRST),
    ("x += yield a", 2, FIRST),
    ("if 1 < (yield a):\n    pass", 2, FIRST),
    ("if (yield a) == (yield b):\n    pass", 2, FIRST),
    ("while x + (yield a):\n    pass", 2, FIRST),
    ("x = (yield a) if order else (yield b)", 2, FIRST),
    ("x = f'{(yield a)}'", 2, FIRST),
    ("assert (yield a)", 2, FIRST),
    ("match order:\n    case 1 if (yield a):\n        pass", 3, FIRST),
    ("for i in range((yield a)):\n    yield b", 2, FIRST),
    ("yield (yield a)", 2, FIRST),
    ("for seat in seats:\n    yield a", 2, LOOP),
    ("for x in (1, 2):\n    yield a", 2, LOOP),
    ("for i, seat in enumerate(team.seats):\n    yield a", 2, LOOP),
    ("for x in order.items():\n    yield a", 2, LOOP),
    ("for i in range(3):\n    i = 0\n    yield a", 2, "the loop variable 'i' is assigned inside its loop"),
    ("for i in range(3):\n    i += 1\n    yield a", 2, "the loop variable 'i'"),
    ("for _ in range(3):\n    for _ in range(2):\n        yield a", 2, "the loop variable '_'"),
    ("for i in range(3):\n    if (i := 2):\n        yield a", 2, "the loop variable 'i'"),
    ("for i in range(3):\n    del i\n    yield a", 2, "the loop variable 'i'"),
    ("for i in range(3):\n    match order:\n        case i:\n            yield a", 2, "the loop variable 'i'"),
    ("for team.x in range(3):\n    yield a", 2, "a loop in a text needs one plain variable"),
    ("team.batch.wait()", 2, MADE),
    ("me.lock.acquire()", 2, MADE),
    ("model.acquire()", 2, MADE),
    ("seat = team.seats[0]\nseat.lock.acquire()", 3, MADE),
    ("team.seats[0].lock.release()", 2, MADE),
    ("compute(weights, into=me.segment)", 2, MADE),
    ("choose(1, 2)", 2, MADE),
    ("join('0')", 2, MADE),
    ("team.next()", 2, MADE),
    ("control(me, team, order)", 2, "'control(...)' alone does nothing; write 'yield from' before it"),
    ("team(order)", 2, "'team(...)' alone does nothing; write 'yield from' before it"),
    ("try:\n    yield a\nfinally:\n    pass", 2, "a text may not use try"),
    ("try:\n    yield a\nexcept* ValueError:\n    pass", 2, "a text may not use trystar"),
    ("with team.lock:\n    yield a", 2, "a text may not use with"),
    ("global count\ncount = 1", 2, "a text may not use global"),
    ("me.count = 1", 2, OUTLIVES),
    ("me.count += 1", 2, OUTLIVES),
    ("x = me.count = 1", 2, OUTLIVES),
    ("me.counts[0] = 1", 2, OUTLIVES),
    ("del me.count", 2, OUTLIVES),
    ("x = lambda: (yield a)", 2, "a lambda may not yield"),
    ("yield a\nyield b\nx = 1 + (yield c)\nteam.batch.wait()", 4, FIRST),
]


@pytest.mark.parametrize(("body", "line", "message"), REFUSED)
def test_refused(body: str, line: int, message: str) -> None:
    with pytest.raises(BadArchitecture) as raised:
        check_source("mine.py", source_of(body))
    assert str(raised.value).startswith(f"mine.py:{line}: {message}")
    assert "\n" not in str(raised.value)


ALLOWED = [
    "yield a",
    "x = yield a",
    "x: int = yield a",
    "x = y = yield a",
    "x = yield from a",
    "return (yield a)",
    "if (yield a):\n    pass",
    "if not (yield a):\n    pass",
    "if (yield a) == 1:\n    pass",
    "if 0 < order < 3:\n    yield a",
    "if (yield a) and (yield b):\n    pass",
    "if order == 1 or (yield b) > 2 or (yield c):\n    pass",
    "x = order and (yield a)",
    "while (x := (yield a)) < 3:\n    pass",
    "while not (x := (yield a)):\n    yield b",
    "match (yield a):\n    case 1:\n        yield b\n    case _:\n        pass",
    "for i in range(3):\n    yield a",
    "for i in range(3):\n    for j in range(i):\n        yield a",
    "for seat in team.seats:\n    yield seat.lock.acquire()",
    "for seat in team.seats[:-1]:\n    yield a",
    "for i in range(2):\n    yield a\nfor i in range(2):\n    yield a",
    "x = (1, 2)\ny = x[0]",
    "def helper(n):\n    values = [n]\n    values[0] += 1\n    return values[0]\nx = helper(1)",
    "print(order)",
    "order_of = print\norder_of(order)",
    "order.bit_length()",
]


@pytest.mark.parametrize("body", ALLOWED)
def test_allowed(body: str) -> None:
    check_source("mine.py", source_of(body))


def test_functions_that_do_not_yield_are_ordinary_python() -> None:
    check_source(
        "mine.py", "def share(index, workers, total):\n    for x in [1]:\n        index.x = x\n    return range(1)\n"
    )
    check_source("mine.py", "counts = {}\ncounts[1] = 2\nwith open('x') as f:\n    f.write('y')\n")


def test_a_leaf_that_forgot_its_yield_is_told_so_although_it_is_no_generator() -> None:
    with pytest.raises(BadArchitecture, match=f"mine.py:2: {MADE}"):
        check_source("mine.py", "def leaf(me, team, order):\n    compute(weights, into=me.segment)\n")


def test_a_text_inside_a_text_is_checked_too() -> None:
    with pytest.raises(BadArchitecture, match=f"mine.py:4: {FIRST}"):
        check_source("mine.py", source_of("def inner():\n    yield b\n    x = 1 + (yield a)"))


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("x = (\n", "mine.py:1: not valid Python: '(' was never closed"),
        ("x = 1\n  y = 2\n", "mine.py:2: not valid Python: unexpected indent"),
        ("x = 1\0\n", "mine.py:1: not valid Python: "),
    ],
)
def test_what_is_no_python_is_told_with_its_line(source: str, message: str) -> None:
    with pytest.raises(BadArchitecture) as raised:
        check_source("mine.py", source)
    assert str(raised.value).startswith(message)


def test_the_shipped_files_keep_the_rules() -> None:
    for path in shipped().values():
        check_source(str(path), path.read_text(encoding="utf-8"))


def test_text_lines_are_the_statements_of_texts() -> None:
    source = source_of(
        '"""What it does."""\nif order:\n    yield a\nelif team:\n    pass\nelse:\n    x = (\n        yield b\n    )\n'
        "match x:\n    case 1:\n        yield c"
    )
    source += "\n\ndef share(index):\n    return index\n"
    assert text_lines(source) == {3, 4, 5, 8, 11, 13, 14}
