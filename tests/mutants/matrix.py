"""The matrix: every mutant and every correct variant, with 2, 3 and 4 workers, under every setting of the reductions.

A mutant is killed if the checker reports the class it was made for and no class that is not expected; a correct variant
is green if it reports nothing and has looked at everything. The first counterexample of that class is replayed step by
step and followed in the simulator; both must end in the state in which the checker found the defect.

Rules of this file: it runs and compares; what is expected stands in the tables.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from cllm_sim import checker
from cllm_sim.checker.space import Space
from cllm_sim.checker.walk import parse_schedule, walk
from cllm_sim.results import RunResult

from tests.mutants import barriers, locks, words
from tests.mutants.catalogue import MODES, Variant
from tests.mutants.correct import CORRECT
from tests.mutants.simulated import follow, names

MUTANTS: tuple[Variant, ...] = (*barriers.MUTANTS, *locks.MUTANTS, *words.MUTANTS)
VARIANTS: tuple[Variant, ...] = (*MUTANTS, *CORRECT)

BUDGET_S = 60.0
NOT_OF_A_STEP = frozenset({"livelock", "partial-deadlock", "coverage", "contention"})
"""Classes that no single step or state of a partial-order search shows: they are found by what follows it."""

OF_THE_GRAPH = ("livelock", "partial-deadlock")
"""Classes of a graph, not of a state: one run that is followed shows the way there and not the rest."""


@dataclass(frozen=True)
class Replayed:
    """How a counterexample was confirmed: its length, and whether both ends are one state that shows the defect."""

    steps: int
    same_state: bool
    shows_it: bool


@dataclass(frozen=True)
class Row:
    """One cell of the matrix. `met` are the classes that a partial-order search met by itself and `kept` its
    states; `states` and `seen` are those of the result: after a broken rule, of the search that follows without it.
    """

    name: str
    correct: bool
    number: int
    attacks: str
    workers: int
    depth: int
    mode: str
    expected: str
    seen: tuple[str, ...]
    met: tuple[str, ...]
    besides: tuple[str, ...]
    states: int
    kept: int | None
    transitions: int
    complete: bool
    unconfirmed: int
    reductions: tuple[str, ...]
    seconds: float
    replayed: Replayed | None

    @property
    def passed(self) -> bool:
        """Killed with the expected class, or green."""
        if not self.complete or self.unconfirmed:
            return False
        if self.correct:
            return not self.seen and not self.met
        classes = {self.expected, *self.besides}
        return self.expected in self.seen and classes >= {*self.seen, *self.met} and not self.missed

    @property
    def missed(self) -> bool:
        """Did a partial-order search not meet the class by itself, although it could?"""
        reduced = "partial-order" in self.reductions and self.expected not in NOT_OF_A_STEP
        return reduced and self.expected not in self.met

    @property
    def confirmed(self) -> bool:
        """Does the counterexample, if there is one, end in the same state everywhere and show the defect?"""
        return self.replayed is None or (self.replayed.same_state and self.replayed.shows_it)

    def data(self) -> dict[str, Any]:
        """The row as it stands in the result file."""
        return {**asdict(self), "passed": self.passed, "confirmed": self.confirmed}


def modes() -> tuple[str, ...]:
    """The settings that this version of the checker knows."""
    return tuple(mode for mode in MODES if mode in checker.REDUCTIONS)


def cells(variants: Sequence[Variant], workers: Sequence[int], settings: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """Which cells there are: a text, a number of workers, a setting."""
    for variant in variants:
        for count in variant.workers:
            if count in workers:
                yield from ((variant, count, mode) for mode in settings)


def examined(variant: Variant, workers: int, mode: str) -> Row:
    """Check one text and confirm what was found."""
    loaded = variant.loaded()
    started = time.perf_counter()
    result = checker.run(
        loaded,
        workers=workers,
        depth=variant.depth,
        reductions=mode,
        budget_seconds=BUDGET_S,
    )
    seconds = time.perf_counter() - started
    expected = variant.classes(workers)
    reduced = result.data.get("partial_order", {})
    return Row(
        name=variant.name,
        correct=variant.correct,
        number=variant.number,
        attacks=variant.attacks,
        workers=workers,
        depth=variant.depth,
        mode=mode,
        expected=variant.expected,
        seen=tuple(sorted({row["class"] for row in result.broken})),
        met=tuple(kind.removesuffix("-on-weights") for kind in reduced.get("classes", ())),
        besides=tuple(sorted(expected - {variant.expected})),
        states=result.states,
        kept=reduced.get("kept"),
        transitions=result.transitions,
        complete=bool(result.complete),
        unconfirmed=len(result.unconfirmed),
        reductions=tuple(result.reductions),
        seconds=round(seconds, 4),
        replayed=_replayed(variant, result, workers),
    )


def _replayed(variant: Variant, result: RunResult, workers: int) -> Replayed | None:
    """Replay the counterexample of the class the mutant was made for; None where there is none to replay."""
    rows = [row for row in result.broken if row["class"] == variant.expected and row["counterexample"]]
    if not rows:
        return None
    example = rows[0]["counterexample"]
    loaded, depth = variant.loaded(), variant.depth
    told = checker.replay(loaded, example["schedule"], workers=workers, depth=depth)
    system = checker.system_of(loaded, workers, depth)
    space = Space(system, loaded.path)
    moves = parse_schedule(system, example["schedule"])
    walked, last = walk(space, moves)
    ended = follow(loaded, moves, workers, depth)
    same = (last.memory, names(space.pending(last.nodes))) == (ended.memory, ended.next)
    same = same and _without_faults(told["steps"]) == _without_faults(example["steps"]) and len(walked) == len(moves)
    return Replayed(len(moves), same, _shows(variant, ended.noticed, ended.stuck))


def _without_faults(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The steps; a replay always watches for races, a search of mutexes does so in another way."""
    return [{key: value for key, value in step.items() if key != "faults"} for step in steps]


