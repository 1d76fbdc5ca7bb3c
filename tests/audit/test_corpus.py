"""The corpus: every expected finding is found, nothing else is, and what the headers claim holds in real runs.

Rules of this file: the auditor is given the text without comments; real runs are nightly and decided by how a program
ends or by a sanitizer's report, never by how long it took (`hang` aside, whose claim is that it does not end). Where
the end depends on timing the header says so (`may hang`, `may fail`), and then the sanitizer must name the defect.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.audit.building import LEAK, RACE, TSAN, USE_AFTER_FREE, Ran, build, needs_compiler, ran
from tests.audit.markers import Program, programs
from tests.audit.score import FALSE_ALARMS, GOAL, Score, score

PROGRAMS = {one.name: one for one in programs()}
KEYS = {"clean", "bind", "check", "run", "allow"}
HANG_S = 10.0
END_S = 60.0


class Claim(NamedTuple):
    """What a header's `run` promises: how the plain program ends, and which report the thread sanitizer makes.

    `report` is "" where it says nothing at all, None where it is not asked: what it shows then depends on the moment
    of the end.
    """

    ends: frozenset[str]
    report: str | None


def claim(ends: str, report: str | None) -> Claim:
    return Claim(frozenset(ends.split()), report)


CLAIMS = {
    "ok": claim("well", ""),
    "race": claim("well badly", RACE),
    "leak": claim("well", LEAK),
    "hang": claim("never", None),
    "fails": claim("badly", None),
    "may hang": claim("well never", RACE),
    "may fail": claim("well badly", USE_AFTER_FREE),
}
REPORTING = {run for run, one in CLAIMS.items() if one.report is not None}
ATTEMPTS = 5
"""A defect that one schedule hides is shown by another; five runs are what the headers' claims were made with."""

NO_TSAN = {"t_c11_threads", "l_c11_lottery", "l_c11_error_path"}
"""The thread sanitizer of gcc 12 crashes in calls of <threads.h>, before the program has done anything."""


@cache
def scored(name: str) -> Score:
    return score(PROGRAMS[name])


# ------------------------------------------------------------------------------------------------ what the auditor says
@pytest.mark.parametrize("name", PROGRAMS)
def test_everything_expected_is_found_and_nothing_else(name: str) -> None:
    if name in FALSE_ALARMS:
        assert scored(name).false.total() == 1, f"no longer so? {FALSE_ALARMS[name]}"
    else:
        assert scored(name).notes == []


def test_precision_and_recall_over_the_corpus() -> None:
    total = Score()
    for name in PROGRAMS:
        total.add(scored(name))
    assert total.precision >= GOAL, "\n".join(total.notes)
    assert total.recall >= GOAL, "\n".join(total.notes)


def test_the_score_notices_what_is_missed_and_what_is_false() -> None:
    """The scale itself: a marker nobody meets is a miss, a finding nobody expects is a false alarm."""
    program = PROGRAMS["b_count_too_large"]
    other = Program(program.name, program.path, program.files, program.header)
    assert not score(other).missed
    assert score(other).false.total() == len(program.expected)
    clean = next(one for one in PROGRAMS.values() if one.clean)
    wished = Program(clean.name, clean.path, clean.files, clean.header, program.expected)
    assert score(wished).missed.total() == len(program.expected)


# ---------------------------------------------------------------------------------------------------- the corpus itself
@pytest.mark.parametrize("name", PROGRAMS)
def test_the_header_is_complete_and_agrees_with_the_markers(name: str) -> None:
    program = PROGRAMS[name]
    assert {"clean", "run"} <= set(program.header) <= KEYS
    assert program.header["clean"] in ("yes", "no")
    assert program.header["run"] in CLAIMS
    assert program.clean == (not program.expected)
    if program.clean:
        assert program.header["run"] == "ok"


def test_the_corpus_is_broad() -> None:
    assert len(PROGRAMS) >= 60
    assert sum(one.clean for one in PROGRAMS.values()) >= 20
    expected = {wanted.code for one in PROGRAMS.values() for wanted in one.expected}
    from cllm_sim.auditor.judging import rules_known

    assert {rule.code for rule in rules_known()} == expected


# ------------------------------------------------------------------------------------------------------------ real runs
def sources_of(program: Program) -> list[Path]:
    return [program.path] if program.path.is_file() else sorted(program.path.glob("*.c"))


@pytest.mark.nightly
@needs_compiler
@pytest.mark.parametrize("name", PROGRAMS)
def test_the_program_compiles(name: str, tmp_path: Path) -> None:
    build(sources_of(PROGRAMS[name]), tmp_path / "program")


def claimed(name: str) -> Claim:
    return CLAIMS[PROGRAMS[name].header["run"]]


def limit_s(name: str) -> float:
    """Who may never end is given less time."""
    return HANG_S if "never" in claimed(name).ends else END_S


def ending(done: Ran) -> str:
    return "never" if done.code is None else "badly" if done.code else "well"


@pytest.mark.nightly
@pytest.mark.processes
@needs_compiler
@pytest.mark.parametrize("name", PROGRAMS)
def test_the_program_ends_as_its_header_says(name: str, tmp_path: Path) -> None:
    build(sources_of(PROGRAMS[name]), tmp_path / "program")
    done = ran(tmp_path / "program", limit_s(name))
    assert ending(done) in claimed(name).ends, done.output


@pytest.mark.nightly
@pytest.mark.processes
@needs_compiler
@pytest.mark.parametrize("name", [name for name, one in PROGRAMS.items() if one.header.get("run") in REPORTING])
def test_the_thread_sanitizer_agrees(name: str, tmp_path: Path) -> None:
    if name in NO_TSAN:
        pytest.skip("gcc 12's thread sanitizer crashes in <threads.h>")
    program = tmp_path / "program"
    build(sources_of(PROGRAMS[name]), program, *TSAN)
    report = claimed(name).report
    if not report:
        done = ran(program, END_S)
        assert done.code == 0, done.output
        assert "ThreadSanitizer" not in done.output
        return
    output = ""
    for _ in range(ATTEMPTS):
        output = ran(program, limit_s(name)).output
        if report in output:
            return
    pytest.fail(f"{report!r} was not reported in {ATTEMPTS} runs:\n{output}")
