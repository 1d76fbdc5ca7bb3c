"""A cost model of round numbers for all tests of the simulator, and a way to change single numbers of it."""

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cllm_sim.costs import CostModel

NUMBERS = """
[machine]
cores = 2
switch_us = 2.0
wake_us = 30.0
release_us = 5.0
quantum_ms = 4.0
slowdown = 1.1

[operations]
wait = 1.0
acquire = 1.0
release = 1.0
sleep = 1.0
notify = 1.0
down = 1.0
up = 1.0
atomic = 0.5
await = 1.0
plain = 0.5
choose = 0.5
join = 1.0
next = 0.25
destroy = 1.0

[compute]
per_slot_us = 3000.0
fixed_us = 100.0

[fold]
per_operand_us = 50.0
fixed_us = 10.0

[update]
per_gradient_us = 200.0
fixed_us = 10.0

[parameters]
size = 10000
"""

HEAD = '''"""A file of a test."""
from cllm_sim import (
    BATCH, EPOCH, STOP, Architecture, Barrier, Condition, Mutex, Region, Seat, Semaphore, Team, Variable, Word,
    always, choose, compute, fold, join, sometimes, update,
)

weights = Region("weights")

'''

Costs = Callable[..., CostModel]


@pytest.fixture
def costs() -> Costs:
    """`costs({"machine.cores": 4, "spread.compute": 0.1}, scale=2)`: the model above with some numbers changed.

    `scale` multiplies every duration (0 makes everything instant); changes come after that.
    """

    def make(changes: dict[str, Any] | None = None, scale: float = 1.0) -> CostModel:
        data: dict[str, dict[str, Any]] = tomllib.loads(NUMBERS)
        for section in data.values():
            for key, value in section.items():
                section[key] = value * scale if key not in ("cores", "slowdown", "size") else value
        for name, value in (changes or {}).items():
            section_name, _, key = name.partition(".")
            data.setdefault(section_name, {})[key] = value
        return CostModel.model_validate(data)

    return make


@pytest.fixture
def architecture(tmp_path: Path) -> Callable[[str], str]:
    """`architecture(body)` writes a file with the usual imports around `body` and returns its path."""

    def write(body: str) -> str:
        path = tmp_path / "mine.py"
        path.write_text(f"{HEAD}{body}\n", encoding="utf-8")
        return str(path)

    return write
