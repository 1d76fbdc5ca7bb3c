"""A resumed run comes to the bits of one that was never interrupted, on any number of processes and with any design."""

from pathlib import Path
from typing import Any

import pytest

from cllm_sim.errors import BadRequest, WorkerDied
from real_runtime.spec import Injection

from tests.real_runtime.running import Trainer

pytestmark = [pytest.mark.processes, pytest.mark.timeout(60), pytest.mark.usefixtures("clean")]

STEPS = 6


@pytest.fixture(scope="module")
def reference(small_text: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Digest of a run without interruption."""
    return str(Trainer(small_text, tmp_path_factory.mktemp("serial"))("serial", steps=STEPS).data["digest"])


def refusal(train: Trainer, folder: Path, **options: Any) -> str:
    """Why a resumption is refused."""
    with pytest.raises(BadRequest) as caught:
        train("node_zero", **{"folder": folder, "steps": STEPS, "workers": 2, "resume": True, **options})
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    ("step", "first", "then"),
    [
        (1, ("serial", {}), ("node_zero", {"workers": 12})),
        (3, ("node_zero", {"workers": 5}), ("model_lock", {"workers": 2})),
        (5, ("node_zero", {"workers": 2, "depth": 2}), ("work_queue", {"workers": 3})),
    ],
)
def test_the_same_bits_on_other_processes(
    train: Trainer, reference: str, step: int, first: tuple[str, dict[str, Any]], then: tuple[str, dict[str, Any]]
) -> None:
    before = train(first[0], steps=step, **first[1])
    assert before.data["digest"] != reference
    after = train(then[0], folder=before.folder, steps=STEPS, resume=True, **then[1])
    assert after.data["digest"] == reference
    assert (after.data["first_step"], after.data["steps"]) == (step, STEPS)
    assert [row["step"] for row in after.metrics] == list(range(1, STEPS + 1))
    assert after.of("start")[0]["first_step"] == step
    assert after.trace.header["steps"] == STEPS - step
    assert sum(event.op == "choose" for event in after.trace.actors["0"]) == STEPS - step + 2


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_after_a_death(train: Trainer, optimizer: str) -> None:
    """What was done after the last checkpoint is done again, and stands in the metrics once."""
    settings = {"optimizer": optimizer}
    undisturbed = train("serial", steps=STEPS, settings=settings)
    with pytest.raises(WorkerDied):
        train(
            "node_zero", workers=3, steps=STEPS, checkpoint_every=2, settings=settings,
            inject=(Injection("kill", 4, actor="0.1"),),
        )  # fmt: skip
    folder = train.run.folder
    assert [row["step"] for row in train.run.metrics] == [1, 2, 3]
    resumed = train("node_zero", folder=folder, workers=2, steps=STEPS, resume=True, settings=settings)
    assert resumed.data["first_step"] == 2
    assert resumed.data["digest"] == undisturbed.data["digest"]
    values = [[row["step"], row["loss_bits"], row["gradient_norm"]] for row in resumed.metrics]
    assert values == [[row["step"], row["loss_bits"], row["gradient_norm"]] for row in undisturbed.metrics]


def test_after_a_step_that_was_skipped(train: Trainer) -> None:
    """Adam counts the updates it has made, not the steps."""
    fault = (Injection("nan", 2, slot=3),)
    whole = train("node_zero", workers=2, steps=5, inject=fault)
    half = train("node_zero", workers=2, steps=3, inject=fault)
    resumed = train("serial", folder=half.folder, steps=5, resume=True)
    assert resumed.data["digest"] == whole.data["digest"]


def test_epochs_go_on_where_they_were(train: Trainer) -> None:
    half = train("node_zero", workers=2, steps=3, epoch_steps=2)
    resumed = train("node_zero", folder=half.folder, workers=2, steps=STEPS, epoch_steps=2, resume=True)
    choices = [event.reply for event in resumed.trace.actors["0"] if event.op == "choose"]
    assert choices == [1, 2, 1, 1, 2, 3]


def test_what_has_to_be_the_same(train: Trainer, tmp_path: Path, small_text: Path) -> None:
    folder = train("node_zero", workers=2, steps=3).folder
    other = tmp_path / "other.txt"
    other.write_bytes(small_text.read_bytes() + b"!")
    made = "was made with another"
    assert f"{made} seed" in refusal(train, folder, seed=2)
    assert f"{made} slots" in refusal(train, folder, slots=24)
    assert f"{made} text" in refusal(train, folder, text=str(other))
    assert f"{made} learner" in refusal(train, folder, settings={"hidden": "16"})
    assert f"{made} optimizer" in refusal(train, folder, settings={"learning_rate": "0.5"})
    assert "the run has 3 steps already" in refusal(train, folder, steps=3)
    assert "step-000003" in refusal(train, folder, seed=2)


def test_a_folder_without_checkpoints(train: Trainer, tmp_path: Path) -> None:
    assert "checkpoint" in refusal(train, tmp_path / "nowhere")


def test_earlier_checkpoints_are_not_mixed_with_a_new_run(train: Trainer) -> None:
    folder = train("node_zero", workers=2, steps=3).folder
    with pytest.raises(BadRequest, match="holds checkpoints of an earlier run"):
        train("node_zero", folder=folder, workers=2, steps=2)


def test_a_corrupt_checkpoint_is_refused_with_its_alternative(train: Trainer, reference: str) -> None:
    run = train("node_zero", workers=2, steps=4, checkpoint_every=2)
    newest = run.folder / "checkpoints" / "step-000004"
    tensors = newest / "tensors.safetensors"
    content = bytearray(tensors.read_bytes())
    content[len(content) // 2] ^= 1
    tensors.write_bytes(content)
    message = refusal(train, run.folder)
    assert str(tensors) in message
    assert f"the newest good checkpoint is {run.folder / 'checkpoints' / 'step-000002'}" in message
    for file in newest.iterdir():
        file.unlink()
    newest.rmdir()
    assert train("node_zero", folder=run.folder, workers=3, steps=STEPS, resume=True).data["digest"] == reference
