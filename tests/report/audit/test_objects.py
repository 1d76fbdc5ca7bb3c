"""The words for objects and places: nothing is called missing that the words cannot rule out."""

from typing import Any

import pytest

from cllm_sim.report.audit import answers
from cllm_sim.report.audit.blocks import Code, plain, told
from cllm_sim.report.audit.excerpts import evidence, excerpt
from cllm_sim.report.audit.objects import KINDS, facts, never, places, summary, verb
from cllm_sim.report.audit.shape import Audit, Inventory, Place, SyncObject, read_audit

from tests.report.audit import sample

KIND = {kind.key: kind for kind in KINDS}


def thing(*operations: str, **more: Any) -> SyncObject:
    waits = tuple(Place(path="a.c", line=number, operation=one) for number, one in enumerate(operations, 1))
    return SyncObject(name="it", waits=waits, **more)


@pytest.mark.parametrize(
    ("kind", "operations", "said"),
    [
        ("barriers", (), "never waited on"),
        ("barriers", ("wait",), ""),
        ("mutexes", ("unlock",), "never locked"),
        ("mutexes", ("try to lock", "unlock"), ""),
        ("mutexes", ("lock shared",), ""),
        ("mutexes", ("acquire in a new way",), ""),
        ("conditions", ("sleep",), "nobody signals it"),
        ("conditions", ("sleep for a time", "broadcast"), ""),
        ("conditions", ("signal",), "nobody waits on it"),
        ("semaphores", ("up",), "nobody waits on it"),
        ("flags", ("write",), "never read"),
        ("flags", ("read",), "never set"),
        ("flags", ("change",), ""),
        ("regions", ("map", "unmap"), "never read nor written"),
        ("regions", ("map", "write"), ""),
        ("atomics", ("load",), ""),
    ],
)
def test_what_nobody_ever_does(kind: str, operations: tuple[str, ...], said: str) -> None:
    assert never(KIND[kind], thing(*operations)) == said


def test_facts_tell_counts_uses_dead_code_and_what_is_missing() -> None:
    dead = (Place(path="b.c", line=9, operation="wait"),)
    initialised = (Place(path="a.c", line=3, count="n + 1"),)
    item = thing(dead=dead, initialised=initialised, note="initialised and never used")
    assert facts(KIND["barriers"], item) == [
        "count n + 1 (a.c:3)",
        "never waited on",
        "never destroyed",
        "used in code that nobody reaches (b.c:9)",
    ]
    assert facts(KIND["barriers"], thing("wait", note="shared by two phases")) == [
        "never initialised",
        "somebody waits (a.c:1)",
        "shared by two phases",
    ]


def test_places_name_each_file_once_and_not_more_than_can_be_read() -> None:
    found = [Place(path="a.c", line=1), Place(path="b.c", line=2), Place(path="a.c", line=1), Place(path="a.c", line=5)]
    assert places(found) == "a.c:1, 5; b.c:2"
    assert places([Place(path="a.c", line=number) for number in range(1, 8)]) == "a.c:1, 2, 3, 4 and 3 more"
    assert places([Place(text="looked for a call")]) == ""


def test_a_summary_counts_by_what_is_missing() -> None:
    inventory = Inventory(conditions=(thing(), thing("sleep"), thing("sleep", "signal"), thing("sleep")))
    assert summary(KIND["conditions"], inventory) == (
        "4 conditions, 1 neither waited on nor signalled, 2 nobody signals it"
    )
    assert summary(KIND["barriers"], inventory) == "none"


def test_verbs() -> None:
    assert [verb(word) for word in ("wait", "up", "push", "lock shared")] == [
        "waits",
        "posts",
        "pushes",
        "locks for reading",
    ]


# ------------------------------------------------------------------------------------------------------------ answers
def audit(**inventory: Any) -> Audit:
    return read_audit({"files": 2, "lines": 10, "inventory": inventory})


def test_barriers_of_which_some_are_used() -> None:
    used = {"name": "gate", "waits": [{"path": "a.c", "line": 4, "operation": "wait"}],
            "initialised": [{"path": "a.c", "line": 2, "count": 13}]}  # fmt: skip
    found = audit(barriers=[used, {"name": "idle"}])
    assert plain(answers.barriers(found)) == (
        "2 barriers are declared, 1 is waited on; not: idle; initialised gate for 13."
    )


def test_a_control_that_computes_and_one_that_coordinates() -> None:
    place = [{"path": "a.c", "line": 1}]
    roles = [
        {"name": "boss", "entry": "boss_main", "kind": "control", "reaches_work": True},
        {
            "name": "control",
            "entry": "control",
            "kind": "control",
            "distributes": place,
            "accumulates": place,
            "updates": place,
        },
    ]
    assert plain(answers.control(audit(roles=roles))) == (
        "The control boss (boss_main) neither distributes, accumulates nor updates; it reaches batch processing. "
        "The control thread distributes, accumulates and updates; it never reaches batch processing."
    )


def test_without_a_known_work_function_nobody_is_said_to_keep_away_from_it() -> None:
    roles = [{"name": "boss", "kind": "control"}, {"name": "crew", "kind": "worker", "count": 4}]
    found = audit(roles=roles)
    assert plain(answers.control(found)).endswith("it may compute or not (no function is known as the work).")
    assert plain(answers.threads(found)) == "2 roles: boss; 4 × crew; no call starts a thread."


def test_a_thread_that_nobody_ends_is_named() -> None:
    threads = [{"name": "logger", "created": [{"path": "a.c", "line": 1}]}]
    assert plain(answers.threads(audit(threads=threads))) == "0 roles; logger is neither joined nor detached."


def test_names_between_backticks_are_names() -> None:
    assert told("run `cllm check x` twice") == ("run ", Code("cllm check x"), " twice")
    assert [type(piece) for piece in told("`a`, `b`")] == [Code, str, Code]
    assert told("one ` alone") == ("one ` alone",)
    assert told("") == ()


# ----------------------------------------------------------------------------------------------------------- excerpts
@pytest.mark.parametrize(
    ("source", "column", "subject", "marked"),
    [
        ("\tlock(&pool->lock);", 7, "", "&pool->lock"),
        ("    x = a[i].b + 1;", 9, "", "a[i].b"),
        ("int running;", 0, "Pool.running", "running"),
        ("running = running;", 0, "running", None),
        ("int running;", 99, "running", None),
        ("", 5, "running", None),
    ],
)
def test_the_mark_lies_under_what_is_meant(source: str, column: int, subject: str, marked: str | None) -> None:
    shown = excerpt(Audit(), Place(path="a.c", line=1, column=column, source=source), "", subject)
    start = shown.start
    assert (None if start is None else shown.source[start : start + shown.length]) == marked


@pytest.mark.parametrize(
    ("text", "source", "words"),
    [
        ("pthread_mutex_lock(&l);", "pthread_mutex_lock(&l);", ""),
        ("if (stop) {", "if (stop) {", ""),
        ("the lock is taken here", "", "the lock is taken here"),
        ("waits for a change", "", "waits for a change"),
    ],
)
def test_evidence_tells_lines_of_a_program_from_words(text: str, source: str, words: str) -> None:
    found = evidence(Audit(), Place(path="a.c", line=1, text=text))
    assert (found.source, found.words) == (source, words)


def test_a_source_line_of_the_result_is_used_once() -> None:
    whole = read_audit(sample.sample())
    found = evidence(whole, Place(path="src/pool.c", line=67, text="forward(trainer->model, slot);"), "calls")
    assert (found.source, found.words) == ("forward(trainer->model, slot);", "calls")
