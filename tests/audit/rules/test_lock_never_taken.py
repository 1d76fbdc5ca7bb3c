"""CL001: locks nobody takes."""

import pytest

from tests.audit.auditing import found
from tests.audit.rules.lock_programs import BARE, line_of, program

USE = "pthread_mutex_lock(&m); x++; pthread_mutex_unlock(&m);"
DECLARED = "static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER; static int x;"


def labels(text: str) -> list[str]:
    return [finding.subject for finding in found(text, "CL001")]


def test_a_lock_that_is_only_made_and_destroyed() -> None:
    declarations = DECLARED + "\nstruct album { pthread_mutex_t guard; int pictures; };\nstatic struct album album;"
    text = program(
        USE, declarations=declarations, shared=BARE, before="pthread_mutex_init(&album.guard, NULL);",
        after="pthread_mutex_destroy(&album.guard);",
    )  # fmt: skip
    (finding,) = found(text, "CL001")
    assert finding.subject == "album.guard"
    assert finding.site.line == line_of(text, "struct album {")
    assert [note.text for note in finding.notes] == ["initialised here", "destroyed here"]


@pytest.mark.parametrize(
    ("declarations", "worker"),
    [
        (DECLARED, USE),
        (DECLARED, "if (pthread_mutex_trylock(&m) == 0) { x++; pthread_mutex_unlock(&m); }"),
        (DECLARED + "static void lock(pthread_mutex_t *l) { pthread_mutex_lock(l); }", "lock(&m); x++;"),
        (DECLARED + "struct g { pthread_mutex_t *l; }; static struct g g = { &m };", "pthread_mutex_lock(g.l); x++;"),
        (DECLARED + "void library_locks(pthread_mutex_t *);", "library_locks(&m); x++;"),
        ("#define LOCK(l) pthread_mutex_lock(&(l))\n" + DECLARED, "LOCK(m); x++;"),
    ],
    ids=["taken", "tried", "by a wrapper", "by a kept pointer", "by foreign code", "by a macro"],
)
def test_locks_that_are_taken_or_may_be(declarations: str, worker: str) -> None:
    assert labels(program(worker, declarations=declarations, shared=BARE)) == []


def test_a_lock_of_code_that_nothing_reaches_is_the_matter_of_that_code() -> None:
    declarations = DECLARED + "\nstatic pthread_mutex_t old = PTHREAD_MUTEX_INITIALIZER;"
    dead = "\nstatic void unused(void) { pthread_mutex_lock(&spare); }"
    text = program(USE, declarations=declarations + "static pthread_mutex_t spare;" + dead, shared=BARE)
    assert labels(text) == ["old"]
