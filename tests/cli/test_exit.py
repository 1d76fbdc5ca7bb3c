"""Every ending has its code and its one line; stdout stays clean; signals are told apart."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cllm_sim import api
from cllm_sim.cli.exit import Terminated, run, signals_seen, stdout_reserved
from cllm_sim.errors import BadArchitecture, BadRequest, CllmError, MissingExtra, RunHung, SubjectFailed, WorkerDied
from cllm_sim.new_file import new_file
from cllm_sim.results import RunResult

Raising = Callable[[BaseException], None]


@pytest.fixture
def check_raises(monkeypatch: pytest.MonkeyPatch) -> Raising:
    def prepare(error: BaseException) -> None:
        def failing(*_: Any, **__: Any) -> RunResult:
            raise error

        monkeypatch.setattr(api, "check", failing)

    return prepare


def ended(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, list[str]]:
    code = run(["check", "node_zero", *arguments])
    said = capsys.readouterr()
    return code, said.out, said.err.splitlines()


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (BadRequest("file: wrong"), 2),
        (BadArchitecture("file:3: wrong"), 2),
        (MissingExtra("install it"), 2),
        (SubjectFailed("died"), 1),
        (WorkerDied("0.3 was killed"), 1),
        (RunHung("nobody moved"), 1),
        (KeyboardInterrupt(), 130),
        (Terminated(), 143),
        (CllmError("neither"), 4),
        (ZeroDivisionError("by zero"), 4),
    ],
)
def test_the_class_of_an_error_decides(
    check_raises: Raising, capsys: pytest.CaptureFixture[str], error: BaseException, code: int
) -> None:
    check_raises(error)
    got, stdout, stderr = ended(capsys)
    assert (got, stdout, len(stderr)) == (code, "", 1)
    assert stderr[0].startswith("cllm: ")
    assert str(error) in stderr[0]


def test_a_message_is_one_line_whatever_it_looks_like(
    check_raises: Raising, capsys: pytest.CaptureFixture[str]
) -> None:
    check_raises(BadRequest("first\n  second\tthird"))
    assert ended(capsys) == (2, "", ["cllm: first second third"])


def test_the_traceback_of_a_defect_of_ours_needs_verbose(
    check_raises: Raising, capsys: pytest.CaptureFixture[str]
) -> None:
    check_raises(ZeroDivisionError("by zero"))
    assert not any("Traceback" in line for line in ended(capsys)[2])
    code, stdout, stderr = ended(capsys, "-v")
    assert (code, stdout, stderr[0]) == (4, "", "Traceback (most recent call last):")
    assert stderr[-1].startswith("cllm: internal error")


@pytest.mark.parametrize(("code", "with_exit_zero"), [(0, 0), (1, 0), (3, 0), (4, 4)])
def test_exit_zero_reports_and_does_not_fail(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], code: int, with_exit_zero: int
) -> None:
    monkeypatch.setattr(api, "check", lambda *_, **__: RunResult({"verb": "check", "exit_code": code}))
    assert ended(capsys, "--format", "json")[0] == code
    assert ended(capsys, "--format", "json", "--exit-zero")[0] == with_exit_zero


def test_exit_zero_forgives_no_bad_request(check_raises: Raising, capsys: pytest.CaptureFixture[str]) -> None:
    check_raises(BadRequest("no"))
    assert ended(capsys, "--exit-zero")[0] == 2
    check_raises(SubjectFailed("died"))
    assert ended(capsys, "--exit-zero")[0] == 0


# --------------------------------------------------------------------------------------------------- stdout stays clean
NOISY = """print("noise of the file")
import os
os.system("echo noise of a child")
"""


def test_json_is_one_document_and_nothing_else(cllm: Callable[..., Any], tmp_path: Path) -> None:
    assert cllm("new", "mine").code == 0
    mine = tmp_path / "mine.py"
    mine.write_text(mine.read_text(encoding="utf-8") + NOISY, encoding="utf-8")
    code, stdout, stderr = cllm("check", "./mine.py", "--workers", 2, "--format", "json")
    assert code == 0
    document = json.loads(stdout)
    assert (document["schema"], document["verb"], document["verdict"]) == ("cllm/1", "check", "holds")
    assert document["command"] == ["cllm", "check", "./mine.py", "--workers", "2", "--format", "json"]
    assert "noise of the file" in stderr
    assert "noise of a child" in stderr


def test_several_results_are_one_document(cllm: Callable[..., Any]) -> None:
    code, stdout, _ = cllm("check", "early_reduce", "--workers", "1,2", "--format", "json")
    document = json.loads(stdout)
    codes = [result["exit_code"] for result in document["results"]]
    assert [result["scope"]["workers"] for result in document["results"]] == [1, 2]
    assert code == document["exit_code"] == max(codes) == 1


@pytest.mark.parametrize("where", ["the file", "a text"])
def test_a_file_that_ends_the_interpreter_is_told_so(cllm: Callable[..., Any], tmp_path: Path, where: str) -> None:
    text = new_file("ends")
    leaving = text.replace("    order = 0\n", "    raise SystemExit(0)\n    order = 0\n")
    (tmp_path / "ends.py").write_text(leaving if where == "a text" else f"{text}\nraise SystemExit(0)\n", "utf-8")
    code, stdout, stderr = cllm("check", "./ends.py", "--workers", 2)
    assert (code, stdout, stderr.count("\n")) == (2, "", 1)


def test_stdout_is_given_back(capfd: pytest.CaptureFixture[str]) -> None:
    with stdout_reserved():
        os.write(1, b"meanwhile\n")
    os.write(1, b"afterwards\n")
    assert capfd.readouterr() == ("afterwards\n", "meanwhile\n")


def test_a_closed_stdout_is_survived() -> None:
    program = "import os; os.close(1)\nfrom cllm_sim.cli.exit import stdout_reserved\nwith stdout_reserved(): pass\n"
    subprocess.run([sys.executable, "-c", program], timeout=60, check=True)


def test_a_reader_that_goes_away_is_no_error() -> None:
    command = Path(sys.executable).with_name("cllm")
    read_end, write_end = os.pipe()
    os.close(read_end)
    with os.fdopen(write_end, "wb") as nobody:
        done = subprocess.run([command, "list"], stdout=nobody, stderr=subprocess.PIPE, timeout=60, check=False)
    assert done.returncode == 0
    assert b"Broken" not in done.stderr.replace(b"BROKEN", b"")


# -------------------------------------------------------------------------------------------------------------- signals
def test_signals_are_seen_whoever_handles_them() -> None:
    before = signal.signal(signal.SIGUSR1, lambda *_: None)
    try:
        with signals_seen() as seen:
            signal.raise_signal(signal.SIGUSR1)
        assert seen == {signal.SIGUSR1}
        with signals_seen() as seen:
            pass
        assert seen == set()
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_termination_is_answered_in_good_order() -> None:
    program = (
        "import signal, sys\n"
        "from cllm_sim import api\n"
        "from cllm_sim.cli import main\n"
        "api.check = lambda *a, **k: signal.raise_signal(signal.SIGTERM)\n"
        "sys.argv = ['cllm', 'check', 'node_zero']\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (143, "", "cllm: terminated\n")
