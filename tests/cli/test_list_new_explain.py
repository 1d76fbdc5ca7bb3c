"""The verbs that teach: what they show is complete, and what they claim is true."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cllm_sim import check
from cllm_sim.auditor.judging import rules_known
from cllm_sim.cli.exit import run
from cllm_sim.explain import KINDS, pages
from cllm_sim.library import shipped
from cllm_sim.new_file import TEMPLATE, new_file
from cllm_sim.promises import CLASS_PROMISE, OPTIONAL, PROMISES
from cllm_sim.results import ExitCode

CLASSES, PROMISE_PAGES, EXIT_CODES, RULES = KINDS.values()


# ----------------------------------------------------------------------------------------------------------------- list
def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["list"]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert sorted(row.split()[0] for row in rows) == sorted(shipped())
    broken = {row.split()[0] for row in rows if row.split()[1] == "BROKEN"}
    assert {"unguarded", "early_reduce"} <= broken
    assert not {"node_zero", "model_lock", "serial", "sliced_reduce", "work_queue"} & broken
    assert all(row.count("BROKEN") <= 1 for row in rows)


def test_list_shows_the_files(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["list", "-v"]) == 0
    assert str(shipped()["node_zero"]) in capsys.readouterr().out


# ------------------------------------------------------------------------------------------------------------------ new
@pytest.fixture
def edited(tmp_path: Path) -> Callable[..., Any]:
    """Check the new file after replacing pieces of it that occur exactly once."""

    def checked(*changes: tuple[str, str], workers: int = 2, depth: int = 1) -> Any:
        text = new_file("mine")
        for old, new in changes:
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        path = tmp_path / "mine.py"
        path.write_text(text, encoding="utf-8")
        return check(str(path), workers=workers, depth=depth)

    return checked


def classes(result: Any) -> set[str]:
    return {row["class"] for row in result.broken}


@pytest.mark.parametrize(("workers", "depth"), [(1, 1), (2, 1), (12, 1), (2, 2)])
def test_the_new_file_holds(edited: Callable[..., Any], workers: int, depth: int) -> None:
    result = edited(workers=workers, depth=depth)
    assert result.holds
    assert result.unreached == []


POINT_A = "        yield team.meet.wait()  # Point A: from here on the order stands\n"
READ = "        order = yield team.order.read()  # (2)\n"
POINT_B = "        yield team.meet.wait()  # (5) Point B\n"
FOLD = (
    "        yield fold(team.each.segment, into=me.segment)"
    "  # (6) safe: nobody writes a segment before the next Point A\n"
)
BREAKS: dict[int, list[tuple[str, str]]] = {
    1: [("meet = Barrier()", "meet = Barrier(lambda workers: workers)")],
    2: [(POINT_A + READ, READ + POINT_A)],
    3: [
        (
            "        if order == BATCH:\n            yield team.meet.wait()  # (3) Point B: every segment is written\n"
            "        elif",
            "        if",
        )
    ],
    4: [("into=me.segment)  # (4)", "into=team.seats[0].segment)  # (4)")],
    5: [(POINT_B + FOLD, FOLD + POINT_B)],
    6: [(FOLD, "")],
    7: [("yield update(", "yield compute(weights, into=me.segment)\n            yield update(")],
}


@pytest.mark.parametrize("mark", BREAKS)
def test_its_comments_are_true(edited: Callable[..., Any], mark: int) -> None:
    claims = re.search(rf"^# \({mark}\) .*?  +([a-z, .-]+)$", TEMPLATE, re.MULTILINE)
    assert claims is not None
    claimed = claims[1].split(", ")
    found = classes(edited(*BREAKS[mark]))
    assert set(claimed) - {"..."} <= found
    assert "..." in claimed or set(claimed) == found


def test_new_then_check(cllm: Callable[..., Any], tmp_path: Path) -> None:
    code, stdout, stderr = cllm("new", "mine")
    assert (code, stdout, stderr) == (0, "mine.py\n", "check it: cllm check ./mine.py --workers 3\n")
    assert (tmp_path / "mine.py").read_text(encoding="utf-8").startswith('"""mine: ')
    code, stdout, _ = cllm("check", "./mine.py", "--workers", 3)
    assert code == 0
    assert "holds" in stdout


