"""The host process and its caller: whoever dies, nobody is left; a request that cannot be met says so at once."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cllm_sim.errors import BadRequest, SubjectFailed
from cllm_sim.folders import output_folder
from real_runtime.launch import InternalFailure, launch
from real_runtime.spec import RunSpec

from tests.real_runtime.running import Trainer, Watched, family, heard

pytestmark = [pytest.mark.processes, pytest.mark.timeout(60)]

ENDLESS = 1_000_000

Caller = Callable[[RunSpec], "subprocess.Popen[str]"]


def refusal(train: Trainer, architecture: str = "node_zero", **options: Any) -> str:
    with pytest.raises(BadRequest) as caught:
        train(architecture, **{"steps": 2, "workers": 2, **options})
    message = str(caught.value)
    assert "\n" not in message
    assert not train.run.of("step")
    return message


# --- deaths -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_host_that_is_killed_takes_its_actors_with_it(clean: None, train: Trainer, number: signal.Signals) -> None:
    crew: list[Watched] = []

    def kill(message: dict[str, Any]) -> None:
        if message["event"] == "step" and not crew:
            crew.append(family(os.getpid()))
            os.kill(crew[0].pids[0], number)

    with pytest.raises(SubjectFailed, match=rf"\(process \d+\) was killed by {number.name} after step \d+; all its"):
        train("node_zero", kill, workers=3, steps=ENDLESS)
    assert crew[0].all_end()


def test_a_caller_that_is_killed_takes_everybody_with_it(caller: Caller, train: Trainer) -> None:
    process = caller(train.spec("node_zero", workers=3, steps=ENDLESS))
    heard(process, "step")
    crew = family(process.pid)
    process.kill()
    process.wait()
    assert crew.all_end()


def test_a_caller_that_raises_takes_everybody_with_it(clean: None, train: Trainer) -> None:
    crew: list[Watched] = []

    def fail(message: dict[str, Any]) -> None:
        if message["event"] == "step":
            crew.append(family(os.getpid()))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        train("node_zero", fail, workers=3, steps=ENDLESS)
    assert crew[0].all_end()


def test_a_caller_that_stops_listening(clean: None, train: Trainer) -> None:
    """The host ends without a word when its messages reach nobody."""
    reading, writing = os.pipe()
    spec = train.spec("node_zero", workers=2, steps=ENDLESS)
    command = [sys.executable, "-m", "real_runtime.host", spec.to_json(), str(writing), str(os.getpid())]
    process = subprocess.Popen(command, pass_fds=[writing])
    os.close(writing)
    assert os.read(reading, 9) == b'{"event":'
    os.close(reading)
    assert process.wait() == 1


def test_a_host_that_finds_itself_without_its_caller(clean: None, train: Trainer) -> None:
    command = [sys.executable, "-m", "real_runtime.host", train.spec("serial").to_json(), "1", "1"]
    done = subprocess.run(command, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (1, b"", b"")


# --- a host that is not what it should be -----------------------------------------------------------------------------


@pytest.fixture
def instead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """`instead(commands)`: a shell script takes the place of the host; `$5` is its descriptor for messages."""

    def replace(commands: str) -> None:
        script = tmp_path / "host"
        script.write_text(f"#!/bin/sh\n{commands}\n")
        script.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(script))

    return replace


def test_a_host_that_ends_without_a_result(clean: None, train: Trainer, instead: Callable[[str], None]) -> None:
    instead("exit 7")
    with pytest.raises(InternalFailure, match="exit code 7 and without a result"):
        train("serial", steps=1)


def test_a_host_that_dies_in_the_middle_of_a_message(
    clean: None, train: Trainer, instead: Callable[[str], None]
) -> None:
    instead('printf \'{"event": "step", "step": 4}\\n{"event": "st\' >/proc/self/fd/$5; kill -9 $$')
    with pytest.raises(SubjectFailed, match="killed by SIGKILL after step 4"):
        train("serial", steps=9)


def test_an_interpreter_that_is_missing(clean: None, train: Trainer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(BadRequest, match="cannot be started: No such file or directory"):
        train("serial", steps=1)


def test_other_systems_are_refused(clean: None, train: Trainer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert "train needs Linux" in refusal(train)


def test_a_defect_of_ours_is_called_one(clean: None, train: Trainer, tmp_path: Path) -> None:
    """A run directory with a NUL in its name fails where nobody expects it."""
    with pytest.raises(InternalFailure, match="ValueError: embedded null byte"):
        train("serial", steps=1, folder=Path(f"{tmp_path}/a\0b"))
    assert train.run.of("details")[0]["text"].startswith("Traceback")


# --- requests that cannot be met --------------------------------------------------------------------------------------


def test_a_folder_that_cannot_be_written(clean: None, train: Trainer, small_text: Path) -> None:
    assert "cannot be written" in refusal(train, folder=small_text / "run")
    assert "cannot be written" in refusal(train, folder=Path("/proc/run"))


@pytest.mark.skipif(os.geteuid() == 0, reason="whoever is root may write everywhere")
def test_a_folder_that_is_read_only(clean: None, train: Trainer, tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o555)
    assert f"{folder}: cannot be written" in refusal(train, folder=folder)


def test_texts_that_cannot_be_read(clean: None, train: Trainer, tmp_path: Path) -> None:
    empty, pipe = tmp_path / "empty.txt", tmp_path / "pipe"
    empty.write_bytes(b"")
    os.mkfifo(pipe)
    assert f"{tmp_path / 'none.txt'} does not exist" in refusal(train, text=str(tmp_path / "none.txt"))
    assert f"{empty} is empty" in refusal(train, text=str(empty))
    assert f"{pipe} is neither a file nor a folder" in refusal(train, text=str(pipe))


def test_settings_that_make_no_sense(clean: None, train: Trainer) -> None:
    assert "did you mean hidden?" in refusal(train, settings={"hiden": "3"})
    assert "learning_rate=fast" in refusal(train, settings={"learning_rate": "fast"})
    assert "13" in refusal(train, workers=13)
    assert "slots" in refusal(train, workers=3, slots=2)
    assert "no architecture called" in refusal(train, "node_zer")


def test_more_memory_than_there_is(clean: None, train: Trainer) -> None:
    settings = {"hidden": ",".join(["8192"] * 8)}
    assert re.search(r"needs [\d,.]+ MiB of shared memory", refusal(train, settings=settings, slots=20_736))


def test_a_run_directory_in_use(caller: Caller, train: Trainer, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    process = caller(train.spec("node_zero", folder, workers=3, steps=ENDLESS, checkpoint_every=1))
    heard(process, "step", step=2)
    crew = family(process.pid)
    told = rf"{folder}: run directory in use by process {crew.pids[0]} since \d\d:\d\d:\d\d"
    assert re.match(told, refusal(train, folder=folder))
    assert re.match(told, refusal(train, folder=folder, resume=True))
    with pytest.raises(BadRequest, match=told):
        output_folder("", str(folder), overwrite=True)
    assert (folder / "checkpoints").is_dir()
    process.send_signal(signal.SIGTERM)
    assert heard(process, "interrupted")["data"]["complete"]
    assert crew.all_end()
    assert output_folder("", str(folder), overwrite=True) == folder
    assert [entry.name for entry in folder.iterdir()] == ["lock"]
    assert launch(train.spec("serial", folder, steps=1), lambda message: None)["complete"]
