"""CD001: ends of life that come too early."""

import pytest

from tests.audit.auditing import found
from tests.audit.rules.lock_programs import BARE, codes, line_of, program

USE = "pthread_mutex_lock(&m); x++; pthread_mutex_unlock(&m);"
DESTROY = "pthread_mutex_destroy(&m);"
DONE = "static sem_t done;"
POOL = """struct pool { pthread_mutex_t m; int x; int n; pthread_t t[3]; };
static void *work(void *argument)
{
    struct pool *p = argument;
    pthread_mutex_lock(&p->m);
    p->x++;
    pthread_mutex_unlock(&p->m);
    return NULL;
}
static void start(struct pool *p)
{
    for (int i = 0; i < 3; i++) {
        if (pthread_create(&p->t[i], NULL, work, p) != 0)
            break;
        p->n++;
    }
}
static void stop(struct pool *p)
{
    for (int i = 0; i < p->n; i++)
        pthread_join(p->t[i], NULL);
}
"""


def pool(body: str) -> str:
    return f"""{BARE}
{POOL}
int main(void)
{{
    struct pool *p = calloc(1, sizeof *p);
    if (p == NULL)
        return 1;
    pthread_mutex_init(&p->m, NULL);
    {body}
    return 0;
}}
"""


@pytest.mark.parametrize(
    "text",
    [
        program(USE, between=DESTROY),
        program(USE, between="for (int i = 0; i < 3; i++) pthread_detach(threads[i]); " + DESTROY, join=""),
        pool("start(p); pthread_mutex_destroy(&p->m); stop(p); free(p);"),
        pool("start(p); free(p); stop(p);"),
        program(USE, after=DESTROY + USE),
        program(USE, after=DESTROY + DESTROY),
    ],
    ids=["before the join", "detached", "in a pool", "the pool freed", "used again", "destroyed twice"],
)
def test_too_early(text: str) -> None:
    assert codes(text) == ["CD001"]


@pytest.mark.parametrize(
    "text",
    [
        program(USE, after=DESTROY),
        program(USE, before=USE, after=DESTROY + "pthread_mutex_init(&m, NULL);" + USE + DESTROY),
        pool("start(p); stop(p); pthread_mutex_destroy(&p->m); free(p);"),
        program(
            USE + " sem_post(&done);", declarations=DONE, before="sem_init(&done, 0, 0);", join="",
            between="for (int i = 0; i < 3; i++) { pthread_detach(threads[i]); } "
                    "for (int i = 0; i < 3; i++) { sem_wait(&done); } " + DESTROY,
        ),
    ],
    ids=["after the join", "made anew", "in a pool", "handed over"],
)  # fmt: skip
def test_in_time(text: str) -> None:
    assert codes(text) == []


def test_a_use_after_the_sign_is_no_hand_over() -> None:
    text = program(
        "sem_post(&done); " + USE, declarations=DONE, before="sem_init(&done, 0, 0);", join="",
        between="for (int i = 0; i < 3; i++) { pthread_detach(threads[i]); } "
                "for (int i = 0; i < 3; i++) { sem_wait(&done); } " + DESTROY,
    )  # fmt: skip
    assert codes(text) == ["CD001"]


def test_a_join_skipped_where_nothing_was_created_is_a_join() -> None:
    declarations = "static int started;"
    text = program(USE, declarations=declarations, after=DESTROY).replace(
        "pthread_join(threads[i], NULL);", "if (started) pthread_join(threads[i], NULL);"
    )
    text = text.replace("worker, NULL);", "worker, NULL), started = 1;")
    assert codes(text) == []


def test_the_finding_shows_the_use_and_the_late_join() -> None:
    text = program("pthread_mutex_lock(&m); x++;\n    pthread_mutex_unlock(&m);", between=DESTROY)
    (finding,) = found(text, "CD001")
    assert finding.site.line == line_of(text, "pthread_mutex_destroy")
    assert {line_of(text, "pthread_mutex_lock"), line_of(text, "pthread_join")} <= {
        note.site.line for note in finding.notes
    }


def test_memory_that_a_thread_still_reads() -> None:
    declarations = "struct job { const int *data; int sum; }; static struct job jobs[3];"
    worker = "struct job *job = argument; for (int i = 0; i < 4; i++) job->sum += job->data[i];"
    before = "int *data = calloc(4, sizeof *data); for (int i = 0; i < 3; i++) jobs[i].data = data;"
    early = program(worker, declarations=declarations, before=before, between="free(data);", argument="&jobs[i]")
    late = program(worker, declarations=declarations, before=before, after="free(data);", argument="&jobs[i]")
    assert codes(early) == ["CD001"]
    assert codes(late) == []


def test_a_barrier_does_not_hand_over_itself() -> None:
    barrier = {"declarations": "static pthread_barrier_t b;", "before": "pthread_barrier_init(&b, NULL, 4);"}
    crossed = "pthread_barrier_wait(&b); "
    destroy = "pthread_barrier_destroy(&b);"
    assert codes(program(crossed + "chance(1);", between=crossed + destroy, **barrier)) == ["CD001"]
    assert codes(program(crossed + "chance(1);", between=crossed, after=destroy, **barrier)) == []
