"""From a proof to a result: the verdict, the promises, the broken rows, and what was proved in plain words.

    holds       every part holds under every condition
    broken      a real schedule breaks a promise: at depth 1 (the root case is that tree), or at depth 2 where the
                explicit search finds what the refused control shows
    undecided   not provable this way: a condition fails, a control is refused without a real schedule, or a limit

Rules of this file: `broken` always comes from the explicit checker with its own counterexample; a refused part alone is
never called broken.
"""

import time
from collections.abc import Iterable
from typing import Any

from cllm_sim import checker
from cllm_sim.architecture import Loaded
from cllm_sim.errors import BadRequest
from cllm_sim.induction.findings import Case
from cllm_sim.induction.proof import Progress, Proof, induction
from cllm_sim.promises import promised, verdicts
from cllm_sim.results import SCHEMA, ExitCode, RunResult, environment, scope
from cllm_sim.slots import ARITY, share_defects

FANOUTS = range(1, ARITY + 1)

CONFIRM_WORKERS = 4
"""A refused control is looked for on a real tree of depth 2 with at most so many workers."""

SHORTEST_WORKERS = 2
"""Up to so many workers the real tree is searched without partial-order reduction: its schedule is a shortest one."""

CONFIRM_STATES = 150_000

PARTS = {
    "base": "a worker without children behaves like the interface (computed from it, so by construction)",
    "control": "a control over n interfaces behaves like one interface (failures and divergences)",
    "root": "the root over n interfaces keeps every promise",
}

REFUSED = {
    "base": "a worker without children does not behave like the interface",
    "control": "a control with its children does not behave like a worker: the interface refuses what follows",
    "root": "the root over interfaces breaks a promise",
}

ASSUMPTIONS = [
    "memory is sequentially consistent (exact for programs without races)",
    "symmetry: the children of a control are interchangeable (checked: no text names one by its index)",
    "tags: two marks on steps stand for all steps (values are copied and compared, never computed with)",
    "races are found as: two conflicting accesses both next; outside of a subtree only where the interface is as well",
    "time and contention are not covered",
]


def prove(
    loaded: Loaded,
    fanouts: Iterable[int] = FANOUTS,
    budget_seconds: float = 120.0,
    max_states: int = 3_000_000,
    promise: tuple[str, ...] = (),
    without: tuple[str, ...] = (),
    progress: Progress | None = None,
) -> RunResult:
    """Prove an architecture on trees of every depth; the result is one of `check` with the field `any_depth`."""
    arity = loaded.architecture.arity
    wanted = tuple(dict.fromkeys(fanouts))
    if not wanted or min(wanted) < 1:
        raise BadRequest("--any-depth: at least one fan-out is needed, and none below 1")
    names = promised(loaded.architecture, promise, without)
    started = time.perf_counter()
    usable = tuple(number for number in wanted if number <= arity)
    if not usable:
        raise BadRequest(f"--any-depth: {loaded.name} declares an arity of {arity}; no fan-out is left")
    proof = induction(loaded, usable, names, budget_seconds, max_states, progress)
    explicit = _explicit(loaded, proof, promise, without, budget_seconds - (time.perf_counter() - started))
    return _result(loaded, proof, names, explicit, time.perf_counter() - started)


def _explicit(
    loaded: Loaded, proof: Proof, promise: tuple[str, ...], without: tuple[str, ...], seconds: float
) -> dict[str, Any] | None:
    """A real tree on which a refused part breaks a promise, as the checker's own result."""
    case = proof.failed
    uneven = share_defects(loaded.architecture.share) is not None
    if seconds <= 0 or not (uneven or (case is not None and case.verdict == "refused")):
        return None
    depth, workers = 1, min(proof.fanouts)
    if case is not None:
        depth = 1 if case.name == "root" else 2
        workers = case.workers if depth == 1 else min(case.workers, CONFIRM_WORKERS)
    result = checker.run(
        loaded,
        workers=workers,
        depth=depth,
        reductions="symmetry" if workers <= SHORTEST_WORKERS else "both",
        promise=promise,
        without=without,
        budget_seconds=seconds,
        max_states=CONFIRM_STATES,
    ).data
    return result if result["verdict"] == "broken" else None


