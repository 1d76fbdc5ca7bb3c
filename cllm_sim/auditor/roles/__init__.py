"""Thread roles: who runs which code, how often, and by which calls it gets there.

`model.py` says what a role is, `discover.py` finds them from the entry points on.
"""

from cllm_sim.auditor.roles.discover import Roles, function_key
from cllm_sim.auditor.roles.model import Creation, Reach, Role

__all__ = ["Creation", "Reach", "Role", "Roles", "function_key"]
