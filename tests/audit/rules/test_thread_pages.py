"""The pages of the rules about barriers and threads: their examples are audited by all rules."""

import re
from importlib import resources

import pytest

from tests.audit.auditing import found

CODES = [f"CB00{number}" for number in range(1, 5)] + [f"CT00{number}" for number in range(1, 8)]


def page(code: str) -> str:
    """The page of a rule."""
    return (resources.files("cllm_sim") / "explain" / "rules" / f"{code}.md").read_text(encoding="utf-8")


def example(text: str, kind: str) -> str:
    """The one example of a kind."""
    (only,) = re.findall(rf"```c {kind}\n(.*?)```", text, re.DOTALL)
    return str(only)


@pytest.mark.parametrize("code", CODES)
def test_the_bad_example_shows_this_finding_and_nothing_else(code: str) -> None:
    assert {finding.code for finding in found(example(page(code), "bad"))} == {code}


@pytest.mark.parametrize("code", CODES)
def test_the_good_example_shows_nothing(code: str) -> None:
    assert found(example(page(code), "good")) == []
