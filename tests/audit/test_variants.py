"""Clean programs broken in one place each: the auditor notices.

Rules of this file: the normal run audits a fixed sample, spread over all operators; nightly audits every variant.
"""

from __future__ import annotations

from collections import Counter
from functools import cache

import pytest

from tests.audit.auditing import found
from tests.audit.markers import programs
from tests.audit.operators import OPERATORS, Files, Operator
from tests.audit.score import FALSE_ALARMS
from tests.audit.variants import NOT_FOUND, VARIANTS_MIN, all_variants, is_found, main

SAMPLE = 40
OPERATORS_USED_MIN = 12
BINDS = {program.name: program.bind for program in programs()}
Made = tuple[str, Operator, str, Files]


@cache
def variants() -> tuple[Made, ...]:
    return tuple(all_variants())


def sample() -> list[Made]:
    """Evenly from each operator, so that rare ones take part; the same ones in every run."""
    per_operator = -(-SAMPLE // len(OPERATORS))
    chosen: list[Made] = []
    for operator in OPERATORS:
        own = [one for one in variants() if one[1] is operator]
        stride = max(1, len(own) // per_operator)
        chosen += own[::stride][:per_operator]
    return chosen


@pytest.mark.parametrize("made", sample(), ids=lambda made: f"{made[0]}-{made[1].name}-{made[2]}".replace(" ", "_"))
def test_a_broken_program_is_noticed(made: Made) -> None:
    name, operator, place, files = made
    if (name, operator.name) in NOT_FOUND:
        pytest.skip(f"known not to be found: {NOT_FOUND[name, operator.name]}")
    assert is_found(operator, files, BINDS[name]), f"{operator.name} at {place} of {name} was not noticed"


@pytest.mark.parametrize("name", [one.name for one in programs() if one.clean])
def test_the_program_it_comes_from_has_no_finding(name: str) -> None:
    """Otherwise what is found in a variant would say nothing about the change."""
    if name in FALSE_ALARMS:
        pytest.skip(f"known false alarm: {FALSE_ALARMS[name]}")
    program = next(one for one in programs() if one.name == name)
    assert [str(one.site) for one in found(program.bare(), bind=program.bind)] == []


def test_there_are_enough_variants_of_enough_kinds() -> None:
    made = Counter(operator.name for _, operator, _, _ in variants())
    assert made.total() >= VARIANTS_MIN
    assert len(made) >= OPERATORS_USED_MIN


def test_every_variant_differs_from_its_program_and_from_the_others() -> None:
    whole = {one.name: one.bare() for one in programs()}
    assert all(files != whole[name] for name, _, _, files in variants())
    seen = Counter((name, operator.name, tuple(sorted(files.items()))) for name, operator, _, files in variants())
    assert [key[:2] for key, times in seen.items() if times > 1] == []


@pytest.mark.nightly
@pytest.mark.timeout(1800)
def test_recall_over_all_variants(capsys: pytest.CaptureFixture[str]) -> None:
    assert main() == 0, capsys.readouterr().out
