"""Locations: what an expression speaks of, by which name, and what a pointer leads to."""

import pytest

from cllm_sim.auditor.locations import Location, object_kind
from cllm_sim.auditor.outline import events
from cllm_sim.auditor.vocabulary import Kind

from tests.audit.auditing import analysed
from tests.audit.showing import defined, outline

BEFORE = """
#include <pthread.h>
#include <stdlib.h>
struct Worker;
struct Pool {
    pthread_mutex_t a, b;
    pthread_mutex_t *either, *same, *table[2], *only[2];
    double *buffer, *alias, *front, *back;
    double own[4], first_half[4], second_half[4];
    struct Worker *workers;
    struct Worker array[3];
    int *flag;
    pthread_barrier_t *barrier;
};
struct Worker { struct Pool *pool; pthread_mutex_t *lock; int id; double *segment; };
static pthread_mutex_t g1, g2, several[3];
static double shared[10];
static pthread_barrier_t rounds;
static double *pointer;
int stopped;
static pthread_mutex_t *lock_of(struct Pool *p, int i) { if (i < 0) return NULL; return &p->a; }
static pthread_mutex_t *one_of(struct Pool *p, int i) { if (i) return &p->a; return &p->b; }
static void take(pthread_mutex_t *m) { pthread_mutex_lock(m); }
void make(struct Pool *p) {
    p->either = &p->a; p->same = &g1; p->same = &g1; p->same = NULL;
    p->table[0] = &g1; p->table[1] = &g2; p->only[0] = &g2;
    p->buffer = malloc(8); p->alias = p->buffer;
    p->front = p->first_half; p->back = p->second_half;
    p->flag = &stopped; p->barrier = &rounds; pointer = shared;
    for (int i = 0; i < 3; i++) { p->workers[i].lock = &p->a; p->workers[i].segment = p->buffer + i; }
}
void change(struct Pool *p) { p->either = &p->b; }
void swap(struct Pool *p) { double *t = p->front; p->front = p->back; p->back = t; }
"""


def lines(body: str) -> list[str]:
    """The outline of a function with a pool, a worker and a number."""
    analysis = analysed(f"{BEFORE}void f(struct Pool *p, struct Worker *w, int k) {{ {body} }}")
    return outline(analysis, defined(analysis, "f"))


PLACES = {
    "p->own[k] = 1;": ["write Pool.own[] ="],
    "p->buffer[0] = 1;": ["read Pool.buffer", "write Pool.buffer[] ="],
    "p->alias[0] = 2;": ["read Pool.alias", "write Pool.buffer[] ="],
    "w->segment[0] = 3;": ["read Worker.segment", "write Pool.buffer[] ="],
    "pointer[1] = 2;": ["read pointer", "write shared[] ="],
    "*p->flag = 1;": ["read Pool.flag", "write stopped ="],
    "pthread_barrier_wait(p->barrier);": ["wait rounds"],
    "w = &p->workers[k]; w->id = 1;": ["read Pool.workers", "w = &p->workers[k]", "write Worker.id ="],
    "p->array[k].id = 2; (*p->workers).id = 4;": ["write Worker.id =", "read Pool.workers", "write Worker.id ="],
    "((struct Worker *)p)->id = 1;": ["write Worker.id ="],
    "double **pp = &p->buffer; (*pp)[0] = 1;": ["pp = &p->buffer", "read Pool.buffer", "write Pool.buffer[] ="],
    "double *q = p->own; *(q + k) = 1;": ["q = p->own", "write Pool.own[] ="],
    "pthread_mutex_lock(&several[k]); pthread_mutex_lock(several + 1);": ["lock several", "lock several"],
    "pthread_mutex_lock(p->same); pthread_mutex_lock(w->lock);": ["lock g1", "lock Pool.a"],
    "pthread_mutex_lock(p->only[k]);": ["lock g2"],
    "pthread_mutex_lock(lock_of(p, k));": ["call lock_of", "lock Pool.a"],
}


