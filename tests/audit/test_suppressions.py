"""Suppression comments: what they take away, what they leave, and when they are a finding themselves."""

from __future__ import annotations

import pytest

from cllm_sim.auditor.findings import Finding
from cllm_sim.auditor.judging import judge
from cllm_sim.auditor.suppressions import Suppressed

from tests.audit.auditing import analysed

PROGRAM = """\
#include <pthread.h>

{before}
static pthread_mutex_t spare;{behind}
{after}

int main(void)
{{
    return 0;
}}
"""
LINE = 4
"""The line of the lock that nobody takes: the program's only finding, CL001."""


def judged(before: str = "", behind: str = "", after: str = "") -> tuple[list[Finding], list[Suppressed]]:
    return judge(analysed(PROGRAM.format(before=before, behind=f" {behind}" if behind else "", after=after)))


def codes(found: list[Finding]) -> list[str]:
    return sorted(one.code for one in found)


def test_the_program_has_one_finding() -> None:
    kept, suppressed = judged()
    assert [(one.code, one.site.line) for one in kept] == [("CL001", LINE)]
    assert suppressed == []


@pytest.mark.parametrize(
    "places",
    [
        {"behind": "/* cllm: ignore[CL001] kept for later */"},
        {"behind": "// cllm: ignore[CL001] kept for later"},
        {"before": "/* cllm: ignore[CL001] kept for later */"},
        {"before": "// cllm: ignore[CL001] kept for later"},
        {"before": "/* Spare.\n * cllm: ignore[CL001] kept for later\n */"},
        {"behind": "/* spare; cllm: ignore[ CL001 ]   kept for later */"},
    ],
    ids=["behind", "line comment behind", "before", "line comment before", "block before", "among other words"],
)
def test_a_comment_on_the_line_or_alone_before_it_takes_the_finding_away(places: dict[str, str]) -> None:
    kept, (suppressed,) = judged(**places)
    assert kept == []
    assert suppressed.finding.code == "CL001"
    assert suppressed.reason == "kept for later"


def test_what_is_taken_away_says_where_the_comment_stands() -> None:
    _, (suppressed,) = judged(before="/* cllm: ignore[CL001] kept for later */")
    assert suppressed.line == LINE - 1
    assert suppressed.finding.site.line == LINE


def test_a_comment_behind_the_line_speaks_of_a_later_one() -> None:
    kept, suppressed = judged(after="/* cllm: ignore[CL001] too late */")
    assert codes(kept) == ["CL001", "CX001"]
    assert suppressed == []


def test_another_code_takes_nothing_away_and_is_reported() -> None:
    kept, suppressed = judged(behind="/* cllm: ignore[CB001] wrong code */")
    assert codes(kept) == ["CL001", "CX001"]
    assert suppressed == []
    (unused,) = [one for one in kept if one.code == "CX001"]
    assert unused.site.line == LINE
    assert unused.subject == "CB001"


def test_of_several_codes_each_must_be_of_use() -> None:
    kept, (suppressed,) = judged(behind="/* cllm: ignore[CL001, CB001] one of the two */")
    assert [(one.code, one.subject) for one in kept] == [("CX001", "CB001")]
    assert suppressed.finding.code == "CL001"


@pytest.mark.parametrize(
    ("comment", "subject"),
    [
        ("/* cllm: ignore[CL999] no such code */", "CL999"),
        ("/* cllm: ignore[CL001] */", "CL001"),
        ("/* cllm: ignore[] why */", "none"),
        ("// cllm: ignore[CL001]", "CL001"),
    ],
    ids=["unknown code", "no reason", "no code", "no reason in a line comment"],
)
def test_a_bad_comment_takes_nothing_away_and_is_reported(comment: str, subject: str) -> None:
    kept, suppressed = judged(behind=comment)
    assert codes(kept) == ["CL001", "CX002"]
    assert suppressed == []
    assert [one.subject for one in kept if one.code == "CX002"] == [subject]


def test_one_unknown_code_spoils_the_comment_for_the_others() -> None:
    kept, suppressed = judged(behind="/* cllm: ignore[CL001, CL999] half right */")
    assert codes(kept) == ["CL001", "CX002"]
    assert suppressed == []


def test_the_words_in_a_string_are_no_comment() -> None:
    kept, suppressed = judged(after='const char *help = "cllm: ignore[CL001] kept for later";')
    assert codes(kept) == ["CL001"]
    assert suppressed == []


def test_other_words_in_a_comment_are_none_of_ours() -> None:
    kept, _ = judged(behind="/* ignore[CL001] kept for later */")
    assert codes(kept) == ["CL001"]


def test_a_comment_speaks_of_its_own_file_only() -> None:
    header = "\n\n\n/* cllm: ignore[CL001] another file, the same line */\nextern int other;\n"
    program = PROGRAM.format(before='#include "other.h"', behind="", after="")
    kept, suppressed = judge(analysed({"program.c": program, "other.h": header}))
    assert codes(kept) == ["CL001", "CX001"]
    assert suppressed == []


def test_two_comments_for_one_line_both_count() -> None:
    """One stands alone before the line, the other behind it; each takes its own code away, and the surplus is told."""
    kept, suppressed = judged(
        before="/* cllm: ignore[CL001] kept for later */", behind="/* cllm: ignore[CB001] of no use */"
    )
    assert [(one.code, one.subject) for one in kept] == [("CX001", "CB001")]
    assert [one.finding.code for one in suppressed] == ["CL001"]
