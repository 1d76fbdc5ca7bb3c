"""What `cllm train` says while it runs and when it is stopped; and one real run that is stopped."""

import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cllm_sim import api
from cllm_sim.cli.exit import run
from cllm_sim.cli.progress import Progress
from cllm_sim.cli.train import shown
from cllm_sim.results import read_result
from real_runtime.launch import Interrupted

STEP: dict[str, Any] = {
    "event": "step",
    "step": 3,
    "loss_bits": 2.5,
    "gradient_norm": 1.0,
    "clip_factor": 1.0,
    "step_ms": 12.34,
}
START: dict[str, Any] = {"event": "start", "processes": 3, "slots": 12, "parameters": 102912, "first_step": 0}


def said(messages: list[dict[str, Any]], *, quiet: bool = False, kind: Any = "every") -> str:
    stream = io.StringIO()
    with Progress(stream, kind) as progress:
        show = shown(progress, "mine", 9, quiet)
        for message in messages:
            show(message)
    return stream.getvalue()


def test_start_and_steps() -> None:
    assert said([START]) == "mine: 3 processes, 12 slots, 102,912 parameters\n"
    assert said([{**START, "first_step": 5}]).endswith("resumed after step 5\n")
    assert said([STEP]) == "mine: step 3/9   2.500 bits per byte   12.3 ms\n"
    assert "nan bits per byte" in said([{**STEP, "loss_bits": float("nan")}])


def test_who_is_stuck_is_shown_unless_quiet() -> None:
    stuck: list[dict[str, Any]] = [
        {"event": "stuck", "rows": ["0 waits", "0.1 waits"]},
        {"event": "details", "text": "more\n"},
    ]
    assert said(stuck, kind="off") == "  0 waits\n  0.1 waits\nmore\n"
    assert said(stuck, kind="off", quiet=True) == ""


def test_messages_of_another_version_are_passed_over() -> None:
    assert said([{"event": "something new"}]) == ""


@pytest.mark.parametrize(
    ("number", "code", "word"), [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")]
)
def test_an_interrupted_run_says_how_to_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], number: signal.Signals, code: int, word: str
) -> None:
    data = {"steps": 7, "asked_steps": 9, "output": "out", "run_dir": "out", "checkpoints": ["step-7"]}

    def stopped(*_: Any, **__: Any) -> None:
        before = signal.signal(number, lambda *_: None)
        signal.raise_signal(number)
        signal.signal(number, before)
        raise Interrupted(data)

    monkeypatch.setattr(api, "train", stopped)
    assert run(["train", "node_zero"]) == code
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err == f"cllm: {word} after step 7 of 9; go on with --resume -o out\n"
    data["checkpoints"] = []
    assert run(["train", "node_zero"]) == code
    assert capsys.readouterr().err == f"cllm: {word} after step 7 of 9; what there is lies in out\n"


def iter_until(lines: Iterable[str], mark: str) -> Iterator[str]:
    """The lines up to the first that has the mark."""
    for line in lines:
        yield line
        if mark in line:
            return


@pytest.mark.processes
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="real runs need Linux")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_real_run_is_stopped_and_resumed(
    cllm: Callable[..., Any], tmp_path: Path, number: signal.Signals, code: int
) -> None:
    text = tmp_path / "text.txt"
    text.write_text("one control and its workers, two waits per batch\n" * 400, encoding="utf-8")
    options = ["node_zero", "--workers", "2", "--text", str(text), "--set", "hidden=8", "-o", "out"]
    command = [str(Path(sys.executable).with_name("cllm")), "train", *options, "--steps", "1000000", "-v"]
    process = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        before = list(iter_until(process.stderr, ": step 2/"))
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=120)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    last = [line for line in stderr.splitlines() if ": step " not in line]
    assert (process.returncode, stdout, len(last)) == (code, "", 1), [*before, stderr]
    assert "go on with --resume -o out" in last[0]
    partial = read_result(tmp_path / "out" / "result.json")
    steps = partial.steps + 2
    resumed = cllm("train", *options, "--steps", steps, "--resume", "--format", "json")
    assert resumed.code == 0, resumed.stderr
    assert f'"steps": {steps}' in resumed.stdout
