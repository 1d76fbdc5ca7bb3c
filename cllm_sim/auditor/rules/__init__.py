"""The rules: one file each, named as the rule is.

A rule file has `RULE` (its identity) and `findings(analysis)`, which yields findings and prints nothing. Every rule has
a page `explain/rules/<CODE>.md` with a bad and a good example that the tests audit. Rules of this folder: a rule
judges one thing; what several need stands in `support/`.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable
from functools import cache
from typing import NamedTuple

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.findings import Finding, Rule


class Loaded(NamedTuple):
    """A rule and the function that finds."""

    rule: Rule
    findings: Callable[[Analysis], Iterable[Finding]]


@cache
def all_rules() -> tuple[Loaded, ...]:
    """All rules, by code."""
    found = []
    for module in pkgutil.iter_modules(__path__):
        if not module.ispkg:
            loaded = importlib.import_module(f"{__name__}.{module.name}")
            found.append(Loaded(loaded.RULE, loaded.findings))
    return tuple(sorted(found, key=lambda one: one.rule.code))
