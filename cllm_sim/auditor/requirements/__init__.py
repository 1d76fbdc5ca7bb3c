"""The gap analysis: a plan's rows, each judged by evidence from the code.

`plan.py` reads a plan, `subject.py` gathers what the judges ask, `answer.py` is what they answer; one file a group of
rows holds the judges; `judge.py` puts them together.
"""

from cllm_sim.auditor.requirements.answer import Evidence, Status
from cllm_sim.auditor.requirements.judge import Judgement, judge
from cllm_sim.auditor.requirements.plan import Requirement, load_plan
from cllm_sim.auditor.requirements.subject import Subject

__all__ = ["Evidence", "Judgement", "Requirement", "Status", "Subject", "judge", "load_plan"]
