"""From an analysis to the result document: plain data, field by field.

Rules of this package: it judges nothing; field names are those of the result's schema and only ever added to.
"""

from cllm_sim.auditor.document.whole import DOCUMENTS, fields

__all__ = ["DOCUMENTS", "fields"]
