"""From judgements to a plan: ordered steps with sketches, and the protocol in the program's own names.

`layout.py` finds the program's names, `sketch.py` prints hunks, one file a kind of step makes them, `plan.py` orders
them, `protocol.py` writes the protocol.
"""

from cllm_sim.auditor.planning.plan import code_changes, plan
from cllm_sim.auditor.planning.protocol import protocol
from cllm_sim.auditor.planning.step import PlanStep

__all__ = ["PlanStep", "code_changes", "plan", "protocol"]
