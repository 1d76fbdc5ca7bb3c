"""SPIN counts what the checker counts: states, transitions, deadlocks, and steps that break a rule.

Rules of this file: what needs SPIN is skipped, with the reason, where it is not installed; everything else runs
everywhere. The golden text is written anew by deleting the file and running the tests once.
"""

from dataclasses import replace
from pathlib import Path

import pytest

from cllm_sim.checker import run, unfold
from cllm_sim.checker.space import Space
from cllm_sim.errors import BadRequest
from cllm_sim.promela import export, export_to, plain_space, unfold_all

from tests.checker.test_random_protocols import random_system
from tests.promela.exported import BREAKING, CORRECT, LARGE, WRONG, Model, Tally, counted, sized, variant
from tests.promela.spin import Counts, compiled, first_error, missing, replayed, searched

GOLDEN = Path(__file__).parent / "golden" / "sized_queue_2.pml"
STATES_MAX = 3_000

needs_spin = pytest.mark.skipif(bool(missing()), reason=missing() or "SPIN is here")


def text_of(model: Model) -> str:
    space = model.space()
    unfold_all(space)
    return export(space.system, space)


def spin_counts(text: str, folder: Path) -> tuple[Counts, Counts]:
    """What SPIN counts when it looks for deadlocks, and when it looks for broken rules."""
    compiled(text, folder)
    return searched(folder, assertions=False), searched(folder, assertions=True)


def assert_equal_counts(space: Space, folder: Path, states_max: int = 1_000_000) -> Tally | None:
    """Compare SPIN with a plain search of ours; None where the system is too large to be compared."""
    ours = counted(space, states_max)
    if ours is None:
        return None
    for_deadlocks, for_rules = spin_counts(export(space.system, space), folder)
    assert for_deadlocks[:3] == (ours.states, ours.transitions, ours.deadlocks)
    assert for_rules[:3] == (ours.states, ours.transitions, ours.breaking)
    return ours


# ----------------------------------------------------------------------------------------------------------- the counts
@needs_spin
@pytest.mark.parametrize("model", [*CORRECT, *WRONG], ids=str)
def test_spin_counts_what_the_checker_counts(model: Model, tmp_path: Path) -> None:
    result = run(model.loaded(), workers=model.workers, depth=model.depth, reductions="none", races="next")
    tally = assert_equal_counts(model.space(), tmp_path)
    assert tally is not None
    assert (result.complete, result.states, result.transitions) == (True, tally.states, tally.transitions)
    assert ("deadlock" in {row["class"] for row in result.broken}) == (tally.deadlocks > 0)
    assert (tally.deadlocks + tally.breaking > 0) == (model in WRONG)


@needs_spin
@pytest.mark.parametrize(
    "model",
    [Model("node_zero", 2), Model("handover", 3), Model("nested", 2, 2), sized("marks", 3), sized("destroy_early", 4)],
    ids=str,
)
def test_the_form_with_a_process_per_actor_counts_the_same(model: Model, tmp_path: Path) -> None:
    """But not the same deadlocks: it takes for finished whoever waits for ever at the last barrier of its text."""
    ours = counted(model.space())
    assert ours is not None
    space = model.space()
    unfold_all(space)
    compiled(export(space.system, space, process_per_actor=True), tmp_path)
    for_deadlocks, for_rules = searched(tmp_path, assertions=False), searched(tmp_path, assertions=True)
    assert for_deadlocks[:2] == (ours.states, ours.transitions)
    assert for_deadlocks.errors <= ours.deadlocks
    assert for_rules[:3] == (ours.states, ours.transitions, ours.breaking)


@needs_spin
@pytest.mark.parametrize("model", WRONG, ids=str)
def test_spin_finds_no_shorter_way_to_a_defect(model: Model, tmp_path: Path) -> None:
    result = run(model.loaded(), workers=model.workers, depth=model.depth, reductions="none", races="next")
    steps = [(row["class"], len(row["counterexample"]["steps"])) for row in result.broken]
    compiled(text_of(model), tmp_path, breadth_first=True)
    deadlock = min((length for kind, length in steps if kind == "deadlock"), default=None)
    breaking = min((length for kind, length in steps if kind in BREAKING), default=None)
    assert first_error(tmp_path, assertions=False) == deadlock
    assert first_error(tmp_path, assertions=True) == breaking


