"""Comparing designs: check, simulate, train and validate each, and say which differences are real.

`request` turns options into a checked `Request`; `run` does the work and returns the compare result. Modules:
`subjects` (one architecture at one scope through all verbs), `rows` (the table, pairs, inversions), `pictures` (what
the figures show, cut out of the traces). Rules of this package: it measures and arranges; what a verb does stands
elsewhere, and how it looks stands in `report`.
"""

from cllm_sim.comparison.request import Request, request
from cllm_sim.comparison.run import run

__all__ = ["Request", "request", "run"]
