"""CW006: changes without the mutex, and single signals among several predicates."""

import pytest

from tests.audit.auditing import found
from tests.audit.rules.lock_programs import codes, line_of, program, two_roles

GO = "static atomic_int go;"
WAIT = "pthread_mutex_lock(&m); while (!atomic_load(&go)) pthread_cond_wait(&c, &m); y++; pthread_mutex_unlock(&m);"


@pytest.mark.parametrize(
    ("between", "expected"),
    [
        ("atomic_store(&go, 1); pthread_cond_broadcast(&c);", ["CW006"]),
        ("pthread_mutex_lock(&m); atomic_store(&go, 1); pthread_mutex_unlock(&m); pthread_cond_broadcast(&c);", []),
        ("atomic_store(&go, 1); pthread_mutex_lock(&m); pthread_cond_broadcast(&c); pthread_mutex_unlock(&m);", []),
        ("atomic_store(&go, 1); pthread_mutex_lock(&m); pthread_mutex_unlock(&m); pthread_cond_broadcast(&c);", []),
    ],
    ids=["without", "change under it", "signal under it", "taken in between"],
)
def test_a_change_needs_the_mutex(between: str, expected: list[str]) -> None:
    assert codes(program(WAIT, declarations=GO, between=between)) == expected


def test_the_finding_shows_change_test_sleep_and_signal() -> None:
    text = program(WAIT, declarations=GO, between="atomic_store(&go, 1);\n    pthread_cond_broadcast(&c);")
    (finding,) = found(text, "CW006")
    assert finding.site.line == line_of(text, "atomic_store")
    lines = {note.site.line for note in finding.notes}
    assert lines == {line_of(text, "while (!atomic_load"), line_of(text, "pthread_cond_broadcast")}


def test_a_predicate_in_a_function_is_looked_into() -> None:
    declarations = GO + "static int closed(void) { return atomic_load(&go) == 0; }"
    worker = "pthread_mutex_lock(&m); while (closed()) pthread_cond_wait(&c, &m); y++; pthread_mutex_unlock(&m);"
    between = "atomic_store(&go, 1); pthread_cond_broadcast(&c);"
    assert codes(program(worker, declarations=declarations, between=between)) == ["CW006"]


def test_a_change_before_the_threads_loses_nothing() -> None:
    before = "atomic_store(&go, 1); pthread_cond_broadcast(&c);"
    assert codes(program(WAIT, declarations=GO, before=before)) == []


GIVE = "pthread_mutex_lock(&m); while (x) pthread_cond_wait(&c, &m); x = 1; {wake}(&c); pthread_mutex_unlock(&m);"
TAKE = "pthread_mutex_lock(&m); while (!x) pthread_cond_wait(&c, &m); x = 0; {wake}(&c); pthread_mutex_unlock(&m);"


@pytest.mark.parametrize(("wake", "expected"), [("pthread_cond_signal", ["CW006"]), ("pthread_cond_broadcast", [])])
def test_one_woken_where_threads_wait_for_different_things(wake: str, expected: list[str]) -> None:
    worker = f"if (argument) {{ {GIVE.format(wake=wake)} }} else {{ {TAKE.format(wake=wake)} }}"
    assert codes(program(worker, argument="i % 2 ? &x : NULL")) == expected


def test_one_giver_and_one_taker_need_no_broadcast() -> None:
    wake = "pthread_cond_signal"
    assert codes(two_roles(GIVE.format(wake=wake), TAKE.format(wake=wake))) == []


def test_one_predicate_needs_no_broadcast() -> None:
    give = "pthread_mutex_lock(&m); x++; pthread_cond_signal(&c); pthread_mutex_unlock(&m);"
    between = f"for (int i = 0; i < 3; i++) {{ {give} }}"
    worker = "pthread_mutex_lock(&m); while (x == 0) pthread_cond_wait(&c, &m); x--; pthread_mutex_unlock(&m);"
    assert codes(program(worker, between=between)) == []
