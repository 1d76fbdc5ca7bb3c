"""What the figures of a comparison show, cut out of traces and checks: timelines, shares, locks, trees, graphs.

Rules of this file: it selects and sums; a figure draws what stands here and computes nothing. Times are milliseconds
from the first step shown; real and simulated traces are treated alike.
"""

from typing import Any

from cllm_sim.comparison.subjects import WARM_UP_STEPS, Subject
from cllm_sim.metrics import phase_of, steps
from cllm_sim.metrics import shares as shares_of
from cllm_sim.report.evidence import graphs as graphs_of
from cllm_sim.trace import Trace
from cllm_sim.tree import parent

STEPS_SHOWN = 3
ACTORS_SHOWN = 16
"""Actors of a timeline: control first; a larger tree is cut and the caption says so."""


def timelines(subjects: list[Subject]) -> list[dict[str, Any]]:
    """A few consecutive steps of every subject, real and simulated, from the middle of the run."""
    found = []
    for subject in subjects:
        for kind, trace in _traces(subject):
            found.append({"architecture": subject.loaded.name, "workers": subject.workers, "kind": kind, **_cut(trace)})
    return [item for item in found if item["events"]]


def _cut(trace: Trace) -> dict[str, Any]:
    found = steps(trace)
    first = min(len(found) // 2, max(0, len(found) - STEPS_SHOWN))
    chosen = found[first : first + STEPS_SHOWN]
    if not chosen:
        return {"actors": [], "events": [], "steps": []}
    begin, end = chosen[0].begin, chosen[-1].end
    names = list(trace.actors)[:ACTORS_SHOWN]
    events = []
    for number, name in enumerate(names):
        for event in trace.actors[name]:
            low, high = max(event.begin, begin), min(event.end, end)
            if high > low:
                events.append([number, phase_of(event.op), _ms(low - begin), _ms(high - begin)])
    return {"actors": names, "events": events, "steps": [_ms(step.begin - begin) for step in chosen]}


def _ms(nanoseconds: int) -> float:
    return round(nanoseconds / 1e6, 4)


def _shares(trace: Trace) -> dict[str, dict[str, float]]:
    """Per actor, where the time of all steps after the first ones went."""
    found = shares_of(trace, steps(trace)[WARM_UP_STEPS:])
    return {name: {key: round(value, 5) for key, value in share.items()} for name, share in found.items()}


def shares(subjects: list[Subject]) -> list[dict[str, Any]]:
    """Per actor, which part of its time went where; measured and simulated."""
    found = []
    for subject in subjects:
        for kind, trace in _traces(subject):
            for name, share in _shares(trace).items():
                row = {"architecture": subject.loaded.name, "workers": subject.workers, "actor": name, "kind": kind}
                found.append({**row, **share})
    return found


def _traces(subject: Subject) -> list[tuple[str, Trace]]:
    """The first real trace and the simulated one, as far as there are any."""
    pairs = [("real", subject.traces[0] if subject.traces else None), ("simulated", subject.simulated_trace)]
    return [(kind, trace) for kind, trace in pairs if trace is not None]


def step_times(subjects: list[Subject]) -> list[dict[str, Any]]:
    """The measured step times themselves, all repeats one after another."""
    return [
        {
            "architecture": subject.loaded.name,
            "workers": subject.workers,
            "kind": "real",
            "values_ms": [round(value, 4) for sample in subject.samples_ms for value in sample],
        }
        for subject in subjects
        if subject.runs
    ]


def locks(subjects: list[Subject]) -> list[dict[str, Any]]:
    """Per mutex: worst number of waiters checked and simulated, and what each actor really waited for it."""
    found = []
    for subject in subjects:
        for row in subject.checked["contention_details"] if subject.checked else ():
            field = row["object"].rpartition("/")[2]
            simulated = (subject.simulated or {}).get("contention") or {}
            worst = [count for name, count in simulated.items() if name.rpartition("/")[2] == field]
            found.append(
                {
                    "architecture": subject.loaded.name,
                    "workers": subject.workers,
                    "object": row["object"],
                    "worst_checked": row["worst"],
                    "worst_simulated": max(worst, default=None),
                    "wait_ms_total_measured": _lock_waits(subject, field),
                }
            )
    return found


def _lock_waits(subject: Subject, field: str) -> list[float]:
    if not subject.traces:
        return []
    logs = subject.traces[0].actors.values()
    return [_ms(sum(event.end - event.begin for event in log if _acquires(event.op, field))) for log in logs]


def _acquires(op: str, field: str) -> bool:
    verb, _, name = op.partition(" ")
    return verb == "acquire" and name.rpartition("/")[2] == field


def trees(subjects: list[Subject], depth: int) -> list[dict[str, Any]]:
    """The control tree of every subject with the share of time that each node waited."""
    found = []
    for subject in subjects:
        for _, trace in _traces(subject)[:1]:
            nodes = [
                {"name": name, "parent": parent(name), "waiting_share": round(share["barrier"] + share["lock"], 5)}
                for name, share in _shares(trace).items()
            ]
            found.append(
                {"architecture": subject.loaded.name, "workers": subject.workers, "depth": depth, "nodes": nodes}
            )
    return found


def counterexamples(subjects: list[Subject]) -> list[dict[str, Any]]:
    """The first counterexample of every broken subject."""
    found = []
    for subject in subjects:
        checked = _telling_check(subject)
        for row in checked.get("broken", [])[:3]:
            example = row["counterexample"]
            if example:
                found.append(
                    {
                        "architecture": subject.loaded.name,
                        "workers": checked["scope"]["workers"],
                        "class": row["class"],
                        "text": row["text"],
                        "path": row["path"],
                        "line": row["line"],
                        **{name: example[name] for name in ("schedule", "steps", "stuck", "no_way_back")},
                        "race": example.get("race"),
                    }
                )
    return found


def graphs(subjects: list[Subject]) -> list[dict[str, Any]]:
    """What is broken, as a graph: the missing order of a race, or who waits for whom in a deadlock."""
    return [row for subject in subjects for row in graphs_of(_telling_check(subject))]


def _telling_check(subject: Subject) -> dict[str, Any]:
    """The check that found the design broken, else the one at the scope asked for; empty where nothing was checked."""
    if subject.small and subject.small["verdict"] == "broken":
        return subject.small
    return subject.checked or {}
