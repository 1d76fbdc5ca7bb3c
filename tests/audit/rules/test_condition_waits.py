"""CW002, CW003: how a condition is waited on."""

import pytest

from tests.audit.auditing import found
from tests.audit.rules.lock_programs import OPEN, codes, line_of, program

ENTER, LEAVE = "pthread_mutex_lock(&m);", "y++; pthread_mutex_unlock(&m);"
SLEEP = "pthread_cond_wait(&c, &m);"
MACRO = "#define WAIT_UNTIL(test) do { while (!(test)) pthread_cond_wait(&c, &m); } while (0)\n"

AGAIN = {
    "while": ("", f"{ENTER} while (!x) {SLEEP} {LEAVE}"),
    "do": ("", f"{ENTER} if (!x) do {{ {SLEEP} }} while (!x); {LEAVE}"),
    "break": ("", f"{ENTER} for (;;) {{ if (x) break; {SLEEP} }} {LEAVE}"),
    "wrapper": (f"static void nap(void) {{ {SLEEP} }}", f"{ENTER} while (!x) nap(); {LEAVE}"),
    "macro": (MACRO, f"{ENTER} WAIT_UNTIL(x > 0); {LEAVE}"),
    "function": ("static int empty(void) { return x == 0; }", f"{ENTER} while (empty()) {SLEEP} {LEAVE}"),
    "generation": ("static int round_, here;", f"{ENTER} int mine = round_; if (++here == 3) {{ round_++; "
                   f"pthread_cond_broadcast(&c); }} else while (mine == round_) {SLEEP} {LEAVE}"),
    "counted waiters": ("static int asleep;", f"{ENTER} while (!x) {{ asleep++; {SLEEP} asleep--; }} {LEAVE}"),
    "kept lock": ("", f"{ENTER} while (y < 9) {{ if (x) {{ y++; continue; }} {SLEEP} }} pthread_mutex_unlock(&m);"),
}  # fmt: skip

ONCE = {
    "if": f"{ENTER} if (!x) {SLEEP} {LEAVE}",
    "bare": f"{ENTER} {SLEEP} {LEAVE}",
    "counted": f"{ENTER} for (int i = 0; i < 2; i++) {SLEEP} {LEAVE}",
    "kept lock": f"{ENTER} for (;;) {{ if (!x) {SLEEP} if (!x) break; x--; }} {LEAVE}",
    "outer loop": f"for (int i = 0; i < 5; i++) {{ {ENTER} if (!x) {SLEEP} {LEAVE} }}",
}


@pytest.mark.parametrize("name", AGAIN)
def test_a_predicate_that_is_tested_again(name: str) -> None:
    declarations, worker = AGAIN[name]
    assert codes(program(worker, declarations=declarations, between=OPEN)) == []


@pytest.mark.parametrize("name", ONCE)
def test_a_predicate_that_is_not(name: str) -> None:
    text = program(ONCE[name], between=OPEN)
    assert codes(text) == ["CW002"]
    (finding,) = found(text, "CW002")
    assert finding.site.line == line_of(text, "pthread_cond_wait")


def test_a_pause_with_a_time_limit_is_none() -> None:
    declarations = "struct timespec *soon(void);"
    worker = f"{ENTER} pthread_cond_timedwait(&c, &m, soon()); {LEAVE}"
    assert codes(program(worker, declarations=declarations, between=OPEN)) == []


def test_a_guarded_wait_with_a_time_limit_is_judged() -> None:
    declarations = "struct timespec *soon(void);"
    worker = f"{ENTER} if (!x) pthread_cond_timedwait(&c, &m, soon()); {LEAVE}"
    assert codes(program(worker, declarations=declarations, between=OPEN)) == ["CW002"]


@pytest.mark.parametrize(
    ("worker", "confidence"),
    [
        ("while (!x) pthread_cond_wait(&c, &m); pthread_mutex_lock(&m); y++; pthread_mutex_unlock(&m);", "high"),
        ("pthread_mutex_lock(&m); while (!x) pthread_cond_wait(&c, &k); pthread_mutex_unlock(&m);", "high"),
        ("if (argument) pthread_mutex_lock(&m); while (!x) pthread_cond_wait(&c, &m); pthread_mutex_unlock(&m);",
         "medium"),
    ],
    ids=["none", "another", "sometimes"],
)  # fmt: skip
def test_a_mutex_that_is_not_held(worker: str, confidence: str) -> None:
    (finding,) = found(program(worker, between=OPEN), "CW003")
    assert finding.confidence.value == confidence


def test_the_mutex_held_instead_is_shown() -> None:
    worker = "pthread_mutex_lock(&m); while (!x) pthread_cond_wait(&c, &k); pthread_mutex_unlock(&m);"
    (finding,) = found(program(worker, between=OPEN), "CW003")
    assert "with mutex k" in finding.message
    assert [note.text for note in finding.notes] == ["m is held instead"]
