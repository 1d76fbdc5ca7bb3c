"""Real runs that go wrong: an end with one clear line and without a hang, whatever an actor or its text does."""

import os
import random
import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cllm_sim import validator
from cllm_sim.errors import BadArchitecture, BadRequest, RunHung, WorkerDied
from cllm_sim.library import load
from real_runtime.checkpoint import load as load_checkpoint
from real_runtime.launch import Interrupted
from real_runtime.learner import Learner, LearnerSettings
from real_runtime.spec import Injection
from real_runtime.text import load_text

from tests.real_runtime.running import SMALL, Trainer, children_of

pytestmark = [pytest.mark.processes, pytest.mark.timeout(60), pytest.mark.usefixtures("clean")]

HANG_SECONDS = 1.0


@pytest.fixture
def changed(tmp_path: Path) -> Callable[..., tuple[str, int]]:
    """`changed(old, new)`: a file like node_zero with a place changed; its path, and the first line that is new."""

    def write(old: str, new: str) -> tuple[str, int]:
        source = Path(load("node_zero").path).read_text()
        assert source.count(old) >= 1
        path = tmp_path / "mine.py"
        path.write_text(source.replace(old, new, 1))
        return str(path), source[: source.index(old)].count("\n") + 1

    return write


def one_line(error: BaseException) -> str:
    message = str(error)
    assert "\n" not in message
    return message


# --- injected ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("architecture", "tree", "actor", "where"),
    [
        ("node_zero", {"workers": 3}, "0.1", "worker 0.1"),
        ("node_zero", {"workers": 3}, "0", "control 0"),
        ("node_zero", {"workers": 2, "depth": 2}, "0.1", "control 0.1"),
        ("sliced_reduce", {"workers": 2}, "0", "control 0"),
        ("model_lock", {"workers": 3}, "0.2", "worker 0.2"),
        ("serial", {}, "0", "actor 0"),
    ],
)
def test_whoever_dies_is_named(train: Trainer, architecture: str, tree: dict[str, Any], actor: str, where: str) -> None:
    fault = Injection("kill", 3, actor=actor)
    with pytest.raises(WorkerDied, match="killed by signal SIGKILL; all processes were ended") as caught:
        train(architecture, steps=6, inject=(fault,), **tree)
    message = one_line(caught.value)
    assert message.startswith(f"{where} (process ")
    assert ") died in step 3, in '" in message
    assert [row["step"] for row in train.run.metrics] == [1, 2]
    trace = train.run.trace
    assert not trace.header["complete"]
    assert all(trace.header["lengths"][name] == len(log) for name, log in trace.actors.items())


def test_an_actor_that_raises_is_named_with_its_traceback(train: Trainer) -> None:
    with pytest.raises(WorkerDied) as caught:
        train("node_zero", workers=3, steps=6, inject=(Injection("raise", 2, actor="0.2"),))
    message = one_line(caught.value)
    assert message.startswith("worker 0.2 (process ")
    assert ") failed in step 2, in 'compute 0.2/segment': injected failure in step 2; " in message
    (details,) = train.run.of("details")
    assert details["text"].startswith("Traceback (most recent call last)")
    assert "node_zero.py:31" in details["text"]  # the line of the text at which it stood


def test_a_stopped_worker_is_named_first(train: Trainer) -> None:
    with pytest.raises(RunHung) as caught:
        train(
            "node_zero", workers=3, steps=6, inject=(Injection("stall", 2, actor="0.1"),),
            hang_after_seconds=HANG_SECONDS,
        )  # fmt: skip
    message = one_line(caught.value)
    assert "nobody moved for 1 s in step 2: worker 0.1 is stopped by a signal in 'compute 0.1/segment'" in message
    (stuck,) = train.run.of("stuck")
    assert stuck["rows"][0] == "worker 0.1 is stopped by a signal in 'compute 0.1/segment'"
    waiting = "is waiting in 'wait 0/batch' (3 of 4 parties are there)"
    assert stuck["rows"][1:] == [f"control 0 {waiting}", f"worker 0.0 {waiting}", f"worker 0.2 {waiting}"]


