"""Fixtures of real runs: a small text, `train` for runs in this process, `caller` for those in one of their own."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from real_runtime.spec import RunSpec

from tests.real_runtime.running import CALLER, Trainer, children_of, open_descriptors


@pytest.fixture(scope="session")
def small_text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some 60 KB of words that follow one another by a rule, so that there is something to learn."""
    words = "barrier segment order batch epoch worker control node weights gradient slot fold update wait".split()
    number, chosen = 1, []
    for _ in range(9_000):
        number = number * 1_103_515_245 + 12_345 & 0x7FFFFFFF
        chosen.append(words[(number >> 16) % len(words)])
    path = tmp_path_factory.mktemp("text") / "words.txt"
    path.write_text(" ".join(chosen))
    return path


@pytest.fixture
def train(small_text: Path, tmp_path: Path) -> Trainer:
    """See `Trainer`."""
    return Trainer(small_text, tmp_path)


@pytest.fixture
def clean(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """No descriptor and no process is left, and nothing was written to the terminal."""
    before = open_descriptors(), children_of(os.getpid())
    yield
    assert (open_descriptors(), children_of(os.getpid())) == before
    captured = capfd.readouterr()
    assert (captured.out, captured.err) == ("", "")


@pytest.fixture
def caller(tmp_path: Path) -> Iterator[Callable[[RunSpec], "subprocess.Popen[str]"]]:
    """`caller(spec)` runs it from a process of its own, in a process group of its own, that prints every message."""
    started: list[subprocess.Popen[str]] = []

    def start(spec: RunSpec) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", CALLER, spec.to_json()]
        with (tmp_path / "stderr").open("w") as stderr:
            process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=stderr, stdin=subprocess.DEVNULL, text=True, process_group=0
            )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
