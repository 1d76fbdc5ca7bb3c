"""Every request that cannot be met: exit code 2, one line on stderr that says what to do, nothing on stdout."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cllm_sim.cli.exit import run
from cllm_sim.new_file import new_file

CHOICE = "yield choose(BATCH, EPOCH, STOP)"
FILES: dict[str, str | bytes] = {
    "no_architecture.py": "x = 1\n",
    "no_python.py": "def root(:\n",
    "raises.py": "raise ValueError('two\\nlines')\n",
    "string.py": new_file("string").replace(CHOICE, "yield 'batch'"),
    "random_text.py": "import random\n\n" + new_file("random_text").replace(CHOICE, f"{CHOICE[:-1]}, random.random())"),
    "undecodable.py": b"\xff\xfe\x00",
    "not_ours.json": '{"schema": "other"}\n',
    "bad.toml": "workers = = 3\n",
    "unknown.toml": "[check]\nwrokers = 3\n",
    "bad_costs.toml": "[machine]\ncores = = 2\n",
}
CASES: dict[str, tuple[list[str], str]] = {
    "unknown architecture": (["check", "node_zro"], "Did you mean 'node_zero'?"),
    "no such file": (["check", "./nowhere.py"], "./nowhere.py: no such architecture file"),
    "no architecture": (["check", "./no_architecture.py"], "is no architecture"),
    "no Python": (["check", "./no_python.py"], "no_python.py:1: not valid Python"),
    "raises": (["check", "./raises.py"], "raises.py:1: ValueError: two lines"),
    "undecodable": (["check", "./undecodable.py"], "cannot be read"),
    "text yields a string": (["check", "./string.py"], "yielded 'batch' (str)"),
    "nondeterministic text": (["check", "./random_text.py"], "same replies"),
    "no workers": (["check", "node_zero", "--workers", "0"], "--workers 0"),
    "negative workers": (["check", "node_zero", "--workers", "-3"], "--workers -3"),
    "thirteen workers": (["check", "node_zero", "--workers", "13"], "arity of 12"),
    "no depth": (["check", "node_zero", "--depth", "0"], "--depth 0"),
    "words as workers": (["check", "node_zero", "--workers", "many"], "write 12 or 2,4,8,12"),
    "a list where one is wanted": (["train", "node_zero", "--workers", "2,4"], "'--workers'"),
    "bad setting": (["check", "node_zero", "--set", "hidden"], "write key=value"),
    "empty setting": (["check", "node_zero", "--set", "hidden="], "write key=value"),
    "unknown setting": (["train", "node_zero", "--set", "hiden=3"], "did you mean hidden?"),
    "bad budget": (["check", "node_zero", "--budget", "soon"], "write 60s, 2m or 1h"),
    "no budget": (["check", "node_zero", "--budget", "0s"], "write 60s, 2m or 1h"),
    "unknown format": (["check", "node_zero", "--format", "xml"], "'text', 'json'"),
    "unknown color": (["check", "node_zero", "--color", "pink"], "'auto', 'always', 'never'"),
    "unknown promise": (["check", "node_zero", "--promise", "luck"], "known: no deadlock"),
    "unknown option": (["check", "node_zero", "--wokers", "3"], "--workers"),
    "unknown verb": (["chek", "node_zero"], "Did you mean 'check'?"),
    "missing argument": (["check"], "Missing argument 'ARCH'"),
    "surplus argument": (["list", "node_zero"], "unexpected extra argument"),
    "nothing to compare": (["compare"], "'cllm list'"),
    "unknown way": (["compare", "node_zero", "--with", "guess"], "'guess' is none of check"),
    "unknown preset": (["compare", "node_zero", "--preset", "none"], "known presets are demo"),
    "no steps": (["train", "node_zero", "--steps", "0"], "'0' is no whole number from 1 on"),
    "negative seed": (["simulate", "node_zero", "--seed", "-1"], "'-1' is no whole number from 0 on"),
    "more leaves than slots": (["train", "node_zero", "--slots", "3"], "--slots"),
    "unknown fault": (["train", "node_zero", "--inject", "flood"], "nan@step=5,slot=7"),
    "no run": (["validate", "nowhere"], "nowhere: no such run"),
    "no result": (["report", "not_ours.json"], "is no result of this version"),
    "missing costs": (["simulate", "node_zero", "--costs", "none.toml"], "none.toml"),
    "syntax of costs": (["simulate", "node_zero", "--costs", "bad_costs.toml"], "bad_costs.toml:2"),
    "missing configuration": (["check", "node_zero", "--config", "none.toml"], "none.toml: cannot be read"),
    "syntax of configuration": (["check", "node_zero", "--config", "bad.toml"], "bad.toml:1: not valid TOML"),
    "unknown key": (["check", "node_zero", "--config", "unknown.toml"], "unknown.toml:2: [check] wrokers: unknown key"),
    "impossible move": (["replay", "node_zero", "0.0,0.0"], "those who can"),
    "unknown actor": (["replay", "node_zero", "7"], "no actor called '7'"),
    "bad name": (["new", "3x"], "begins with no digit"),
    "path as a name": (["new", "a/b"], "a/b"),
    "unknown code": (["explain", "rase"], "Did you mean 'race'?"),
}


THROUGH_THE_COMMAND = ("unknown architecture", "text yields a string", "negative workers", "unknown setting", "no run")


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test stands in a folder with the files of `FILES`."""
    monkeypatch.chdir(tmp_path)
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())


def judge(ended: tuple[int, str, str], told: str) -> None:
    code, stdout, stderr = ended
    assert (code, stdout) == (2, "")
    assert stderr.startswith("cllm: ")
    assert stderr.count("\n") == 1
    assert told in stderr


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("case", CASES)
def test_one_clear_line(capfd: pytest.CaptureFixture[str], case: str) -> None:
    arguments, told = CASES[case]
    code = run(arguments)
    stdout, stderr = capfd.readouterr()
    judge((code, stdout, stderr), told)


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("case", THROUGH_THE_COMMAND)
def test_the_command_says_the_same(cllm: Callable[..., Any], case: str) -> None:
    arguments, told = CASES[case]
    judge(cllm(*arguments), told)


def test_new_never_overwrites(cllm: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("mine", encoding="utf-8")
    code, stdout, stderr = cllm("new", "mine")
    assert (code, stdout, stderr) == (2, "", "cllm: mine.py: exists already; choose another name\n")
    assert (tmp_path / "mine.py").read_text(encoding="utf-8") == "mine"


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a folder in which nobody can write, root included")
def test_a_read_only_folder(cllm: Callable[..., Any]) -> None:
    sealed = Path("/proc")
    for arguments in (["new", "mine"], ["check", "node_zero", "--workers", "2", "-o", "out"]):
        judge(cllm(*arguments, cwd=sealed), "cannot be")


def test_an_output_folder_in_use_is_refused(cllm: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "letter.txt").write_text("precious", encoding="utf-8")
    for more in ([], ["--overwrite"]):
        code, stdout, stderr = cllm("check", "node_zero", "--workers", "2", "-o", "out", *more)
        assert (code, stdout, stderr.count("\n")) == (2, "", 1)
    assert (tmp_path / "out" / "letter.txt").read_text(encoding="utf-8") == "precious"
