"""The checker's answers as rules ask for them."""

from __future__ import annotations

from pathlib import Path

from cllm_sim.auditor.oracle import Oracle

from tests.audit.auditing import analysed

CORPUS = Path(__file__).parent / "corpus"


def oracle(name: str, states: int = 150_000) -> Oracle:
    """The oracle of one program of the corpus."""
    path = CORPUS / name
    text = {path.name: path.read_text(encoding="utf-8")}
    return Oracle(analysed(text, oracle_seconds=120.0, oracle_states=states))


def test_races_are_given_by_memory() -> None:
    asked = oracle("m_ring_overrun.c")
    races = asked.races()
    assert races is not None
    assert {location.label for location in races} == {"<anonymous>.slot[]"} or len(races) == 1
    (sites,) = races.values()
    assert {sites.first.line, sites.second.line} == {23, 35}
    assert all(asked.covers(location) for location in races)


def test_all_races_come_at_once() -> None:
    source = """
    #include <pthread.h>
    static int one, two, three[4];
    static void *run(void *a) { one++; if (one) two = 1; three[1] = 2; return a; }
    int main(void) { pthread_t t[2];
      for (int i = 0; i < 2; i++) pthread_create(&t[i], 0, run, 0);
      for (int i = 0; i < 2; i++) pthread_join(t[i], 0);
      return one + two + three[1]; }
    """
    races = Oracle(analysed(source, oracle_seconds=120.0)).races()
    assert races is not None
    assert {location.holder.label for location in races} == {"one", "two", "three"}


def test_hangs_say_who_waits_where() -> None:
    hangs = oracle("b_second_epoch.c").deadlocks()
    assert hangs
    stuck = {one.actor: one for one in hangs[0].stuck}
    assert stuck["control"].waits_for == "model.round"
    assert stuck["control"].site.path == "b_second_epoch.c"


def test_a_clean_program_has_neither() -> None:
    asked = oracle("l_work_handoff.c")
    assert asked.races() == {}
    assert asked.deadlocks() == []
    assert asked.complete


def test_no_complete_answer_is_none() -> None:
    asked = oracle("l_print_queue.c", states=50)
    assert asked.races() is None
    assert asked.deadlocks() is None
    assert asked.outcome is None


def test_a_refused_program_is_none() -> None:
    asked = Oracle(analysed("int main(void) { return 0; }"))
    assert asked.skeleton.refused
    assert asked.races() is None
    assert asked.deadlocks() is None


def test_the_answer_is_made_once() -> None:
    asked = oracle("b_nan_leaves.c")
    assert asked.skeleton is asked.skeleton
    assert asked.outcome is asked.outcome