def _result(
    loaded: Loaded, proof: Proof, names: tuple[str, ...], explicit: dict[str, Any] | None, seconds: float
) -> RunResult:
    verdict = "broken" if explicit is not None else "holds" if proof.holds else "undecided"
    code = {"broken": ExitCode.SUBJECT, "holds": ExitCode.HOLDS, "undecided": ExitCode.UNDECIDED}[verdict]
    found = explicit or {}
    return RunResult(
        {
            "schema": SCHEMA,
            "verb": "check",
            "architecture": loaded.name,
            "file": loaded.path,
            "file_sha256": loaded.sha256,
            "title": loaded.title,
            "marked_broken": loaded.broken,
            "scope": found.get("scope", scope(None, None)),
            "seed": None,
            "environment": environment(),
            "verdict": verdict,
            "promises": found.get("promises", verdicts(names, (), proof.holds)),
            "broken": found.get("broken", []),
            "defects": found.get("defects", 0),
            "states": sum(case.states for case in proof.cases),
            "transitions": sum(case.transitions for case in proof.cases),
            "complete": proof.holds,
            "limit": proof.limit or None,
            "assumptions": ASSUMPTIONS,
            "reductions": ["symmetry"],
            "contention": {},
            "contention_details": [],
            "unreached": [],
            "unconfirmed": [],
            "counterexample": found.get("counterexample"),
            "any_depth": _any_depth(proof, verdict, explicit),
            "seconds": round(seconds, 6),
            "exit_code": int(code),
        }
    )


def _any_depth(proof: Proof, verdict: str, explicit: dict[str, Any] | None) -> dict[str, Any]:
    order = list(PARTS)
    cases = sorted(proof.cases, key=lambda case: (case.workers, order.index(case.name)))
    real = explicit["scope"] if explicit is not None else None
    return {
        "verdict": verdict,
        "fanouts": list(proof.fanouts),
        "mixed_fanouts": proof.mixed,
        "cases": [case.row() for case in cases],
        "conditions": [condition.row() for condition in proof.conditions.values()],
        "interface": proof.interface,
        "confirmed_on": {"workers": real["workers"], "depth": real["depth"]} if real is not None else None,
        "seconds": round(proof.seconds, 6),
        "words": _words(proof, verdict, real),
    }


def _words(proof: Proof, verdict: str, real: dict[str, Any] | None) -> list[str]:
    """What was proved, or what stood in the way, in plain sentences."""
    if verdict == "holds":
        return _proved(proof)
    case = proof.failed
    condition = next((each for each in proof.conditions.values() if not each.holds), None)
    if condition is not None:
        where = f" ({condition.path}:{condition.line})" if condition.path else ""
        return [
            f"Not provable this way: the proof needs that {condition.text}; but {condition.why}{where}.",
            "That is no defect: single trees can still be checked one by one (--workers, --depth).",
        ]
    if case is None and real is not None:
        return ["The shares do not cover every item: this is arithmetic, and wrong at every depth."]
    if case is None or case.verdict == "undecided":
        return [f"Not decided: {proof.limit}.", *_so_far(proof)]
    words = [f"Not proved: with {_workers(case.workers)}, {REFUSED[case.name]}."]
    if real is not None:
        words.append(f"It is a defect: a real tree of {_workers(real['workers'])} and depth {real['depth']} shows it.")
    else:
        words.append(_only_refused(case))
    return words


def _so_far(proof: Proof) -> list[str]:
    """The fan-outs that were proved before a limit was reached."""
    done = [str(number) for number in proof.fanouts if sum(_held(case, number) for case in proof.cases) == len(PARTS)]
    return [f"Proved so far, for trees in which every control has as many children: {', '.join(done)}."] if done else []


def _held(case: Case, workers: int) -> bool:
    return case.workers == workers and case.verdict == "holds"


def _only_refused(case: Case) -> str:
    if case.name == "root":
        return "No schedule of a real tree was found that breaks a promise; the order that the data carries is wrong."
    return (
        "No schedule of a small real tree was found that breaks a promise; the proof asks for more than the promises."
    )


def _workers(count: int) -> str:
    return f"{count} worker{'' if count == 1 else 's'}"


def _proved(proof: Proof) -> list[str]:
    first, last = min(proof.fanouts), max(proof.fanouts)
    gapless = sorted(proof.fanouts) == list(range(first, last + 1))
    several = f"{first} to {last}" if gapless else ", ".join(map(str, proof.fanouts))
    counts = several if len(proof.fanouts) > 1 else str(first)
    mixed = (
        "Every control may have its own number of children from these: the interface is the same for all, and no text "
        "asks for the number."
        if proof.mixed
        else "All controls of a tree have the same number of children."
    )
    return [
        f"Every promise asked for holds on trees of every depth whose controls have {counts} children. {mixed}",
        *(f"{name}: {text}." for name, text in PARTS.items()),
        "By induction over the levels: from the leaves upward every control with its children is replaced by one "
        "interface, until the root stands over interfaces alone.",
    ]
