"""Defaults from a file: found, read like the command line, beaten by it, and refused with the line."""

from pathlib import Path
from typing import Any

import pytest

from cllm_sim import api
from cllm_sim.cli.exit import run
from cllm_sim.results import RunResult

Given = dict[str, Any]


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Given:
    """What `check` is called with; the test stands in an empty folder."""
    made: Given = {}

    def called(_: str, **options: Any) -> RunResult:
        made.clear()
        made.update({name: value for name, value in options.items() if name != "progress"})
        return RunResult({"schema": "cllm/1", "verb": "check", "exit_code": 0})

    monkeypatch.setattr(api, "check", called)
    monkeypatch.chdir(tmp_path)
    return made


def check(*arguments: str) -> int:
    return run(["check", "node_zero", "--format", "json", *arguments])


EVERYTHING = """
depth = 2
seed = 7                      # of other verbs; check has none
set = { hidden = 64, context = "3" }
workers = 5

[check]
workers = [2, 3]
budget = "2m"
promise = ["uncontended", "fresh"]
max_states = 10
overwrite = true

[train]
steps = 9
"""


def test_all_kinds_of_values(given: Given) -> None:
    Path("cllm.toml").write_text(EVERYTHING, encoding="utf-8")
    assert check() == 0
    assert given == {
        "depth": 2,
        "settings": {"hidden": "64", "context": "3"},
        "workers": 3,
        "budget_seconds": 120.0,
        "promise": ("uncontended", "fresh"),
        "max_states": 10,
        "overwrite": True,
    }


def test_the_command_line_wins(given: Given) -> None:
    Path("cllm.toml").write_text("workers = 2\ndepth = 2\n", encoding="utf-8")
    assert check("--workers", "4") == 0
    assert given == {"workers": 4, "depth": 2}


def test_a_table_of_the_project_file(given: Given) -> None:
    Path("pyproject.toml").write_text("[project]\nname = 'x'\n\n[tool.cllm.check]\nworkers = 2\n", encoding="utf-8")
    assert check() == 0
    assert given == {"workers": 2}


def test_the_file_of_its_own_comes_first(given: Given) -> None:
    Path("pyproject.toml").write_text("[tool.cllm]\nworkers = 2\n", encoding="utf-8")
    Path("cllm.toml").write_text("depth = 2\n", encoding="utf-8")
    assert check() == 0
    assert given == {"depth": 2}


def test_the_file_asked_for_comes_before_all(given: Given) -> None:
    Path("cllm.toml").write_text("depth = 2\n", encoding="utf-8")
    Path("other.toml").write_text("workers = 2\n", encoding="utf-8")
    assert check("--config", "other.toml") == 0
    assert given == {"workers": 2}


def test_a_project_file_without_our_table_says_nothing(given: Given) -> None:
    Path("pyproject.toml").write_text("[project]\nname = 'x'\n", encoding="utf-8")
    assert check() == 0
    assert given == {}


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("cllm.toml", "depth = 1\nwrokers = 3\n", "cllm.toml:2: wrokers: unknown key; did you mean 'workers'?"),
        ("cllm.toml", "[check]\n\nrepeats = 3\n", "cllm.toml:3: [check] repeats: unknown key; known: "),
        ("cllm.toml", "[chekc]\nworkers = 3\n", "cllm.toml:1: chekc: unknown key; did you mean 'check'?"),
        ("cllm.toml", "check = 3\n", "cllm.toml:1: check: must be a table, [check]"),
        ("cllm.toml", "workers = 'many'\n", "cllm.toml:1: workers: 'many' is no list of whole numbers"),
        ("cllm.toml", "[check]\nmax-states = 0\n", "cllm.toml:2: [check] max-states: '0' is no whole number from 1 on"),
        ("cllm.toml", "depth = 1.5\n", "cllm.toml:1: depth: '1.5' is not a valid integer"),
        ("cllm.toml", "depth = true\n", "cllm.toml:1: depth: True is neither a number nor a text"),
        ("cllm.toml", "overwrite = 1\n", "cllm.toml:1: overwrite: 1 must be true or false"),
        ("cllm.toml", "format = 'xml'\n", "cllm.toml:1: format: 'xml' is not one of 'text', 'json'"),
        ("cllm.toml", "config = 'x'\n", "cllm.toml:1: config: unknown key"),
        ("cllm.toml", "depth = 1\ndepth = 2\n", "cllm.toml:2: not valid TOML: Cannot overwrite a value"),
        ("pyproject.toml", "[tool.cllm]\nwrokers = 3\n", "pyproject.toml:2: wrokers: unknown key"),
        ("pyproject.toml", "[tool.cllm.check]\nwrokers = 3\n", "pyproject.toml:2: [check] wrokers: unknown key"),
        ("pyproject.toml", "tool.cllm = 3\n", "pyproject.toml: tool.cllm must be a table"),
    ],
)
def test_refusals_name_the_line(
    given: Given, capsys: pytest.CaptureFixture[str], name: str, text: str, told: str
) -> None:
    Path(name).write_text(text, encoding="utf-8")
    assert check() == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"cllm: {told}")
    assert said.err.count("\n") == 1
    assert given == {}