def test_not_a_number_leaves_the_weights_untouched(train: Trainer, small_text: Path) -> None:
    run = train("node_zero", workers=3, steps=6, checkpoint_every=1, inject=(Injection("nan", 5, slot=7),))
    assert run.data["complete"]
    assert run.data["nonfinite_steps"] == 1
    (culprit,) = run.data["culprits"]
    assert (culprit["step"], culprit["slot"]) == (5, 7)
    learner = Learner(LearnerSettings.from_texts(SMALL), load_text(small_text))
    assert culprit["parameter"] == learner.parameter_at(learner.size // 2)
    before, after, last = (load_checkpoint(run.folder / "checkpoints" / f"step-{step:06d}") for step in (4, 5, 6))
    assert after.meta["applied"] == before.meta["applied"] == 4
    assert last.meta["applied"] == 5
    for name, tensor in before.tensors.items():
        assert after.tensors[name].tobytes() == tensor.tobytes(), name
    assert any(last.tensors[name].tobytes() != tensor.tobytes() for name, tensor in before.tensors.items())
    assert run.metrics[4]["gradient_norm"] is None
    assert run.metrics[4]["clip_factor"] == 0.0
    assert (
        train("node_zero", workers=5, steps=6, inject=(Injection("nan", 5, slot=7),)).data["digest"]
        == run.data["digest"]
    )


def test_faults_that_could_never_happen_are_refused(train: Trainer) -> None:
    with pytest.raises(BadRequest, match="no slot 12; the slots are 0 to 11"):
        train("node_zero", workers=3, inject=(Injection("nan", 1, slot=12),))
    with pytest.raises(BadRequest, match=r"no actor 0\.3; the actors are 0, 0\.0, 0\.1, 0\.2"):
        train("node_zero", workers=3, inject=(Injection("kill", 1, actor="0.3"),))
    with pytest.raises(BadRequest, match="no step 7; the run ends after step 6"):
        train("node_zero", workers=3, steps=6, inject=(Injection("kill", 7, actor="0.2"),))


@pytest.mark.parametrize("architecture", ["node_zero", "model_lock", "work_queue"])
def test_what_was_recorded_until_a_death_is_legal(train: Trainer, architecture: str) -> None:
    """Somebody is killed at any instant, and the others a moment later; every log is a prefix of what its text does."""
    source = random.Random(architecture)
    killed: list[int] = []

    def kill(message: dict[str, Any]) -> None:
        if message["event"] == "step" and not killed:
            (host,) = children_of(os.getpid())
            killed.append(source.choice(children_of(host)))
            os.kill(killed[0], signal.SIGKILL)

    with pytest.raises(WorkerDied, match="killed by signal SIGKILL"):
        train(architecture, kill, workers=3, steps=1_000_000)
    trace = train.run.trace
    assert not trace.header["complete"]
    assert validator.run(load(architecture), trace).data["legal"] is True


# --- texts that do not end --------------------------------------------------------------------------------------------


def test_a_barrier_for_too_many_hangs_with_all_at_it(train: Trainer) -> None:
    with pytest.raises(RunHung, match="in step 1: control 0 is waiting in 'wait 0/batch'") as caught:
        train("count_too_large", workers=3, steps=6, hang_after_seconds=HANG_SECONDS)
    assert "(4 of 5 parties are there) (and 3 more)" in one_line(caught.value)
    assert len(train.run.of("stuck")[0]["rows"]) == 4
    assert all(len(log) > 0 for name, log in train.run.trace.actors.items() if name == "0")


def test_a_barrier_that_the_others_have_left(train: Trainer) -> None:
    with pytest.raises(RunHung) as caught:
        train("leaves_early", workers=3, steps=2, hang_after_seconds=HANG_SECONDS)
    assert "(1 of 4 parties are there; actors that have finished: 3)" in one_line(caught.value)
    assert [row["step"] for row in train.run.metrics] == [1, 2]


def test_a_text_that_computes_for_ever(train: Trainer, changed: Any) -> None:
    """It uses the processor, so it is no hang at once; but it never comes to its next operation."""
    path, _ = changed("        yield compute(", "        while order:\n            pass\n        yield compute(")
    with pytest.raises(RunHung) as caught:
        train(path, workers=2, steps=6, hang_after_seconds=0.1)
    message = one_line(caught.value)
    assert "no work came to an end for 2 s in step 1: worker 0.0 is running after 'read 0/order'" in message


def test_a_text_that_asks_for_ever(train: Trainer, tmp_path: Path) -> None:
    """Operation follows operation, and yet nothing happens."""
    source = Path(load("work_queue").path).read_text()
    path = tmp_path / "mine.py"
    poll = "    while (yield team.claimed.load()) >= 0:\n        pass\n    yield team.claimed.store(0)\n"
    path.write_text(source.replace("    yield team.claimed.store(0)\n", poll, 1))
    with pytest.raises(RunHung) as caught:
        train(str(path), workers=2, steps=6, hang_after_seconds=0.1)
    message = one_line(caught.value)
    assert re.match(r"no work came to an end for 2 s in step 1: control 0 is \w+ (in|after) 'load 0/claimed'", message)


def test_a_text_that_never_lets_the_environment_stop(train: Trainer, changed: Any) -> None:
    path, _ = changed("choose(BATCH, EPOCH, STOP)", "choose(BATCH)")
    with pytest.raises(WorkerDied, match="had its 3 steps, but the text does not let the environment stop"):
        train(path, workers=2, steps=3)


# --- texts that are wrong ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("yielded", "shown"),
    [
        ("'wait'", "yielded 'wait' (str)"),
        ("[1]", "yielded [1] (list)"),
        ("team.batch.wait", "without its parentheses?"),
    ],
)
def test_a_text_that_yields_no_operation(train: Trainer, changed: Any, yielded: str, shown: str) -> None:
    path, line = changed("yield team.batch.wait()  # Point A\n", f"yield {yielded}\n")
    with pytest.raises(BadArchitecture) as caught:
        train(path, workers=2, steps=3)
    message = one_line(caught.value)
    assert message.startswith(f"{path}:{line}: ")
    assert shown in message


