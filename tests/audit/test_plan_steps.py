"""The difference between the two trainers carries the step numbers of the plan that the audit of the first proposes."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

from cllm_sim import audit

HERE = Path(__file__).resolve().parent
FIRST, SECOND = HERE / "trainer_model_lock", HERE / "trainer_node_zero"
MARK = re.compile(r"/\* plan step (\d+):")


@cache
def audited(folder: Path) -> dict[str, Any]:
    return audit(str(folder)).data


def named() -> dict[int, list[str]]:
    """The step numbers in the second program, and the lines that carry them (without the comment)."""
    found: dict[int, list[str]] = {}
    for path in sorted([*SECOND.glob("*.c"), *SECOND.glob("*.h")]):
        for line in path.read_text(encoding="utf-8").splitlines():
            for number in MARK.findall(line):
                found.setdefault(int(number), []).append(line.partition("/* plan")[0].strip())
    return found


def test_every_step_that_the_second_program_has_taken_is_named() -> None:
    met = {one["id"] for one in audited(SECOND)["requirements"] if one["status"] == "met"}
    taken = {one["step"] for one in audited(FIRST)["plan"] if set(one["requirements"]) <= met}
    assert set(named()) == taken


def test_the_named_lines_are_not_in_the_first_program() -> None:
    old = {line.strip() for path in FIRST.glob("*.c") for line in path.read_text(encoding="utf-8").splitlines()}
    common = {number: lines for number, lines in named().items() if all(line in old for line in lines)}
    assert common == {}


def test_what_the_second_program_lacks_is_what_its_own_plan_says() -> None:
    data = audited(SECOND)
    open_rows = {one["id"] for one in data["requirements"] if one["status"] in {"unmet", "partly"}}
    assert {row for one in data["plan"] for row in one["requirements"]} == open_rows
