"""The implementation plan: ordered steps for the open rows, sketches of the program's own lines, and the protocol.

Rules of this file: a sketch is judged by what it takes away (lines that are in the program), by what it adds (words the
step is about) and by its size; the protocol by the checker.
"""

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

from cllm_sim.auditor import sources, syntax
from cllm_sim.auditor.analysis import Analysis, Options
from cllm_sim.auditor.findings import Finding
from cllm_sim.auditor.planning import PlanStep, code_changes, plan, protocol
from cllm_sim.auditor.planning.sketch import LINES_MAX, printed
from cllm_sim.auditor.requirements import Judgement, judge, load_plan
from cllm_sim.checker import run
from cllm_sim.library import load

from tests.audit.test_requirements import BARE, BUSY, HERE, NO_THREADS, TREE, analysed, trainer

OPEN = {"partly", "unmet"}
CORPUS = ("t_story_trainer.c", "l_model_lock.c", "b_accumulate_race.c", "b_trainer_two_waits.c")


@cache
def planned(name: str) -> tuple[Analysis, list[Judgement], list[PlanStep]]:
    """The plan of a trainer or of a program of the corpus."""
    found: Sequence[Finding] = ()
    if name.startswith("trainer"):
        analysis, found = trainer(name)
    else:
        files, _ = syntax.read_all(sources.find([str(HERE / "corpus" / name)]).sources, cache=None)
        analysis = Analysis(files, Options())
    judgements = judge(analysis, found, load_plan())
    return analysis, judgements, plan(analysis, judgements, found)


def step(name: str, title: str) -> PlanStep:
    """The step of a program's plan with these words in its title."""
    return next(one for one in planned(name)[2] if title in one.title)


ALL = ("trainer_model_lock", "trainer_node_zero", *CORPUS)


@pytest.mark.parametrize("name", ALL)
def test_steps_are_numbered_and_serve_open_rows_only(name: str) -> None:
    _, judgements, steps = planned(name)
    status = {one.id: one.status for one in judgements}
    assert [one.step for one in steps] == list(range(1, len(steps) + 1))
    for one in steps:
        assert one.requirements
        assert all(status[id] in OPEN for id in one.requirements), one.title
        assert len(one.title) <= 90
        assert one.where
        assert one.test
        assert one.order_reason
        assert one.replaces


@pytest.mark.parametrize("name", ALL)
def test_every_open_row_is_served(name: str) -> None:
    _, judgements, steps = planned(name)
    served = {id for one in steps for id in one.requirements}
    assert {one.id for one in judgements if one.status in OPEN} == served


@pytest.mark.parametrize("name", ALL)
def test_places_and_functions_are_the_programs_own(name: str) -> None:
    analysis, _, steps = planned(name)
    lines = {file.path: file.lines for file in analysis.program.files}
    own = {function.name for function in analysis.program.functions} | {"control_main"}
    for one in steps:
        assert set(one.functions) <= own, one.title
        for site, text in (*one.where, *one.sides):
            assert text
            assert site is None or 0 < site.line <= lines[site.path], one.title


@pytest.mark.parametrize("name", ALL)
def test_sketches_take_away_what_is_there(name: str) -> None:
    """A line that goes away stands in the program, or an earlier step has put it there."""
    analysis, _, steps = planned(name)
    there = _squeezed(analysis, name)
    for one in steps:
        if not one.patch:
            continue
        lines = one.patch.splitlines()
        assert len(lines) <= LINES_MAX
        assert any(line.startswith("+") and not line.startswith("+++") for line in lines) or "Remove" in one.title
        for line in lines:
            if line.startswith("-") and not line.startswith("---"):
                assert _squeeze(line[1:]) in there, (one.title, line)
        there += "".join(_squeeze(line[1:]) for line in lines if line.startswith("+"))
        there += "".join(_squeeze(line[1:]) for line in lines if line.startswith("+"))


def _squeeze(line: str) -> str:
    return re.sub(r"[\s{}()]", "", line)


def _squeezed(analysis: Analysis, name: str) -> str:
    """The whole source without spacing, braces and comments."""
    texts = []
    for file in analysis.program.files:
        text = (HERE / (name if name.startswith("trainer") else "corpus") / Path(file.path).name).read_text()
        texts.append(re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL))
    return _squeeze("".join(texts))


# ------------------------------------------------------------------------------------------- the trainer of the story
def test_the_locked_trainer_gets_the_barrier_solution() -> None:
    one = step("trainer_model_lock", "meet twice at thread_pool.batch_barrier")
    assert "+        pthread_barrier_wait(&worker->pool->batch_barrier);  /* A:" in one.patch
    assert "-            pthread_cond_wait(&worker->work_ready, &worker->lock);" in one.patch
    assert "+        pool->order = ORDER_BATCH;" in one.patch
    assert [site.path.rpartition("/")[2] for site, _ in one.sides if site] == ["training_threaded.c"] * 2
    assert {"worker_thread_main", "train_epoch"} <= set(one.functions)
    assert "-fsanitize=thread" in one.test
    assert "cllm audit" in one.test


