"""The two trainers, before and after the plan: what the audit says of each is what a careful reader says.

Rules of this file: the facts stand in `trainers.toml`; lines are known by their text. A finding that is neither
expected nor allowed is a failure, and so is a requirement with a status that cannot be defended.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from cllm_sim import api

from tests.audit.building import RACE, TSAN, build, needs_compiler, ran

HERE = Path(__file__).resolve().parent
FACTS: dict[str, Any] = tomllib.loads((HERE / "trainers.toml").read_text(encoding="utf-8"))
END_S = 120.0
TSAN_S = 300.0

pytestmark = pytest.mark.timeout(600)
every_trainer = pytest.mark.parametrize("name", FACTS)


@cache
def audited(name: str) -> dict[str, Any]:
    return api.audit(str(HERE / name), bind=FACTS[name]["bind"]).data


def line_of(name: str, path: str, text: str) -> int:
    """The number of the one line of a file in which a text stands."""
    lines = (HERE / name / path).read_text(encoding="utf-8").splitlines()
    (number,) = [number for number, line in enumerate(lines, 1) if text in line]
    return number


def places(name: str, fact: dict[str, Any]) -> set[tuple[str, int]]:
    """The lines that may be an expected finding's primary line."""
    return {(one["path"], line_of(name, one["path"], one["line_text"])) for one in [fact, *fact.get("also", [])]}


def permits(name: str, fact: dict[str, Any], finding: dict[str, Any]) -> bool:
    if (finding["code"], finding["path"]) != (fact["code"], fact["path"]):
        return False
    text = fact.get("line_text")
    return text is None or finding["line"] == line_of(name, fact["path"], text)


def shown(finding: dict[str, Any]) -> str:
    return f"{finding['code']} {finding['path']}:{finding['line']} {finding['message']}"


# -------------------------------------------------------------------------------------------------- what the audit says
@every_trainer
def test_every_expected_finding_is_found(name: str) -> None:
    found = {(one["code"], one["path"], one["line"]) for one in audited(name)["findings"]}
    missed = [
        f"{fact['code']} {fact['path']}: {fact['line_text']}"
        for fact in FACTS[name]["finding"]
        if not any((fact["code"], *place) in found for place in places(name, fact))
    ]
    assert missed == []


@every_trainer
def test_nothing_else_is_found(name: str) -> None:
    expected = {(fact["code"], *place) for fact in FACTS[name]["finding"] for place in places(name, fact)}
    surplus = [
        shown(one)
        for one in audited(name)["findings"]
        if (one["code"], one["path"], one["line"]) not in expected
        and not any(permits(name, fact, one) for fact in FACTS[name]["allow"])
    ]
    assert surplus == []


@every_trainer
def test_no_defect_is_reported_twice(name: str) -> None:
    for fact in FACTS[name]["finding"]:
        lines = places(name, fact)
        same = [one for one in audited(name)["findings"] if one["code"] == fact["code"]]
        assert len([one for one in same if (one["path"], one["line"]) in lines]) == 1


@every_trainer
def test_the_requirements_have_the_statuses_of_a_careful_reader(name: str) -> None:
    given = {one["id"]: one["status"] for one in audited(name)["requirements"]}
    wanted = FACTS[name]["requirements"]
    fair = FACTS[name].get("also_fair", {})
    assert list(given) == list(wanted)
    wrong = [
        f"{requirement}: {status}, expected {wanted[requirement]}"
        for requirement, status in given.items()
        if status not in (wanted[requirement], *fair.get(requirement, ()))
    ]
    assert wrong == []


@every_trainer
def test_what_is_met_or_unmet_is_shown(name: str) -> None:
    """Each status has its evidence: lines that exist, or what was looked for."""
    for one in audited(name)["requirements"]:
        assert one["evidence"] or one["looked_for"]
        for place in one["evidence"]:
            if place["path"]:
                text = (HERE / name / place["path"]).read_text(encoding="utf-8")
                assert 1 <= place["line"] <= len(text.splitlines())


def test_everything_is_read() -> None:
    assert [audited(name)["unreadable"] for name in FACTS] == [[]] * len(FACTS)


def test_the_plan_leads_from_the_first_trainer_to_the_second() -> None:
    """Every requirement that is not met has a step; where everything is met there is nothing left to do for it."""
    for name in FACTS:
        data = audited(name)
        open_ones = {one["id"] for one in data["requirements"] if one["status"] in ("unmet", "partly")}
        planned = {requirement for step in data["plan"] for requirement in step["requirements"]}
        assert open_ones <= planned
        assert [step["step"] for step in data["plan"]] == list(range(1, len(data["plan"]) + 1))


# ------------------------------------------------------------------------------------------------------------ real runs
def built(name: str, folder: Path, *flags: str) -> Path:
    program = folder / "trainer"
    assert build(sorted((HERE / name).glob("*.c")), program, *flags) == ""
    return program


@pytest.mark.processes
@needs_compiler
@every_trainer
def test_the_trainer_compiles_without_a_warning_and_trains(name: str, tmp_path: Path) -> None:
    done = ran(built(name, tmp_path), END_S)
    assert done.code == 0, done.output
    assert done.output.strip()


@pytest.mark.nightly
@pytest.mark.processes
@needs_compiler
@every_trainer
def test_the_thread_sanitizer_agrees(name: str, tmp_path: Path) -> None:
    done = ran(built(name, tmp_path, *TSAN), TSAN_S)
    if FACTS[name]["tsan"] == "ok":
        assert done.code == 0, done.output
        assert "ThreadSanitizer" not in done.output
    else:
        assert RACE in done.output
