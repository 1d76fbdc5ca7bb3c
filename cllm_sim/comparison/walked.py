"""What `replay` returns: the walk through a schedule and its times in the simulator, as one result document.

Rules of this file: the checker walks and the simulator times; nothing here writes to a stream.
"""

import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cllm_sim.architecture import Loaded
from cllm_sim.checker.walkthrough import walkthrough
from cllm_sim.results import SCHEMA, environment


def walked(
    loaded: Loaded,
    schedule: str,
    *,
    workers: int,
    depth: int,
    settings: Mapping[str, str] | None,
    timeline: bool,
    costs: str | None,
    folder: Path | None,
    notify: Callable[[str], None],
) -> dict[str, Any]:
    """Walk through one schedule: every step with its line, what it changed and who waits, and who is stuck at the end.

    With `timeline` the simulator drives exactly this schedule with the durations of a cost model; it must end in the
    checker's state. Files are left only in `folder`.
    """
    started = time.perf_counter()
    walk = {
        "schema": SCHEMA,
        "verb": "replay",
        **walkthrough(loaded, schedule, workers=workers, depth=depth),
        "file": loaded.path,
        "file_sha256": loaded.sha256,
        "seed": None,
        "environment": environment(),
        "command": ["cllm", *sys.argv[1:]] if Path(sys.argv[0]).name == "cllm" else None,
        "exit_code": 0,
    }
    if timeline:
        from cllm_sim.calibration import costs_for
        from cllm_sim.comparison.replayed import replayed

        own = dict(loaded.settings)
        learner = {name: value for name, value in dict(settings or {}).items() if name not in own}
        model, source = costs_for(costs, learner, notify)
        walk["timing"] = {**replayed(loaded, schedule, model, workers=workers, depth=depth), "costs": source}
        walk["seed"] = walk["timing"]["seed"]
    walk["seconds"] = walk["wall_seconds"] = round(time.perf_counter() - started, 6)
    if folder is not None:
        from cllm_sim.report import write_walk

        walk["files"] = write_walk(walk, folder)
    return walk
