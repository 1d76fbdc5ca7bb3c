"""The stored report of the locked trainer: what is stored is what the report's code makes of the stored result.

Rules of this file: the stored files are compared byte by byte. When the report changes, they are made anew with
`cllm report reports/reference/audit` or, when the audit itself changes, with the command that the page shows.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cllm_sim.report.audit.page import render, write

STORED = Path(__file__).resolve().parents[3] / "reports" / "reference" / "audit"


@pytest.fixture(scope="module")
def result() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((STORED / "result.json").read_text(encoding="utf-8"))
    return found


def test_the_stored_page_is_what_the_stored_result_gives(result: dict[str, Any]) -> None:
    assert render(result) == (STORED / "index.html").read_text(encoding="utf-8")


def test_the_stored_documents_are_what_the_stored_result_gives(result: dict[str, Any], tmp_path: Path) -> None:
    made = write(result, tmp_path)
    stored = {str(one.relative_to(STORED)) for one in STORED.rglob("*") if one.is_file()} - {"lock"}
    assert {*made, "result.json"} == stored
    for name in made:
        assert (tmp_path / name).read_bytes() == (STORED / name).read_bytes(), name


def test_the_stored_result_is_of_the_whole_audit(result: dict[str, Any]) -> None:
    """Checked with two and three workers, with the results of the plan's own protocol, and nothing left unread."""
    assert [one["workers"] for one in result["skeleton"]["checks"]] == [2, 3]
    assert result["results"] is not None
    assert result["unreadable"] == []
    assert result["min_severity"] == "note"
