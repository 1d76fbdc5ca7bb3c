"""What a run is asked to do, and an error on its way back: whole on the other side, or refused in one line."""

import json

import pytest

from cllm_sim.errors import BadArchitecture, BadRequest, CllmError, RunHung, SubjectFailed, WorkerDied
from real_runtime.failure import Failure, InternalFailure, failure_from
from real_runtime.libc import NativeError
from real_runtime.memory import NotEnoughMemory
from real_runtime.native import LockMisuse
from real_runtime.spec import Injection, RunSpec, parse_injection, spec_from_json


def test_a_spec_travels_as_json() -> None:
    spec = RunSpec(
        "node_zero", "run", 3, 2, 7, 144, 5, "text", {"hidden": "3"}, 2, 4, True,
        (Injection("nan", 5, slot=7), Injection("kill", 2, actor="0.1")), 1.5,
    )  # fmt: skip
    assert spec_from_json(spec.to_json()) == spec
    assert spec_from_json(RunSpec("serial", "run").to_json()) == RunSpec("serial", "run")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"steps": 0}, "--steps 0"),
        ({"steps": 2_000_000_000}, "--steps 2000000000"),
        ({"seed": -1}, "--seed -1"),
        ({"checkpoint_every": -1}, "--checkpoint-every -1"),
        ({"epoch_steps": -3}, "--epoch-steps -3"),
        ({"hang_after_seconds": 0.0}, "--hang-after 0"),
        ({"hang_after_seconds": float("nan")}, "--hang-after nan"),
        ({"steps": 3, "inject": (Injection("nan", 4, slot=1),)}, "no step 4"),
    ],
)
def test_numbers_that_make_no_sense(options: dict[str, object], told: str) -> None:
    with pytest.raises(BadRequest) as caught:
        RunSpec("serial", "run", **options)  # type: ignore[arg-type]
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("nan@step=5,slot=7", Injection("nan", 5, slot=7)),
        ("nan@slot=0,step=1", Injection("nan", 1, slot=0)),
        ("kill@step=5,actor=0.3", Injection("kill", 5, actor="0.3")),
        ("stall@step=12,actor=0", Injection("stall", 12, actor="0")),
        ("raise@actor=trainer,step=1", Injection("raise", 1, actor="trainer")),
    ],
)
def test_faults_are_read(text: str, wanted: Injection) -> None:
    assert parse_injection(text) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "", "nan", "nan@", "nan@step=5", "nan@slot=7", "nan@step=5,actor=0", "kill@step=5,slot=7", "kill@step=5",
        "boom@step=5,slot=7", "nan@step=five,slot=7", "nan@step=5,slot=-1", "nan@step=²,slot=1", "nan@step=0,slot=7",
        "nan@step=5,slot=7,slot=8", "nan@step=5,slot=7,more=1", "nan@step=5;slot=7", "nan@step=5,slot=7,",
        "nan@step=9999999999,slot=1",
    ],
)  # fmt: skip
def test_faults_that_cannot_be_read(text: str) -> None:
    with pytest.raises(BadRequest) as caught:
        parse_injection(text)
    assert str(caught.value).startswith(f"--inject {text}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("error", "kind", "arrives_as"),
    [
        (BadArchitecture("a"), "request", BadArchitecture),
        (NotEnoughMemory("a"), "request", BadRequest),
        (WorkerDied("a"), "subject", WorkerDied),
        (RunHung("a"), "subject", RunHung),
        (LockMisuse("a"), "subject", SubjectFailed),
        (NativeError("a"), "internal", InternalFailure),
        (CllmError("a"), "internal", InternalFailure),
        (ValueError("a"), "internal", InternalFailure),
    ],
)
def test_errors_arrive_as_what_they_were(error: Exception, kind: str, arrives_as: type[CllmError]) -> None:
    failure = failure_from(Failure.of(error).to_bytes(10_000))
    assert failure.kind == kind
    assert type(failure.error()) is arrives_as
    assert str(failure.error()) == ("a" if isinstance(error, CllmError) else "ValueError: a")


def test_an_error_of_a_stranger_is_the_subjects() -> None:
    failure = Failure.of(ZeroDivisionError("division\n by zero"), "subject")
    assert (failure.kind, failure.message) == ("subject", "ZeroDivisionError: division by zero")
    assert type(failure.error()) is SubjectFailed


def test_an_error_finds_its_place() -> None:
    """Whatever its length and its characters."""
    try:
        raise ValueError("\ud800ü🙂" * 50_000)
    except ValueError as error:
        failure = Failure.of(error)
    for limit in (1_000, 65_536, 10_000_000):
        text = failure.to_bytes(limit)
        assert len(text) <= limit
        assert json.loads(text)["kind"] == "internal"
        assert failure_from(text).message.startswith("ValueError: ")
    assert failure_from(failure.to_bytes(65_536)).details.endswith("🙂\n")