def test_the_ending_may_be_named(cllm: Callable[..., Any], tmp_path: Path) -> None:
    assert cllm("new", "mine.py", "-q") == (0, "mine.py\n", "")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.py"]


# -------------------------------------------------------------------------------------------------------------- explain
def codes(kind: str) -> set[str]:
    return {code for page in pages() if page.kind == kind for code in page.codes}


def test_there_is_a_page_for_everything() -> None:
    assert codes(CLASSES) == set(CLASS_PROMISE)
    assert codes(PROMISE_PAGES) == {*PROMISES, *OPTIONAL}
    assert codes(EXIT_CODES) == {str(int(code)) for code in ExitCode}
    assert codes(RULES) == {rule.code for rule in rules_known()}


def listed(text: str, title: str) -> set[str]:
    """The comma-separated names after `**title** `."""
    found = re.search(rf"\*\*{title}\*\* ([^.]+)\.", text)
    assert found is not None
    return {name.partition(" (")[0].strip() for name in found[1].replace("\n", " ").split(", ")}


@pytest.mark.parametrize("page", [page for page in pages() if page.kind == CLASSES], ids=lambda page: page.codes[0])
def test_classes_name_the_promises_they_break(page: Any) -> None:
    assert listed(page.text, "Breaks the promises") == {name for code in page.codes for name in CLASS_PROMISE[code]}


@pytest.mark.parametrize(
    "page", [page for page in pages() if page.kind == PROMISE_PAGES], ids=lambda page: page.codes[0]
)
def test_promises_name_the_classes_that_break_them(page: Any) -> None:
    breaking = {code for code, names in CLASS_PROMISE.items() if page.codes[0] in names}
    assert listed(page.text, "Broken as") == breaking


SEE_IT = [
    (page.codes[0], command)
    for page in pages()
    if page.kind == CLASSES
    for command in re.findall(r"`cllm (check [^`]+)`", page.text)
]


@pytest.mark.parametrize(("code", "command"), SEE_IT)
def test_what_a_page_proposes_shows_it(code: str, command: str) -> None:
    _, name, _, workers, *more = command.split()
    result = check(name, workers=int(workers), promise=more[1:])
    assert code in classes(result)


MUTEX = "    order = Variable()\n"
MISUSES: dict[str, list[tuple[str, str]]] = {
    "lock-misuse": [
        (MUTEX, MUTEX + "    lock = Mutex()\n"),
        ("    Barrier,\n", "    Barrier,\n    Mutex,\n"),
        ("    yield team.order.write(order)", "    yield team.lock.release()\n    yield team.order.write(order)"),
    ],
    "barrier-misuse": [
        ("            yield team.meet.wait()  # (3)", "            yield team.meet.destroy()  # (3)"),
    ],
    "use-after-destroy": [
        (
            "    elif order == EPOCH:\n        yield team.epoch.wait()\n\n\ndef root",
            "    yield team.meet.destroy()\n\n\ndef root",
        ),
    ],
}


@pytest.mark.parametrize("code", MISUSES)
def test_the_other_classes_exist(edited: Callable[..., Any], code: str) -> None:
    assert code in classes(edited(*MISUSES[code]))


@pytest.mark.parametrize("asked", [["race"], ["RACE"], ["no", "race"], ["no race"], ["race-on-weights"], ["130"]])
def test_explain(capsys: pytest.CaptureFixture[str], asked: list[str]) -> None:
    assert run(["explain", *asked]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert said.out.startswith("# ")


def test_explain_lists_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain"]) == 0
    shown = capsys.readouterr().out
    assert all(f"  {page.codes[0]} " in shown and page.title in shown for page in pages())


def test_explain_is_laid_out_where_somebody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "race", "--color", "always"]) == 0
    shown = capsys.readouterr().out
    assert "\x1b[" in shown
    assert "# race" not in shown
