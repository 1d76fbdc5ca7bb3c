"""The auditor's reader: from the bytes of C files to facts.

`read` takes one file, `read_all` many, in parallel and with a cache. Nothing outside this package sees a parser.
"""

from cllm_sim.auditor.syntax.many import read_all
from cllm_sim.auditor.syntax.reading import read

__all__ = ["read", "read_all"]
