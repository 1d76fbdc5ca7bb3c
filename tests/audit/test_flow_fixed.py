"""Flows of calls that fix something: constant arguments, records that are returned by value.

Rules of this file: judged by what the audit says of small programs, with the near miss beside each.
"""

from __future__ import annotations

import pytest

from cllm_sim.auditor.vocabulary import Act

from tests.audit.auditing import analysed, found

TWO_THREADS = """
int main(void)
{
    pthread_t threads[2];

    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, body, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
"""
PAUSE = """
#include <pthread.h>

enum what {{ ALL, NONE }};
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static int rounds;

static void pause_all(enum what what)
{{
    {choice}
}}

static void *body(void *unused)
{{
    (void)unused;
    for (int i = 0; i < 3; i++) {{
        pause_all({first});
        rounds++;
        pause_all(NONE);
    }}
    return NULL;
}}
"""
SWITCH = """switch (what) {
    case ALL:
        pthread_mutex_lock(&gate);
        break;
    default:
        pthread_mutex_unlock(&gate);
    }"""
IF = "if (what == ALL)\n        pthread_mutex_lock(&gate);\n    else\n        pthread_mutex_unlock(&gate);"
CHANGED = "what = NONE;\n    " + IF


def pausing(choice: str, first: str = "ALL") -> str:
    return PAUSE.format(choice=choice, first=first) + TWO_THREADS


def locking(text: str) -> list[str]:
    """What the steps of the only thread role do with locks, in the order of the text."""
    analysis = analysed(text)
    (role,) = analysis.roles.threads
    return [str(step.act) for step in analysis.flow(role).events(Act.LOCK, Act.UNLOCK)]


@pytest.mark.parametrize("choice", [SWITCH, IF], ids=["switch", "if"])
def test_a_constant_argument_decides_what_a_call_does(choice: str) -> None:
    assert locking(pausing(choice)) == ["lock", "unlock"]
    assert found(pausing(choice)) == []


@pytest.mark.parametrize("choice", [SWITCH, IF], ids=["switch", "if"])
def test_an_argument_that_is_not_constant_leaves_both_ways_open(choice: str) -> None:
    assert locking(pausing(choice, "rounds % 2 ? ALL : NONE")) == ["lock", "unlock", "unlock"]


def test_a_parameter_that_the_function_changes_decides_nothing() -> None:
    assert locking(pausing(CHANGED)) == ["lock", "unlock"] * 2


RETURNED = """
#include <pthread.h>

struct span {{ long from, to; }};
static struct span latest;

static struct span span_of(long size)
{{
    {local}struct span span;

    span.from = size / 2;
    span.to = size;
    return span;
}}

static void *body(void *unused)
{{
    struct span mine = span_of(8);

    (void)unused;
    return mine.to > 0 ? NULL : &latest;
}}
"""


def test_a_record_that_is_returned_is_a_copy() -> None:
    assert found(RETURNED.format(local="") + TWO_THREADS, "CR001") == []


def test_a_static_record_is_shared_all_the_same() -> None:
    codes = {one.code for one in found(RETURNED.format(local="static ") + TWO_THREADS, "CR001")}
    assert codes == {"CR001"}
