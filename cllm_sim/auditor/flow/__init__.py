"""The flow of a role: all its steps with calls inlined, as a graph that rules ask questions of.

`graph.py` says what a flow is, `inline.py` makes one of outlines, `own.py` says which memory a thread has to itself,
`locks.py` which locks are held at a step.
"""

from cllm_sim.auditor.flow.graph import Edge, Flow, Step
from cllm_sim.auditor.flow.inline import Inliner
from cllm_sim.auditor.flow.locks import Held, HeldLocks, held_locks

__all__ = ["Edge", "Flow", "Held", "HeldLocks", "Inliner", "Step", "held_locks"]
