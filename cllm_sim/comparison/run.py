"""A comparison from beginning to end.

Order: all checks, all simulations (sealed before anything is measured), then the real runs, interleaved repeat by
repeat, then the judgements. Rules of this file: order and assembly only.
"""

import statistics
import time
from pathlib import Path
from typing import Any

from cllm_sim import calibration
from cllm_sim.comparison import pictures, subjects
from cllm_sim.comparison.request import Request
from cllm_sim.comparison.rows import inversions, pairs, regressions, row_of
from cllm_sim.comparison.subjects import Subject
from cllm_sim.library import load
from cllm_sim.results import SCHEMA, ExitCode, RunResult, environment, scope, worst


def run(asked: Request, folder: Path) -> RunResult:
    """Do what was asked; files of the real runs go to `folder`/runs."""
    started = time.perf_counter()
    chosen = [Subject(loaded, workers) for workers in asked.workers for loaded in asked.loaded]
    serial = _serial(asked)
    _prove(asked, chosen)
    source = _predict(asked, [*chosen, *serial], folder)
    _measure(asked, [*chosen, *serial], folder)
    data = _result(asked, chosen, serial[0] if serial else None)
    data["costs_source"] = source
    data["seconds"] = round(time.perf_counter() - started, 6)
    return RunResult(data)


def _serial(asked: Request) -> list[Subject]:
    """The reference for speed-up: one actor, the same slots; only where something is measured."""
    if not asked.does("train") or any(item.architecture.alone for item in asked.loaded):
        return []
    return [Subject(load("serial"), 1)]


def _prove(asked: Request, chosen: list[Subject]) -> None:
    for subject in chosen if asked.does("check") else ():
        asked.notify(f"check     {subject.label}")
        subjects.check(subject, asked)


def _predict(asked: Request, chosen: list[Subject], folder: Path) -> str | None:
    if not asked.does("simulate"):
        return None
    model, source = calibration.costs_for(asked.costs, _learner_settings(asked), asked.notify)
    (folder / "costs.toml").write_text(model.to_toml(), encoding="utf-8")
    for subject in chosen:
        asked.notify(f"simulate  {subject.label}")
        subjects.simulate(subject, asked, model)
    return source


def _learner_settings(asked: Request) -> dict[str, str]:
    """The settings that are not an architecture's own."""
    own = {name for loaded in asked.loaded for name, _ in loaded.settings}
    return {name: value for name, value in asked.settings.items() if name not in own}


def _measure(asked: Request, chosen: list[Subject], folder: Path) -> None:
    for repeat in range(asked.repeats if asked.does("train") else 0):
        for subject in chosen:
            asked.notify(f"train     {subject.label}, run {repeat + 1} of {asked.repeats}")
            subjects.train(subject, asked, folder)
    for subject in chosen if asked.does("validate") else ():
        asked.notify(f"validate  {subject.label}")
        subjects.validate(subject)


def _result(asked: Request, chosen: list[Subject], serial: Subject | None) -> dict[str, Any]:
    reference = serial or next((item for item in chosen if item.loaded.architecture.alone), None)
    rows = [row_of(subject, reference) for subject in chosen]
    slower = regressions(rows, asked.baseline.data["rows"]) if asked.baseline else []
    errors = [abs(row["error_pct"]) for row in rows if row["error_pct"] is not None and not row["marked_broken"]]
    largest = max(asked.workers)
    shown = [subject for subject in chosen if subject.workers == largest]
    run = next((subject.runs[0] for subject in chosen if subject.runs), {})
    return {
        "schema": SCHEMA,
        "verb": "compare",
        "architecture": ",".join(loaded.name for loaded in asked.loaded),
        "file_sha256": None,
        "files": {loaded.name: loaded.sha256 for loaded in asked.loaded},
        "scope": scope(largest, asked.depth, run.get("slots"), asked.steps if asked.does("train") else None),
        "workers": list(asked.workers),
        "with": list(asked.with_),
        "repeats": asked.repeats,
        "seed": asked.seed,
        "settings": dict(asked.settings),
        "environment": environment(),
        "text": run.get("text"),
        "learner": run.get("learner"),
        "parameters": run.get("parameters"),
        "bigram_bits_per_byte": run.get("bigram_bits_per_byte"),
        "rows": rows + ([row_of(serial, serial)] if serial else []),
        "pairs": pairs(chosen),
        "inversions": inversions(rows),
        "median_error_pct": statistics.median(errors) if errors else None,
        "regressions": slower,
        "timelines": pictures.timelines(shown),
        "shares": pictures.shares(shown),
        "step_times": pictures.step_times([*chosen, *([serial] if serial else [])]),
        "locks": pictures.locks(shown),
        "trees": pictures.trees(shown, asked.depth),
        "graphs": pictures.graphs(shown),
        "counterexamples": pictures.counterexamples(shown),
        "figures": [],
        "exit_code": _exit_code(rows, slower),
    }


def _exit_code(rows: list[dict[str, Any]], slower: list[dict[str, Any]]) -> int:
    """1 for a broken promise of a design not marked broken, an illegal trace, a run that died, or a regression."""
    codes = [int(ExitCode.HOLDS)]
    for row in rows:
        unexpected = row["verdict"] == "broken" and not row["marked_broken"]
        if unexpected or row["legal"] is False or (row["failures"] and not row["marked_broken"]):
            codes.append(int(ExitCode.SUBJECT))
    if slower:
        codes.append(int(ExitCode.SUBJECT))
    return worst(codes)
