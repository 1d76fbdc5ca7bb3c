"""CR001: what is a race, and what an order, a lock or ownership makes none."""

from __future__ import annotations

import pytest

from cllm_sim.auditor.rules.support.races_candidates import Candidates
from cllm_sim.auditor.rules.support.races_counted import counted

from tests.audit.auditing import analysed, found
from tests.audit.rules.memory_programs import HEAD, crew, pair

LOCK = "static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;"


def _subjects(text: str) -> list[str]:
    return [one.subject for one in found(text, "CR001")]


RACES = {
    "lost increments": crew("static long total;", "    total += id;", after='printf("%ld", total);'),
    "main reads before the join": crew(
        "static int last;",
        "    pthread_mutex_lock(&guard);\n    last = id;\n    pthread_mutex_unlock(&guard);",
        during='printf("%d", last);',
        extra="",
    ).replace("static int last;", f"{LOCK}\nstatic int last;"),
    "two different locks": pair(
        f"{LOCK}\nstatic pthread_mutex_t other = PTHREAD_MUTEX_INITIALIZER;\nstatic int sum;",
        "    pthread_mutex_lock(&guard);\n    sum++;\n    pthread_mutex_unlock(&guard);",
        "    pthread_mutex_lock(&other);\n    sum++;\n    pthread_mutex_unlock(&other);",
    ),
    "written under a lock for reading": pair(
        "static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;\nstatic int hits;",
        "    pthread_rwlock_rdlock(&lock);\n    hits++;\n    pthread_rwlock_unlock(&lock);",
        "    pthread_rwlock_rdlock(&lock);\n    hits++;\n    pthread_rwlock_unlock(&lock);",
    ),
    "same phase of a barrier": crew(
        "static pthread_barrier_t gate;\nstatic double sum;\nstatic double part[WORKERS];",
        "    part[id] = id;\n    pthread_barrier_wait(&gate);\n    if (id == 0)\n        sum = part[0];\n"
        '    else\n        printf("%f", sum);\n    pthread_barrier_wait(&gate);',
        before="pthread_barrier_init(&gate, NULL, WORKERS);",
        after="pthread_barrier_destroy(&gate);",
    ),
    "signal given too early": pair(
        "static sem_t full, room;\nstatic int cell;",
        "    for (int i = 0; i < 9; i++) {\n        sem_wait(&room);\n        cell = i;\n"
        "        sem_post(&full);\n    }",
        "    for (int i = 0; i < 9; i++) {\n        sem_wait(&full);\n        sem_post(&room);\n"
        '        printf("%d", cell);\n    }',
        before="sem_init(&full, 0, 0);\n    sem_init(&room, 0, 1);",
        after="sem_destroy(&full);\n    sem_destroy(&room);",
    ),
    "address of the loop variable": f"""{HEAD}
static void *show(void *argument)
{{
    printf("%d", *(int *)argument);
    return NULL;
}}

int main(void)
{{
    pthread_t threads[3];
    int i;

    for (i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, show, &i);
    for (int k = 0; k < 3; k++)
        pthread_join(threads[k], NULL);
    return 0;
}}
""",
}

