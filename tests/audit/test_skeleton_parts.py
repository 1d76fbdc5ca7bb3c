"""The skeleton of small texts: what is kept of C, what becomes a choice, what is refused."""

from __future__ import annotations

import pytest

from cllm_sim.auditor import skeleton
from cllm_sim.auditor.skeleton import CheckOutcome, Skeleton

from tests.audit.auditing import analysed

START = """
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
"""


def made(text: str, workers: int = 2) -> Skeleton:
    """The skeleton of a text."""
    return skeleton.extract(analysed(START + text), workers)


def outcome(text: str) -> CheckOutcome:
    """What checking a text's skeleton gives."""
    found = made(text)
    assert found.refused == ""
    return skeleton.check(found, 2, 120.0, 200_000)


def two_threads(body: str, before: str = "", declared: str = "", after: str = "") -> str:
    """A program whose main thread starts two threads with one text and joins them."""
    return f"""
{declared}
static void *run(void *argument) {{ int id = *(int *)argument; (void)id; {body} return 0; }}
int main(void) {{
    pthread_t threads[2]; int ids[2];
    {before}
    for (int i = 0; i < 2; i++) {{ ids[i] = i; pthread_create(&threads[i], 0, run, &ids[i]); }}
    for (int i = 0; i < 2; i++) pthread_join(threads[i], 0);
    {after}
    return 0;
}}
"""


def test_a_program_without_threads_is_refused() -> None:
    assert made("int main(void) { return 0; }").refused == "no threads are created"


def test_an_unknown_entry_is_refused() -> None:
    text = "void go(void *(*f)(void *)) { pthread_t t; pthread_create(&t, 0, f, 0); } int main(void) { return 0; }"
    assert made(text).refused != ""


def test_a_library_without_main_is_refused() -> None:
    text = "static void *f(void *a) { return a; } void start(void) { pthread_t t; pthread_create(&t, 0, f, 0); }"
    assert made(text).refused == ""  # one function to begin with
    assert "main" in made(text + " void other(void) {}").refused


def test_only_one_of_two_threads_goes_another_way() -> None:
    declared = "static int shared; static pthread_barrier_t b;"
    before = "pthread_barrier_init(&b, 0, 2);"
    fine = two_threads("if (id == 0) shared = 1; pthread_barrier_wait(&b);", before, declared)
    wrong = two_threads("shared = id; pthread_barrier_wait(&b);", before, declared)
    assert outcome(fine).verdict == "holds"
    assert outcome(wrong).kind == "race"


def test_a_barrier_that_one_thread_skips() -> None:
    body = "if (id == 0) return 0; pthread_barrier_wait(&b);"
    found = outcome(two_threads(body, "pthread_barrier_init(&b, 0, 2);", "static pthread_barrier_t b;"))
    assert found.kind == "deadlock"
    assert found.broken[0].stuck[0].actor == "main" or found.broken[0].stuck[-1].actor.startswith("run")


def test_elements_of_an_array_are_told_apart() -> None:
    declared = "static int cells[2]; static int sum;"
    after = "for (int i = 0; i < 2; i++) sum += cells[i];"
    assert outcome(two_threads("cells[id] = 1;", declared=declared, after=after)).verdict == "holds"
    assert outcome(two_threads("cells[0] = 1;", declared=declared, after=after)).kind == "race"


def test_counters_are_followed() -> None:
    declared = "static pthread_mutex_t m; static pthread_cond_t c; static int arrived;"
    body = (
        "pthread_mutex_lock(&m); if (++arrived == 2) pthread_cond_broadcast(&c);"
        " while (arrived < 2) pthread_cond_wait(&c, &m); pthread_mutex_unlock(&m);"
    )
    assert outcome(two_threads(body, declared=declared)).verdict == "holds"
    alone = body.replace("== 2", "== 3")
    assert outcome(two_threads(alone, declared=declared)).kind == "deadlock"


def test_an_unknown_condition_is_a_choice_and_listed() -> None:
    found = made(two_threads("if (rand() % 7 == 3) pthread_barrier_wait(&b);", "pthread_barrier_init(&b, 0, 2);",
                             "int rand(void); static pthread_barrier_t b;"))  # fmt: skip
    assert any("choice of the environment" in text for text, _ in found.abstracted)
    checked = skeleton.check(found)
    assert checked.kind == "deadlock"
    assert checked.broken[0].spurious


def test_failures_of_the_library_are_left_out() -> None:
    body = "if (pthread_mutex_lock(&m) != 0) return 0; shared++; pthread_mutex_unlock(&m);"
    found = made(two_threads(body, declared="static pthread_mutex_t m; static int shared;"))
    assert "choose" not in found.text.partition("def run")[2].partition("def main")[0]


def test_a_jump_to_the_end_unlocks() -> None:
    body = (
        "pthread_mutex_lock(&m); if (id == 0) goto out; shared++; if (id == 1) goto out; shared--;"
        " out: pthread_mutex_unlock(&m);"
    )
    assert outcome(two_threads(body, declared="static pthread_mutex_t m; static int shared;")).verdict == "holds"
    wrong = body.replace("if (id == 0) goto out;", "if (id == 0) return 0;")
    assert outcome(two_threads(wrong, declared="static pthread_mutex_t m; static int shared;")).kind == "deadlock"


