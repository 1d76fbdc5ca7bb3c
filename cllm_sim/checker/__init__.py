"""The checker: can a design ever go wrong? Every interleaving, unlimited steps.

`run` turns an architecture and a scope into a `RunResult`. Modules, from the ground: `unfold` (text -> automaton),
`space` (states and steps), `symmetry`, `search` (breadth first), `graph` (progress), `realise` (real schedules),
`contention`, `explain` and `verdict`. Rules of this package: it does not know the simulator, the runtime or any shipped
architecture.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

from cllm_sim.architecture import Loaded
from cllm_sim.checker.explain import counterexample
from cllm_sim.checker.reduced import search_reduced
from cllm_sim.checker.search import Found, Limits, Progress, search
from cllm_sim.checker.space import Space
from cllm_sim.checker.verdict import Judged, contention_broken, judge, never_fulfilled, wrong
from cllm_sim.checker.walk import parse_schedule
from cllm_sim.compose import System, compose
from cllm_sim.errors import BadRequest
from cllm_sim.grammar import text_lines
from cllm_sim.operations import Kind
from cllm_sim.promises import concerns, promised, verdicts
from cllm_sim.results import SCHEMA, ExitCode, RunResult, environment, scope
from cllm_sim.tree import checked_tree

REDUCTIONS = ("none", "symmetry", "partial-order", "both")
AGAIN_MAX = 200_000
"""States of the search without partial order after one with it met a broken rule; few more are worth the wait."""

RACES = ("auto", "next", "monitor")


def system_of(loaded: Loaded, workers: int, depth: int) -> System:
    """The system of an architecture on a tree; raises BadRequest for a tree it is not written for."""
    architecture = loaded.architecture
    return compose(architecture, checked_tree(workers, depth, architecture.arity, architecture.depth_max, loaded.name))


def run(
    loaded: Loaded,
    *,
    workers: int = 12,
    depth: int = 1,
    reductions: str = "both",
    races: str = "auto",
    promise: tuple[str, ...] = (),
    without: tuple[str, ...] = (),
    budget_seconds: float = 120.0,
    max_states: int = 3_000_000,
    progress: Progress | None = None,
) -> RunResult:
    """Check an architecture exhaustively; the result's fields are those of `check` in the schema.

    `races`: `next` looks for two conflicting accesses that are both next; `monitor` also keeps the happens-before marks
    in the state; `auto` does both except where mutexes would multiply the states (the first is exact either way).
    """
    if reductions not in REDUCTIONS:
        raise BadRequest(f"--reductions {reductions}: known are {', '.join(REDUCTIONS)}")
    if races not in RACES:
        raise BadRequest(f"races '{races}': known are {', '.join(RACES)}")
    names = promised(loaded.architecture, promise, without)
    system = system_of(loaded, workers, depth)
    limits = Limits(budget_seconds, max_states)
    symmetric, partial = reductions in ("symmetry", "both"), reductions in ("partial-order", "both")
    why_not = _not_partial(loaded) if partial else ""
    partial = partial and not why_not
    monitored = races == "monitor" or (races == "auto" and not partial and not _has_mutex(system))
    space = Space(replace(system, monitor=monitored), loaded.path)
    first: Found | None = None
    if partial:
        found, left_out = search_reduced(space, symmetric, limits, progress)
        if wrong(found):
            first = found
            found, left_out = _in_full(space, symmetric, limits, first, progress)
        elif not found.complete and found.seconds < limits.seconds:
            found, left_out = _broadly(Space(space.system, space.path), symmetric, limits, found, left_out, progress)
    else:
        found, left_out = search(space, symmetric, limits, progress)
    judged = judge(loaded, found, found.symmetry.crews)
    if first is not None and found is not first and not found.complete:
        known = {row["class"] for row in judged.broken}
        more = judge(loaded, first, first.symmetry.crews).broken
        judged.broken.extend(row for row in more if row["class"] not in known)
    if found.reduced and "uncontended" in names and _doubtful(judged):
        found, left_out = search(space, symmetric, limits, progress)
        judged = judge(loaded, found, found.symmetry.crews)
    if symmetric and (judged.unconfirmed or (found.complete and not found.reduced and _inexact(judged))):
        judged = _confirm(loaded, space, found, judged, limits)
    if "uncontended" in names:
        judged.broken.extend(contention_broken(loaded, found, judged.contention))
    notes = _notes(system, found, left_out, symmetric, monitored)
    if first is not None or found.reduced:
        _note_partial(notes, found, first)
    elif why_not:
        notes["assumptions"].append(why_not)
    limit = (first or found).limit
    if judged.unconfirmed and not limit:
        limit = found.limit or "something was seen to go wrong, and no schedule was found that shows it"
    return _result(loaded, system, found, judged, names, notes, limit)


def _not_partial(loaded: Loaded) -> str:
    """Why a partial-order reduction would not be exact here; nothing if it is."""
    own = [promise.name for promise in loaded.architecture.promises if promise.predicate is not None]
    if own:
        return f"partial order is off: '{own[0]}' is asked of whole states, and it does not visit all of them"
    return ""


def _in_full(
    space: Space, symmetric: bool, limits: Limits, first: Found, progress: Progress | None
) -> tuple[Found, frozenset[int]]:
    """Search once more without partial order: for shortest schedules, and for every defect with its own."""
    left = Limits(max(1.0, limits.seconds - first.seconds), min(limits.states, AGAIN_MAX))
    found, left_out = search(space, symmetric, left, progress)
    if not found.complete and not wrong(found):
        return first, left_out
    return found, left_out


def _broadly(
    space: Space,
    symmetric: bool,
    limits: Limits,
    deep: Found,
    left_out: frozenset[int],
    progress: Progress | None,
) -> tuple[Found, frozenset[int]]:
    """Look without partial order, in the time that is left: chains go deep, what is wrong may be near the start."""
    found, also_left_out = search(space, symmetric, replace(limits, seconds=limits.seconds - deep.seconds), progress)
    return (found, also_left_out) if found.complete or wrong(found) else (deep, left_out)


def _note_partial(notes: dict[str, Any], found: Found, first: Found | None) -> None:
    """What the partial order did, and where it was left again."""
    notes["reductions"].append("partial-order")
    notes["partial_order"] = {
        "visited": (first or found).visited,
        "kept": len((first or found).states),
        "steps": (first or found).steps,
        "classes": sorted({kind for kind, _, _ in (first or found).defects}),
    }
    if first is not None and found is not first:
        notes["assumptions"].append(
            f"a broken rule was met with partial order after {first.visited:,} states; "
            "schedules and counts are those of a search without it"
        )
    else:
        notes["assumptions"].append(
            "progress: rounds without a choice of the environment were looked for in the reduced graph"
        )


def _has_mutex(system: System) -> bool:
    return any(thing.kind is Kind.MUTEX for thing in system.objects)


def _confirm(loaded: Loaded, space: Space, found: Found, judged: Judged, limits: Limits) -> Judged:
    """Look without symmetry for the kinds of defect, and the numbers of waiters, that no real schedule confirmed."""
    plain, _ = search(space, False, limits)
    kinds = {defect.kind for defect in judged.unconfirmed}
    again = judge(loaded, plain, frozenset())
    judged.broken.extend(row for row in again.broken if row["class"].removesuffix("-on-weights") in kinds)
    if plain.complete:
        judged.unconfirmed, judged.contention = [], again.contention
    elif found.complete:
        found.limit = "what was seen under symmetry could not be confirmed in index order within the limits"
    return judged


def _doubtful(judged: Judged) -> bool:
    """Is there a mutex for which nobody was seen to wait, and of which it is not known that nobody ever does?"""
    return any(not row["worst"] and not row["exact"] for row in judged.contention)


def _inexact(judged: Judged) -> bool:
    return any(not row["exact"] for row in judged.contention)


def _notes(system: System, found: Found, left_out: frozenset[int], symmetric: bool, monitored: bool) -> dict[str, Any]:
    notes = ["memory is sequentially consistent (exact for programs without races)"]
    architecture, workers = system.architecture, system.tree.workers
    if not architecture.alone and workers != architecture.arity:
        notes.append(f"checked with {workers} workers; the declared arity is {architecture.arity}")
    for control in sorted(left_out):
        name = system.actors[control].name
        notes.append(f"symmetry is off for the children of {name}: a text names a child by its index")
    any_order = found.space.system.any_order
    if symmetric and any_order and _uses_cursor(found):
        notes.append("a cursor may visit the children in any order: more behaviours than index order, never fewer")
    how = "two conflicting accesses both next" + (", and happens-before marks in the state" if monitored else "")
    notes.append(f"races are found as: {how}")
    used = ["symmetry"] if symmetric and found.symmetry.crews else []
    return {"assumptions": notes, "reductions": used}


def _uses_cursor(found: Found) -> bool:
    return any(op is not None and op.verb == "next" for automaton in found.space.automata for op in automaton.op)


def _unreached(loaded: Loaded, found: Found) -> list[dict[str, Any]]:
    """Statements of the texts that no behaviour reaches: the guard against holding because nothing happens."""
    source = Path(loaded.path).read_text(encoding="utf-8-sig")
    reached = {line for path, line in found.space.lines if path == loaded.path}
    rows = source.split("\n")
    missing = sorted(text_lines(source) - reached)
    return [{"path": loaded.path, "line": line, "text": rows[line - 1].strip()} for line in missing]


def _result(
    loaded: Loaded,
    system: System,
    found: Found,
    judged: Judged,
    names: tuple[str, ...],
    notes: dict[str, Any],
    limit: str,
) -> RunResult:
    """The result; `limit` is that of the search which had to be complete."""
    judged.broken.extend(never_fulfilled(found))
    kinds = [row["class"] for row in judged.broken]
    rows = verdicts(names, kinds, not limit)
    broken = [
        {**row, "class": row["class"].removesuffix("-on-weights")}
        for row in judged.broken
        if concerns(row["class"], names)
    ]
    verdict = "broken" if broken else "undecided" if limit else "holds"
    code = {"broken": ExitCode.SUBJECT, "holds": ExitCode.HOLDS, "undecided": ExitCode.UNDECIDED}[verdict]
    first = next((row["counterexample"] for row in broken if row["counterexample"]), None)
    return RunResult(
        {
            "schema": SCHEMA,
            "verb": "check",
            "architecture": loaded.name,
            "file": loaded.path,
            "file_sha256": loaded.sha256,
            "title": loaded.title,
            "marked_broken": loaded.broken,
            "scope": scope(system.tree.workers, system.tree.depth),
            "seed": None,
            "environment": environment(),
            "verdict": verdict,
            "promises": rows,
            "broken": broken,
            "defects": judged.total,
            "states": found.visited,
            "transitions": found.steps,
            "complete": not limit,
            "limit": limit or None,
            **notes,
            "contention": {row["object"]: row["worst"] for row in judged.contention},
            "contention_details": judged.contention,
            "unreached": _unreached(loaded, found),
            "unconfirmed": [{"class": item.kind, "text": item.text} for item in judged.unconfirmed],
            "counterexample": first,
            "generator_runs": sum(automaton.runs for automaton in found.space.automata),
            "seconds": round(found.seconds, 6),
            "exit_code": int(code),
        }
    )


def replay(loaded: Loaded, schedule: str, *, workers: int, depth: int = 1) -> dict[str, Any]:
    """Walk through a schedule: every step as data, and who is stuck at its end; BadRequest at an impossible move."""
    system = system_of(loaded, workers, depth)
    space = Space(system, loaded.path)
    moves = parse_schedule(system, schedule)
    return {**counterexample(space, moves), "scope": scope(system.tree.workers, system.tree.depth)}
