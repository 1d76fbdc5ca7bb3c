"""The infrastructure's modules as data: which files and functions they are, and how far the training uses them.

Rules of this file: it judges nothing (`requirements/modules.py` does); field names are those of the result's schema.
"""

from __future__ import annotations

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.document.places import Data
from cllm_sim.auditor.requirements.modules import find_modules
from cllm_sim.auditor.requirements.subject import Subject

EVIDENCE_MAX = 8


def modules(analysis: Analysis) -> list[Data]:
    """The field `modules`."""
    return [
        {
            "name": one.name,
            "files": list(one.files),
            "functions": [function.name for function in one.functions],
            "status": one.status,
            "evidence": [
                {"path": site.path, "line": site.line, "text": text} for site, text in one.evidence[:EVIDENCE_MAX]
            ],
        }
        for one in find_modules(Subject(analysis))
    ]
