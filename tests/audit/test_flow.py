"""Flows: calls inlined, C's control flow as a graph, edges that only a failure takes."""

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.flow import Flow, Inliner, Step
from cllm_sim.auditor.vocabulary import Act

from tests.audit.auditing import analysed
from tests.audit.showing import role, shown

BEFORE = """
#include <pthread.h>
#include <stdlib.h>
struct Pool { int a, b, c; pthread_mutex_t m, n; pthread_barrier_t bar; pthread_cond_t cond; } p;
static void *run(void *v);
"""


def flow_of(text: str, name: str = "main") -> Flow:
    analysis = analysed(BEFORE + text)
    return analysis.flow(role(analysis, name))


def step_of(flow: Flow, text: str) -> Step:
    """The step with this event; there is exactly one."""
    found = [step for step in flow.events() if shown(step) == text]
    assert len(found) == 1, [shown(step) for step in flow.events()]
    return found[0]


def after(flow: Flow, text: str, *, failures: bool = False) -> set[str]:
    """The events that may come after this one."""
    reached = flow.reachable(step_of(flow, text).index, failures=failures)
    return {shown(flow.steps[index]) for index in reached if flow.steps[index].event is not None}


def test_goto_skips_and_goes_back() -> None:
    flow = flow_of("int main(int k, char **v) { p.a = 1; if (k) goto out; p.b = 1; out: p.c = 1; return 0; }")
    assert after(flow, "write Pool.a") == {"write Pool.b", "write Pool.c"}
    assert after(flow, "write Pool.b") == {"write Pool.c"}
    flow = flow_of("int main(int k, char **v) { again: p.a = 1; if (k) goto again; p.b = 1; }")
    assert after(flow, "write Pool.a") == {"write Pool.a", "write Pool.b"}


def test_a_switch_falls_through_and_breaks() -> None:
    flow = flow_of(
        "int main(int k, char **v) {"
        " switch (k) { case 1: p.a = 1; case 2: p.b = 2; break; case 3: return 1; } p.c = 3; }"
    )
    assert after(flow, "write Pool.a") == {"write Pool.b", "write Pool.c"}
    assert after(flow, "write Pool.b") == {"write Pool.c"}
    assert [edge.kind for edge in flow.next[next(s.index for s in flow.steps if s.what == "switch")]] == ["case"] * 4


def test_breaks_and_continues_belong_to_their_loop() -> None:
    flow = flow_of(
        "int main(int k, char **v) { for (int i = 0; i < k; i++) { p.a = 1; while (k) { if (k == 2) break; p.b = 1; }"
        " if (k == 3) continue; if (k == 4) break; p.c = 1; } p.m; pthread_mutex_lock(&p.n); }"
    )
    assert after(flow, "write Pool.b") >= {"write Pool.b", "write Pool.c", "write Pool.a", "lock Pool.n"}
    loops = [step for step in flow.steps if step.what == "loop"]
    assert step_of(flow, "write Pool.b").loops == (loops[0].index, loops[1].index)
    assert step_of(flow, "lock Pool.n").loops == ()


def test_an_endless_loop_ends_only_by_break() -> None:
    flow = flow_of("int main(void) { while (1) { p.a = 1; } p.b = 1; }")
    assert "write Pool.b" not in {shown(flow.steps[index]) for index in flow.alive() if flow.steps[index].event}
    assert flow.end not in flow.alive()
    flow = flow_of("int main(int k, char **v) { for (;;) { p.a = 1; if (k) break; } p.b = 1; }")
    assert after(flow, "write Pool.a") == {"write Pool.a", "write Pool.b"}


def test_every_way_back_to_a_loops_start_is_told() -> None:
    for body in (
        "for (;;) { p.a = 1; if (k) break; }",
        "while (p.b) { p.a = 1; if (k) p.c = 1; }",
        "do { p.a = 1; if (k) continue; p.c = 1; } while (p.b);",
        "for (int i = 0; i < k; i++) { if (k == 2) continue; p.a = 1; }",
        "for (;;) { switch (k) { case 1: p.a = 1; break; case 2: return 0; } }",
    ):
        flow = flow_of(f"int main(int k, char **v) {{ {body} return 0; }}")
        loop = next(step.index for step in flow.steps if step.what == "loop")
        inside = [edge.kind for edge in flow.before[loop] if edge.to > loop]
        assert inside
        assert set(inside) == {"again"}, body


def test_a_body_once_is_no_loop() -> None:
    flow = flow_of("int main(int k, char **v) { do { p.a = 1; if (k) break; p.b = 1; } while (0); p.c = 1; }")
    assert after(flow, "write Pool.a") == {"write Pool.b", "write Pool.c"}


def test_failures_are_edges_of_their_own() -> None:
    flow = flow_of(
        "static void *run(void *v) { return v; }\n"
        "int main(void) { pthread_t t; if (pthread_create(&t, 0, run, 0) != 0) { p.b = 9; return 1; }"
        " p.a = 2; pthread_join(t, 0); }"
    )
    assert after(flow, "create main.t") == {"write Pool.a", "join main.t"}
    assert after(flow, "create main.t", failures=True) == {"write Pool.a", "join main.t", "write Pool.b"}