def _shows(variant: Variant, noticed: frozenset[str], stuck: bool) -> bool:
    """Does the followed run show the defect by itself?"""
    if variant.expected == "deadlock":
        return stuck
    return variant.expected in noticed or variant.expected in (*OF_THE_GRAPH, "contention")


Told = Callable[[Row], None]


def run(variants: Sequence[Variant], workers: Sequence[int], settings: Sequence[str], told: Told | None) -> list[Row]:
    """Examine all cells, in the order of the tables."""
    rows = []
    for cell in cells(variants, workers, settings):
        rows.append(examined(*cell))
        if told is not None:
            told(rows[-1])
    return rows


def summary(rows: Sequence[Row]) -> dict[str, Any]:
    """Killed and total per setting, alarms on correct variants, counterexamples that were confirmed."""
    mutants = [row for row in rows if not row.correct]
    correct = [row for row in rows if row.correct]
    replayed = [row for row in mutants if row.replayed is not None]
    reduced = [row for row in mutants if "partial-order" in row.reductions]
    return {
        "mutants": len({row.name for row in mutants}),
        "correct_variants": len({row.name for row in correct}),
        "killed": {
            mode: {
                "killed": sum(row.passed for row in mutants if row.mode == mode),
                "total": sum(row.mode == mode for row in mutants),
            }
            for mode in dict.fromkeys(row.mode for row in rows)
        },
        "all_classes_of_the_tables": sum(set(row.seen) == {row.expected, *row.besides} for row in mutants),
        "reduced_searches": {
            "all": len(reduced),
            "met_the_class_alone": sum(row.expected in row.met for row in reduced),
        },
        "alarms": sum(not row.passed for row in correct),
        "replayed": len(replayed),
        "confirmed": sum(row.confirmed for row in replayed),
    }
