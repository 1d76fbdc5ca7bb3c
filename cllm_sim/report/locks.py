"""Who holds which lock along a counterexample, read from what its steps changed.

Rules of this file: it reads the words of `changes` (`0/log free → held by 0.0`); keep it in step with
`cllm_sim/checker/walk.py`.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

TAKEN = re.compile(r"(.+) free → held by (.+)")
FREED = re.compile(r"(.+) held by .+ → free")


class Held(NamedTuple):
    """A lock in somebody's hand: since which step, and the line that took it."""

    name: str
    step: int
    path: str
    line: int | None


def held_at_end(example: Mapping[str, Any], steps: int | None = None) -> dict[str, list[Held]]:
    """The locks that every actor holds after so many steps (all, where no number is given), in the order of taking."""
    held: dict[str, list[Held]] = {}
    for number, step in enumerate((example.get("steps") or ())[:steps], 1):
        for change in step.get("changes") or ():
            if taken := TAKEN.fullmatch(change):
                lock = Held(taken[1], number, step.get("path", ""), step.get("line"))
                held.setdefault(taken[2], []).append(lock)
            elif freed := FREED.fullmatch(change):
                held = {who: [lock for lock in locks if lock.name != freed[1]] for who, locks in held.items()}
    return {who: locks for who, locks in held.items() if locks}
