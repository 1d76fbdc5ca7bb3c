"""The checker with a fault put into it on purpose: a small suite that is otherwise green must notice every one."""

import pytest

from tests.mutants.faults import FAULTS, Seeded
from tests.mutants.oracles import failing, suite


def test_the_suite_is_green_without_a_fault() -> None:
    assert failing() == []


@pytest.mark.parametrize("one", FAULTS, ids=lambda one: one.name)
def test_a_seeded_fault_is_noticed(monkeypatch: pytest.MonkeyPatch, one: Seeded) -> None:
    one.fault(monkeypatch)
    assert one.check in failing([one.check])


def test_there_are_enough_faults_and_every_one_has_a_check() -> None:
    assert len(FAULTS) >= 12
    assert len({one.name for one in FAULTS}) == len(FAULTS)
    assert {one.check for one in FAULTS} <= suite().keys()