NONE = {
    "one lock": crew(
        f"{LOCK}\nstatic long total;",
        "    pthread_mutex_lock(&guard);\n    total += id;\n    pthread_mutex_unlock(&guard);",
        after='printf("%ld", total);',
    ),
    "own element": crew("static long part[WORKERS];", "    part[id] = id;", after='printf("%ld", part[0]);'),
    "set before the creation": crew("static int scale;", '    printf("%d", id * scale);', before="scale = 3;"),
    "phases of a barrier": crew(
        "static pthread_barrier_t gate;\nstatic double sum;\nstatic double part[WORKERS];",
        "    part[id] = id;\n    pthread_barrier_wait(&gate);\n    if (id == 0)\n        sum = part[0] + part[1];\n"
        '    pthread_barrier_wait(&gate);\n    printf("%f", sum);',
        before="pthread_barrier_init(&gate, NULL, WORKERS);",
        after="pthread_barrier_destroy(&gate);",
    ),
    "the one that the barrier picks": crew(
        "static pthread_barrier_t gate;\nstatic int rounds;",
        "    for (int i = 0; i < 4 + 0 * id; i++) {\n"
        "        if (pthread_barrier_wait(&gate) == PTHREAD_BARRIER_SERIAL_THREAD)\n            rounds++;\n"
        "        pthread_barrier_wait(&gate);\n    }",
        before="pthread_barrier_init(&gate, NULL, WORKERS);",
        after='pthread_barrier_destroy(&gate);\n    printf("%d", rounds);',
    ),
    "turns by semaphores": pair(
        "static sem_t full, room;\nstatic int cell;",
        "    for (int i = 0; i < 9; i++) {\n        sem_wait(&room);\n        cell = i;\n"
        "        sem_post(&full);\n    }",
        '    for (int i = 0; i < 9; i++) {\n        sem_wait(&full);\n        printf("%d", cell);\n'
        "        sem_post(&room);\n    }",
        before="sem_init(&full, 0, 0);\n    sem_init(&room, 0, 1);",
        after="sem_destroy(&full);\n    sem_destroy(&room);",
    ),
    "published by an atomic": pair(
        "static atomic_bool ready;\nstatic int answer;",
        "    answer = 42;\n    atomic_store(&ready, true);",
        '    while (!atomic_load(&ready))\n        sched_yield();\n    printf("%d", answer);',
    ),
    "published under a condition": pair(
        f"{LOCK}\nstatic pthread_cond_t changed = PTHREAD_COND_INITIALIZER;\nstatic bool ready;\nstatic int answer;",
        "    answer = 42;\n    pthread_mutex_lock(&guard);\n    ready = true;\n    pthread_cond_signal(&changed);\n"
        "    pthread_mutex_unlock(&guard);",
        "    pthread_mutex_lock(&guard);\n    while (!ready)\n        pthread_cond_wait(&changed, &guard);\n"
        '    pthread_mutex_unlock(&guard);\n    printf("%d", answer);',
    ),
    "row claimed under a lock": crew(
        f"{LOCK}\nstatic int next;\nstatic int rows[40];",
        "    for (;;) {\n        pthread_mutex_lock(&guard);\n        int row = next++;\n"
        "        pthread_mutex_unlock(&guard);\n        if (row >= 40 + 0 * id)\n            break;\n"
        "        rows[row] = row * row;\n    }",
        after='printf("%d", rows[3]);',
    ),
    "thread-local": crew(
        "static _Thread_local int calls;\nstatic int note(void) { return ++calls; }", '    printf("%d", id + note());'
    ),
    "local record": crew(
        "struct tally { int even, odd; };\nstatic void add(struct tally *tally, int value)\n"
        "{\n    if (value % 2)\n        tally->odd++;\n    else\n        tally->even++;\n}",
        "    struct tally tally = {0, 0};\n\n    for (int i = 0; i < id; i++)\n        add(&tally, i);\n"
        '    printf("%d", tally.odd);',
    ),
    "joined before the second starts": f"""{HEAD}
static int stage;

static void *one(void *unused)
{{
    stage = 1;
    return unused;
}}

static void *two(void *unused)
{{
    stage = 2;
    return unused;
}}

int main(void)
{{
    pthread_t a, b;

    pthread_create(&a, NULL, one, NULL);
    pthread_join(a, NULL);
    pthread_create(&b, NULL, two, NULL);
    pthread_join(b, NULL);
    printf("%d", stage);
    return 0;
}}
""",
    "spin lock made of an atomic flag": crew(
        "static atomic_flag busy = ATOMIC_FLAG_INIT;\nstatic long total;",
        "    for (int i = 0; i < 100; i++) {\n        while (atomic_flag_test_and_set(&busy))\n"
        "            sched_yield();\n"
        "        total += id;\n        atomic_flag_clear(&busy);\n    }",
        after='printf("%ld", total);',
    ),
    "record given to the next thread": f"""{HEAD}
struct job {{ int from, to; long sum; }};

static void *add(void *argument)
{{
    struct job *job = argument;

    for (int i = job->from; i < job->to; i++)
        job->sum += i;
    return NULL;
}}

int main(void)
{{
    pthread_t threads[3];
    struct job jobs[3];
    long sum = 0;

    for (int i = 0; i < 3; i++) {{
        struct job *job = &jobs[i];

        job->from = i * 10;
        job->to = job->from + 10;
        job->sum = 0;
        pthread_create(&threads[i], NULL, add, job);
    }}
    for (int i = 0; i < 3; i++) {{
        pthread_join(threads[i], NULL);
        sum += jobs[i].sum;
    }}
    printf("%ld", sum);
    return 0;
}}
""",
}


