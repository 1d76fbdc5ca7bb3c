"""CL002: work under a shared lock."""

import pytest

from cllm_sim.auditor.findings import Confidence

from tests.audit.auditing import found
from tests.audit.rules.lock_programs import BARE, line_of, program

DECLARATIONS = """struct job { pthread_mutex_t own; pthread_rwlock_t rw; double input[8], result; };
static struct job jobs[3];
static pthread_mutex_t all = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER;
static double total;
static void hold(void) { pthread_mutex_lock(&all); }
static void let_go(void) { pthread_mutex_unlock(&all); }
static double crunch(struct job *job)
{
    double sum = 0;
    for (int i = 0; i < 8; i++)
        sum += job->input[i] * job->input[i] + job->input[i] / 2 - 1;
    return sum;
}"""
BIND = {"work": ("crunch",)}


def text_of(worker: str, **more: str) -> str:
    start = "struct job *job = argument;"
    return program(f"{start} {worker}", declarations=DECLARATIONS, shared=BARE, argument="&jobs[i]", **more)


@pytest.mark.parametrize(
    "worker",
    [
        "pthread_mutex_lock(&all); total += crunch(job); pthread_mutex_unlock(&all);",
        "hold(); total += crunch(job); let_go();",
        "pthread_rwlock_wrlock(&table); total += crunch(job); pthread_rwlock_unlock(&table);",
    ],
    ids=["mutex", "wrapper", "write lock"],
)
def test_shared_locks_serialise(worker: str) -> None:
    (finding,) = found(text_of(worker), "CL002", bind=BIND)
    assert "crunch" in finding.message
    assert "one after another" in finding.message
    assert finding.confidence is Confidence.HIGH


@pytest.mark.parametrize(
    "worker",
    [
        "job->result = crunch(job); pthread_mutex_lock(&all); total += job->result; pthread_mutex_unlock(&all);",
        "pthread_mutex_lock(&job->own); job->result = crunch(job); pthread_mutex_unlock(&job->own);",
        "pthread_rwlock_rdlock(&table); job->result = crunch(job); pthread_rwlock_unlock(&table);",
    ],
    ids=["after the work", "a lock of one's own", "for reading"],
)
def test_locks_that_serialise_nothing(worker: str) -> None:
    assert found(text_of(worker), "CL002", bind=BIND) == []


def test_a_single_thread_waits_for_nobody() -> None:
    after = "pthread_mutex_lock(&all); total += crunch(&jobs[0]); pthread_mutex_unlock(&all);"
    worker = "job->result = crunch(job);"
    assert found(text_of(worker, after=after), "CL002", bind=BIND) == []


def test_two_calls_under_one_lock_are_one_finding() -> None:
    text = text_of("hold();\n total += crunch(job);\n total -= crunch(job); let_go();")
    (finding,) = found(text, "CL002", bind=BIND)
    assert finding.site.line == line_of(text, "void hold")
    assert len([note for note in finding.notes if "crunch" in note.text]) == 2


def test_a_purpose_by_name_is_less_sure() -> None:
    text = text_of("hold(); total += process_batch(job); let_go();").replace("double crunch(", "double process_batch(")
    (finding,) = found(text, "CL002")
    assert finding.confidence is Confidence.MEDIUM
