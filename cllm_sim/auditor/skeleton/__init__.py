"""The skeleton of a C program: its protocol as an architecture file that the checker judges.

`extract` writes it (in rounds: `statements.py`, `events.py`, `values.py`, `calls.py` translate, `places.py` tells
instances apart, `sizes.py` makes numbers small, `emit.py` writes the file), `check` judges it and tells the result in
the program's own lines.
"""

from cllm_sim.auditor.skeleton.check import check
from cllm_sim.auditor.skeleton.extract import extract
from cllm_sim.auditor.skeleton.model import Broken, CheckOutcome, Origin, Skeleton, Step, Stuck

__all__ = ["Broken", "CheckOutcome", "Origin", "Skeleton", "Step", "Stuck", "check", "extract"]
