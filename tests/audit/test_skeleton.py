"""The skeleton, end to end: C programs with defects in their protocol, and their twins that hold.

The expected class stands in a program's own `check:` header; here stand the lines of C the answer must name.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from cllm_sim.auditor import skeleton, syntax
from cllm_sim.auditor.analysis import Analysis, Options
from cllm_sim.auditor.skeleton import CheckOutcome, Skeleton
from cllm_sim.grammar import check_source

HERE = Path(__file__).parent
CORPUS = HERE / "corpus"
STATES = 300_000
SECONDS = 300.0

DEFECTS = {
    "b_count_too_large.c": "pthread_barrier_wait(&gate);",
    "b_nan_leaves.c": "pthread_barrier_wait(&trainer->barrier);",
    "b_second_epoch.c": "pthread_barrier_wait(&model->round);",
    "b_shutdown_hang.c": "pthread_barrier_wait(&batch_start);",
    "b_worker_skips_wait.c": "pthread_barrier_wait(",
    "b_accumulate_race.c": "total[i]",
    "l_barrier_under_lock.c": "pthread_barrier_wait(&step_done);",
    "l_join_under_lock.c": "pthread_join(",
    "l_lost_wakeup.c": "pthread_cond_wait(&desk.ordered, &desk.mutex);",
    "l_nested_order.c": "lock",
    "l_never_posted.c": "sem_wait(",
    "l_one_signal.c": "pthread_cond_wait(&place.changed, &place.mutex);",
    "l_shutdown_waiter.c": "wait(",
    "l_start_gate.c": "pthread_cond_wait(&shot, &track);",
    "l_wait_unsignalled.c": "wait(",
    "m_handoff_race.c": "box->frame",
    "m_ring_overrun.c": "ring.slot[i % SLOTS]",
}
CLEAN = (
    "b_epoch_stop.c", "b_phase_shared.c", "b_trainer_two_waits.c", "b_wrapped_barrier.c", "b_two_builds.c",
    "b_looks_guilty.c", "l_atomic_publish.c", "l_c11_lottery.c", "l_macro_wait.c", "l_print_queue.c",
    "l_semaphore_pipeline.c", "l_work_handoff.c", "l_timed_wait.c", "m_param_store", "m_reinit_rounds.c", "t_node_zero",
    "t_detached_writer.c",
)  # fmt: skip
THREE = ("b_second_epoch.c", "b_accumulate_race.c", "l_lost_wakeup.c", "b_trainer_two_waits.c", "l_macro_wait.c")


def analysis(path: Path) -> Analysis:
    """A program of the test data, with paths relative to it."""
    files = [path] if path.is_file() else sorted((*path.glob("*.c"), *path.glob("*.h")))
    return Analysis([syntax.read(one.name, one.read_bytes()) for one in files], Options())


@cache
def judged(path: Path, workers: int = 2) -> tuple[Skeleton, CheckOutcome]:
    """A program's skeleton and what checking it gave."""
    made = skeleton.extract(analysis(path), workers)
    return made, skeleton.check(made, workers, SECONDS, STATES)


def expected(path: Path) -> str:
    """The class that a program's header states."""
    found = re.search(r"^ \* check: *(\S+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_is_found_at_its_lines(name: str) -> None:
    path = CORPUS / name
    _, outcome = judged(path)
    assert outcome.verdict == "broken"
    kind = expected(path)
    found = [one for one in outcome.broken if one.kind == kind]
    assert found, outcome.broken
    lines = path.read_text(encoding="utf-8").split("\n")
    named = {site for one in found for site in (one.site, one.other, *(stuck.site for stuck in one.stuck)) if site}
    assert any(DEFECTS[name] in lines[site.line - 1] for site in named), named


@pytest.mark.parametrize("name", CLEAN)
def test_a_clean_program_holds(name: str) -> None:
    made, outcome = judged(CORPUS / name)
    assert made.refused == ""
    assert outcome.verdict == "holds", (outcome.limit, outcome.broken[:1])
    assert outcome.complete
    assert outcome.states > 10


@pytest.mark.parametrize("name", THREE)
def test_three_workers_give_the_same_answer(name: str) -> None:
    _, two = judged(CORPUS / name)
    _, three = judged(CORPUS / name, 3)
    assert three.verdict == two.verdict
    assert two.kind in three.kinds or three.kind == two.kind


def test_the_trainer_of_the_plan_holds() -> None:
    for workers in (2, 3):
        _, outcome = judged(HERE / "trainer_node_zero", workers)
        assert outcome.verdict == "holds", (outcome.limit, outcome.broken[:1])


def test_the_trainer_before_the_plan_races_where_it_should() -> None:
    made, outcome = judged(HERE / "trainer_model_lock")
    assert {one.kind for one in outcome.broken} == {"race"}
    assert {location.name for one in outcome.broken for location in one.locations} == {
        "control_running",
        "batches_processed",
    }
    assert outcome.complete
    assert all(made.lines[number].site.path.endswith(".c") for number in made.lines if made.lines[number].function)


@pytest.mark.nightly
def test_three_workers_race_for_the_same_memory_within_the_limit_of_states() -> None:
    """With the states that `--check` may use; how long that takes depends on the machine, what is found does not."""
    made = skeleton.extract(analysis(HERE / "trainer_model_lock"), 3)
    outcome = skeleton.check(made, 3, 3600.0, 1_000_000)
    assert outcome.verdict == "broken"
    assert {location.name for one in outcome.broken for location in one.locations} == {
        "control_running",
        "batches_processed",
    }
    assert not outcome.complete
    assert "the limit of" in outcome.limit


def test_a_counterexample_speaks_of_c() -> None:
    _, outcome = judged(CORPUS / "b_nan_leaves.c")
    first = outcome.broken[0]
    assert [stuck.actor for stuck in first.stuck] == ["main"]
    assert first.stuck[0].waits_for == "trainer_t.barrier"
    assert {step.actor for step in first.steps} == {"main", "worker_entry 1", "worker_entry 2"}
    assert ("!isfinite(loss)", 56) in [(text, site.line) for text, site in first.spurious]
    data = outcome.data()
    assert data["class"] == "deadlock"
    assert data["counterexample"]["stuck"][0]["path"] == "b_nan_leaves.c"


def test_the_file_can_be_checked_by_hand(tmp_path: Path) -> None:
    from cllm_sim import check

    made, _ = judged(CORPUS / "b_trainer_two_waits.c")
    path = tmp_path / "skeleton.py"
    path.write_text(made.text, encoding="utf-8")
    check_source(str(path), made.text)
    assert check(str(path), workers=2).data["verdict"] == "holds"
    corrected = made.text.replace("lambda workers: NUM_WORKERS + 1", "lambda workers: NUM_WORKERS + 2")
    assert corrected != made.text
    path.write_text(corrected, encoding="utf-8")
    assert check(str(path), workers=2).data["verdict"] == "broken"


def test_every_line_of_c_in_the_text_is_in_the_map() -> None:
    made, _ = judged(CORPUS / "l_print_queue.c")
    rows = made.text.split("\n")
    for number, row in enumerate(rows, 1):
        found = re.search(r"yield .*# l_print_queue\.c:(\d+)", row)
        if found is not None:
            assert made.lines[number].site.line == int(found[1])
            assert made.lines[number].function in row or made.lines[number].function


def test_extraction_is_the_same_every_time() -> None:
    path = CORPUS / "l_work_handoff.c"
    assert skeleton.extract(analysis(path)).text == skeleton.extract(analysis(path)).text
