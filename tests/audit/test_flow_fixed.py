"""Flows of calls that fix something: constant arguments, records that are returned by value.

Rules of this file: judged by what the audit says of small programs, with the near miss beside each.
"""

from __future__ import annotations

import pytest

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


@pytest.mark.parametrize("choice", [SWITCH, IF], ids=["switch", "if"])
def test_a_constant_argument_decides_what_a_call_does(choice: str) -> None:
    analysis = analysed(pausing(choice))
    (role,) = analysis.roles.threads
    assert [
        str(step.act) for step in analysis.flow(role).steps if step.act is not None and "lock" in str(step.act)
    ] == [
        "lock",
        "unlock",
    ]
    assert found(pausing(choice)) == []


@pytest.mark.parametrize("choice", [SWITCH, IF], ids=["switch", "if"])
def test_an_argument_that_is_not_constant_leaves_all_ways_open(choice: str) -> None:
    text = pausing(choice, "rounds % 2 ? ALL : NONE")
    (role,) = analysed(text).roles.threads
    assert len([step for step in analysed(text).flow(role).steps if "lock" in str(step.act)]) == 4


def test_a_parameter_that_the_function_changes_decides_nothing() -> None:
    text = pausing(CHANGED)
    (role,) = analysed(text).roles.threads
    assert len([step for step in analysed(text).flow(role).steps if "lock" in str(step.act)]) == 4


def test_a_condition_of_the_build_keeps_both_sides() -> None:
    text = pausing(
        "#define STRICT 0\n    " + IF.replace("what == ALL", "STRICT && what == ALL").replace("what ==", "1 ||")
    )
    assert analysed(text).roles.threads


RETURNED = """
#include <pthread.h>

struct span {{ long from, to; }};
static struct span {keep}latest;

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
    assert found(RETURNED.format(local="", keep="") + TWO_THREADS, "CR001") == []


def test_a_static_record_is_shared_all_the_same() -> None:
    codes = {one.code for one in found(RETURNED.format(local="static ", keep="") + TWO_THREADS, "CR001")}
    assert codes == {"CR001"}
