"""Tampered traces are rejected, and the event is named.

Most ways part a log from its own text. Two are no lie: leaving out the last event of an *interrupted* run (unless the
closing length gives it away), and leaving out a choice that concerns nobody else (the environment might have chosen
so).
"""

import random
from collections import Counter
from pathlib import Path

import pytest

from cllm_sim.library import load, shipped
from cllm_sim.trace import Trace
from cllm_sim.validator import judge

from tests.validator.exhaustive import legal
from tests.validator.rates import record
from tests.validator.schedule import recorded
from tests.validator.tampering import (
    WAYS,
    Row,
    Tampered,
    attempts,
    campaign,
    reference,
    share,
    subjects,
    table,
    tamper,
    verdict,
)

PER_WAY = 4
LEGAL_SHARE_MAX = 0.02
IN_TIME = {"early", "late"}
"""Ways that change times alone: often nobody depended on them, and the trace is still legal."""
WORK_QUEUE = load("work_queue")


def tampered_traces(name: str):
    loaded = load(name)
    for workers, depth in ((2, 1), (5, 1), (2, 2)) if name == "node_zero" else ((2, 1), (5, 1)):
        system, trace = recorded(loaded, workers, depth, steps=3, seed=5)
        for what in sorted(set(WAYS) - IN_TIME):
            for seed in range(PER_WAY):
                tampered = tamper(trace, what, 100 * seed + workers)
                if tampered is not None:
                    yield system, trace, tampered


def with_stated_lengths(tampered: Tampered, trace: Trace) -> Trace:
    """The same with the closing lines as they were."""
    return Trace(trace.header, tampered.trace.actors)


def test_random_tampering_is_rejected() -> None:
    """A few hundred traces; the closing lengths are falsified as well, except where only the end is missing."""
    rejected: Counter[str] = Counter()
    accepted: list[tuple[str, Tampered]] = []
    named = 0
    for name in shipped():
        for system, trace, tampered in tampered_traces(name):
            shown = with_stated_lengths(tampered, trace) if tampered.what == "cut" else tampered.trace
            found = judge(system, shown, path=load(name).path)
            assert found.legal is not None
            if found.legal:
                assert legal(system, tampered.trace)
                accepted.append((name, tampered))
                continue
            rejected[tampered.what] += 1
            assert found.first_illegal is not None
            assert found.first_illegal["line"] > 0
            named += found.first_illegal["actor"] == tampered.actor
    total = sum(rejected.values()) + len(accepted)
    assert total > 500
    assert all(rejected[what] >= 50 for what in set(WAYS) - IN_TIME)
    assert len(accepted) <= LEGAL_SHARE_MAX * total
    assert {what for _, (what, _, _, _) in accepted} <= {"dropped"}
    assert named > 0.8 * sum(rejected.values())


def test_a_few_hundred_of_all_ways() -> None:
    """What is accepted is a legal trace in truth, and what is rejected is none; the table says so."""
    pool = subjects(per_architecture=2)
    assert all(verdict(subject, subject.trace).legal for subject in pool)
    rows = campaign(pool, 550)
    assert share(rows) == 1.0, table(rows)
    assert not any(row.seeds[kind] for row in rows.values() for kind in ("missed", "false", "budget")), table(rows)
    assert {what for what, row in rows.items() if row.seeds["legal"]} <= {"dropped", *IN_TIME}
    assert all(row.count["rejected"] >= 10 for row in rows.values())


def test_the_table_counts_what_was_missed() -> None:
    """A judge that accepted everything would be found out: its answers are put before the reference."""
    subject = subjects(per_architecture=1)[0]
    lie = next(tampered for _, tampered, _ in attempts([subject], 40) if tampered.what == "answered")
    assert reference(subject, lie, None) is False
    honest = lie._replace(trace=subject.trace)
    assert reference(subject, honest, None) is True
    rows = {what: Row() for what in WAYS}
    rows["answered"].count.update({"made": 2, "rejected": 1, "missed": 1})
    rows["answered"].seeds["missed"].append(17)
    assert share(rows) == 0.5
    assert "missed, answered: seeds 17" in table(rows)


@pytest.mark.nightly
def test_ten_thousand_tampered_traces(tmp_path: Path) -> None:
    """Of runs by a random scheduler and of runs recorded by the runtime."""
    runs = [record(name, 3, tmp_path, workers=3) for name in ("node_zero", "model_lock", "work_queue")]
    pool = subjects(runs)
    assert all(verdict(subject, subject.trace).legal for subject in pool)
    rows = campaign(pool, 10_000)
    print(table(rows))
    assert share(rows) >= 0.999, table(rows)
    assert not any(row.seeds[kind] for row in rows.values() for kind in ("missed", "false")), table(rows)


@pytest.mark.parametrize("what", ["dropped", "doubled", "exchanged", "answered", "cut"])
def test_the_tampered_event_is_named(what: str) -> None:
    """At the event, or at the next one where the text still agrees with the tampered one itself."""
    loaded = load("node_zero")
    system, trace = recorded(loaded, 3, steps=4, seed=3)
    near = tries = 0
    for seed in range(40):
        tampered = tamper(trace, what, seed)
        if tampered is None:
            continue
        judged = judge(system, tampered.trace, path=loaded.path)
        assert judged.first_illegal is not None
        at = len(tampered.trace.actors[tampered.actor]) if what == "cut" else tampered.at
        near += judged.first_illegal["actor"] == tampered.actor and at <= judged.first_illegal["event"] <= at + 1
        tries += 1
    assert near >= 0.9 * tries >= 20


