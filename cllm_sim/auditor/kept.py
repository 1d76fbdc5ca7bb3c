"""What is made of a program once and kept with it, for as long as the program is under audit.

Rules of this file: the answers are kept by the analysis itself, not by the module that made them, so that they go when
it goes (an answer usually refers to its analysis, which a table of weak keys would keep alive for ever).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from cllm_sim.auditor.analysis import Analysis

Made = TypeVar("Made")


def once(make: Callable[[Analysis], Made]) -> Callable[[Analysis], Made]:
    """A function that is worked out at its first call for an analysis only."""

    @wraps(make)
    def asked(analysis: Analysis) -> Made:
        if make not in analysis.kept:
            analysis.kept[make] = make(analysis)
        found: Made = analysis.kept[make]
        return found

    return asked
