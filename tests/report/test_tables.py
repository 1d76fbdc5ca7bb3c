"""The cells, the notes, the sentence at the top, and the numbers in them."""

import copy

import pytest

from cllm_sim.report import naming, quantities, tables
from cllm_sim.report.headline import headline
from cllm_sim.report.shape import Comparison, read_comparison

from tests.report import sample


def cells(comparison: Comparison, column: str) -> list[tuple[str, str]]:
    found = tables.table(comparison)
    number = [one.title for one in found.columns].index(column)
    return [(row[number].main, row[number].detail.replace("\u00a0", " ")) for row in found.rows]


def changed(**fields: object) -> Comparison:
    """The demo with fields of the row of node_zero changed."""
    data = copy.deepcopy(sample.demo())
    data["rows"][3].update(fields)
    return read_comparison(data)


# ---------------------------------------------------------------------------------------------------------------- table
def test_every_median_has_its_spread() -> None:
    demo = read_comparison(sample.demo())
    for column in ("predicted", "measured", "speed\u2011up", "error"):
        assert all(detail for main, detail in cells(demo, column) if main != quantities.MISSING), column


def test_the_unguarded_row_shows_what_came_of_it() -> None:
    demo = read_comparison(sample.demo())
    assert cells(demo, "verdict")[1] == ("broken", "as marked: race and stale-read")
    assert cells(demo, "weights")[1] == ("3 different", "in 3 runs")
    assert cells(demo, "weights")[3][1] == "in all 3 runs"
    assert cells(demo, "loss")[1] == ("NaN", "from 8.01")
    assert cells(demo, "waiters")[2:] == [("11", ""), ("none", "")]


def test_a_loss_that_is_missing_after_lost_steps_counts_as_lost() -> None:
    broken = changed(heldout_bits_per_byte={"first": 8.0, "last": None}, nonfinite_steps=[3])
    cell = tables._loss(broken, broken.rows[3])
    assert (cell.main, cell.tone) == (quantities.MISSING, "bad")


def test_columns_without_content_are_left_out() -> None:
    assert [column.title for column in tables.table(read_comparison(sample.checked_only())).columns] == [
        "architecture",
        "verdict",
        "waiters",
    ]
    assert tables.table(read_comparison({})) == tables.Table((), ())


def test_a_smaller_scope_is_told() -> None:
    assert cells(changed(verdict="undecided", holds_completely_with=3), "verdict")[3] == ("undecided", "holds with 3")
    found = changed(verdict="broken", classes=["race"], verdict_workers=3)
    assert cells(found, "verdict")[3] == ("BROKEN", "race (with 3)")


def test_contention_that_is_not_exact_is_no_maximum() -> None:
    assert cells(changed(contention_max=5, contention_exact=False), "waiters")[3] == ("≥ 5", "seen so far")


def test_failed_runs_are_told() -> None:
    found = changed(failures=["worker 0.3 died"], measured_ms=None)
    assert cells(found, "measured")[3] == (quantities.MISSING, "1 run failed")
    assert "node_zero: worker 0.3 died" in tables.notes(found)


def test_inversions_and_regressions_are_told() -> None:
    data = sample.demo()
    data["inversions"] = [{"a": "node_zero", "b": "model_lock", "workers": 12, "gap_pct": 9.0, "noise_pct": 2.0}]
    data["regressions"] = [{"architecture": "node_zero", "workers": 12, "growth_pct": 31.0, "noise_pct": 2.0}]
    told = tables.notes(read_comparison(data))
    assert "ranked the wrong way round by the prediction: node_zero and model_lock with 12 workers" in told
    assert "node_zero with 12 workers became 31 % slower than the baseline" in told


# ------------------------------------------------------------------------------------------------------------- sentence
def test_the_sentence_of_the_demo() -> None:
    assert headline(read_comparison(sample.demo())) == (
        "serial, model_lock and node_zero hold in every interleaving with 12 workers; unguarded is broken (race and "
        "stale-read); with 12 workers node_zero takes 21.5 ms a step (20.4 to 24.1), 2.03x faster than model_lock."
    )


def test_the_unexpected_comes_first() -> None:
    assert headline(changed(verdict="broken", classes=["deadlock"])).startswith(
        "node_zero is broken (deadlock), and nothing in its file says so; serial and model_lock hold"
    )
    assert headline(changed(legal=False)).startswith("What node_zero really did is no legal behaviour of its text; ")
    assert headline(changed(failures=["x"])).startswith("Runs of node_zero failed; ")


def test_the_open_is_told() -> None:
    told = headline(changed(verdict="undecided", holds_completely_with=3))
    assert "node_zero is undecided within the limits with 12 workers, and holds with 3" in told


def test_a_prediction_stands_in_for_a_measurement() -> None:
    rows = [{"architecture": "a", "workers": 2, "predicted_ms": 3.0, "predicted_interval_ms": [2.9, 3.2]}]
    assert headline(read_comparison({"rows": rows})) == "a is predicted to take 3.00 ms a step (2.90 to 3.20)."


def test_nothing_is_claimed_of_nothing() -> None:
    assert headline(read_comparison({})) == "Nothing was compared."


# -------------------------------------------------------------------------------------------------------------- numbers
@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.01234, "0.0123"),
        (1.675, "1.68"),
        (20.34, "20.3"),
        (1239.7, "1,240"),
        (99.96, "100"),
        (-2.5, "-2.50"),
    ],
)
def test_three_figures(value: float, text: str) -> None:
    assert quantities.rounded(value) == text


def test_numbers_that_are_none() -> None:
    assert [quantities.rounded(float(name)) for name in ("nan", "inf", "-inf")] == ["NaN", "∞", "-∞"]
    assert [quantities.bits(None), quantities.bits(float("nan"))] == ["–", "NaN"]
    assert [quantities.percent(None), quantities.percent(3.14, signed=True), quantities.percent(-31)] == [
        "–",
        "+3.1 %",
        "-31 %",
    ]


def test_lists_in_words() -> None:
    assert [quantities.listed(list(word)) for word in ("", "a", "ab", "abc")] == ["", "a", "a and b", "a, b and c"]


def test_names_of_actors() -> None:
    names = ["0", "0.0", "0.0.0", "0.1", "caller"]
    assert list(naming.actor_labels(names).values()) == [
        "control",
        "control 0.0",
        "worker 0.0.0",
        "worker 0.1",
        "caller",
    ]
    assert naming.actor_labels(["0"]) == {"0": "single actor"}


def test_addresses_from_their_number() -> None:
    assert naming.tree_names(1, 12) == ("0",)
    assert naming.tree_names(7, 2) == ("0", "0.0", "0.0.0", "0.0.1", "0.1", "0.1.0", "0.1.1")
    assert naming.tree_names(157, 12)[:15][-1] == "0.1"
    assert naming.tree_names(5, 2) == ("actor 0", "actor 1", "actor 2", "actor 3", "actor 4")


def test_file_names() -> None:
    assert [naming.slug(name) for name in ("node_zero", "./my dir/mine.py", "../..", "$$")] == [
        "node_zero",
        "mine",
        "unnamed",
        "unnamed",
    ]
