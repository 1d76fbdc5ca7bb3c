"""CL004: paths that leave with a lock held, and the many that look as if they did."""

import pytest

from tests.audit.auditing import found
from tests.audit.rules.lock_programs import BARE, codes, line_of, program

LOCK, UNLOCK = "pthread_mutex_lock(&m);", "pthread_mutex_unlock(&m);"

LEAKS = {
    "early return": (f"static int step(void) {{ {LOCK} if (x > 5) return -1; x++; {UNLOCK} return 0; }}",
                     "while (step() == 0) ;"),
    "failed allocation": (f"static int step(void) {{ char *p; {LOCK} p = malloc(9); if (!p) return -1; x++; free(p); "
                          f"{UNLOCK} return 0; }}", "while (step() == 0) ;"),
    "end of the thread": ("", f"for (;;) {{ {LOCK} if (x++ > 5) pthread_exit(NULL); {UNLOCK} }}"),
    "break out of the loop": ("", f"for (;;) {{ {LOCK} if (x++ > 5) break; {UNLOCK} }}"),
    "taken again": (f"static int get(void) {{ int r; {LOCK} r = x; {UNLOCK} return r; }}",
                    f"{LOCK} x = get(); {UNLOCK}"),
    "case of a switch": ("", f"for (;;) {{ {LOCK} switch (x) {{ case 0: x++; break; case 1: return NULL; }} "
                             f"{UNLOCK} }}"),
    "after a try": ("", f"while (chance(2)) {{ if (pthread_mutex_trylock(&m) != 0) continue; if (x++ > 5) return NULL; "
                        f"{UNLOCK} }}"),
    "never after a try": ("static int note(void) { if (pthread_mutex_trylock(&m) != 0) return -1; x++; return 0; }",
                          "for (int i = 0; i < 5; i++) if (note() < 0) y++;"),
    "never after a kept try": ("", "for (int i = 0; i < 5; i++) { int rc = pthread_mutex_trylock(&m); if (!rc) x++; }"),
    "never given back": ("", f"{LOCK} x++;"),
}  # fmt: skip

CLEAN = {
    "same condition twice": ("static int shared;", f"if (shared) {{ {LOCK} }} x++; if (shared) {{ {UNLOCK} }}"),
    "remembered in a flag": ("", f"int locked = 0; if (chance(1)) {{ {LOCK} locked = 1; }} x++; if (locked) {UNLOCK}"),
    "one exit behind a label": ("", f"{LOCK} if (x > 5) goto out; x++; out: {UNLOCK}"),
    "enters only on success": (f"static int enter(void) {{ {LOCK} if (x > 5) {{ {UNLOCK} return 0; }} return 1; }}",
                               f"while (enter()) {{ x++; {UNLOCK} }}"),
    "enters with 0 as success": (f"static int enter(void) {{ {LOCK} if (x > 5) {{ {UNLOCK} return -1; }} return 0; }}",
                                 f"int rc; for (;;) {{ rc = enter(); if (rc < 0) return NULL; x++; {UNLOCK} }}"),
    "failure of the lock itself": ("static int step(void) { int rc = pthread_mutex_lock(&m); if (rc) return rc; x++; "
                                   "return pthread_mutex_unlock(&m); }", "while (step() == 0) ;"),
    "unlocked behind the loop": ("", f"for (;;) {{ {LOCK} if (x++ > 5) break; {UNLOCK} }} {UNLOCK}"),
    "found in a loop": ("static int a[5];", f"{LOCK} for (int i = 0; i < 5; i++) if (a[i]) {{ {UNLOCK} return NULL; }} "
                                            f"a[x % 5] = 1; {UNLOCK}"),
    "try-lock": ("", f"while (pthread_mutex_trylock(&m) != 0) chance(1); x++; {UNLOCK}"),
    "each side of a switch": ("", f"{LOCK} switch (x) {{ case 1: {UNLOCK} return NULL; default: x = 0; }} {UNLOCK}"),
}  # fmt: skip


