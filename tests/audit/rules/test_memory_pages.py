"""The pages of the rules about races, flags, segments and regions: their examples say what they claim."""

from __future__ import annotations

import re
from importlib import resources

import pytest

from tests.audit.auditing import found

CODES = ("CR001", "CR002", "CR003", "CS001", "CS002", "CS003", "CS004", "CS005")


def _page(code: str) -> str:
    return (resources.files("cllm_sim") / "explain" / "rules" / f"{code}.md").read_text(encoding="utf-8")


def _example(page: str, kind: str) -> str:
    blocks = re.findall(rf"^```c {kind}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 1
    return blocks[0]


@pytest.mark.parametrize("code", CODES)
def test_the_bad_example_yields_exactly_its_code(code: str) -> None:
    """Nothing but the page's own code is found (and it is found)."""
    page = _page(code)
    assert page.startswith(f"# {code}: ")
    assert {one.code for one in found(_example(page, "bad"))} == {code}


@pytest.mark.parametrize("code", CODES)
def test_the_good_example_yields_nothing(code: str) -> None:
    """The repaired program is clean."""
    assert found(_example(_page(code), "good")) == []