@needs_spin
def test_spin_tells_who_does_what_where(tmp_path: Path) -> None:
    compiled(text_of(variant("locks", "inverted")), tmp_path, breadth_first=True)
    assert first_error(tmp_path, assertions=False) == 2
    steps = sorted(line.partition("  ")[::2] for line in replayed(tmp_path))
    assert [(who, what.rpartition("  ")[2]) for who, what in steps] == [
        ("one", "acquire first"),
        ("two", "acquire second"),
    ]


@needs_spin
@pytest.mark.parametrize("seed", [1, 2, 8, 107])
def test_protocols_put_together_at_random(seed: int, tmp_path: Path) -> None:
    assert_random(seed, tmp_path)


@needs_spin
@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(20, 120))
def test_many_protocols_put_together_at_random(seed: int, tmp_path: Path) -> None:
    assert_random(seed, tmp_path)


def assert_random(seed: int, folder: Path) -> None:
    """Depth 2 every fourth time; with and without wake-ups that nobody caused."""
    for spurious in (False, True):
        system = replace(random_system(seed, 1 if seed % 4 else 2), monitor=False, spurious=spurious)
        if not assert_equal_counts(Space(system, "random.py"), folder, STATES_MAX):
            pytest.skip(f"more than {STATES_MAX} states")


@needs_spin
@pytest.mark.nightly
@pytest.mark.parametrize("model", LARGE[1:], ids=str)
def test_large_models(model: Model, tmp_path: Path) -> None:
    assert assert_equal_counts(model.space(), tmp_path)


# ----------------------------------------------------------------------------------------- the counts can tell mistakes
@needs_spin
@pytest.mark.parametrize(
    ("model", "right", "wrong"),
    [
        (sized("mutex", 2), "at_ann == 0 && mutex_lock == 0 ->", "at_ann == 0 ->"),
        (sized("queue", 4), " at_ann = 4; at_", " at_ann = 5; at_"),  # a notified sleeper has the mutex at once
        (Model("node_zero", 2), "barrier_0_batch = 0\n", "skip\n"),  # the next round finds it full
        (sized("barrier", 4), "barrier_meeting < 3", "barrier_meeting < 4"),
        (sized("semaphore", 3), "semaphore_tokens > 0 ->", "semaphore_tokens > 1 ->"),
        (sized("spin_lock", 2), "(word_taken == 0 -> 1 : word_taken)", "1 - word_taken"),
        (sized("ticket_lock", 2), "word_ticket = word_ticket + (1)", "skip"),
        (Model("node_zero", 2), "\tregion_0_segment = 0;\n", ""),  # the end of a step leaves the total behind
        (Model("handover", 2), "cursor_0 < 2 ", "cursor_0 < 1 "),
        (variant("locks", "inverted"), "at_one == 1 && ", "at_one == 1 && at_two == 0 && "),
    ],
    ids=str,
)
def test_a_wrong_translation_is_seen(model: Model, right: str, wrong: str, tmp_path: Path) -> None:
    text = text_of(model)
    assert right in text
    ours = counted(model.space())
    assert ours is not None
    compiled(text.replace(right, wrong), tmp_path)
    seen = searched(tmp_path, assertions=False)[:3], searched(tmp_path, assertions=True)[:3]
    assert seen != ((*ours[:2], ours.deadlocks), (*ours[:2], ours.breaking))


@needs_spin
def test_a_reply_that_was_not_met_fails_an_assertion(tmp_path: Path) -> None:
    space = sized("ticket_lock", 3).space()
    pending = space.pending(space.start().nodes)
    for _ in space.steps(space.start(), pending):  # only the first reply of every actor is known now
        pass
    compiled(export(space.system, space), tmp_path)
    assert searched(tmp_path, assertions=True).errors > 0


