"""What the figures of a comparison show, cut out of traces and checks: timelines, shares, locks, trees, graphs.

Rules of this file: it selects and sums; a figure draws what stands here and computes nothing. Times are milliseconds from
the first step shown; real and simulated traces are treated alike.
"""

from typing import Any

from cllm_sim.comparison.subjects import WARM_UP_STEPS, Subject
from cllm_sim.metrics import phase_of
from cllm_sim.trace import Event, Trace
from cllm_sim.tree import parent

STEPS_SHOWN = 3
ACTORS_SHOWN = 16
"""Actors of a timeline: control first; a larger tree is cut and the caption says so."""

PHASES = ("compute", "fold", "update", "barrier", "lock")


def timelines(subjects: list[Subject]) -> list[dict[str, Any]]:
    """A few consecutive steps of every subject, real and simulated, from the middle of the run."""
    found = []
    for subject in subjects:
        for kind, trace in (("real", subject.traces[0] if subject.traces else None), ("simulated", subject.simulated_trace)):
            if trace is not None:
                found.append({"architecture": subject.loaded.name, "workers": subject.workers, "kind": kind, **_cut(trace)})
    return [item for item in found if item["events"]]


def _cut(trace: Trace) -> dict[str, Any]:
    starts = _step_starts(trace)
    first = min(len(starts) // 2, max(0, len(starts) - STEPS_SHOWN - 1))
    begin = starts[first] if starts else 0
    end = starts[first + STEPS_SHOWN] if len(starts) > first + STEPS_SHOWN else _last(trace)
    names = list(trace.actors)[:ACTORS_SHOWN]
    events = []
    for number, name in enumerate(names):
        for event in trace.actors[name]:
            if event.end > begin and event.begin < end and event.end > event.begin:
                low, high = max(event.begin, begin), min(event.end, end)
                events.append([number, phase_of(event.op), _ms(low - begin), _ms(high - begin)])
    steps = [_ms(start - begin) for start in starts if begin <= start < end]
    return {"actors": names, "events": events, "steps": steps}


def _step_starts(trace: Trace) -> list[int]:
    """When every batch was ordered: the ends of the choices that were answered with a batch (reply 1)."""
    found = [event.end for log in trace.actors.values() for event in log if event.op == "choose" and event.reply == 1]
    return sorted(found)


def _last(trace: Trace) -> int:
    return max((log[-1].end for log in trace.actors.values() if log), default=0)


def _ms(nanoseconds: int) -> float:
    return round(nanoseconds / 1e6, 4)


def shares(subjects: list[Subject]) -> list[dict[str, Any]]:
    """Per actor, which part of its time went where; measured and simulated."""
    found = []
    for subject in subjects:
        for kind, trace in (("real", subject.traces[0] if subject.traces else None), ("simulated", subject.simulated_trace)):
            for name, log in trace.actors.items() if trace is not None else ():
                row = {"architecture": subject.loaded.name, "workers": subject.workers, "actor": name, "kind": kind}
                found.append({**row, **_share(log, _window(trace))})
    return found


def _window(trace: Trace) -> tuple[int, int]:
    starts = _step_starts(trace)
    begin = starts[min(WARM_UP_STEPS, len(starts) - 1)] if starts else 0
    return begin, _last(trace)


def _share(log: tuple[Event, ...], window: tuple[int, int]) -> dict[str, float]:
    begin, end = window
    spent = dict.fromkeys((*PHASES, "ready"), 0)
    for event in log:
        inside = max(0, min(event.end, end) - max(event.begin, begin))
        name = phase_of(event.op)
        spent[name if name in spent else "ready"] += inside
    whole = max(1, end - begin)
    return {name: round(value / whole, 5) for name, value in spent.items()}


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
    return [
        _ms(sum(event.end - event.begin for event in log if _acquires(event.op, field))) for log in logs
    ]


def _acquires(op: str, field: str) -> bool:
    verb, _, name = op.partition(" ")
    return verb == "acquire" and name.rpartition("/")[2] == field


def trees(subjects: list[Subject], depth: int) -> list[dict[str, Any]]:
    """The control tree of every subject with the share of time that each node waited."""
    found = []
    for subject in subjects:
        trace = subject.traces[0] if subject.traces else subject.simulated_trace
        if trace is None:
            continue
        nodes = []
        for name, log in trace.actors.items():
            share = _share(log, _window(trace))
            nodes.append({"name": name, "parent": parent(name), "waiting_share": round(share["barrier"] + share["lock"], 5)})
        row = {"architecture": subject.loaded.name, "workers": subject.workers, "depth": depth, "nodes": nodes}
        found.append(row)
    return found


def counterexamples(subjects: list[Subject]) -> list[dict[str, Any]]:
    """The first counterexample of every broken subject."""
    found = []
    for subject in subjects:
        checked = subject.small if subject.small and subject.small["verdict"] == "broken" else subject.checked
        for row in (checked or {}).get("broken", [])[:3]:
            example = row["counterexample"]
            if example:
                found.append(
                    {
                        "architecture": subject.loaded.name,
                        "workers": checked["scope"]["workers"] if checked else None,
                        "class": row["class"],
                        "text": row["text"],
                        "path": row["path"],
                        "line": row["line"],
                        **{name: example[name] for name in ("schedule", "steps", "stuck")},
                        "race": example.get("race"),
                    }
                )
    return found


def graphs(subjects: list[Subject]) -> list[dict[str, Any]]:
    """What is broken, as a graph: the missing order of a race, or who waits for whom in a deadlock."""
    found = []
    for subject in subjects:
        checked = subject.small if subject.small and subject.small["verdict"] == "broken" else subject.checked
        for row in (checked or {}).get("broken", [])[:1]:
            example = row["counterexample"]
            if example and row["class"] == "race":
                found.append(_race_graph(subject, row, example))
            elif example and example.get("waits"):
                found.append(_wait_graph(subject, row, example))
    return found


def _race_graph(subject: Subject, row: dict[str, Any], example: dict[str, Any]) -> dict[str, Any]:
    """The last steps of the actors concerned, in their own order, and the order that is missing between the accesses."""
    sides = [access["actor"] for access in example["race"]["accesses"]]
    steps = [(number, step) for number, step in enumerate(example["steps"]) if step["actor"] in sides][-8:]
    nodes, edges, last = [], [], {}
    for number, step in steps:
        name = f"s{number}"
        nodes.append({"id": name, "label": f"{step['op']}\nline {step['line']}", "group": step["actor"]})
        if step["actor"] in last:
            edges.append({"from": last[step["actor"]], "to": name, "label": "", "style": "order"})
        last[step["actor"]] = name
    if len(set(sides)) == 2:
        edges.append({"from": last[sides[0]], "to": last[sides[1]], "label": "no order", "style": "missing"})
    title = f"{subject.loaded.name}: {row['text']}"
    return {"architecture": subject.loaded.name, "kind": "happens-before", "title": title, "nodes": nodes, "edges": edges}


def _wait_graph(subject: Subject, row: dict[str, Any], example: dict[str, Any]) -> dict[str, Any]:
    names = sorted({edge[side] for edge in example["waits"] for side in ("from", "to")})
    edges = [{"from": e["from"], "to": e["to"], "label": e["on"], "style": "waits"} for e in example["waits"]]
    nodes = [{"id": name, "label": name, "group": ""} for name in names]
    title = f"{subject.loaded.name}: {row['text']}"
    return {"architecture": subject.loaded.name, "kind": "wait-for", "title": title, "nodes": nodes, "edges": edges}
