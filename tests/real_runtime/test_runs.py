"""Real runs that go well: one digest for every design and every number of processes, and what they leave behind."""

import json
import os
import signal
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from cllm_sim.compose import compose
from cllm_sim.library import load
from cllm_sim.tree import Tree
from real_runtime.board import EVENT_COLUMNS, log_capacity
from real_runtime.launch import Interrupted
from real_runtime.learner import LearnerSettings
from real_runtime.outcome import plain

from tests.real_runtime.running import Trainer, Watched, family

pytestmark = [pytest.mark.processes, pytest.mark.timeout(60)]

STEPS = 6
DEFAULTS = {name: str(value).strip("(,)") for name, value in plain(LearnerSettings()).items()}
"""The learner as it is without settings."""

DESIGNS: list[tuple[str, dict[str, Any]]] = [
    ("node_zero", {"workers": 1}),
    ("node_zero", {"workers": 2}),
    ("node_zero", {"workers": 5}),
    ("node_zero", {"workers": 12}),
    ("node_zero", {"workers": 3, "depth": 2}),
    ("node_zero", {"workers": 2, "depth": 3}),
    ("model_lock", {"workers": 12}),
    ("model_lock", {"workers": 3, "depth": 2}),
    ("sliced_reduce", {"workers": 12}),
    ("sliced_reduce", {"workers": 3, "depth": 2}),
    ("work_queue", {"workers": 12}),
]


