"""Which functions are entered at each level of detail."""

import pytest

from cllm_sim.auditor.relevance import LEVELS, SHARED_USERS_MAX, relevant_functions

from tests.audit.auditing import analysed

MANY = SHARED_USERS_MAX[2] + 1
TEXT = f"""
#include <pthread.h>
static int shared, alone, popular, product, among_threads;
static pthread_mutex_t m;
static void locks(void) {{ pthread_mutex_lock(&m); pthread_mutex_unlock(&m); }}
static void leads_to_locks(void) {{ locks(); }}
static void shares(void) {{ shared++; }}
static void shares_with_its_like(void) {{ among_threads++; }}
static void keeps_to_itself(void) {{ alone++; }}
static void forward(void) {{ for (int i = 1; i < 8; i++) product = product * 2 + i - 1 / i; }}
{" ".join(f"static void popular_{number}(void) {{ popular++; }}" for number in range(MANY))}
static void *run(void *v) {{
    leads_to_locks(); shares(); shares_with_its_like(); forward();
    {" ".join(f"popular_{number}();" for number in range(MANY))}
    return v;
}}
int main(void) {{
    pthread_t t[2];
    keeps_to_itself();
    for (int i = 0; i < 2; i++) pthread_create(&t[i], 0, run, 0);
    shared = popular;
}}
"""


def entered(level: int) -> set[str]:
    analysis = analysed(TEXT)
    keys = relevant_functions(analysis.outliner, analysis.roles, analysis.purposes, level)
    return {one.name for one in analysis.program.functions if keys is None or one.key in keys}


ALWAYS = {"main", "run", "locks", "leads_to_locks", "forward"}
POPULAR = {f"popular_{number}" for number in range(MANY)}


@pytest.mark.parametrize(
    ("level", "names"),
    [
        (0, ALWAYS | POPULAR | {"shares", "shares_with_its_like", "keeps_to_itself"}),
        (1, ALWAYS | POPULAR | {"shares", "shares_with_its_like"}),
        (2, ALWAYS | {"shares", "shares_with_its_like"}),
        (3, ALWAYS),
    ],
)
def test_each_level_enters_less(level: int, names: set[str]) -> None:
    assert entered(level) == names


def test_there_are_no_more_levels_than_limits() -> None:
    assert LEVELS == len(SHARED_USERS_MAX) == 4
