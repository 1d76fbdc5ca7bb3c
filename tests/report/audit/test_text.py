"""What the terminal shows of an audit: the inventory always, findings with both sides, one question at a time."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console

from cllm_sim.errors import BadRequest
from cllm_sim.report.audit.text import render

from tests.report.audit import hostile, sample

Shown = Callable[..., str]
COPIED = ("everything:", "all of it", "look at it:", "is there a schedule", "  cllm explain")
QUESTIONS = ("barriers", "control", "shared-memory", "threads")


@pytest.fixture
def shown() -> Shown:
    """`shown(data, show=None, min_severity="note", width=100)`: the text, without spaces at the ends of lines."""

    def show(data: dict[str, Any], show: str | None = None, min_severity: str = "note", width: int = 100) -> str:
        buffer = io.StringIO()
        render(data, Console(file=buffer, width=width, highlight=False), show, min_severity)
        return "\n".join(line.rstrip() for line in buffer.getvalue().rstrip("\n").splitlines())

    return show


def block(text: str, title: str) -> str:
    """The lines below a title, up to the next blank line."""
    return text.partition(f"\n{title}\n")[2].partition("\n\n")[0]


# ----------------------------------------------------------------------------------------------------------- the whole
def test_everything_comes_in_the_order_in_which_one_asks(shown: Shown) -> None:
    text = shown(sample.sample())
    parts = [
        "trainer_model_lock  7 files, 1,240 lines, 48 functions",
        "12 workers and a control thread that is only parked",
        "\ninventory\n",
        "\nroles\n",
        "\nfindings\n",
        "\nrequirements  2 met, 3 partly, 5 unmet and 1 unknown\n",
        "\nplan  3 steps\n",
        "\nthe program's own protocol, checked\n",
        "\nnot understood\n",
        "\nassumed\n",
        "\n11 findings (4 errors, 6 warnings, 1 note) in 7 files, 0.41 s; 1 place not understood\n",
        "\nall of it as a page:  cllm audit trainer_model_lock -o audit-report",
    ]
    places = [text.find(part) for part in parts]
    assert -1 not in places
    assert places == sorted(places)
    assert text.endswith(parts[-1])


def test_the_inventory_names_counts_waits_by_role_and_what_nobody_does(shown: Shown) -> None:
    text = " ".join(block(shown(sample.sample()), "inventory").split())
    parts = [
        "barriers 2 barriers, 2 never waited on",
        "Trainer.batch_barrier count num_threads + 1 (src/trainer.c:84); never waited on; never destroyed",
        "Trainer.model_lock worker locks (src/pool.c:66); worker unlocks (src/pool.c:69); held while",
        "semaphores none",
        "SharedRegion.base caller maps (src/shared.c:22); never read nor written",
        "written by worker (src/pool.c:77); never read",
        "worker_thread started num_threads times (src/trainer.c:92); joined (src/trainer.c:190)",
    ]
    assert [part for part in parts if part not in text] == []


def test_a_finding_shows_place_mark_both_sides_and_how_each_role_gets_there(shown: Shown) -> None:
    text = shown(sample.sample())
    found = text[text.index("src/pool.c:113:21: CR002") :].split("\n\n")[0]
    assert found.splitlines() == [
        "src/pool.c:113:21: CR002 Trainer.running is polled without an order: the loop may never see the",
        "change",
        "  113 | while (trainer->running) {",
        "      |                 ^^^^^^^",
        "  by way of control_thread src/trainer.c:95",
        "  src/trainer.c:188  caller set here",
        "    188 | trainer->running = 0;",
        "        |          ^^^^^^^",
        "    by way of trainer_free src/main.c:40 → trainer_stop src/trainer.c:184",
        "  to do: use an atomic, or a barrier that the stop goes through",
        "  error, confidence high, new since the baseline.   cllm explain CR002",
    ]


def test_findings_come_with_the_worst_first(shown: Shown) -> None:
    text = shown(sample.sample())
    assert text.index(": CR001 ") < text.index(": CB001 ") < text.index(": CR003 ")


def test_what_is_below_the_lowest_severity_is_counted_not_shown(shown: Shown) -> None:
    text = shown(sample.sample(), min_severity="error")
    assert ": CR002 " in text
    assert ": CB001 " not in text
    assert "  7 findings below error not shown" in text
    assert "\n11 findings (4 errors, 6 warnings, 1 note)" in text


def test_new_is_told_only_where_there_was_something_to_compare_with(shown: Shown) -> None:
    data = sample.sample()
    for finding in data["findings"]:
        finding["new"] = True
    assert "new since the baseline" not in shown(data)
    assert "new since the baseline" in shown({**data, "command": ["cllm", "audit", "src", "--baseline", "a.json"]})


def test_a_mark_that_lies_outside_its_line_is_left_out(shown: Shown) -> None:
    data = sample.sample()
    data["findings"] = [{**data["findings"][0], "column": 400, "notes": []}]
    text = shown(data)
    assert "   31 | pthread_barrier_t batch_barrier;\n" in text
    assert "^" not in text.partition("\nfindings\n")[2].partition("\nrequirements")[0]


def test_a_long_line_is_cut_around_its_mark(shown: Shown) -> None:
    data = sample.sample()
    source = f"    call({'argument_that_is_long, ' * 20}the_culprit, {'more, ' * 30}last);"
    finding = {**data["findings"][0], "source": source, "column": source.index("the_culprit") + 1, "notes": []}
    data["findings"] = [finding]
    data["sources"] = {}
    lines = shown(data).splitlines()
    row = next(number for number, line in enumerate(lines) if "the_culprit" in line)
    assert len(lines[row]) <= 100
    assert lines[row].count("…") == 2
    assert lines[row + 1].index("^") == lines[row].index("the_culprit")
    assert lines[row + 1].count("^") == len("the_culprit")


def test_a_counterexample_is_told_step_by_step(shown: Shown) -> None:
    text = shown(sample.sample())
    assert "  1 worker     BROKEN     deadlock, 41 states, complete" in text
    reached = "not every interleaving was searched: the limit of 200,000 states was reached"
    assert reached in " ".join(text.split())
    assert "  2  worker 0  pool.c:43      wait Worker.wake" in text
    assert "no way back" in text
    assert "waits for Worker.wake: needs a signal" in text


def test_a_skeleton_that_could_not_be_made_says_why(shown: Shown) -> None:
    data = {**sample.sample(), "skeleton": {"text": "", "abstracted": [], "checks": [], "refused": "two entry points"}}
    assert "not possible: two entry points" in shown(data)


def test_the_next_command_is_the_last_line(shown: Shown) -> None:
    data = {**sample.sample(), "paths": ["a b", "c"]}
    assert shown({**data, "output": "out"}).splitlines()[-1] == "look at it:  out/index.html"
    unchecked = shown({**data, "skeleton": None}).splitlines()[-1]
    assert unchecked == "is there a schedule that goes wrong?  cllm audit 'a b' c --check"


def test_nothing_found_still_tells_what_was_looked_at(shown: Shown) -> None:
    text = shown(sample.empty())
    assert "No finding in 1 file (3 lines); no thread is started." in text
    assert text.count(" none") == 11
    assert "  none: 12 rules looked at every object and role" in text
    assert "\n0 findings in 1 file\n" in text
    assert "requirements" not in text


# ---------------------------------------------------------------------------------------------------------- questions
@pytest.mark.parametrize(
    ("question", "answer", "evidence", "finding"),
    [
        ("barriers", "2 barriers are declared, none is waited on:", "src/trainer.c:84      initialised for", "CB001"),
        ("control", "The control thread (control_thread) never reaches batch", "src/trainer.c:95  started", "CT005"),
        ("shared-memory", "1 shared-memory region is created; no thread", "src/pool.c:77         worker w", "CS004"),
        ("threads", "3 roles: caller (train_epoch) processes batches;", "src/trainer.c:95  is started", "CT006"),
    ],
)
def test_a_question_is_answered_first_and_then_shown(
    shown: Shown, question: str, answer: str, evidence: str, finding: str
) -> None:
    text = shown(sample.sample(), question)
    assert text.startswith(answer)
    assert evidence in text
    assert f": {finding} " in text
    assert "\ninventory\n" not in text
    assert text.splitlines()[-1] == "everything:  cllm audit trainer_model_lock"


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("barriers", "No barrier is declared or initialised in 1 file (3 lines)"),
        ("control", "There is no control thread; no thread has a role at all."),
        ("shared-memory", "No shared-memory region is created; no buffer was found"),
        ("threads", "No thread is started: in 1 file (3 lines) no call creates one."),
    ],
)
def test_a_question_about_nothing_says_what_was_looked_for(shown: Shown, question: str, answer: str) -> None:
    assert shown(sample.empty(), question).startswith(answer)


def test_a_question_nobody_can_answer_is_refused(shown: Shown) -> None:
    with pytest.raises(BadRequest, match="no question 'weather'; ask for threads, barriers, control or shared-memory"):
        shown(sample.sample(), "weather")


def test_another_verbs_result_is_refused(shown: Shown) -> None:
    with pytest.raises(BadRequest, match="result of 'check'"):
        shown({**sample.sample(), "verb": "check"})


def test_a_field_of_another_shape_is_named(shown: Shown) -> None:
    data = sample.sample()
    data["findings"][1]["line"] = "many"
    with pytest.raises(BadRequest, match=r"findings\[1\]\.line"):
        shown(data)


# -------------------------------------------------------------------------------------------------------------- width
@pytest.mark.parametrize("width", [60, 80, 100, 200])
@pytest.mark.parametrize("question", [None, *QUESTIONS])
def test_no_line_is_too_wide_and_no_place_is_cut_off(shown: Shown, width: int, question: str | None) -> None:
    text = shown(sample.sample(), question, width=width)
    assert [line for line in text.splitlines() if len(line) > min(width, 100) and not line.startswith(COPIED)] == []
    asked_for = {"threads": "src/trainer.c:190", "barriers": "src/pool.c:101", "control": "src/trainer.c:127"}
    assert asked_for.get(question or "", "src/shared.c:22") in text


def test_hostile_names_neither_draw_nor_disappear(shown: Shown) -> None:
    text = shown(hostile.hostile())
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "[bold]" in text
    assert all(len(line) <= 100 or line.startswith(COPIED) for line in text.splitlines())
    for question in QUESTIONS:
        assert "\x1b" not in shown(hostile.hostile(), question)
