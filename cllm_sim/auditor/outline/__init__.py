"""Outlines: from a function's statements to what it does to shared things.

`nodes.py` says what an outline is, `build.py` makes one of statements, `evaluate.py` of expressions.
"""

from cllm_sim.auditor.outline.build import Outliner
from cllm_sim.auditor.outline.nodes import (
    Branch,
    Either,
    Event,
    Leave,
    Mark,
    Node,
    Outline,
    Repeat,
    Select,
    Seq,
    Set,
    children,
    events,
)

__all__ = [
    "Branch", "Either", "Event", "Leave", "Mark", "Node", "Outline", "Outliner", "Repeat", "Select", "Seq", "Set",
    "children", "events",
]  # fmt: skip
