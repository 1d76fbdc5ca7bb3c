"""How options are read and what reaches the API: the values given, and nothing that was not."""

import json
from typing import Any

import click
import pytest

from cllm_sim import api
from cllm_sim.cli.exit import run
from cllm_sim.cli.options import AtLeast, Duration, Setting, WholeNumbers, Words, one_by_one, passed_on
from cllm_sim.results import RunResult

Calls = list[tuple[tuple[Any, ...], dict[str, Any]]]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """What every verb of the API is called with."""
    made: Calls = []

    def called(*arguments: Any, **options: Any) -> RunResult:
        shown = {name: value for name, value in options.items() if name not in ("progress", "notify", "on_message")}
        made.append((arguments, shown))
        return RunResult({"schema": "cllm/1", "verb": "check", "exit_code": 0, "call": len(made)})

    for verb in ("check", "simulate", "train", "validate", "compare", "calibrate"):
        monkeypatch.setattr(api, verb, called)
    return made


@pytest.mark.parametrize(
    ("text", "seconds"), [("60s", 60), ("2m", 120), ("1.5h", 5400), ("500ms", 0.5), ("7", 7), (" .5 s ", 0.5)]
)
def test_durations(text: str, seconds: float) -> None:
    assert Duration().convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["", "s", "soon", "-3s", "0", "0.0m", "3d", "1e3", "nan", "inf"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(click.BadParameter, match="write 60s, 2m or 1h"):
        Duration().convert(text, None, None)


def test_whole_numbers() -> None:
    assert WholeNumbers().convert("12", None, None) == (12,)
    assert WholeNumbers().convert("2, 4,8,2", None, None) == (2, 4, 8)
    for text in ("", "2,", "two", "2.5"):
        with pytest.raises(click.BadParameter, match="write 12 or 2,4,8,12"):
            WholeNumbers().convert(text, None, None)


def test_numbers_with_a_limit() -> None:
    assert AtLeast(1).convert("1", None, None) == 1
    for text in ("0", "-1", "x", "1.5"):
        with pytest.raises(click.BadParameter, match="from 1 on"):
            AtLeast(1).convert(text, None, None)


def test_words_stand_in_their_own_order() -> None:
    assert Words(("check", "train")).convert("train, check", None, None) == ("check", "train")


def test_settings() -> None:
    assert Setting().convert("a = b=c", None, None) == ("a", "b=c")


def test_only_what_was_given_is_passed_on() -> None:
    given = {"depth": None, "overwrite": False, "promise": (), "seed": 0, "settings": (("a", "1"), ("a", "2"))}
    assert passed_on(given) == {"seed": 0, "settings": {"a": "2"}}


def test_several_runs_leave_their_files_side_by_side() -> None:
    assert list(one_by_one(None, {"depth": 2})) == [{"depth": 2}]
    assert list(one_by_one((3,), {"output": "x"})) == [{"output": "x", "workers": 3}]
    assert [one["output"] for one in one_by_one((2, 4), {"output": "x"})] == ["x/workers-2", "x/workers-4"]


def test_defaults_are_left_to_the_api(calls: Calls) -> None:
    for verb in ("check", "simulate", "train", "compare"):
        assert run([verb, "node_zero", "--format", "json"]) == 0
    assert run(["validate", "somewhere", "--format", "json"]) == 0
    assert run(["calibrate", "--format", "json"]) == 0
    named: tuple[tuple[str, ...], dict[str, Any]] = (("node_zero",), {})
    assert calls == [named, named, named, named, (("somewhere",), {"predict": True}), ((), {})]


def test_check(calls: Calls) -> None:
    line = "check a --workers 2,3 --depth 2 --reductions none --races next --promise p --promise q --without r"
    run([*line.split(), *"--budget 2m --max-states 10 --set x=1 -o d --overwrite --format json".split()])
    common = {
        "depth": 2,
        "reductions": "none",
        "races": "next",
        "promise": ("p", "q"),
        "without": ("r",),
        "budget_seconds": 120.0,
        "max_states": 10,
        "settings": {"x": "1"},
        "overwrite": True,
    }
    assert calls == [
        (("a",), {**common, "workers": 2, "output": "d/workers-2"}),
        (("a",), {**common, "workers": 3, "output": "d/workers-3"}),
    ]


def test_simulate(calls: Calls) -> None:
    run("simulate a --max-steps 9 --cores 3 --replications 2 --costs c.toml --seed 0 --slots 24 --format json".split())
    expected = {"steps": 9, "cores": 3, "replications": 2, "costs": "c.toml", "seed": 0, "slots": 24}
    assert calls == [(("a",), expected)]


def test_train(calls: Calls) -> None:
    line = "train a --workers 3 --text t --checkpoint-every 5 --resume --inject x --inject y --hang-after 2s"
    run([*line.split(), "--epoch-steps", "4", "--format", "json"])
    expected = {
        "workers": 3,
        "text": "t",
        "checkpoint_every": 5,
        "resume": True,
        "inject": ("x", "y"),
        "hang_after_seconds": 2.0,
        "epoch_steps": 4,
    }
    assert calls == [(("a",), expected)]


def test_compare(calls: Calls) -> None:
    line = "compare a b --workers 2,12 --with train,check --repeats 4 --baseline r.json --preset demo --steps 7"
    run([*line.split(), "--format", "json"])
    expected = {
        "workers": (2, 12),
        "with_": ("check", "train"),
        "repeats": 4,
        "baseline": "r.json",
        "preset": "demo",
        "steps": 7,
    }
    assert calls == [(("a", "b"), expected)]


def test_validate(calls: Calls) -> None:
    run("validate r --no-predict --budget 5 --costs c --format json".split())
    assert calls == [(("r",), {"predict": False, "budget_seconds": 5.0, "costs": "c"})]


def test_several_results_decide_together(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    codes = iter([0, 3, 1])
    monkeypatch.setattr(api, "check", lambda *_, **__: RunResult({"verb": "check", "exit_code": next(codes)}))
    assert run("check a --workers 1,2,3 --format json".split()) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["exit_code"] == 1
    assert [one["exit_code"] for one in document["results"]] == [0, 3, 1]