# ------------------------------------------------------------------------------------------------------------- the text
def test_the_text_is_the_golden_one() -> None:
    text = text_of(sized("queue", 2))
    if not GOLDEN.exists():
        GOLDEN.write_text(text, encoding="utf-8")
        pytest.fail(f"{GOLDEN.name} was missing and is now written: read it, then run again")
    assert text == GOLDEN.read_text(encoding="utf-8")


@pytest.mark.parametrize("model", [Model("node_zero", 2), Model("handover", 2)], ids=str)
def test_the_text_does_not_depend_on_the_order_of_the_search(model: Model) -> None:
    space = model.space()
    seen, left = {space.start()}, [space.start()]
    while left:  # breadth first and backwards, where `unfold_all` goes depth first
        state = left.pop(0)
        for step in reversed(list(space.steps(state, space.pending(state.nodes)))):
            if step.after not in seen:
                seen.add(step.after)
                left.append(step.after)
    assert export(space.system, space) == text_of(model)


def test_every_actor_and_line_is_named_in_the_header() -> None:
    model = Model("node_zero", 2)
    header = text_of(model).partition("*/")[0]
    assert header.startswith("/* node_zero: 3 actors")
    for name in ("at_0\n", "at_0_0\n", "at_0_1\n"):
        assert f"   {name}" in header
    assert "wait 0/batch, arrived" in header
    assert str(Path(model.loaded().path).parent) not in header


def test_names_that_differ_in_their_signs_only_stay_apart(tmp_path: Path) -> None:
    file = tmp_path / "names.py"
    file.write_text(
        "from cllm_sim import Architecture, Word\n"
        "one, two = Word('a-b'), Word('a_b')\n"
        "def root(me, work):\n    yield one.add(1)\n    yield two.add(1)\n"
        "def leaf(me, team, order):\n    yield from ()\n"
        "architecture = Architecture(root, leaf=leaf, shared=(one, two))\n",
        encoding="utf-8",
    )
    text = text_of(Model(f"{file}"[:-3] + ".py"))
    assert "int word_a_b = 0;\nint word_a_b_2 = 0;\n" in text


# ------------------------------------------------------------------------------------------------------------ to a file
def test_export_to_a_file(tmp_path: Path) -> None:
    model = Model("node_zero", 2)
    states = export_to(model.loaded(), 2, 1, tmp_path / "model.pml")
    assert states == 225
    assert (tmp_path / "model.pml").read_text(encoding="utf-8") == text_of(model)


def test_too_many_states(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="more than 100 states; export fewer workers"):
        export_to(Model("node_zero", 3).loaded(), 3, 1, tmp_path / "model.pml", max_states=100)
    assert not list(tmp_path.iterdir())


def test_a_place_where_nothing_can_be_written(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="cannot be written"):
        export_to(Model("serial").loaded(), 1, 1, tmp_path / "absent" / "model.pml")


def test_a_text_that_counts_without_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unfold, "SITUATIONS_MAX", 100)
    with pytest.raises(BadRequest, match="'rounds' takes ever new values"):
        unfold_all(variant("endings", "counter").space())


def test_a_value_of_more_than_32_bits(tmp_path: Path) -> None:
    file = tmp_path / "huge.py"
    file.write_text(
        "from cllm_sim import Architecture, Word\n"
        "one = Word('one')\n"
        "def root(me, work):\n    yield one.add(2**31)\n"
        "def leaf(me, team, order):\n    yield from ()\n"
        "architecture = Architecture(root, leaf=leaf, shared=(one,))\n",
        encoding="utf-8",
    )
    with pytest.raises(BadRequest, match="more than 32 bits"):
        unfold_all(plain_space(Model(str(file)).loaded(), 1, 1))


@needs_spin
def test_a_system_in_which_nobody_does_anything(tmp_path: Path) -> None:
    file = tmp_path / "idle.py"
    file.write_text(
        "from cllm_sim import Architecture\n"
        "def root(me, work):\n    yield from ()\n"
        "def leaf(me, team, order):\n    yield from ()\n"
        "architecture = Architecture(root, leaf=leaf)\n",
        encoding="utf-8",
    )
    assert assert_equal_counts(Model(str(file)).space(), tmp_path)