def test_lengths_that_do_not_fit() -> None:
    loaded = load("node_zero")
    system, trace = recorded(loaded, 2, steps=2, seed=1, events_max=30)
    lengths = trace.header["lengths"]
    for wrong, word in ((lengths["0.1"] + 1, "breaks off"), (lengths["0.1"] - 1, "should have ended")):
        shown = Trace({**trace.header, "lengths": {**lengths, "0.1": wrong}}, trace.actors)
        first = judge(system, shown, path=loaded.path).first_illegal
        assert first is not None
        assert (first["actor"], first["event"]) == ("0.1", min(wrong, lengths["0.1"]))
        assert word in first["text"]
    rest = {name: length for name, length in lengths.items() if name != "0.0"}
    first = judge(system, Trace({**trace.header, "lengths": rest}, trace.actors), path=loaded.path).first_illegal
    assert first is not None
    assert first["actor"] == "0.0"
    assert "closes the log" in first["text"]


def test_actors_that_do_not_fit() -> None:
    loaded = load("node_zero")
    system, trace = recorded(loaded, 3, steps=1)
    without = {name: log for name, log in trace.actors.items() if name != "0.2"}
    missing = judge(system, Trace(trace.header, without), path=loaded.path)
    unknown = judge(system, Trace(trace.header, {**trace.actors, "0.7": ()}), path=loaded.path)
    for judged, name in ((missing, "0.2"), (unknown, "0.7")):
        assert judged.legal is False
        assert judged.first_illegal is not None
        assert judged.first_illegal["actor"] == name
        assert name in judged.first_illegal["text"]


def test_times_that_run_backwards() -> None:
    loaded = load("node_zero")
    system, trace = recorded(loaded, 2, steps=1)
    log = list(trace.actors["0.0"])
    log[3] = log[3]._replace(begin=log[2].end - 1)
    first = judge(system, Trace(trace.header, {**trace.actors, "0.0": tuple(log)}), path=loaded.path).first_illegal
    assert first is not None
    assert (first["actor"], first["event"]) == ("0.0", 3)
    assert "backwards" in first["text"]


def falsified_claim(trace: Trace, true: int, false: int) -> tuple[Trace, str, int]:
    """In the last step, whoever claimed piece `true` says it was `false`, and computed that one, too."""
    logs = {name: list(log) for name, log in trace.actors.items()}
    claims = [
        (event.begin, name, index)
        for name, log in logs.items()
        for index, event in enumerate(log)
        if event.op.startswith("add") and event.reply == true
    ]
    _, name, index = max(claims)
    logs[name][index] = logs[name][index]._replace(reply=false)
    work = logs[name][index + 1]
    logs[name][index + 1] = work._replace(op=work.op.replace(f"[{true}]", f"[{false}]"))
    return Trace(trace.header, {actor: tuple(log) for actor, log in logs.items()}), name, index


@pytest.mark.parametrize(("steps", "late_ns", "moves_max"), [(1, 30, 150), (1, 1000, 150), (10, 30, 3_000)])
def test_two_workers_claim_the_same_piece(steps: int, late_ns: int, moves_max: int) -> None:
    """Consistently falsified in both events, so every log agrees with its text: only all of them together do not."""
    system, trace = recorded(WORK_QUEUE, 12, steps=steps, late_ns=late_ns)
    lie, name, index = falsified_claim(trace, 4, 3)
    judged = judge(system, lie, path=WORK_QUEUE.path)
    assert judged.legal is False
    assert judged.moves <= moves_max
    first = judged.first_illegal
    assert first is not None
    assert first["possible_replies"] == [4]
    assert "team.claimed.add(1)" in Path(first["path"]).read_text().splitlines()[first["line"] - 1]
    if late_ns == 30:
        assert (first["actor"], first["event"], first["reply"]) == (name, index, 3)


def test_a_symmetric_lie_without_clocks() -> None:
    """All events at the same time: the clock rules nothing out, and still it is no search through all orders."""
    system, trace = recorded(WORK_QUEUE, 12, steps=1)
    lie, _, _ = falsified_claim(trace, 4, 3)
    timeless = {name: tuple(event._replace(begin=0, end=0) for event in log) for name, log in lie.actors.items()}
    judged = judge(system, Trace(lie.header, timeless), path=WORK_QUEUE.path)
    assert judged.legal is False
    assert judged.moves <= 400


def test_a_lock_taken_while_another_one_holds_it() -> None:
    """One worker says that it had the model before it can have had it; the lie is far from the end of a long log."""
    loaded = load("model_lock")
    system, trace = recorded(loaded, 12, steps=12, seed=4, late_ns=200)
    holds = [
        (log[index].end, log[index + 2].begin, name)
        for name, log in trace.actors.items()
        for index, event in enumerate(log)
        if event.op == "acquire model"
    ]
    waited = [
        (name, index)
        for name, log in trace.actors.items()
        for index, event in enumerate(log)
        if event.op == "acquire model"
        and any(taken < event.begin < given and name != holder for taken, given, holder in holds)
    ]
    assert waited
    name, index = random.Random(1).choice(waited)
    log = list(trace.actors[name])
    log[index] = log[index]._replace(end=log[index].begin)
    judged = judge(system, Trace(trace.header, {**trace.actors, name: tuple(log)}), path=loaded.path)
    assert judged.legal is False
    first = judged.first_illegal
    assert first is not None
    assert (first["actor"], first["event"], first["op"]) == (name, index, "acquire model")
    assert "held by" in first["text"]
    assert judged.moves < 3 * trace.events


def test_a_budget_that_ends_is_no_verdict() -> None:
    system, trace = recorded(WORK_QUEUE, 3, steps=3)
    judged = judge(system, trace, path=WORK_QUEUE.path, budget_moves=40)
    assert judged.legal is None
    assert judged.first_illegal is None
    assert judged.judged < judged.events
    assert judge(system, trace, path=WORK_QUEUE.path, budget_seconds=0.0).legal is None