def test_a_switch_follows_its_subject() -> None:
    declared = "enum order { GO, STOP }; static enum order order; static pthread_barrier_t b;"
    body = (
        "for (;;) { pthread_barrier_wait(&b); switch (order) { case GO: break; case STOP: return 0; }"
        " pthread_barrier_wait(&b); }"
    )
    before = "pthread_barrier_init(&b, 0, 3);"
    drive = two_threads(body, before, declared).replace(
        "for (int i = 0; i < 2; i++) pthread_join",
        "for (int n = 0; n < 9; n++) { order = GO; pthread_barrier_wait(&b); pthread_barrier_wait(&b); }"
        " order = STOP; pthread_barrier_wait(&b); for (int i = 0; i < 2; i++) pthread_join",
    )
    assert outcome(drive).verdict == "holds"
    assert outcome(drive.replace("order = STOP; pthread_barrier_wait(&b);", "order = STOP;")).kind == "deadlock"


def test_busy_waiting_is_no_livelock() -> None:
    declared = "static atomic_bool ready; static int data;"
    body = "if (id == 0) { data = 1; atomic_store(&ready, true); } else { while (!atomic_load(&ready)) ; data = 2; }"
    assert outcome(two_threads(body, declared=declared)).verdict == "holds"
    plain = body.replace("atomic_store(&ready, true)", "ready = 1").replace("atomic_load(&ready)", "ready")
    assert outcome(two_threads(plain, declared=declared.replace("atomic_bool", "volatile int"))).kind == "race"


def test_compare_and_exchange_is_followed() -> None:
    declared = "static atomic_int owner; static int data;"
    body = "int free = 0; if (atomic_compare_exchange_strong(&owner, &free, 1)) data++;"
    assert outcome(two_threads(body, declared=declared)).verdict == "holds"


def test_numbers_shrink_together() -> None:
    declared = "#define ROUNDS 500\nstatic pthread_barrier_t b;"
    body = "for (int r = 0; r < ROUNDS; r++) pthread_barrier_wait(&b);"
    text = two_threads(body, "pthread_barrier_init(&b, 0, 3);", declared).replace(
        "for (int i = 0; i < 2; i++) pthread_join",
        "for (int r = 0; r < ROUNDS; r++) pthread_barrier_wait(&b); for (int i = 0; i < 2; i++) pthread_join",
    )
    found = made(text)
    assert "ROUNDS = 2" in found.text
    assert skeleton.check(found).verdict == "holds"
    shorter = made(
        text.replace("r < ROUNDS; r++) pthread_barrier_wait(&b); for", "r < 1; r++) pthread_barrier_wait(&b); for")
    )
    assert skeleton.check(shorter).kind == "deadlock"


def test_three_threads_of_a_role() -> None:
    text = two_threads("pthread_barrier_wait(&b);", "pthread_barrier_init(&b, 0, 2);", "static pthread_barrier_t b;")
    found = made(text, workers=3)
    assert "THREADS = 3" in found.text
    assert skeleton.check(found, 3).verdict == "holds"


def test_use_after_destruction() -> None:
    text = two_threads("pthread_mutex_lock(&m); pthread_mutex_unlock(&m);", declared="static pthread_mutex_t m;")
    early = text.replace(
        "for (int i = 0; i < 2; i++) pthread_join",
        "pthread_mutex_destroy(&m); for (int i = 0; i < 2; i++) pthread_join",
    )
    assert outcome(text).verdict == "holds"
    assert "use-after-destroy" in outcome(early).kinds


@pytest.mark.parametrize("text", ["", "int main(void) { for (;;) ; }", "int main(void) { pthread_create(0); }"])
def test_odd_programs_are_answered(text: str) -> None:
    assert made(text).refused != ""


def test_what_is_refused_is_undecided() -> None:
    assert skeleton.check(Skeleton(refused="why")).verdict == "undecided"


def test_a_text_that_does_not_load_is_undecided() -> None:
    assert skeleton.check(Skeleton(text="architecture = 1\n")).verdict == "undecided"


def test_a_defect_before_the_limit_is_a_defect_and_the_limit_is_said() -> None:
    later = "pthread_mutex_lock(&m); pthread_mutex_unlock(&m);" * 6
    declared = "static int number; static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;"
    racing = made(two_threads(f"number++; {later}", declared=declared))
    whole = skeleton.check(racing, 2, 120.0, 200_000)
    assert (whole.verdict, whole.complete, whole.limit) == ("broken", True, "")
    enough = whole.states * 3 // 4
    cut = skeleton.check(racing, 2, 120.0, enough)
    assert (cut.verdict, cut.kind, cut.complete) == ("broken", "race", False)
    assert cut.limit == f"the limit of {enough:,} states was reached"
    assert cut.data()["limit"] == cut.limit


def test_recursion_ends() -> None:
    text = two_threads(
        "walk(3);", declared="static int depth; static void walk(int n) { depth = n; if (n) walk(n - 1); }"
    )
    found = made(text)
    assert found.refused == ""
    assert any("recursive" in said for said, _ in found.abstracted)
    assert skeleton.check(found).kind == "race"
