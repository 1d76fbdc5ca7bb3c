"""cllm-sim: write a synchronisation protocol once; check it, simulate it, really train with it, and judge what it did.

    from cllm_sim import check
    assert check("mine.py", workers=3).holds

Rules of this file: the public names and nothing else. What an architecture file needs is imported at once; the verbs
(`check`, `simulate`, ...) are loaded on first use, so that importing this package pulls in neither numpy nor simpy.
"""

from typing import TYPE_CHECKING, Any

from cllm_sim.architecture import Architecture, Promise, StateView, always, sometimes, uncontended
from cllm_sim.operations import (
    BATCH,
    EPOCH,
    STOP,
    Barrier,
    Condition,
    Mutex,
    Op,
    Region,
    Regions,
    Seat,
    Semaphore,
    Steps,
    Team,
    Variable,
    Word,
    Work,
    choose,
    compute,
    fold,
    join,
    update,
)

if TYPE_CHECKING:
    from cllm_sim.api import audit, calibrate, check, compare, replay, simulate, train, validate

__version__ = "0.1.0"

VERBS = ("audit", "calibrate", "check", "compare", "replay", "simulate", "train", "validate")


def __getattr__(name: str) -> Any:
    if name in VERBS:
        from cllm_sim import api

        return getattr(api, name)
    raise AttributeError(f"module 'cllm_sim' has no attribute '{name}'")


__all__ = [
    "BATCH",
    "EPOCH",
    "STOP",
    "Architecture",
    "Barrier",
    "Condition",
    "Mutex",
    "Op",
    "Promise",
    "Region",
    "Regions",
    "Seat",
    "Semaphore",
    "StateView",
    "Steps",
    "Team",
    "Variable",
    "Word",
    "Work",
    "always",
    "audit",
    "calibrate",
    "check",
    "choose",
    "compare",
    "compute",
    "fold",
    "join",
    "replay",
    "simulate",
    "sometimes",
    "train",
    "uncontended",
    "update",
    "validate",
]
