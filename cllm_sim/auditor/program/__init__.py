"""Links the facts of all files into one program and answers questions about it."""

from cllm_sim.auditor.program.counts import Count
from cllm_sim.auditor.program.link import Program
from cllm_sim.auditor.program.variables import Variable

__all__ = ["Count", "Program", "Variable"]
