"""Macros in expressions, rewritten until only the program's own words are left."""

import pytest

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.facts import Assign, Call, Do, Expr, Name
from cllm_sim.auditor.outline.expand import Expander
from cllm_sim.auditor.traverse import within

from tests.audit.auditing import analysed
from tests.audit.showing import defined

BEFORE = """
#define WORKERS 12
#define PARTIES (WORKERS + 1)
#define CURRENT pool.a
#define AT(i) table[(i)]
#define OUTER(i) AT((i) + OFFSET)
#define OFFSET start
#define LOOP_A LOOP_B
#define LOOP_B LOOP_A
#define CALL_IT(f) f(CURRENT)
struct Pool { int a; } pool;
int table[4], start, local_name;
int other(int x);
"""

REWRITTEN = {
    "CURRENT": "pool.a",
    "CURRENT + 1": "pool.a + 1",
    "AT(2)": "table[2]",
    "AT(AT(1))": "table[table[1]]",
    "OUTER(k)": "table[k + start]",
    "other(CURRENT)": "other(pool.a)",
    "CALL_IT(other)": "other(pool.a)",
    "WORKERS": "WORKERS",
    "k < PARTIES": "k < PARTIES",
    "LOOP_A": "LOOP_A",
    "k ? CURRENT : AT(0)": "k ? pool.a : table[0]",
    "&AT(3)": "&table[3]",
    "other(3) + k": "other(3) + k",
}


def assigned(analysis: Analysis) -> Expr:
    """What the first statement of f assigns."""
    first = defined(analysis, "f").body[0]
    assert isinstance(first, Do)
    assert isinstance(first.expression, Assign)
    return first.expression.value


@pytest.mark.parametrize("text", REWRITTEN)
def test_rewritten(text: str) -> None:
    analysis = analysed(f"{BEFORE}void f(int k) {{ k = {text}; }}")
    function, value = defined(analysis, "f"), assigned(analysis)
    rewritten = Expander(analysis.program, function).rewrite(value)
    assert analysis.program.text(rewritten) == REWRITTEN[text]


def test_a_local_hides_a_macro() -> None:
    analysis = analysed(f"{BEFORE}void f(int CURRENT) {{ CURRENT = CURRENT + 1; }}")
    function, value = defined(analysis, "f"), assigned(analysis)
    assert Expander(analysis.program, function).rewrite(value) is value


def test_everything_rewritten_stands_where_the_macro_was_used() -> None:
    analysis = analysed(f"{BEFORE}void f(int k) {{\n\n    k = OUTER(k) + CALL_IT(other);\n}}")
    function, value = defined(analysis, "f"), assigned(analysis)
    lines = {one.line for one in within(Expander(analysis.program, function).rewrite(value))}
    assert lines == {value.line}


def test_calls_in_macros_are_found() -> None:
    analysis = analysed(f"{BEFORE}void f(int k) {{ k = CALL_IT(other); }}")
    function, value = defined(analysis, "f"), assigned(analysis)
    calls = [one for one in within(Expander(analysis.program, function).rewrite(value)) if isinstance(one, Call)]
    assert [one.function.name for one in calls if isinstance(one.function, Name)] == ["other"]
