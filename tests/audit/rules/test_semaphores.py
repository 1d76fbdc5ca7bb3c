"""CP001, CP002: semaphores that lack a side."""

import pytest

from tests.audit.auditing import found
from tests.audit.rules.lock_programs import line_of, program

DECLARED = "static sem_t s;"
DOWN = "sem_wait(&s); y = 1;"


@pytest.mark.parametrize(
    ("worker", "value", "between", "expected"),
    [
        ("y = 1;", "0", "", ["CP001"]),
        (DOWN, "0", "", ["CP002"]),
        (DOWN, "3", "", []),
        (DOWN, "chance(3)", "", []),
        (DOWN, "0", "for (int i = 0; i < 3; i++) sem_post(&s);", []),
        ("if (sem_trywait(&s) == 0) y = 1;", "0", "", []),
    ],
    ids=["unused", "never posted", "starts at 3", "starts at something", "posted", "tried only"],
)
def test_sides(worker: str, value: str, between: str, expected: list[str]) -> None:
    text = program(worker, declarations=DECLARED, before=f"sem_init(&s, 0, {value});", between=between)
    assert [finding.code for finding in found(text, "CP001", "CP002")] == expected


def test_a_post_in_code_that_nothing_reaches_does_not_count_and_is_shown() -> None:
    declarations = DECLARED + "\nstatic void unused(void)\n{\n    sem_post(&s);\n}"
    text = program(DOWN, declarations=declarations, before="sem_init(&s, 0, 0);")
    (finding,) = found(text, "CP002")
    assert finding.site.line == line_of(text, "sem_wait")
    assert {line_of(text, "sem_post"), line_of(text, "sem_init")} <= {note.site.line for note in finding.notes}


def test_members_posted_through_a_wrapper() -> None:
    declarations = """struct gate { sem_t open; };
static struct gate gate;
static void let_in(struct gate *g) { sem_post(&g->open); }"""
    text = program(
        "sem_wait(&gate.open); y = 1;", declarations=declarations, before="sem_init(&gate.open, 0, 0);",
        between="for (int i = 0; i < 3; i++) let_in(&gate);",
    )  # fmt: skip
    assert found(text, "CP001", "CP002") == []


ARRAY = """enum { ROOM, FRAME, PARTS };
static sem_t sems[PARTS];
static const unsigned table[PARTS] = { [ROOM] = 0 };"""


@pytest.mark.parametrize(
    ("declarations", "between", "expected"),
    [
        (ARRAY, "sem_post(&sems[FRAME]);", ["CP002"]),
        (ARRAY.replace("[ROOM] = 0", "[ROOM] = 1"), "sem_post(&sems[FRAME]);", []),
        (ARRAY.replace("[ROOM] = 0", "[FRAME] = 1"), "sem_post(&sems[FRAME]);", ["CP002"]),
        (ARRAY.replace("{ [ROOM] = 0 }", "{ 0, 1 }"), "sem_post(&sems[FRAME]);", ["CP002"]),
        (ARRAY.replace("{ [ROOM] = 0 }", "{ 1, 0 }"), "sem_post(&sems[FRAME]);", []),
        (ARRAY, "for (int i = 0; i < 3; i++) sem_post(&sems[ROOM]);", []),
        (ARRAY, "for (int i = 0; i < PARTS; i++) sem_post(&sems[i]);", []),
    ],
    ids=[
        "another is posted",
        "starts at 1",
        "another starts at 1",
        "by position",
        "starts at 1 by position",
        "posted",
        "perhaps posted",
    ],
)
def test_semaphores_of_an_array_are_told_apart(declarations: str, between: str, expected: list[str]) -> None:
    before = "for (int i = 0; i < PARTS; i++) sem_init(&sems[i], 0, table[i]);"
    text = program("sem_wait(&sems[ROOM]); y = 1;", declarations=declarations, before=before, between=between)
    assert [finding.code for finding in found(text, "CP001", "CP002")] == expected


def test_what_comes_behind_a_wait_that_never_ends_is_no_race() -> None:
    text = program("sem_wait(&s); y = 1;", declarations=DECLARED, before="sem_init(&s, 0, 0);", between="y = 2;")
    assert found(text, "CR001") == []
    assert found(text.replace("sem_init(&s, 0, 0)", "sem_init(&s, 0, 3)"), "CR001") != []