@pytest.mark.parametrize("body", PLACES)
def test_places(body: str) -> None:
    assert lines(body) == PLACES[body]


UNDECIDED = {
    "pthread_mutex_lock(p->either);": "lock Pool.either[]",
    "pthread_mutex_lock(p->table[k]);": "lock Pool.table[]",
    "pthread_mutex_t *m = k ? &p->a : &p->b; pthread_mutex_lock(m);": "lock f.m[]",
    "pthread_mutex_t *m; if (k) m = &p->a; else m = &p->b; pthread_mutex_lock(m);": "lock f.m[]",
    "pthread_mutex_lock(k ? &g1 : &g2);": "lock ?",
    "pthread_mutex_lock(one_of(p, k));": "lock ?",
    "p->front[k] = 1;": "write Pool.front[] =",
}


@pytest.mark.parametrize("body", UNDECIDED)
def test_a_pointer_to_several_places_is_none_of_them(body: str) -> None:
    assert lines(body)[-1] == UNDECIDED[body]


def test_all_places_a_pointer_may_lead_to_are_known() -> None:
    analysis = analysed(f"{BEFORE}void f(struct Pool *p) {{ pthread_mutex_lock(p->either); }}")
    outline(analysis, defined(analysis, "f"))
    either = Location("member", "Pool", "either[]")
    assert [one.label for one in analysis.locations.several(either)] == ["Pool.a", "Pool.b"]
    assert analysis.locations.several(Location("member", "Pool", "same[]")) == ()


def test_members_of_unknown_types_are_told_apart_by_their_text() -> None:
    assert lines("u1->x = 1; u2->x = 2; what()->x = 3;") == [
        "write u1?.x =",
        "write u2?.x =",
        "call what",
        "write what()?.x =",
    ]


def test_a_parameter_is_bound_to_what_was_passed() -> None:
    analysis = analysed(f"{BEFORE}void f(struct Pool *p) {{ take(&p->b); take(p->same); }}")
    function = defined(analysis, "f")
    taken = events(analysis.outliner.of(defined(analysis, "take")).body)[0].target
    calls = [event.call for event in events(analysis.outliner.of(function).body) if event.name == "take"]
    labels = []
    for call in calls:
        assert call is not None
        bound = analysis.locations.bound(taken, {"m": (call.arguments[0], function)})
        labels.append(bound.label if bound is not None else "?")
    assert labels == ["Pool.b", "g1"]


def test_contents_and_holder() -> None:
    pointer = Location("member", "Pool", "buffer")
    assert pointer.contents.label == "Pool.buffer[]"
    assert pointer.contents.contents == pointer.contents
    assert pointer.contents.holder == pointer
    assert pointer.contents.is_contents
    assert not pointer.is_contents


def test_static_variables_of_one_name_in_two_files_are_two() -> None:
    text = "static int count; void {name}(void) {{ count++; }}"
    analysis = analysed({"a.c": text.format(name="f"), "b.c": text.format(name="g")})
    places = {
        node.target
        for name in "fg"
        for node in analysis.outliner.of(defined(analysis, name)).body
        if hasattr(node, "target")
    }
    assert {place.path for place in places if place is not None} == {"a.c", "b.c"}


@pytest.mark.parametrize(
    ("declared", "kind"),
    [
        ("pthread_mutex_t x", Kind.MUTEX),
        ("pthread_rwlock_t x[3]", Kind.MUTEX),
        ("sem_t *x", Kind.SEMAPHORE),
        ("atomic_int x", Kind.ATOMIC),
        ("_Atomic int x", Kind.ATOMIC),
        ("pthread_t x", Kind.THREAD),
        ("volatile int x", None),
        ("void (*x)(pthread_mutex_t *)", None),
    ],
)
def test_kinds_of_objects(declared: str, kind: Kind | None) -> None:
    analysis = analysed(f"#include <pthread.h>\n{declared};\nvoid f(void) {{ }}")
    variable = analysis.program.variable("x", None, "program.c")
    assert variable is not None
    assert object_kind(variable.type) is kind
