"""The cost model of this machine: measured, kept in the user's cache, found again.

Rules of this file: glue between `real_runtime.measure` (which measures and knows no cost model) and `costs.CostModel`
(which knows no machine). One cache file per set of learner settings, because the cost of computing belongs to a
learner.
"""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cllm_sim.costs import CostModel, load_costs
from cllm_sim.folders import cache_folder

Notify = Callable[[str], None]


def file_name(settings: Mapping[str, str]) -> str:
    """Name of the cache file for these learner and optimizer settings."""
    if not settings:
        return "costs.toml"
    text = "\n".join(f"{name}={value}" for name, value in sorted(settings.items()))
    return f"costs-{hashlib.sha256(text.encode()).hexdigest()[:12]}.toml"


def save(target: Path, model: CostModel) -> None:
    """Write a cost file; half a file is never left behind."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.partial")
    partial.write_text(model.to_toml(), encoding="utf-8")
    partial.replace(target)


def measure(
    settings: Mapping[str, str], text: str | None, seed: int, notify: Notify
) -> tuple[CostModel, list[dict[str, Any]], dict[str, float]]:
    """Measure this machine: the model, the sheet of measurements (value, spread, method, samples), and the
    conditions.
    """
    from real_runtime.learner import LearnerSettings
    from real_runtime.measure import measure_in_fresh_process
    from real_runtime.optimizer import OptimizerSettings
    from real_runtime.settings import divided

    learner, optimizer = divided(settings, LearnerSettings, OptimizerSettings)
    found = measure_in_fresh_process(
        learner, optimizer, text, seed, lambda what, done, total: notify(f"measuring {what}")
    )
    return CostModel.model_validate(found.sections()), list(found.rows()), dict(found.conditions)


def costs_for(costs: str | None, settings: Mapping[str, str], notify: Notify) -> tuple[CostModel, str]:
    """The cost model to use and where it came from: the file asked for, the last calibration, else one made now."""
    if costs is not None:
        return load_costs(Path(costs)), costs
    cached = cache_folder() / file_name(settings)
    if cached.is_file():
        return load_costs(cached), "the last calibration of this machine"
    notify("no calibration of this machine yet for these settings: measuring it now (a few seconds)")
    model, _, _ = measure(settings, None, 1, notify)
    save(cached, model)
    return model, "calibrated for this run"
