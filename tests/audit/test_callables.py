"""Which functions a function pointer may mean, and who calls a function."""

import pytest

from cllm_sim.auditor.traverse import calls

from tests.audit.auditing import analysed
from tests.audit.showing import defined

BEFORE = """
typedef void (*Entry)(int);
static void one(int x) { }
static void two(int x) { }
static void three(int x) { }
struct Ops { Entry start, stop; };
static struct Ops ops = { .start = one, .stop = two };
static struct Ops listed = { one, three };
static Entry table[] = { one, two };
static Entry chosen = three;
static struct Ops *current = &ops;
#define PICK two
#define RUN(f) f(3)
#define LATER(f, x) do { f(x); } while (0)
"""

MEANT = {
    "ops.start(1);": ["one"],
    "ops.stop(1);": ["two", "three"],
    "current->start(1);": ["one"],
    "table[k](1);": ["one", "two"],
    "(*table[k])(1);": ["one", "two"],
    "chosen(1);": ["three"],
    "Entry e = one; if (k) e = two; e(1);": ["one", "two"],
    "Entry e = k ? one : three; e(1);": ["one", "three"],
    "Entry e = PICK; e(1);": ["two"],
    "((Entry)one)(1);": ["one"],
    "given(1);": ["two", "three"],
    "Entry e = unknown(); e(1);": [],
}


@pytest.mark.parametrize("body", MEANT)
def test_what_a_pointer_may_mean(body: str) -> None:
    text = f"{BEFORE}void f(int k, Entry given) {{ {body} }}\nvoid g(void) {{ f(1, two); f(2, &three); }}"
    analysis = analysed(text)
    function = defined(analysis, "f")
    last = list(calls(function.body))[-1]
    assert [one.name for one in analysis.callables.of(last.function, function)] == MEANT[body]


def test_callers_are_found_through_macros() -> None:
    analysis = analysed(f"{BEFORE}void f(void) {{ RUN(one); }}\nvoid g(void) {{ LATER(one, 4); one(5); }}")
    assert [caller.name for _, caller in analysis.callables.callers("one")] == ["f", "g", "g"]


def test_a_pointer_given_to_itself_comes_to_an_end() -> None:
    analysis = analysed(f"{BEFORE}static Entry a, b;\nvoid f(void) {{ a = b; b = a; a = one; a(1); }}")
    function = defined(analysis, "f")
    last = list(calls(function.body))[-1]
    assert [one.name for one in analysis.callables.of(last.function, function)] == ["one"]
