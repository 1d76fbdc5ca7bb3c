"""Any depth: a proof by induction that a design keeps its promises on control trees of every depth.

`prove` runs the whole proof and returns a `RunResult` of the verb `check`. Modules, from the ground: `findings`,
`level` (one node and its children by themselves), `world` (its states), `actions`, `tags`, `outward` (what is seen from
outside), `dependence`, `moves`, `interface` (what a parent sees of a worker), `explore` (the walks), `example`,
`listing`, `conditions`, `proof` and `outcome`.

Rules of this package: it uses the checker's unfolding and the one meaning of every operation; no architecture is named.
"""

from cllm_sim.induction.outcome import prove

__all__ = ["prove"]
