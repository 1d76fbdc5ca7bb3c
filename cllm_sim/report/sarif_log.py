"""What all SARIF 2.1.0 logs of this project have in common: the document, places, percent-encoded addresses.

Rules of this file: JSON data in, JSON text out; who has results makes the runs. URIs are relative to `SRCROOT`, except
those of files outside it, which are absolute.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

VERSION = "2.1.0"
SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
ROOT = "SRCROOT"
Log = dict[str, Any]


def document(runs: Sequence[Log]) -> str:
    """The log as JSON text."""
    return json.dumps({"$schema": SCHEMA, "version": VERSION, "runs": list(runs)}, indent=2, ensure_ascii=False) + "\n"


def location(
    path: str, line: int | None, said: str = "", column: int = 0, more: Mapping[str, Any] | None = None
) -> Log:
    """A place in a file, with what is said about it; `more` goes into the region."""
    region: Log = {}
    if line:
        region = {"startLine": line, **({"startColumn": column} if column else {}), **(more or {})}
    physical: Log = {"artifactLocation": artifact(path), **({"region": region} if region else {})}
    return {"physicalLocation": physical, **({"message": {"text": said}} if said else {})}


def artifact(path: str) -> Log:
    """The address of a file."""
    if path.startswith("/"):
        return {"uri": f"file://{quote(path)}"}
    return {"uri": quote(path.removeprefix("./")), "uriBaseId": ROOT}
