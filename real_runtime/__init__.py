"""The real runtime: an architecture's own generators drive real processes over shared memory.

`perform.py` is the one permitted twin of `cllm_sim.semantics`; every recorded log is judged by the latter. This package
imports only the lower layers of `cllm_sim`, which proves that the core does not need it.
"""