def test_the_lock_goes_after_the_memory_is_private_and_the_barrier_stands() -> None:
    number = {
        words: step("trainer_model_lock", words).step
        for words in (
            "own working memory",
            "run the epochs",
            "meet twice",
            "Separate the epochs",
            "Remove thread_pool.model_lock",
        )
    }
    assert list(number.values()) == sorted(number.values())
    patch = step("trainer_model_lock", "own working memory").patch
    assert "+        loss += model_forward(pool->model, window, &worker->model_scratch);" in patch
    assert "-    float probabilities[VOCABULARY];" in patch


def test_the_control_starts_when_what_it_needs_is_there() -> None:
    patch = step("trainer_model_lock", "run the epochs").patch
    assert patch.index("+    pool->report = report;") < patch.index("+    pthread_create(&pool->control_thread")
    assert "-    error = pthread_create(&pool->control_thread, NULL, control_thread_main, pool);" in patch
    assert "+    for (int epoch = 0; epoch < pool->options->epochs; epoch++) {" in patch


def test_the_remainder_is_dealt_out() -> None:
    patch = step("trainer_model_lock", "remainder").patch
    assert "+    size_t extra = PARAMETER_COUNT % (size_t)pool->num_threads;" in patch
    assert "-        pool->workers[i].segment_length = length;" in patch


def test_threads_that_are_started_in_every_epoch_stay_first() -> None:
    keep = step("t_story_trainer.c", "Start the workers once")
    meet = step("t_story_trainer.c", "meet twice")
    assert keep.step < meet.step
    assert not meet.patch  # half of a meeting is none


# --------------------------------------------------------------------------------------------------------- other plans
def test_the_trainer_after_the_plan_only_lacks_the_tree() -> None:
    _, _, steps = planned("trainer_node_zero")
    assert {id[:2] for one in steps for id in one.requirements} == {"RC"}


def test_a_program_that_meets_all_has_an_empty_plan() -> None:
    analysis, judgements, _ = planned("trainer_node_zero")
    met = [Judgement(one.id, one.group, one.text, one.source, "met", one.evidence, "") for one in judgements]
    assert plan(analysis, met, []) == []


@pytest.mark.parametrize("program", [NO_THREADS, BARE, BUSY, TREE, "int x;\n", ""])
def test_every_program_has_a_plan_and_a_protocol(program: str) -> None:
    analysis = analysed(program)
    steps = plan(analysis, judge(analysis, [], load_plan()), [])
    assert all(one.data()["title"] for one in steps)
    assert "architecture = Architecture(" in protocol(analysis)[0]


def test_code_changes_say_which_steps_touch_a_function() -> None:
    _, _, steps = planned("trainer_model_lock")
    changes = dict(code_changes(steps))
    assert len(changes["worker_thread_main"]) > 1
    assert list(changes["train_model"]) == [step("trainer_model_lock", "second implementation").step]


def test_a_step_is_plain_data() -> None:
    data = step("trainer_model_lock", "twelve").data()
    assert set(data) == {
        "step", "title", "requirements", "where", "replaces", "promise", "test", "sides", "functions", "patch",
        "order_reason",
    }  # fmt: skip
    assert data["where"][0]["line"] > 0
    assert data["promise"] == "twelvefold"


# -------------------------------------------------------------------------------------------------------- the protocol
@pytest.mark.parametrize("name", ALL)
def test_the_protocol_in_the_programs_names_holds(name: str, tmp_path: Path) -> None:
    analysis, _, _ = planned(name)
    text, mapping = protocol(analysis)
    path = tmp_path / "mapped.py"
    path.write_text(text, encoding="utf-8")
    result = run(load(str(path)), workers=2)
    assert result.data["verdict"] == "holds"
    assert {"worker", "control", "batch", "epoch", "order", "compute", "fold", "update"} <= {
        one["ours"] for one in mapping
    }


def test_the_protocol_speaks_of_the_trainer() -> None:
    text, mapping = protocol(planned("trainer_model_lock")[0])
    for name in ("worker_thread_main", "control_thread_main", "process_batch", "class ThreadPool", "batch_barrier"):
        assert name in text
    by = {one["ours"]: one for one in mapping}
    assert by["fold"]["theirs"] == "accumulate_gradients"
    assert by["batch"]["theirs"] == "thread_pool.batch_barrier"
    assert by["batch"]["line"] == 51


def test_a_name_the_text_cannot_take_stays_ours() -> None:
    program = BUSY.replace("part_main", "compute").replace("lead_main", "yield_").replace("struct pool", "struct Steps")
    text, mapping = protocol(analysed(program))
    assert {one["ours"]: one["theirs"] for one in mapping}["worker"] == "compute"
    assert "def worker(me: Seat" in text
    compile(text, "mapped.py", "exec")


# ------------------------------------------------------------------------------------------------------------ printing
def test_statements_are_printed_as_c() -> None:
    body = """int main(void)
{
    for (;;) {
        if (a > b) {
            continue;
        } else if (!c)
            break;
        do { x += 2; y--; } while (x);
        goto out;
    }
out:
    return f(a, &b[1]);
}
"""
    function = analysed(body).program.functions[0]
    text = "\n".join(line.text for line in printed(function.body))
    for part in ("for (;;) {", "if (a > b)\n            continue;", "goto out;", "out:", "return f(a, &b[1]);"):
        assert part in text
