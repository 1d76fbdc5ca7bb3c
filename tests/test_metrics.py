"""What a trace tells about time, on traces written by hand: every number below can be checked with a pencil."""

import pytest

from cllm_sim import metrics
from cllm_sim.metrics import KEYS, Step, critical_path, phase_of, phases_ms, shares, step_ms, steps, typical
from cllm_sim.operations import BATCH, EPOCH, STOP, Verb
from cllm_sim.trace import Event, Trace

MS = 1_000_000


def log(*rows: tuple[str, int, float, float]) -> tuple[Event, ...]:
    """Rows of (operation, reply, begin, end) in milliseconds."""
    return tuple(Event(op, reply, round(begin * MS), round(end * MS)) for op, reply, begin, end in rows)


BARRIER = Trace(
    {"clock": "simulated"},
    {
        "0": log(
            ("choose", BATCH, 0, 1),
            ("write 0/order 1", 0, 1, 2),
            ("wait 0/batch", 0, 2, 4),
            ("wait 0/batch", 0, 4, 21),
            ("fold 0/segment", 0, 21, 25),
            ("update weights", 0, 25, 31),
            ("choose", EPOCH, 31, 32),
            ("choose", STOP, 32, 33),
        ),
        "0.0": log(
            ("wait 0/batch", 0, 0, 3),
            ("read 0/order", 1, 3, 4),
            ("compute 0.0/segment", 0, 4, 10),
            ("wait 0/batch", 0, 10, 22),
            ("wait 0/batch", 0, 22, 40),
        ),
        "0.1": log(
            ("wait 0/batch", 0, 0, 5),
            ("read 0/order", 1, 5, 6),
            ("compute 0.1/segment", 0, 7, 19),
            ("wait 0/batch", 0, 19, 20),
            ("wait 0/batch", 0, 20, 40),
        ),
    },
)
"""One step of Node Zero with two workers: ordered at 1, updated at 31."""


def test_a_step_lasts_from_the_order_to_the_update():
    found = steps(BARRIER)
    assert found == (Step(0, 1 * MS, 31 * MS, "0"),)
    assert found[0].ms == 30
    assert step_ms(found) == {"median": 30.0, "p05": 30.0, "p95": 30.0}
    assert metrics.steps_per_second(found) == pytest.approx(1000 / 30)


def test_where_somebody_else_updates_a_step_ends_at_the_next_choice():
    trace = Trace({}, {"main": log(("choose", BATCH, 0, 1), ("wait 0/batch", 0, 1, 8), ("choose", STOP, 9, 10))})
    assert [(step.begin, step.end, step.chooser) for step in steps(trace)] == [(1 * MS, 9 * MS, "main")]


def test_an_unfinished_step_is_left_out():
    rows = (("choose", BATCH, 0, 1), ("update weights", 0, 4, 5), ("choose", BATCH, 5, 6), ("write 0/order 1", 0, 6, 7))
    assert [step.ms for step in steps(Trace({}, {"0": log(*rows)}))] == [4.0]


def test_no_step_no_numbers():
    empty = Trace({}, {"0": log(("choose", STOP, 0, 1))})
    assert steps(empty) == ()
    assert step_ms(()) == {"median": None, "p05": None, "p95": None}
    assert metrics.steps_per_second(()) is None
    assert shares(empty, ()) == {}
    assert metrics.overall({}) == dict.fromkeys(KEYS)
    assert phases_ms(empty, ()) == dict.fromkeys(KEYS)
    assert typical(()) is None


def test_the_typical_step_is_the_one_nearest_to_the_median():
    rows = [Step(0, 0, 30, "0"), Step(1, 30, 40, "0"), Step(2, 40, 62, "0"), Step(3, 62, 80, "0")]
    assert typical(rows) == rows[2]  # 10, 18, 22, 30: the median is 20, and of two that are as near the earlier counts


def test_shares_cut_events_at_the_step_and_sum_to_one():
    found = shares(BARRIER, steps(BARRIER))
    expected = {
        "0": {"barrier": 19, "fold": 4, "update": 6, "ready": 1},
        "0.0": {"barrier": 2 + 12 + 9, "compute": 6, "ready": 1},
        "0.1": {"barrier": 4 + 1 + 11, "compute": 12, "ready": 2},
    }
    for name, share in found.items():
        assert share == pytest.approx({**dict.fromkeys(KEYS, 0.0), **{k: v / 30 for k, v in expected[name].items()}})
        assert sum(share.values()) == pytest.approx(1)
    overall = metrics.overall(found)
    assert overall["compute"] == pytest.approx((0 + 6 + 12) / 90)


def test_phases_are_means_over_those_who_take_part():
    found = phases_ms(BARRIER, steps(BARRIER))
    assert found["compute"] == pytest.approx((6 + 12) / 2)
    assert found["fold"] == pytest.approx(4)
    assert found["update"] == pytest.approx(6)
    assert found["lock"] == 0
    assert found["barrier"] == pytest.approx((19 + 23 + 16) / 3)


def test_an_event_over_several_steps_counts_in_each():
    root = log(
        ("choose", BATCH, 0, 1), ("update weights", 0, 10, 11), ("choose", BATCH, 11, 12), ("update weights", 0, 20, 22)
    )  # fmt: skip
    trace = Trace({}, {"0": root, "0.0": log(("acquire model", 0, 5, 17))})
    found = shares(trace, steps(trace))
    assert found["0.0"]["lock"] == pytest.approx((6 + 5) / 20)


