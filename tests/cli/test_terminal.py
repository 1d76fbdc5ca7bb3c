"""Colour, width and progress: what is shown where, and how often."""

import io
from typing import Any

import pytest

from cllm_sim.cli.exit import run
from cllm_sim.cli.progress import Progress, kind_of
from cllm_sim.cli.terminal import Terminal, joined
from cllm_sim.results import RunResult


class Screen(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


class Clock:
    """Time that goes on when told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "CI", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


def painted(terminal: Terminal, stream: Any) -> str:
    return terminal.drawn(lambda console: console.print("broken", style="red"), stream)


@pytest.mark.parametrize(
    ("color", "stream", "colored"),
    [
        ("auto", Screen(), True),
        ("auto", io.StringIO(), False),
        ("always", io.StringIO(), True),
        ("never", Screen(), False),
    ],
)
def test_color(color: str, stream: io.StringIO, colored: bool) -> None:
    text = painted(Terminal(color=color), stream)
    assert ("\x1b[" in text) is colored
    assert "broken" in text


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_color_is_not_forced_on_those_who_refuse_it(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    assert painted(Terminal(), Screen()) == "broken"


def test_a_pipe_is_wide_and_has_no_trailing_blanks() -> None:
    text = Terminal().drawn(lambda console: console.print("x" * 110 + "  \ny  "), io.StringIO())
    assert text == "x" * 110 + "\ny"


@pytest.mark.parametrize(
    ("name", "value", "kind"), [("TERM", "xterm", "live"), ("TERM", "dumb", "plain"), ("CI", "true", "plain")]
)
def test_where_the_line_is_redrawn(monkeypatch: pytest.MonkeyPatch, name: str, value: str, kind: str) -> None:
    monkeypatch.setenv(name, value)
    assert kind_of(Screen()) == kind
    assert kind_of(io.StringIO()) == "plain"


def test_a_plain_line_every_ten_seconds() -> None:
    stream, clock = io.StringIO(), Clock()
    with Progress(stream, "plain", clock) as progress:
        progress.stage("begins")
        for second in range(1, 36):
            clock.now = float(second)
            progress.show(f"at {second}")
    assert stream.getvalue() == "at 10\nat 20\nat 30\n"


def test_four_times_a_second_on_a_terminal_and_nothing_is_left() -> None:
    stream, clock = Screen(), Clock()
    with Progress(stream, "live", clock) as progress:
        progress.stage("begins")
        for tick in range(1, 101):
            clock.now = tick / 100
            progress.show(f"tick {tick}.")
        progress.tell("a message that stays")
    text = stream.getvalue()
    assert "begins" in text
    assert [tick for tick in range(1, 101) if f"tick {tick}." in text] == [25, 50, 75, 100]
    assert "\x1b[2K" in text
    assert "a message that stays\n" in text.replace("\r", "")


def test_silence() -> None:
    stream, clock = io.StringIO(), Clock()
    with Progress(stream, "off", clock) as progress:
        clock.now = 1000.0
        progress.stage("stage")
        progress.show("show")
    assert stream.getvalue() == ""


def test_all_of_it() -> None:
    stream = io.StringIO()
    with Progress(stream, "every", Clock()) as progress:
        progress.stage("first")
        progress.show("second")
    assert stream.getvalue() == "first\nsecond\n"


@pytest.mark.parametrize(
    ("terminal", "kind"),
    [
        (Terminal(), "plain"),
        (Terminal(verbose=True), "every"),
        (Terminal(progress=False), "off"),
        (Terminal(progress=False, verbose=True), "off"),
    ],
)
def test_which_kind_a_command_has(terminal: Terminal, kind: str) -> None:
    assert terminal.working().kind == kind


def test_hints_go_to_stderr_and_may_be_silenced(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["list"]) == 0
    loud = capsys.readouterr()
    assert run(["list", "-q"]) == 0
    quiet = capsys.readouterr()
    assert loud.out == quiet.out
    assert loud.err.startswith("check one:")
    assert quiet.err == ""


def test_one_result_is_its_own_document() -> None:
    only = RunResult({"exit_code": 0})
    assert joined([only]) is only
