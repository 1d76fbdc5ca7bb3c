"""The rules' pages: each has one, and its two examples are audited (bad: exactly this rule; good: nothing).

Rules of this file: a page's text is not judged, its examples are; a further code is right only where the page names it
on a line `also: CODE`.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import cllm_sim.explain
from cllm_sim.auditor.findings import Rule
from cllm_sim.auditor.judging import rules_known

from tests.audit.auditing import found
from tests.audit.building import build, needs_compiler

PAGES = Path(cllm_sim.explain.__path__[0]) / "rules"
RULES = rules_known()
EXAMPLE = re.compile(r"^```c (bad|good)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BOTH = ["bad", "good"]

every_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)


def page(rule: Rule) -> str:
    return (PAGES / f"{rule.code}.md").read_text(encoding="utf-8")


def example(rule: Rule, kind: str) -> str:
    (text,) = [text for name, text in EXAMPLE.findall(page(rule)) if name == kind]
    return str(text)


def also(rule: Rule) -> set[str]:
    return {
        code for line in re.findall(r"^also:(.*)$", page(rule), re.MULTILINE) for code in re.findall(r"C\w\d+", line)
    }


def reported(text: str) -> set[str]:
    return {one.code for one in found(text)}


def test_every_rule_has_a_page_and_every_page_a_rule() -> None:
    assert {one.stem for one in PAGES.glob("*.md")} == {rule.code for rule in RULES}


def test_codes_and_names_are_each_used_once() -> None:
    assert len({rule.code for rule in RULES}) == len({rule.name for rule in RULES}) == len(RULES)


@every_rule
def test_a_page_is_headed_by_its_code_and_has_one_example_of_each_kind(rule: Rule) -> None:
    assert re.match(rf"# {rule.code}: \S.+\n\n\S", page(rule))
    assert sorted(kind for kind, _ in EXAMPLE.findall(page(rule))) == BOTH


@every_rule
def test_the_bad_example_has_this_finding_and_no_other(rule: Rule) -> None:
    assert reported(example(rule, "bad")) - also(rule) == {rule.code}


@every_rule
def test_the_good_example_has_none(rule: Rule) -> None:
    assert reported(example(rule, "good")) == set()


@pytest.mark.nightly
@needs_compiler
@pytest.mark.parametrize("kind", BOTH)
@every_rule
def test_the_examples_compile(rule: Rule, kind: str, tmp_path: Path) -> None:
    source = tmp_path / f"{kind}.c"
    source.write_text(example(rule, kind), encoding="utf-8")
    build([source], tmp_path / "program")