def test_a_text_that_names_what_it_cannot_reach(train: Trainer, changed: Any) -> None:
    path, _ = changed(
        "architecture = Architecture(root, worker, control, leaf, team=Crew, shared=(weights,)",
        "architecture = Architecture(root, worker, control, leaf, team=Crew, shared=()",
    )
    with pytest.raises(BadArchitecture, match="names 'weights', which it cannot reach"):
        train(path, workers=2, steps=3)


def test_an_exception_of_a_text_names_its_line(train: Trainer, changed: Any) -> None:
    path, line = changed("        yield compute(", "        1 / (order - 1)\n        yield compute(")
    with pytest.raises(WorkerDied) as caught:
        train(path, workers=2, steps=3)
    message = one_line(caught.value)
    assert f"failed in step 1, after 'read 0/order': {path}:{line}: ZeroDivisionError: division by zero; " in message
    assert "1 / (order - 1)" in train.run.of("details")[0]["text"]


def test_a_very_long_traceback_keeps_its_end(train: Trainer, changed: Any) -> None:
    path, _ = changed(
        "        yield compute(", "        raise ValueError('x' * 1_000_000 + 'the end')\n        yield compute("
    )
    with pytest.raises(WorkerDied, match="ValueError: xxx"):
        train(path, workers=2, steps=3)
    assert train.run.of("details")[0]["text"].endswith("the end\n")


@pytest.mark.parametrize(
    ("statement", "how"),
    [
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("__import__('os')._exit(0)", "died in step 1, after 'read 0/order': exit code 0"),
        ("__import__('os').abort()", "killed by signal SIGABRT"),
    ],
)
def test_a_text_that_ends_its_process(train: Trainer, changed: Any, statement: str, how: str) -> None:
    path, _ = changed("        yield compute(", f"        {statement}\n        yield compute(")
    with pytest.raises(WorkerDied) as caught:
        train(path, workers=2, steps=3)
    assert how in one_line(caught.value)


def test_a_lock_given_back_by_somebody_else(train: Trainer, tmp_path: Path) -> None:
    source = Path(load("model_lock").path).read_text()
    path = tmp_path / "mine.py"
    path.write_text(source.replace("        yield model.acquire()  # one worker at a time\n", ""))
    with pytest.raises(WorkerDied, match="in 'release model': a mutex was released by a process that does not hold it"):
        train(str(path), workers=2, steps=3)


def test_the_child_under_a_cursor_that_stands_nowhere(train: Trainer, tmp_path: Path) -> None:
    source = Path(load("model_lock").path).read_text()
    path = tmp_path / "mine.py"
    path.write_text(source.replace("    while (yield team.next()):\n", "    if True:\n", 1))
    with pytest.raises(WorkerDied, match="the child under the cursor, but there is none"):
        train(str(path), workers=2, steps=3)


def test_a_log_that_is_too_short_is_said_so(train: Trainer, tmp_path: Path) -> None:
    """A text that polls; the run itself is complete, only its trace is not."""
    source = Path(load("work_queue").path).read_text()
    path = tmp_path / "mine.py"
    poll = "    for _ in range(60_000):\n        yield team.claimed.load()\n    yield team.claimed.store(0)\n"
    path.write_text(source.replace("    yield team.claimed.store(0)\n", poll, 1))
    run = train(str(path), workers=2, steps=2)
    assert run.data["complete"]
    assert not run.trace.header["complete"]
    assert "the log of 0 was too short" in run.of("details")[0]["text"]
    assert run.trace.header["lengths"]["0"] == len(run.trace.actors["0"]) > 4096


def test_a_hung_run_that_was_asked_to_stop(train: Trainer) -> None:
    """Being asked to stop does not help a run that hangs; it ends as what it is."""

    def stop(message: dict[str, Any]) -> None:
        if message["event"] == "start":
            signal.raise_signal(signal.SIGTERM)

    with pytest.raises((RunHung, Interrupted)):
        train("count_too_large", stop, workers=3, steps=6, hang_after_seconds=HANG_SECONDS)
