"""The made-up audit as a stranger would write it who wants to break a report: every text carries markup and tricks.

Rules of this file: only texts are changed, so that the shape stays that of `sample`; words that decide something
(codes, severities, verdicts, kinds) stay as they are.
"""

from typing import Any

from tests.report.audit import sample

ATTACK = "<script>alert(1)</script>\"'`|*[x](y)[bold]{{7*7}}\x1b[31m\u202e$a_b\n# c"
KEPT = set(
    "schema verb code severity confidence status kind verdict checked operation id a b class wording group file_sha256 "
    "digest architecture memory".split()
)
UNTOUCHED = {"results", "rules", "scope", "documents"}


def hostile() -> dict[str, Any]:
    """The audit with the attack in every free text."""
    data = sample.sample()
    spoiled = {name: value if name in UNTOUCHED else _spoiled(name, value) for name, value in data.items()}
    return {**spoiled, "architecture": ATTACK, "sources": {}}


def _spoiled(name: str, value: Any) -> Any:
    if isinstance(value, str):
        return value if name in KEPT or not value else f"{value}{ATTACK}"
    if isinstance(value, dict):
        return {key: _spoiled(key, item) for key, item in value.items()}
    if isinstance(value, list):
        return [_spoiled(name, item) for item in value]
    return value
