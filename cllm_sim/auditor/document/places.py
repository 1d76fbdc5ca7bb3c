"""Places as data."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cllm_sim.auditor.facts import Site
from cllm_sim.auditor.inventory import Use

Data = dict[str, Any]


def place(site: Site | None) -> Data | None:
    """A place, or None."""
    return None if site is None else {"path": site.path, "line": site.line}


def places(sites: Iterable[Site]) -> list[Data]:
    """Places, each once."""
    return [{"path": site.path, "line": site.line} for site in dict.fromkeys(sites)]


def use(one: Use) -> Data:
    """A use of an object: where, by which role, what."""
    return {"path": one.site.path, "line": one.site.line, "role": one.role, "operation": str(one.act)}


def uses(found: Iterable[Use]) -> list[Data]:
    """Uses, each place and role once."""
    seen: dict[tuple[str, int, str, str], Data] = {}
    for one in found:
        seen.setdefault((one.site.path, one.site.line, one.role, str(one.act)), use(one))
    return list(seen.values())