def test_every_verb_has_a_phase():
    assert {phase_of(f"{verb} something") for verb in Verb} == {*KEYS, "other"} - {"ready"}
    assert phase_of("choose") == "other"
    assert phase_of("sleep 0.1/wake") == "lock"


# --- critical path ----------------------------------------------------------------------------------------------------


def path_of(trace: Trace) -> list[tuple[str, str, float]]:
    (step,) = steps(trace)
    parts = critical_path(trace, step)
    assert sum(part.ms for part in parts) == pytest.approx(step.ms)
    return [(part.actor, part.op, part.ms) for part in parts]


def test_a_barrier_leads_to_whoever_arrived_last():
    assert path_of(BARRIER) == [
        ("0", "write 0/order 1", 1.0),
        ("0.1", "wait 0/batch", 3.0),  # from the root's arrival at 2 to the worker's wake-up at 5
        ("0.1", "read 0/order", 1.0),
        ("0.1", "compute 0.1/segment", 13.0),  # 12 and the millisecond before it in which nothing was logged
        ("0", "wait 0/batch", 2.0),  # from the worker's arrival at 19 to the root's wake-up at 21
        ("0", "fold 0/segment", 4.0),
        ("0", "update weights", 6.0),
    ]


def test_a_lock_leads_to_who_gave_it_back():
    trace = Trace(
        {},
        {
            "0": log(("choose", BATCH, 0, 1), ("acquire model", 0, 2, 12), ("update weights", 0, 12, 15)),
            "0.0": log(("acquire model", 0, 0, 1), ("compute 0.0/segment", 0, 1, 9), ("release model", 0, 9, 10)),
            "0.1": log(("acquire model", 0, 20, 21), ("release model", 0, 21, 22)),
        },
    )
    assert path_of(trace) == [
        ("0.0", "compute 0.0/segment", 8.0),
        ("0.0", "release model", 1.0),
        ("0", "acquire model", 2.0),
        ("0", "update weights", 3.0),
    ]


def test_a_lock_that_was_free_leads_to_the_actors_own_past():
    trace = Trace(
        {},
        {
            "0": log(
                ("choose", BATCH, 0, 1), ("write 0/order 1", 0, 1, 4), ("acquire model", 0, 4, 5), ("update w", 0, 5, 6)
            ),
            "0.0": log(("acquire model", 0, 0, 1), ("release model", 0, 1, 3)),
        },
    )
    assert [part[1] for part in path_of(trace)] == ["write 0/order 1", "acquire model", "update w"]


def test_a_waker_that_is_still_waking_others_is_left_where_it_was():
    """The release ends after the other has the lock: only the part before that belongs to the path."""
    trace = Trace(
        {},
        {
            "0": log(("choose", BATCH, 0, 1), ("acquire model", 0, 2, 12), ("update weights", 0, 12, 15)),
            "0.0": log(("compute 0.0/segment", 0, 1, 9), ("release model", 0, 9, 14)),
        },
    )
    assert path_of(trace) == [
        ("0.0", "compute 0.0/segment", 8.0),
        ("0.0", "release model", 3.0),
        ("0", "update weights", 3.0),
    ]


def test_a_lock_under_the_cursor_is_the_childs_lock():
    """The control's `0/at/lock` is `0.1/lock` after the second `next`, and nothing of `0.0/lock` leads there."""
    trace = Trace(
        {},
        {
            "0": log(
                ("choose", BATCH, 0, 1),
                ("next", 1, 1, 2),
                ("next", 1, 2, 3),
                ("acquire 0/at/lock", 0, 3, 9),
                ("update weights", 0, 9, 10),
            ),
            "0.0": log(("acquire 0.0/lock", 0, 0, 1), ("release 0.0/lock", 0, 7, 8)),
            "0.1": log(("acquire 0.1/lock", 0, 0, 1), ("write 0.1/complete 1", 0, 1, 4), ("release 0.1/lock", 0, 4, 6)),
        },
    )
    assert path_of(trace) == [
        ("0.1", "write 0.1/complete 1", 3.0),
        ("0.1", "release 0.1/lock", 2.0),
        ("0", "acquire 0/at/lock", 3.0),
        ("0", "update weights", 1.0),
    ]


@pytest.mark.parametrize(
    ("waits", "wakes"),
    [
        ("sleep 0/wake", "notify 0/wake"),
        ("sleep 0/wake", "notify_all 0/wake"),
        ("down 0/ready", "up 0/ready"),
        ("await 0/done 3", "add 0/done 1"),
        ("await 0/done 3", "store 0/done 3"),
        ("join 0.0", "release model"),
    ],
)
def test_other_waits_lead_to_who_ended_them(waits, wakes):
    trace = Trace(
        {},
        {
            "0": log(("choose", BATCH, 0, 1), (waits, 0, 1, 9), ("update weights", 0, 9, 10)),
            "0.0": log(("compute 0.0/segment", 0, 0, 6), (wakes, 0, 6, 8)),
        },
    )
    assert path_of(trace) == [
        ("0.0", "compute 0.0/segment", 5.0),
        ("0.0", wakes, 2.0),
        ("0", waits, 1.0),
        ("0", "update weights", 1.0),
    ]
