"""From an analysis to the result document: plain data, field by field.

Rules of this package: it judges nothing; field names are those of the result's schema and only ever added to.
"""

from cllm_sim.auditor.document.inventory import inventory_fields
from cllm_sim.auditor.document.modules import modules
from cllm_sim.auditor.document.roles import role_fields, role_graph, order_graph, thread_fields

__all__ = ["inventory_fields", "modules", "order_graph", "role_fields", "role_graph", "thread_fields"]