def test_calls_are_inlined_with_what_was_passed() -> None:
    flow = flow_of(
        "static void take(pthread_mutex_t *m) { pthread_mutex_lock(m); }\n"
        "static void through(pthread_mutex_t *given) { take(given); }\n"
        "static void sleep_on(pthread_cond_t *c, pthread_mutex_t *m) { pthread_cond_wait(c, m); }\n"
        "int main(void) { take(&p.m); through(&p.n); sleep_on(&p.cond, &p.m); }"
    )
    locks = list(flow.events(Act.LOCK))
    assert [shown(step) for step in locks] == ["lock Pool.m", "lock Pool.n"]
    assert {step.function.name for step in locks} == {"take"}
    assert [len(step.how) for step in locks] == [1, 2]
    sleep = next(iter(flow.events(Act.SLEEP)))
    assert sleep.partner is not None
    assert (sleep.target.label if sleep.target else "", sleep.partner.label) == ("Pool.cond", "Pool.m")


def test_what_a_function_returns_early_goes_on_behind_the_call() -> None:
    flow = flow_of(
        "static int f(int k) { if (k) return 1; p.a = 1; return 0; }\nint main(int k, char **v) { f(k); p.b = 1; }"
    )
    first = step_of(flow, "call f")
    assert {shown(flow.steps[index]) for index in flow.reachable(first.index) if flow.steps[index].event} == {
        "write Pool.a",
        "write Pool.b",
    }
    assert flow.reachable(first.index, lambda step: step.event is not None and shown(step) == "write Pool.a") >= {
        step_of(flow, "write Pool.b").index
    }


def test_recursion_is_cut_and_listed() -> None:
    flow = flow_of("static void r(int n) { p.a = n; if (p.c) r(n - 1); }\nint main(void) { r(3); p.b = 1; }")
    assert [one.split(" ")[0] for one in flow.cut] == ["r"]
    assert not flow.truncated
    assert after(flow, "write Pool.a") >= {"write Pool.b"}


def test_the_end_of_the_process_and_of_a_thread() -> None:
    flow = flow_of("static void die(void) { p.a = 1; exit(1); }\nint main(int k, char **v) { if (k) die(); p.b = 1; }")
    assert after(flow, "write Pool.a") == {"end of process ?"}
    assert flow.end not in flow.reachable(step_of(flow, "write Pool.a").index)
    flow = flow_of(
        "static void *run(void *v) { p.a = 1; pthread_exit(0); p.b = 2; return 0; }\n"
        "int main(void) { pthread_t t; pthread_create(&t, 0, run, 0); }",
        "run",
    )
    assert after(flow, "write Pool.a") == {"end of thread ?"}
    assert flow.end in flow.reachable(step_of(flow, "write Pool.a").index)


def test_several_callees_are_alternatives() -> None:
    flow = flow_of(
        "static void f(void) { p.a = 1; }\nstatic void g(void) { p.b = 1; }\n"
        "static void (*const table[])(void) = {f, g};\nint main(int k, char **v) { table[k](); p.c = 1; }"
    )
    assert after(flow, "write Pool.a") == {"write Pool.c"}
    assert after(flow, "write Pool.b") == {"write Pool.c"}


def test_both_branches_of_conditional_compilation_are_followed() -> None:
    flow = flow_of("int main(void) {\n#ifdef FAST\np.a = 1;\n#else\np.b = 1;\n#endif\np.c = 1; }")
    assert after(flow, "write Pool.a") == {"write Pool.c"}
    assert after(flow, "write Pool.b") == {"write Pool.c"}


def test_a_library_enters_any_of_its_functions() -> None:
    flow = flow_of("void one(void) { p.a = 1; }\nvoid two(void) { p.b = 1; }", "caller")
    assert after(flow, "write Pool.a") == set()
    assert {shown(step) for step in flow.events()} == {"write Pool.a", "write Pool.b"}


def _many_calls(analysis: Analysis) -> Flow:
    everything = frozenset(function.key for function in analysis.program.functions)
    return Inliner(analysis.outliner, everything).flow(role(analysis, "main"))


def test_a_quiet_function_is_entered_so_often_and_a_lock_always() -> None:
    calls = "note(); pthread_mutex_lock(&p.m); leave(); " * 100
    analysis = analysed(
        BEFORE + "static void note(void) { p.a++; }\nstatic void leave(void) { pthread_mutex_unlock(&p.m); }\n"
        f"int main(void) {{ {calls} }}"
    )
    flow = _many_calls(analysis)
    assert len([step for step in flow.events(Act.WRITE) if shown(step) == "write Pool.a"]) == 80
    assert len(list(flow.events(Act.UNLOCK))) == 100
    assert {one.split(" ")[0] for one in flow.cut} == {"note"}
    assert not flow.truncated
    whole = analysis.flow(role(analysis, "main"))
    assert len([step for step in whole.events(Act.WRITE) if shown(step) == "write Pool.a"]) == 100


def test_a_limit_of_steps_ends_the_flow_and_says_so() -> None:
    text = "static void f0(void) { p.a++; }\n"
    for number in range(1, 16):
        text += f"static void f{number}(void) {{ f{number - 1}(); f{number - 1}(); }}\n"
    analysis = analysed(BEFORE + text + "int main(void) { f15(); }")
    flow = Inliner(analysis.outliner, steps_max=500).flow(role(analysis, "main"))
    assert flow.truncated
    assert flow.cut
    assert len(flow.steps) < 2000


def test_recursion_hides_no_synchronisation() -> None:
    """f and g call each other; what g does counts for f, whichever is asked first."""
    flow = flow_of(
        "static void g(int n);\nstatic void f(int n) { if (p.a) g(n); }\n"
        "static void g(int n) { if (p.b) f(n); pthread_mutex_lock(&p.m); }\n"
        "int main(void) { g(1); f(1); }"
    )
    assert len(list(flow.events(Act.LOCK))) == 2