@pytest.fixture(scope="module")
def reference(small_text: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Digest of the weights that a single process comes to."""
    digest = Trainer(small_text, tmp_path_factory.mktemp("serial"))("serial", steps=STEPS).data["digest"]
    assert len(bytes.fromhex(digest)) == 32
    return str(digest)


@pytest.mark.parametrize(("architecture", "tree"), DESIGNS, ids=str)
def test_one_digest(clean: None, train: Trainer, reference: str, architecture: str, tree: dict[str, Any]) -> None:
    run = train(architecture, steps=STEPS, **tree)
    workers, depth = tree["workers"], tree.get("depth", 1)
    assert run.data["digest"] == reference
    assert run.data["processes"] == Tree(workers, depth).size
    assert run.data["complete"]
    assert not run.data["interrupted"]
    assert run.data["steps"] == STEPS
    assert run.data["nonfinite_steps"] == 0


def test_other_seeds_and_settings_give_other_weights(clean: None, train: Trainer, reference: str) -> None:
    others = [
        train("serial", steps=STEPS, **options).data["digest"]
        for options in ({"seed": 2}, {"slots": 13}, {"settings": {"hidden": "31"}}, {"settings": {"optimizer": "sgd"}})
    ]
    assert len({reference, *others}) == 5


def test_epochs_do_not_change_the_weights(clean: None, train: Trainer, reference: str) -> None:
    run = train("node_zero", workers=3, steps=STEPS, epoch_steps=2)
    assert run.data["digest"] == reference
    choices = [event.reply for event in run.trace.actors["0"] if event.op == "choose"]
    assert choices == [1, 1, 2, 1, 1, 2, 1, 1, 2, 3]


def test_a_tree_of_157_processes(clean: None, train: Trainer) -> None:
    alone = train("serial", slots=144, steps=2)
    tree = train("node_zero", workers=12, depth=2, steps=2)
    assert tree.data["processes"] == 157
    assert tree.data["slots"] == 144
    assert tree.data["digest"] == alone.data["digest"]
    assert len(tree.trace.actors) == 157
    assert tree.trace.header["complete"]


def test_unguarded_is_not_reproducible(clean: None, train: Trainer) -> None:
    """Twelve workers compute in one scratch.

    A slot of the default learner takes some 2 ms, and the control hands out all twelve within a fraction of that. With
    two cores, two of them overlap unless the second core is taken away for the whole of a step, twenty times in a row;
    with one core, some slot of 240 would have to be preempted never. Five runs all have to escape for this test to
    fail.
    """
    guarded = train("model_lock", steps=20, settings=DEFAULTS).data["digest"]
    for _ in range(5):
        run = train("unguarded", steps=20, settings=DEFAULTS)
        assert run.data["complete"]
        if run.data["digest"] != guarded:
            return
    pytest.fail("five runs without any protection came to the weights of a guarded one")


def test_the_trace_is_complete_and_counts_are_right(clean: None, train: Trainer) -> None:
    """Closed forms of `node_zero`: an order is either a batch, the end of the epoch, or the end."""
    trace = train("node_zero", workers=2, depth=2, steps=STEPS).trace
    assert trace.header["complete"]
    assert trace.header["steps"] == STEPS
    wanted = {"0": 6 * STEPS + 4 + 3, "inner": 7 * STEPS + 6 + 4, "leaf": 4 * STEPS + 3 + 2}
    for name, log in trace.actors.items():
        kind = {0: "0", 1: "inner", 2: "leaf"}[name.count(".")]
        assert len(log) == wanted[kind], name
        assert trace.header["lengths"][name] == len(log)
        times = [time for event in log for time in (event.begin, event.end)]
        assert times == sorted(times)
        assert times[0] >= 0
    assert Counter(event.op for event in trace.actors["0.1.0"]) == {
        "wait 0.1/batch": 2 * STEPS + 2,
        "read 0.1/order": STEPS + 2,
        "compute 0.1.0/segment": STEPS,
        "wait 0.1/epoch": 1,
    }


def test_the_log_has_room_for_a_step_of_every_design(clean: None, train: Trainer) -> None:
    """Also where a notified sleeper wakes several times without cause, which needs some events more."""
    for name in ("model_lock", "work_queue", "sliced_reduce"):
        longest = max(len(log) for log in train(name, workers=12, steps=10).trace.actors.values())
        system = compose(load(name).architecture, Tree(12, 1))
        capacity = log_capacity(system, 100_000) - log_capacity(system, 0)
        assert 4 * longest / 10 < capacity / 100_000, name


def test_logs_of_a_long_run_of_a_large_tree_fit_into_the_address_space() -> None:
    system = compose(load("node_zero").architecture, Tree(12, 2))
    assert 8 * EVENT_COLUMNS * log_capacity(system, 10**9) * len(system.actors) <= 1 << 44


def test_a_control_that_takes_a_slice_too(clean: None, train: Trainer, reference: str, tmp_path: Path) -> None:
    """As sliced_reduce, but the control folds one more slice, which comes after those of its workers."""
    source = Path(load("sliced_reduce").path).read_text()
    source = source.replace("parts=team.workers)", "parts=team.workers + 1)")
    before = "        yield team.batch.wait()  # Point C: the"
    mine = "        yield fold(team.each.segment, into=me.segment, parts=team.workers + 1)\n"
    assert before in source
    path = tmp_path / "mine.py"
    path.write_text(source.replace(before, mine + before))
    assert train(str(path), workers=4, steps=STEPS).data["digest"] == reference
    assert train(str(path), workers=2, depth=2, steps=STEPS).data["digest"] == reference


def test_scratch_of_a_team(clean: None, train: Trainer, reference: str, tmp_path: Path) -> None:
    """As model_lock, but every control's workers have a model of their own."""
    source = Path(load("model_lock").path).read_text()
    lines = ("activations = Region(", "gradients = Region(", "model = Mutex(")
    source = "".join(line for line in source.splitlines(keepends=True) if not line.startswith(lines))
    for old, new in (
        ("    pass\n", "    activations = Region()\n    gradients = Region()\n    model = Mutex()\n"),
        ("using=(activations, gradients)", "using=(team.activations, team.gradients)"),
        ("yield model.", "yield team.model."),
        ("(weights, activations, gradients, model)", "(weights,)"),
    ):
        assert old in source
        source = source.replace(old, new)
    path = tmp_path / "mine.py"
    path.write_text(source)
    assert train(str(path), workers=2, depth=2, steps=STEPS).data["digest"] == reference


def test_metrics(clean: None, train: Trainer) -> None:
    run = train("node_zero", workers=3, steps=STEPS)
    assert [row["step"] for row in run.metrics] == list(range(1, STEPS + 1))
    assert run.metrics == [{key: value for key, value in row.items() if key != "event"} for row in run.of("step")]
    assert all(row["step_ms"] > 0 for row in run.metrics)
    assert run.data["loss"] == {"first": run.metrics[0]["loss_bits"], "last": run.metrics[-1]["loss_bits"]}
    assert run.data["loss"]["last"] < run.data["loss"]["first"]
    assert run.data["gradient_norm_max"] == max(row["gradient_norm"] for row in run.metrics)
    assert run.data["heldout_bits_per_byte"]["last"] < run.data["heldout_bits_per_byte"]["first"]
    assert run.data["step_ms"]["p05"] <= run.data["step_ms"]["median"] <= run.data["step_ms"]["p95"]
    assert run.data["bigram_bits_per_byte"] > 0


def test_messages(clean: None, train: Trainer) -> None:
    run = train("node_zero", workers=2, steps=STEPS)
    assert [message["event"] for message in run.messages] == ["start", *["step"] * STEPS, "result"]
    assert run.of("start")[0].items() >= {"processes": 3, "slots": 12, "first_step": 0}.items()
    assert run.of("result")[0]["data"] == run.data
    assert run.data["checkpoints"] == [f"step-{STEPS:06d}"]
    assert sorted(entry.name for entry in run.folder.iterdir()) == [
        "checkpoints",
        "lock",
        "metrics.jsonl",
        "trace.jsonl",
    ]


def test_gradients_are_clipped(clean: None, train: Trainer) -> None:
    clipped = train("node_zero", workers=2, steps=STEPS, settings={"gradient_clip_val": "0.01"})
    assert clipped.data["clipped_steps"] == STEPS
    assert clipped.data["gradient_clip_val"] == 0.01
    for row in clipped.metrics:
        assert row["gradient_norm"] > 0.01
        assert row["clip_factor"] == pytest.approx(0.01 / row["gradient_norm"], rel=1e-3)
    free = train("node_zero", workers=2, steps=STEPS, settings={"gradient_clip_val": "0"})
    assert free.data["clipped_steps"] == 0
    assert {row["clip_factor"] for row in free.metrics} == {1.0}
    assert free.data["digest"] != clipped.data["digest"]


def test_one_process_per_actor_and_a_host(clean: None, train: Trainer) -> None:
    """While it lasts: 13 actors below one host, on memory without a name; afterwards nobody."""
    seen: list[Watched] = []

    def look(message: dict[str, object]) -> None:
        if message["event"] == "step" and not seen:
            seen.append(family(os.getpid()))
            for pid in seen[0].pids:
                maps = Path(f"/proc/{pid}/maps").read_text()
                assert "/dev/shm/" not in maps
                assert "memfd:cllm" in maps
            signal.raise_signal(signal.SIGTERM)

    with pytest.raises(Interrupted) as caught:
        train("node_zero", look, workers=12, steps=100_000)
    assert len(seen[0].pids) == caught.value.data["processes"] + 1 == 14
    assert seen[0].all_end()


def test_a_run_from_another_thread(clean: None, train: Trainer, reference: str) -> None:
    """Signals then stay what they were, and the host does not die with a thread that is not its caller."""
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(train, "node_zero", workers=2, steps=STEPS).result().data["digest"] == reference


def test_metrics_of_a_run_that_is_not_finite_are_json(clean: None, train: Trainer) -> None:
    """A learning rate beyond all measure: weights, losses and gradients overflow, and the run ends in good order."""
    wild = {"learning_rate": "1000", "optimizer": "sgd", "gradient_clip_val": "0"}
    run = train("node_zero", workers=2, steps=STEPS, settings=wild)
    assert run.data["complete"]

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    lines = (run.folder / "metrics.jsonl").read_text().splitlines()
    losses = [json.loads(line, parse_constant=refuse)["loss_bits"] for line in lines]
    assert len(losses) == STEPS
    assert losses[-1] is None
    assert run.data["loss"]["last"] is None
    json.dumps(run.data, allow_nan=False)


# --- the long ones ----------------------------------------------------------------------------------------------------


@pytest.mark.nightly
@pytest.mark.timeout(1800)
def test_one_digest_of_all_designs_after_300_steps(clean: None, train: Trainer) -> None:
    """Default learner, default text."""
    digests = {}
    for architecture, tree in [("serial", {}), *DESIGNS]:
        run = train(architecture, steps=300, text=None, settings=DEFAULTS, **tree)
        digests[architecture, tuple(tree.values())] = run.data["digest"]
        assert run.data["heldout_bits_per_byte"]["last"] < 3.4
        assert run.data["bigram_bits_per_byte"] > 0
        assert run.trace.header["complete"]
    assert len(set(digests.values())) == 1, digests


@pytest.mark.nightly
@pytest.mark.timeout(900)
def test_157_processes_come_to_the_weights_of_one(clean: None, train: Trainer) -> None:
    """Default learner, default text, 20 steps of 144 slots."""
    alone = train("serial", slots=144, steps=20, text=None, settings=DEFAULTS)
    tree = train("node_zero", workers=12, depth=2, steps=20, text=None, settings=DEFAULTS)
    assert tree.data["digest"] == alone.data["digest"]