@pytest.mark.parametrize("name", RACES)
def test_races_are_found(name: str) -> None:
    """Each of these programs has one race."""
    assert len(_subjects(RACES[name])) == 1


@pytest.mark.parametrize("name", NONE)
def test_ordered_accesses_are_none(name: str) -> None:
    """None of these programs has one."""
    assert _subjects(NONE[name]) == []


def test_both_sides_are_shown() -> None:
    """Role, place, lock and the way of both sides are in the finding."""
    finding = found(RACES["two different locks"], "CR001")[0]
    assert "guard" in finding.message
    assert "other" in finding.message
    assert {finding.role, finding.notes[0].role} == {"first", "second"}
    assert finding.site.line != finding.notes[0].site.line


SHARED_WORK = """
struct model { double g[4][6]; };
static struct model model;
static pthread_barrier_t done;
static void grad(struct model *m, int shard)
{
    for (int d = 0; d < 6; d++)
        m->g[shard][d] = 0;
    for (int d = 0; d < 6; d++)
        m->g[shard][d] += d;
}"""


def test_a_leader_takes_a_part_of_its_own_with_the_function_of_the_others() -> None:
    text = crew(
        SHARED_WORK, "    grad(&model, id);", during="grad(&model, WORKERS);", after='printf("%f", model.g[0][0]);'
    )
    assert found(text, "CR001") == []


COUNTED = """#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
static sem_t ready;
static int cells[100];
static void *maker(void *unused)
{
    for (int n = 0; n < 99; n++) {
        cells[n] = n * n;
        sem_post(&ready);
    }
    return unused;
}
int main(void)
{
    pthread_t thread;
    sem_init(&ready, 0, 0);
    pthread_create(&thread, NULL, maker, NULL);
    for (int k = 0; k < 99; k++) {
        sem_wait(&ready);
        printf("%d", cells[k]);
    }
    pthread_join(thread, NULL);
    return 0;
}
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("sem_init(&ready, 0, 0)", "sem_init(&ready, 0, 1)"),
        ("cells[k]", "cells[k + 1]"),
        ("int k = 0", "int k = 1"),
        ("k < 99; k++", "k < 99; k += 2"),
        ("        cells[n] = n * n;\n        sem_post(&ready);", "        sem_post(&ready);\n        cells[n] = n;"),
        ("        sem_wait(&ready);\n", "        if (k % 2)\n            sem_wait(&ready);\n"),
        ("create(&thread, NULL, maker, NULL);", "create(&thread, NULL, maker, NULL);\n    sem_post(&ready);"),
        ("cells[n] = n * n;", "cells[n] = n * n;\n        n += cells[0];"),
    ],
    ids=["one too many", "next one", "one ahead", "by twos", "too early", "not always waited", "two posts", "skips"],
)
def test_elements_handed_over_in_step_only(old: str, new: str) -> None:
    assert found(COUNTED, "CR001") == []
    assert _counted(COUNTED)
    assert old in COUNTED
    assert not _counted(COUNTED.replace(old, new))


def _counted(text: str) -> bool:
    """Are the elements of `cells` known to be handed over one by one?"""
    analysis = analysed(text)
    accesses = Candidates.of(analysis).accesses.by_location
    (cells,) = [several for location, several in accesses.items() if location.name == "cells[]"]
    written = [one for one in cells if one.write and one.role.name == "maker"]
    read = [one for one in cells if not one.write and one.role.name == "main"]
    assert written
    assert read
    return counted(analysis, written[0], read[0])
