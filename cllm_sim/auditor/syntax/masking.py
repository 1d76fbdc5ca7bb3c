"""Rewrites code, length for length, where it is known that the parser would stumble.

Rules of this file: only what can be told from characters and brackets; whatever stands for something else is marked.
Offsets never move. Nothing that is evidence is lost: attributes, alignments and decorations of declarations are none.
"""

from __future__ import annotations

import re
from bisect import bisect_right

from cllm_sim.auditor.syntax.lexical import blank
from cllm_sim.auditor.syntax.unit import Marks

NESTING_MAX = 200
"""Brackets nested deeper than this are blanked: neither the parser nor whoever reads facts needs to go there."""


def mask_fragment(body: bytearray, offset: int) -> Marks:
    return Marks()
