"""Ctrl-C and its relatives: the step is finished, the checkpoint can be used, nobody stays; and impatience is heard."""

import os
import signal
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from real_runtime.launch import STOP_SIGNALS, Interrupted
from real_runtime.spec import Injection, RunSpec

from tests.real_runtime.running import Trainer, Watched, children_of, family, heard

pytestmark = [pytest.mark.processes, pytest.mark.timeout(60)]

ENDLESS = 1_000_000
"""Steps that are not done before somebody stops them."""

Caller = Callable[[RunSpec], "subprocess.Popen[str]"]


def interrupted(train: Trainer, on_message: Callable[[dict[str, Any]], None], **options: Any) -> Interrupted:
    """The end of a run that is stopped while it goes on."""
    with pytest.raises(Interrupted) as caught:
        train("node_zero", on_message, **{"workers": 3, "steps": ENDLESS, **options})
    return caught.value


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_run_after_its_step(caller: Caller, train: Trainer, number: signal.Signals) -> None:
    """As a terminal does it: the whole process group of the caller is told, at any instant."""
    process = caller(train.spec("node_zero", workers=3, steps=ENDLESS))
    heard(process, "step", step=2)
    crew = family(process.pid)
    assert len(crew.pids) == 1 + 4
    os.killpg(process.pid, number)
    message = heard(process, "interrupted")
    data = message["data"]
    assert message["signal"] == number
    assert process.wait() == 0
    assert crew.all_end()
    assert data["interrupted"]
    assert data["complete"]
    assert 2 <= data["steps"] < data["asked_steps"]
    assert data["checkpoints"] == [f"step-{data['steps']:06d}"]


def test_resuming_gives_the_bits_of_a_run_without_interruption(clean: None, train: Trainer) -> None:
    def stop(message: dict[str, Any]) -> None:
        if message["event"] == "step" and message["step"] == 2:
            signal.raise_signal(signal.SIGINT)

    stopped = interrupted(train, stop)
    folder, done = train.run.folder, stopped.data["steps"]
    assert stopped.signal_number == signal.SIGINT
    assert str(stopped) == f"interrupted after step {done}"
    assert train.run.trace.header["complete"]
    assert [row["step"] for row in train.run.metrics] == list(range(1, done + 1))
    assert [message["event"] for message in train.run.messages][-1] == "result"
    resumed = train("node_zero", folder=folder, workers=5, steps=done + 2, resume=True)
    assert resumed.data["digest"] == train("serial", steps=done + 2).data["digest"]


def test_the_second_time_ends_it_at_once(clean: None, train: Trainer) -> None:
    """One worker is stopped in step 3, so that this step would never end."""
    crew: list[Watched] = []

    def stop(message: dict[str, Any]) -> None:
        if message["event"] == "step" and message["step"] == 2:
            crew.append(family(os.getpid()))
            signal.raise_signal(signal.SIGINT)
        if message["event"] == "stopping":
            signal.raise_signal(signal.SIGTERM)

    stopped = interrupted(train, stop, inject=(Injection("stall", 3, actor="0.1"),), hang_after_seconds=1e6)
    assert stopped.signal_number == signal.SIGINT
    assert stopped.data["steps"] == 2
    assert not stopped.data["complete"]
    assert stopped.data["digest"] is None  # in the middle of a step, who knows
    assert not train.run.trace.header["complete"]
    assert len(train.run.of("stopping")) == 1
    assert crew[0].all_end()


def test_the_third_time_does_not_wait_for_the_host(clean: None, train: Trainer) -> None:
    crew: list[Watched] = []

    def stop(message: dict[str, Any]) -> None:
        if message["event"] == "step" and not crew:
            crew.append(family(os.getpid()))
            os.kill(crew[0].pids[0], signal.SIGSTOP)  # a host that does not answer
            for _ in range(3):
                signal.raise_signal(signal.SIGINT)

    stopped = interrupted(train, stop)
    assert stopped.signal_number == signal.SIGINT
    assert stopped.data["steps"] >= 1
    assert not stopped.data["complete"]
    assert stopped.data["run_dir"] == str(train.run.folder)
    assert crew[0].all_end()


def test_a_signal_before_the_host_can_answer(clean: None, train: Trainer, monkeypatch: pytest.MonkeyPatch) -> None:
    """It arrives between the start of the process and its first line of Python, and is not lost."""
    start = subprocess.Popen

    def started(*arguments: Any, **options: Any) -> "subprocess.Popen[bytes]":
        process = start(*arguments, **options)
        process.terminate()
        signal.raise_signal(signal.SIGINT)
        return process

    monkeypatch.setattr(subprocess, "Popen", started)
    stopped = interrupted(train, lambda message: None)
    assert stopped.signal_number == signal.SIGINT
    assert stopped.data["steps"] == 0
    assert stopped.data["checkpoints"] == []
    assert stopped.data["loss"] == {"first": None, "last": None}
    assert not train.run.of("step")


def test_a_signal_just_before_the_actors_start(clean: None, train: Trainer) -> None:
    def stop(message: dict[str, Any]) -> None:
        if message["event"] == "start":
            signal.raise_signal(signal.SIGTERM)

    stopped = interrupted(train, stop)
    assert stopped.signal_number == signal.SIGTERM
    assert stopped.data["steps"] == len(train.run.metrics) < ENDLESS


def test_a_signal_to_host_and_actors_alike(clean: None, train: Trainer) -> None:
    """As an init system does it: the actors leave the answer to their host."""
    sent: list[int] = []

    def stop(message: dict[str, Any]) -> None:
        if message["event"] == "step" and not sent:
            (host,) = children_of(os.getpid())
            os.killpg(host, signal.SIGTERM)
            sent.append(host)

    stopped = interrupted(train, stop)
    assert stopped.signal_number == signal.SIGTERM
    assert stopped.data["complete"]


def test_handlers_are_given_back(clean: None, train: Trainer) -> None:
    before = [signal.getsignal(number) for number in STOP_SIGNALS]
    train("serial", steps=1)
    assert [signal.getsignal(number) for number in STOP_SIGNALS] == before
    assert not signal.pthread_sigmask(signal.SIG_BLOCK, []) & set(STOP_SIGNALS)


def test_a_signal_that_the_caller_ignores_stays_ignored(clean: None, train: Trainer) -> None:
    """`nohup cllm train` outlives its terminal."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        run = train("serial", lambda message: signal.raise_signal(signal.SIGHUP), steps=3)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert run.data["steps"] == 3
