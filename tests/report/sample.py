"""Comparison results to draw, made up but of a realistic shape and size: twelve workers, lists of workers, 157 actors.

Rules of this file: the same arguments give the same result; times follow simple rules (two cores share the work, one
lock lets one worker compute at a time), so that the pictures look like those of real runs. Keep in step with
`report/shape.py`.
"""

import random
from collections.abc import Iterator
from statistics import median
from typing import Any

from cllm_sim.report.wording import ratio_wording

SLOT_MS = 3.1
CORES = 2
TIMED = ("compute", "fold", "update", "barrier", "lock", "ready")

Result = dict[str, Any]


def addresses(workers: int, depth: int) -> list[str]:
    found = ["0"]
    if depth and workers:
        for index in range(workers):
            found += [f"0.{index}{rest}" for rest in (name[1:] for name in addresses(workers, depth - 1))]
    return found


def is_leaf(name: str, depth: int) -> bool:
    return name.count(".") == depth


class Maker:
    """Makes one comparison; every random number comes from its own stream."""

    def __init__(self, architectures: tuple[str, ...], workers: tuple[int, ...], depth: int, seed: int) -> None:
        self.architectures = architectures
        self.workers = workers
        self.depth = depth
        self.random = random.Random(seed)

    def digest(self) -> str:
        return f"{self.random.getrandbits(256):064x}"

    def step_ms(self, architecture: str, workers: int) -> float:
        slots = 12 if self.depth == 1 else 144
        spread = min(workers**self.depth, CORES)
        base = SLOT_MS * slots / {"serial": 1, "model_lock": 1}.get(architecture, spread)
        return base + {"serial": 1.0, "model_lock": 2.9, "sliced_reduce": 1.9}.get(architecture, 1.4) + workers * 0.11

    # ------------------------------------------------------------------------------------------------------------ rows
    def row(self, architecture: str, workers: int, digest: str) -> Result:
        broken = architecture == "unguarded"
        true_ms = self.step_ms(architecture, workers)
        measured = true_ms * self.random.uniform(0.97, 1.06)
        predicted = true_ms * self.random.uniform(0.85, 1.05)
        digests = [self.digest() for _ in range(3)] if broken else [digest] * 3
        count = {"model_lock": workers - 1}.get(architecture, 0)
        return {
            "architecture": architecture,
            "workers": workers,
            "depth": self.depth,
            "slots": 12**self.depth,
            "verdict": "broken" if broken else "holds",
            "marked_broken": broken,
            "classes": ["race", "stale-read"] if broken else [],
            "contention_max": count,
            "contention_exact": True,
            "states": 41_000 + 17 * workers,
            "predicted_ms": predicted,
            "predicted_interval_ms": [predicted * 0.98, predicted * 1.03],
            "measured_ms": {"median": measured, "p05": measured * 0.95, "p95": measured * 1.12},
            "error_pct": 100 * (predicted - measured) / measured,
            "noise_floor_pct": self.random.uniform(1.0, 3.0),
            "speedup_vs_serial": (SLOT_MS * 12**self.depth + 1) / measured,
            "heldout_bits_per_byte": {"first": 8.01, "last": float("nan") if broken else 3.12},
            "loss": {"first": 8.02, "last": float("nan") if broken else 3.05},
            "digest": digests[0],
            "digests": digests,
            "nonfinite_steps": [4, 0, 9] if broken else [0, 0, 0],
            "legal": True,
            "processes": 1 if architecture == "serial" else len(addresses(workers, self.depth)),
            "repeats": 3,
        }

    def rows(self) -> Iterator[Result]:
        digest = self.digest()
        for architecture in self.architectures:
            for workers in self.workers if architecture != "serial" else self.workers[-1:]:
                yield self.row(architecture, workers, digest)

    # ------------------------------------------------------------------------------------------------------- timelines
    def timeline(self, architecture: str, kind: str, workers: int) -> Result:
        names = addresses(workers, self.depth) if architecture != "serial" else ["0"]
        events: list[list[Any]] = []
        steps, now = [], 5.0
        for _ in range(2):
            steps.append(now)
            now = (
                self.locked(events, names, now, kind)
                if architecture == "model_lock"
                else self.step(events, names, now, kind)
            )
        return {
            "architecture": architecture,
            "workers": workers,
            "kind": kind,
            "actors": names,
            "events": events,
            "steps": steps,
        }

    def jitter(self, kind: str) -> float:
        return self.random.uniform(0.9, 1.25) if kind == "real" else self.random.uniform(0.97, 1.03)

    def step(self, events: list[list[Any]], names: list[str], now: float, kind: str) -> float:
        """All leaves compute at once on two cores, then one barrier, the folds and the update."""
        leaves = [
            index for index, name in enumerate(names) if is_leaf(name, name.count(".")) and self.leaf(name, names)
        ]
        work = SLOT_MS * max(1, 12**self.depth // len(leaves)) * len(leaves) / min(CORES, len(leaves))
        ends = {
            index: now + 0.3 + work * self.jitter(kind) * (0.92 + 0.08 * k / len(leaves))
            for k, index in enumerate(leaves)
        }
        last = max(ends.values())
        for index in range(len(names)):
            if index in ends:
                events.append([index, "other", now, now + 0.2])
                events.append([index, "compute", now + 0.3, ends[index]])
                events.append([index, "barrier", ends[index], last + 1.5])
            else:
                events.append([index, "barrier", now + 0.2, last])
                events.append([index, "fold", last + 0.05, last + 0.9])
                events.append([index, "barrier" if index else "update", last + 0.95, last + 1.5])
        return last + 1.6

    def locked(self, events: list[list[Any]], names: list[str], now: float, kind: str) -> float:
        """One leaf after another computes behind the one lock."""
        leaves = [index for index, name in enumerate(names) if self.leaf(name, names)]
        self.random.shuffle(leaves)
        turn = now + 0.3
        for index in leaves:
            events.append([index, "lock", now + 0.1, turn])
            end = turn + SLOT_MS * max(1, 12**self.depth // len(leaves)) * self.jitter(kind)
            events.append([index, "compute", turn, end])
            turn = end + 0.05
        for index in leaves:
            begin = max(event[3] for event in events if event[0] == index)
            events.append([index, "lock", begin, turn + 1.6])
        events.append([0, "lock", now + 0.2, turn])
        events.append([0, "fold", turn, turn + 0.9])
        events.append([0, "update", turn + 0.9, turn + 1.5])
        return turn + 1.7

    @staticmethod
    def leaf(name: str, names: list[str]) -> bool:
        return not any(other.startswith(f"{name}.") for other in names)

    # -------------------------------------------------------------------------------------------- shares, locks, trees
    def shares(self, architecture: str, kind: str, workers: int) -> Iterator[Result]:
        names = addresses(workers, self.depth) if architecture != "serial" else ["0"]
        for name in names:
            if self.leaf(name, names):
                compute = (1 / max(1, workers) if architecture == "model_lock" else 0.14) * self.jitter(kind)
                parts = {"compute": compute if architecture != "serial" else 0.93, "fold": 0.0, "update": 0.0}
            else:
                parts = {"compute": 0.0, "fold": 0.04 * self.jitter(kind), "update": 0.02 if name == "0" else 0.0}
            rest = max(0.0, 1 - sum(parts.values()) - 0.02)
            ready = rest * (0.55 if self.leaf(name, names) and architecture != "model_lock" else 0.04)
            waits = (
                {"lock": rest - ready, "barrier": 0.0}
                if architecture in ("model_lock", "unguarded")
                else {
                    "barrier": rest - ready,
                    "lock": 0.0,
                }
            )
            if architecture == "serial":
                parts, waits, ready = (
                    {"compute": 0.93, "fold": 0.0, "update": 0.05},
                    {"barrier": 0.0, "lock": 0.0},
                    0.02,
                )
            yield {
                "architecture": architecture,
                "workers": workers,
                "actor": name,
                "kind": kind,
                **parts,
                **waits,
                "ready": ready,
            }

    def locks(self, architecture: str, workers: int) -> Iterator[Result]:
        names = addresses(workers, self.depth)
        if architecture == "model_lock":
            waits = [0.0] + [self.random.uniform(3_000, 6_000) for _ in names[1:]]
            yield self.lock(architecture, workers, "model", workers - 1, waits)
        for index, name in enumerate(names[1:], 1):
            waits = [0.0] * len(names)
            waits[0], waits[index] = self.random.uniform(5, 20), self.random.uniform(1, 9)
            yield self.lock(architecture, workers, f"{name}/lock", 1, waits)

    @staticmethod
    def lock(architecture: str, workers: int, name: str, worst: int, waits: list[float]) -> Result:
        return {
            "architecture": architecture,
            "workers": workers,
            "object": name,
            "worst_checked": worst,
            "worst_simulated": worst,
            "wait_ms_total_measured": waits,
        }

    def tree(self, architecture: str, workers: int, shares: list[Result]) -> Result:
        waiting = {
            row["actor"]: row["barrier"] + row["lock"] + row["ready"]
            for row in shares
            if row["architecture"] == architecture and row["kind"] == "real"
        }
        nodes = [
            {"name": name, "parent": name.rpartition(".")[0] or None, "waiting_share": waiting[name]}
            for name in addresses(workers, self.depth)
        ]
        return {"architecture": architecture, "workers": workers, "depth": self.depth, "nodes": nodes}

    # ---------------------------------------------------------------------------------------------------------- result
    def result(self) -> Result:
        rows = list(self.rows())
        shown = self.shown(rows)
        return {
            **self.asked(),
            "seconds": 171.2,
            "wall_seconds": 174.9,
            "exit_code": 0,
            "rows": rows,
            "pairs": pairs(rows),
            "inversions": [],
            "median_error_pct": median(abs(row["error_pct"]) for row in rows if not row["marked_broken"]),
            "bigram_bits_per_byte": 3.52,
            "figures": [],
            **shown,
        }

    def asked(self) -> Result:
        workers = ",".join(map(str, self.workers))
        return {
            "schema": "cllm/1",
            "verb": "compare",
            "scope": {
                "workers": self.workers[-1],
                "depth": self.depth,
                "slots": 12**self.depth,
                "steps": 300,
                "faults": 0,
                "memory": "sequentially consistent",
            },
            "workers": list(self.workers),
            "repeats": 3,
            "seed": 1,
            "command": ["cllm", "compare", *self.architectures, "--workers", workers, "--repeats", "3"],
            "environment": {"python": "3.11.7", "system": "Linux 6.1", "machine": "x86_64", "cores": CORES},
        }

    def shown(self, rows: list[Result]) -> Result:
        kinds = ("real", "simulated")
        names, widest = self.architectures, self.workers[-1]
        shares = [share for name in names for kind in kinds for share in self.shares(name, kind, widest)]
        timed = [name for name in names if name not in ("serial", "unguarded")]
        locking = [name for name in names if name in ("model_lock", "unguarded")]
        return {
            "timelines": [self.timeline(name, kind, widest) for name in timed for kind in kinds],
            "shares": shares,
            "step_times": [self.step_times(row, kind) for row in rows for kind in kinds],
            "locks": [lock for name in locking for lock in self.locks(name, widest)],
            "trees": [self.tree(name, widest, shares) for name in names if name != "serial"],
            "graphs": [race_graph()] if "unguarded" in names else [],
            "counterexamples": [race()] if "unguarded" in names else [],
        }

    def step_times(self, row: Result, kind: str) -> Result:
        middle = row["measured_ms"]["median"]
        values = [middle * self.random.gauss(1, 0.04) for _ in range(60)]
        return {"architecture": row["architecture"], "workers": row["workers"], "kind": kind, "values_ms": values}


def pairs(rows: list[Result]) -> list[Result]:
    found = []
    widest = max(row["workers"] for row in rows)
    last = [row for row in rows if row["workers"] == widest and row["architecture"] not in ("serial", "unguarded")]
    for index, first in enumerate(last):
        for other in last[index + 1 :]:
            ratio = other["measured_ms"]["median"] / first["measured_ms"]["median"]
            interval = (ratio * 0.93, ratio * 1.05)
            found.append(
                {
                    "a": first["architecture"],
                    "b": other["architecture"],
                    "workers": widest,
                    "ratio": ratio,
                    "interval": list(interval),
                    "wording": ratio_wording(ratio, interval),
                }
            )
    return found


RACE_STEPS = [
    ("0", "choose", "unguarded.py", 70, ["order of step 1 = batch"]),
    ("0", "acquire 0.0/lock", "unguarded.py", 54, ["0.0/lock held by 0"]),
    ("0", "write 0.0/order 1", "unguarded.py", 55, ["0.0/order 0 → 1"]),
    ("0", "notify 0.0/wake", "unguarded.py", 56, []),
    ("0", "release 0.0/lock", "unguarded.py", 57, ["0.0/lock free"]),
    ("0", "acquire 0.1/lock", "unguarded.py", 54, ["0.1/lock held by 0"]),
    ("0", "write 0.1/order 1", "unguarded.py", 55, ["0.1/order 0 → 1"]),
    ("0", "release 0.1/lock", "unguarded.py", 57, ["0.1/lock free"]),
    ("0.0", "read 0.0/order", "unguarded.py", 35, []),
    ("0.0", "begin compute 0.0/segment", "unguarded.py", 49, ["activations, gradients written by 0.0"]),
    ("0.1", "read 0.1/order", "unguarded.py", 35, []),
    ("0.1", "begin compute 0.1/segment", "unguarded.py", 49, ["activations, gradients written by 0.1 as well"]),
]


def race() -> Result:
    return {
        "architecture": "unguarded",
        "workers": 2,
        "class": "race",
        "text": "worker 0.0 and worker 0.1 write 'activations' and nothing orders the two writes",
        "schedule": "0:batch,0,0,0,0,0,0,0,0.0,0.0,0.1,0.1",
        "steps": [
            {"actor": actor, "op": op, "path": path, "line": line, "changes": changes}
            for actor, op, path, line, changes in RACE_STEPS
        ],
        "stuck": [],
        "no_way_back": None,
    }


def race_graph() -> Result:
    nodes = [
        ("a", "write 0.0/order\nunguarded.py:55", "0"),
        ("b", "write 0.1/order\nunguarded.py:55", "0"),
        ("c", "read 0.0/order\nunguarded.py:35", "0.0"),
        ("d", "read 0.1/order\nunguarded.py:35", "0.1"),
        ("e", "compute: writes activations\nunguarded.py:49", "0.0"),
        ("f", "compute: writes activations\nunguarded.py:49", "0.1"),
    ]
    edges = [
        ("a", "b", "", "order"),
        ("a", "c", "0.0/lock", "order"),
        ("b", "d", "0.1/lock", "order"),
        ("c", "e", "", "order"),
        ("d", "f", "", "order"),
        ("e", "f", "nothing orders these", "missing"),
    ]
    return {
        "architecture": "unguarded",
        "kind": "happens-before",
        "title": "unguarded: two workers write the one model's activations",
        "nodes": [{"id": key, "label": label, "group": group} for key, label, group in nodes],
        "edges": [{"from": a, "to": b, "label": label, "style": style} for a, b, label, style in edges],
    }


def wait_graph(workers: int = 12, depth: int = 1) -> Result:
    """Everybody waits at a barrier that counts one party too many."""
    names = addresses(workers, depth)
    return {
        "architecture": "count_too_large",
        "kind": "wait-for",
        "title": f"count_too_large: {workers + 1} of {workers + 2} parties have come, and no other is left",
        "nodes": [
            *({"id": name, "label": name, "group": "actor"} for name in names),
            {"id": "0/batch", "label": f"barrier 0/batch\n{workers + 1} of {workers + 2} here", "group": "object"},
        ],
        "edges": [{"from": name, "to": "0/batch", "label": "", "style": "waits"} for name in names],
    }


def wide_graph(columns: int = 6) -> Result:
    """A defect with many actors in it."""
    actors = [f"0.{column}" for column in range(columns)]
    return {
        "architecture": "early_reduce",
        "kind": "happens-before",
        "title": "early_reduce: the control folds segments that are still being written",
        "nodes": [
            {"id": "fold", "label": "fold of all segments into 0/segment\nearly_reduce.py:41", "group": "0"},
            *({"id": name, "label": f"compute {name}/segment\nearly_reduce.py:33", "group": name} for name in actors),
            {"id": "a", "label": "Point A\nearly_reduce.py:38", "group": "0"},
        ],
        "edges": [
            {"from": "a", "to": "fold", "label": "", "style": "order"},
            *({"from": "a", "to": name, "label": "0/batch", "style": "order"} for name in actors),
            *({"from": name, "to": "fold", "label": "", "style": "missing"} for name in actors),
        ],
    }


def circle_graph() -> Result:
    """Two actors, two locks, each holds what the other wants."""
    return {
        "architecture": "crossed",
        "kind": "wait-for",
        "title": "crossed: each holds what the other wants",
        "nodes": [
            {"id": name, "label": label, "group": "actor"}
            for name, label in (("0.0", "0.0"), ("0.1", "0.1"), ("0.2", "0.2"))
        ],
        "edges": [
            {"from": "0.0", "to": "0.1", "label": "wants right\ncrossed.py:31", "style": "waits"},
            {"from": "0.1", "to": "0.2", "label": "wants left\ncrossed.py:38", "style": "waits"},
            {"from": "0.2", "to": "0.0", "label": "wants middle\ncrossed.py:44", "style": "waits"},
        ],
    }


def demo(workers: int = 12) -> Result:
    """What `make demo` compares."""
    return Maker(("serial", "unguarded", "model_lock", "node_zero"), (workers,), 1, 1).result()


def lists() -> Result:
    """Three architectures with 2, 4, 8 and 12 workers."""
    return Maker(("node_zero", "model_lock", "sliced_reduce"), (2, 4, 8, 12), 1, 2).result()


def deep() -> Result:
    """157 actors."""
    result = Maker(("node_zero", "model_lock"), (12,), 2, 3).result()
    result["graphs"] = [wait_graph(), wait_graph(12, 2), circle_graph(), wide_graph()]
    return result


def checked_only() -> Result:
    """`--with check`: verdicts and nothing else."""
    result = demo(3)
    timed = (
        "predicted_ms",
        "predicted_interval_ms",
        "measured_ms",
        "error_pct",
        "noise_floor_pct",
        "speedup_vs_serial",
    )
    trained = ("heldout_bits_per_byte", "loss", "digest", "digests", "nonfinite_steps", "legal", "processes", "repeats")
    for row in result["rows"]:
        for name in (*timed, *trained):
            row.pop(name)
        row["contention_exact"] = row["architecture"] != "model_lock"
    for name in ("timelines", "shares", "step_times", "trees", "pairs", "inversions", "median_error_pct"):
        del result[name]
    result["locks"] = [{**lock, "worst_simulated": None, "wait_ms_total_measured": None} for lock in result["locks"]]
    return result
