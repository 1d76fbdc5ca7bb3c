"""The proof for every depth: base, root and control at every fan-out, and what follows from them.

    base     a worker without children behaves like the interface process (which is computed from it)
    root     the root over n interface processes keeps every promise
    control  a control over n interface processes behaves like one interface process

Replacing, from the leaves upward, every subtree by one interface process turns any tree of controls into the root case;
refinement in failures and divergences survives parallel composition and hiding, so nothing is lost on the way. What a
parent may answer is not assumed but collected: from the root, and from the controls themselves, until nothing new
appears.

Rules of this file: one fan-out after the other; the first part that does not hold ends the proof. It never says `holds`
where a condition fails or a limit was reached.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from cllm_sim.architecture import Loaded
from cllm_sim.checker.unfold import UnboundedText
from cllm_sim.induction.conditions import all_conditions, asks_for_numbers, check_declarations, failed
from cllm_sim.induction.example import counterexample, end_of_step
from cllm_sim.induction.explore import Walk
from cllm_sim.induction.findings import Budget, Case, Condition, NotProvable, OutOfBudget
from cllm_sim.induction.interface import Interface
from cllm_sim.induction.level import CONTROL, ROOT, WORKER, Texts, build, touched_fields
from cllm_sim.induction.listing import listing, signature
from cllm_sim.operations import Place, declared, seat_class

Progress = Callable[[int, int, float], None]


@dataclass
class Proof:
    """What was proved, and what stopped it."""

    fanouts: tuple[int, ...]
    cases: list[Case] = field(default_factory=list)
    conditions: dict[str, Condition] = field(default_factory=all_conditions)
    interface: list[dict[str, object]] = field(default_factory=list)
    mixed: bool = False
    limit: str = ""
    seconds: float = 0.0

    @property
    def failed(self) -> Case | None:
        """The case that does not hold, if there is one."""
        return next((case for case in self.cases if case.verdict != "holds"), None)

    @property
    def holds(self) -> bool:
        """Was everything proved?"""
        return not self.limit and self.failed is None and all(each.holds for each in self.conditions.values())


@dataclass
class _Prover:
    """One run of `prove`; the parts share what is below."""

    loaded: Loaded
    proof: Proof
    budget: Budget
    uncontended: bool
    progress: Progress | None
    touched: frozenset[str]
    started: float
    known: bool = False
    signatures: set[object] = field(default_factory=set)

    def run(self) -> None:
        for workers in self.proof.fanouts:
            while not self._fanout(workers):
                del self.proof.cases[len(self.proof.cases) - self._cases_of(workers) :]
            if self.proof.failed is not None:
                return

    def _cases_of(self, workers: int) -> int:
        return sum(1 for case in self.proof.cases if case.workers == workers)

    def _fanout(self, workers: int) -> bool:
        """All cases of one fan-out; False where it turned out that a parent touches other fields than was thought."""
        texts = Texts(self.loaded.path)
        try:
            self._prove(workers, texts)
        except NotProvable:
            if self._settled(texts):
                raise
            return False
        return self._settled(texts)

    def _settled(self, texts: Texts) -> bool:
        """Is what parents touch what was assumed? The first run assumes everything, and learns what it is."""
        seen = frozenset(touched_fields(texts.automata.values()))
        wanted = self.touched | seen if self.known else seen
        settled = self.known and wanted == self.touched
        self.known, self.touched = True, wanted
        return settled

    def _prove(self, workers: int, texts: Texts) -> None:
        architecture = self.loaded.architecture
        leaf = Interface(build(architecture, WORKER, workers, self.touched, texts))
        root = self._case(
            "root", workers, Walk(build(architecture, ROOT, workers, self.touched, texts), leaf, None, self.budget)
        )
        if root.violation is not None or not self.known:
            return
        self._check_tags(root, leaf)
        ends = end_of_step(root)
        level = build(architecture, CONTROL, workers, self.touched, texts)
        leaf.grown = True
        while leaf.grown and self.proof.failed is None:
            leaf.grown = False
            self._case("control", workers, Walk(level, leaf, leaf, self.budget), ends)
        if self.proof.failed is None:
            self._case("base", workers, Walk(leaf.level, leaf, leaf, self.budget), ends)
            self.signatures.add(signature(leaf))
            self.proof.interface = self.proof.interface or listing(leaf)

    def _check_tags(self, root: Walk, leaf: Interface) -> None:
        """Without a tag on what is delivered an old order would go unnoticed; raises NotProvable."""
        place = leaf.untagged() if any(root.choices) else None
        if place is not None:
            raise NotProvable("tags", "what is delivered here carries no mark of an order", place)

    def _case(self, name: str, workers: int, walk: Walk, ends: Place | None = None) -> Walk:
        """Run one walk and note it; a case that is run again replaces what was noted before."""
        walk.uncontended = self.uncontended
        case = Case(name, workers)
        self.proof.cases = [each for each in self.proof.cases if (each.name, each.workers) != (name, workers)]
        case.verdict = "undecided"
        self.proof.cases.append(case)
        try:
            walk.run()
            case.verdict = "holds" if walk.violation is None else "refused"
        finally:
            case.states, case.transitions, case.seconds = len(walk.pairs), len(walk.source), walk.seconds
        case.counterexample = counterexample(walk, ends or end_of_step(walk))
        if self.progress is not None:
            done = sum(each.states for each in self.proof.cases)
            self.progress(done, 0, time.perf_counter() - self.started)
        return walk


def induction(
    loaded: Loaded,
    fanouts: Iterable[int],
    names: tuple[str, ...],
    seconds: float,
    states: int,
    progress: Progress | None,
) -> Proof:
    """Prove an architecture for trees of every depth; what stopped it is in the result."""
    started = time.perf_counter()
    proof = Proof(tuple(fanouts))
    every_field = frozenset(declared(seat_class(loaded.architecture.team)))
    budget = Budget(started + seconds, states)
    prover = _Prover(loaded, proof, budget, "uncontended" in names, progress, every_field, started)
    try:
        check_declarations(loaded, names)
        prover.run()
        proof.mixed = len(prover.signatures) == 1 and not asks_for_numbers(loaded)
    except NotProvable as found:
        failed(proof.conditions, found)
    except OutOfBudget:
        proof.limit = f"the budget of {seconds:g} s or of {states:,} states was used up"
    except UnboundedText as unbounded:
        proof.limit = str(unbounded)
    proof.seconds = time.perf_counter() - started
    return proof
