"""The promises by name, and which broken rule breaks which of them (design table; `docs/architecture.md` repeats it).

Rules of this file: data, and the one function that turns found classes into verdicts. Checker, simulator and judge
report promises in this order and with these names.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from cllm_sim.architecture import Architecture
from cllm_sim.errors import BadRequest

PROMISES = (
    "no deadlock",
    "no race",
    "control never computes",
    "own segment only",
    "exactly once",
    "fresh",
    "update before use",
    "sound use",
    "progress",
    "twelvefold",
)
"""Promised by every architecture."""

OPTIONAL = ("uncontended",)
"""Promised by whoever declares it, or asked for with `--promise`."""

CLASS_PROMISE: dict[str, tuple[str, ...]] = {
    "deadlock": ("no deadlock", "progress"),
    "partial-deadlock": ("no deadlock", "progress"),
    "race": ("no race",),
    "race-on-weights": ("no race", "update before use"),
    "role": ("control never computes",),
    "ownership": ("own segment only",),
    "coverage": ("own segment only",),
    "double-processing": ("exactly once",),
    "lost-batch": ("exactly once",),
    "stale-read": ("fresh",),
    "lost-update": ("fresh",),
    "lock-misuse": ("sound use",),
    "barrier-misuse": ("sound use",),
    "use-after-destroy": ("sound use",),
    "livelock": ("progress",),
    "arity": ("twelvefold",),
    "contention": ("uncontended",),
}
"""Class of a broken rule -> the promises it breaks. `race-on-weights` is reported as class `race`."""


def promised(architecture: Architecture, asked: Sequence[str] = (), without: Sequence[str] = ()) -> tuple[str, ...]:
    """Names of the promises to judge; raises BadRequest for a name that nobody knows."""
    own = tuple(promise.name for promise in architecture.promises)
    known = (*PROMISES, *OPTIONAL, *own)
    for name in (*asked, *without):
        if name not in known:
            raise BadRequest(f"no promise called '{name}'; known: {', '.join(dict.fromkeys(known))}")
    wanted = dict.fromkeys((*PROMISES, *own, *asked))
    return tuple(name for name in wanted if name not in without)


def concerns(kind: str, names: Collection[str]) -> bool:
    """Does a found class break one of the promises of these names?"""
    return any(name in names for name in CLASS_PROMISE.get(kind, (kind,)))


def verdicts(names: Iterable[str], broken: Collection[str], complete: bool) -> list[dict[str, Any]]:
    """`{name, verdict, class}` for every promise, given the classes found; undecided: not searched to the end."""
    rows: list[dict[str, Any]] = []
    for name in names:
        classes = [found for found in broken if name in CLASS_PROMISE.get(found, (found,))]
        if classes:
            shown = classes[0].removesuffix("-on-weights")
            rows.append({"name": name, "verdict": "broken", "class": shown})
        else:
            rows.append({"name": name, "verdict": "holds" if complete else "undecided", "class": None})
    return rows