@pytest.mark.parametrize("name", LEAKS)
def test_a_lock_that_stays_locked_is_found(name: str) -> None:
    declarations, worker = LEAKS[name]
    assert codes(program(worker, declarations=declarations)) == ["CL004"]


@pytest.mark.parametrize("name", CLEAN)
def test_a_lock_that_is_given_back_is_no_finding(name: str) -> None:
    declarations, worker = CLEAN[name]
    assert codes(program(worker, declarations=declarations)) == []


def test_the_finding_points_at_the_return_and_shows_lock_and_unlock() -> None:
    text = program(
        "while (step() == 0) ;",
        declarations="""static int step(void)
{
    pthread_mutex_lock(&m);
    if (x > 5)
        return -1;
    x++;
    pthread_mutex_unlock(&m);
    return 0;
}""",
    )
    (finding,) = found(text, "CL004")
    assert finding.site.line == line_of(text, "return -1")
    assert {note.site.line for note in finding.notes} >= {line_of(text, "lock(&m)"), line_of(text, "unlock(&m)")}
    assert "lock m held" in finding.message
    assert finding.role == "worker"


def test_all_elements_locked_and_unlocked_by_loops_are_no_finding() -> None:
    each = "for (int i = 0; i < 4; i++)"
    worker = f"{each} pthread_mutex_lock(&a[i]); x++; {each} pthread_mutex_unlock(&a[i]);"
    text = program(
        worker, declarations="static pthread_mutex_t a[4];", before=f"{each} pthread_mutex_init(&a[i], NULL);"
    )
    assert codes(text) == []


def test_hand_over_hand_is_no_finding() -> None:
    worker = """struct node *n = head;
    pthread_mutex_lock(&n->m);
    while (n->next) {
        struct node *next = n->next;
        pthread_mutex_lock(&next->m);
        pthread_mutex_unlock(&n->m);
        n = next;
    }
    pthread_mutex_unlock(&n->m);"""
    declarations = "struct node { pthread_mutex_t m; struct node *next; }; static struct node *head;"
    before = "head = calloc(1, sizeof *head); pthread_mutex_init(&head->m, NULL);"
    assert codes(program(worker, declarations=declarations, before=before)) == []


def test_a_recursive_mutex_may_be_taken_again() -> None:
    declarations = """static pthread_mutex_t m; static int x;
static int get(void) { int r; pthread_mutex_lock(&m); r = x; pthread_mutex_unlock(&m); return r; }"""
    before = """pthread_mutexattr_t a; pthread_mutexattr_init(&a);
    pthread_mutexattr_settype(&a, PTHREAD_MUTEX_RECURSIVE); pthread_mutex_init(&m, &a);"""
    worker = "pthread_mutex_lock(&m); x = get() + 1; pthread_mutex_unlock(&m);"
    assert codes(program(worker, declarations=declarations, before=before, shared=BARE)) == []


def test_wrappers_with_a_condition_in_the_object_are_followed() -> None:
    declarations = """struct pool { int threaded; pthread_mutex_t m; int x; };
static struct pool pool;
static void pool_lock(struct pool *p) { if (p->threaded) pthread_mutex_lock(&p->m); }
static void pool_unlock(struct pool *q) { if (q->threaded) pthread_mutex_unlock(&q->m); }"""
    worker = "struct pool *p = argument; for (int i = 0; i < 3; i++) { pool_lock(p); p->x++; pool_unlock(p); }"
    before = "pthread_mutex_init(&pool.m, NULL); pool.threaded = 1;"
    assert codes(program(worker, declarations=declarations, before=before, argument="&pool")) == []


def test_the_end_of_the_process_is_no_leak() -> None:
    after = "pthread_mutex_lock(&m); if (x == 7) return 1; x = 0; pthread_mutex_unlock(&m);"
    assert codes(program("pthread_mutex_lock(&m); x++; pthread_mutex_unlock(&m);", after=after)) == []
