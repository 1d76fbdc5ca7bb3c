"""The pages of the rules about locks, conditions, semaphores and lifetimes: their examples are audited by all rules."""

import re
from importlib import resources

import pytest

from tests.audit.auditing import found

CODES = (
    [f"CL00{number}" for number in range(1, 6)]
    + [f"CW00{number}" for number in range(1, 7)]
    + ["CP001", "CP002", "CD001", "CD002"]
)


def page(code: str) -> str:
    return (resources.files("cllm_sim") / "explain" / "rules" / f"{code}.md").read_text(encoding="utf-8")


def example(text: str, kind: str) -> str:
    (only,) = re.findall(rf"```c {kind}\n(.*?)```", text, re.DOTALL)
    return only


@pytest.mark.parametrize("code", CODES)
def test_the_bad_example_shows_this_finding_and_the_good_one_none(code: str) -> None:
    text = page(code)
    also = {one for line in re.findall(r"^also: (.*)$", text, re.MULTILINE) for one in line.split()}
    bad = {finding.code for finding in found(example(text, "bad"))}
    assert code in bad
    assert bad <= also | {code}
    assert found(example(text, "good")) == []
