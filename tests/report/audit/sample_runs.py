"""The made-up audit's protocol, extracted skeleton, embedded results and graphs.

Rules of this file: see `sample`; the embedded results have the shape of their own verbs.
"""

from cllm_sim.results import scope

from tests.report.audit.sample_lines import POOL, TRAINER, Entry, at

PROTOCOL = '''"""trainer_model_lock on barriers: the protocol of the plan in the names of the program."""


def worker_thread(me, team, work):
    order = 0
    while order != STOP:
        yield team.batch_barrier.wait()
        order = yield team.order.read()
        yield from work(order)
        if order == BATCH:
            yield team.batch_barrier.wait()
'''

# ------------------------------------------------------------------------------------------------ skeleton, results
SKELETON = """def worker(me, team):
    while (yield team.running.read()):
        yield me.lock.acquire()
        yield me.wake.wait()
        yield me.lock.release()
"""


STEPS = [
    ("worker 0", "acquire Worker.lock", POOL, 41, "worker", ["Worker.lock free → held by worker 0"]),
    ("worker 0", "wait Worker.wake", POOL, 43, "worker", ["sleeps"]),
    ("caller", "write Trainer.running 0", TRAINER, 188, "caller", ["Trainer.running 1 → 0"]),
    ("caller", "join worker 0", TRAINER, 190, "caller", []),
]
EXAMPLE = {
    "schedule": "worker0,worker0,caller,caller",
    "steps": [
        {"actor": actor, "op": op, "path": path, "line": line, "role": role, "changes": changes}
        for actor, op, path, line, role, changes in STEPS
    ],
    "stuck": [
        {"actor": "worker 0", "waits_for": "Worker.wake", "needs": "a signal", "path": POOL, "line": 43},
        {
            "actor": "caller",
            "waits_for": "the end of worker 0",
            "needs": "it to return",
            "path": TRAINER,
            "line": 190,
        },
    ],
    "no_way_back": 3,
}
BROKEN = [
    {
        "class": "deadlock",
        "message": "worker 0 sleeps for ever",
        "path": POOL,
        "line": 43,
        "other": at(TRAINER, 190),
    }
]
PROMISES = [
    {"name": "no deadlock", "verdict": "broken", "class": "deadlock"},
    {"name": "no race", "verdict": "holds", "class": None},
]
CHECKED: Entry = {
    "text": SKELETON,
    "abstracted": [at(POOL, 67, text="forward and backward are one step without a result")],
    "checks": [
        {
            "workers": 1,
            "verdict": "broken",
            "states": 41,
            "transitions": 77,
            "complete": True,
            "seconds": 0.004,
            "class": "deadlock",
            "promises": PROMISES,
            "counterexample": EXAMPLE,
            "broken": BROKEN,
        },
        {
            "workers": 3,
            "verdict": "undecided",
            "states": 200000,
            "transitions": 512400,
            "complete": False,
            "limit": "the limit of 200,000 states was reached",
            "seconds": 9.1,
            "class": None,
            "promises": [],
            "counterexample": None,
            "broken": [],
        },
    ],
    "refused": "",
}


NAMES = ("no deadlock", "no race", "control never computes", "own segment only", "uncontended")
HELD = [{"name": name, "verdict": "holds", "class": None} for name in NAMES]
COMMON = {"schema": "cllm/1", "architecture": "node_zero", "seed": 1, "exit_code": 0}
TIMES = {"median": 20.3, "p05": 19.8, "p95": 21.9}
ROW = {"workers": 12, "depth": 1, "classes": [], "contention_max": 0, "states": 915, "verdict": "holds"}
RESULTS: Entry = {
    "workers": 12,
    "check": {
        **COMMON,
        "verb": "check",
        "scope": scope(12, 1),
        "verdict": "holds",
        "promises": HELD,
        "states": 915,
        "transitions": 8196,
        "complete": True,
        "seconds": 0.02,
        "command": ["cllm", "check", "node_zero", "--workers", "12"],
    },
    "simulate": {
        **COMMON,
        "verb": "simulate",
        "scope": scope(12, 1, 12, 100),
        "verdict": "holds",
        "step_ms": TIMES,
        "wait_share": {"compute": 0.49, "fold": 0.01, "update": 0.02, "barrier": 0.48, "lock": 0.0},
        "events": 31200,
        "seconds": 1.2,
    },
    "train": {
        **COMMON,
        "verb": "train",
        "scope": scope(12, 1, 12, 200),
        "steps": 200,
        "processes": 13,
        "loss": {"first": 6.02, "last": 2.31},
        "heldout_bits_per_byte": {"first": 6.1, "last": 2.6},
        "step_ms": {"median": 21.0, "p05": 20.1, "p95": 24.4},
        "nonfinite_steps": [],
        "digest": "ab" * 32,
        "seconds": 4.4,
    },
    "compare": {
        **COMMON,
        "verb": "compare",
        "scope": scope(12, 1, 12, 100),
        "rows": [
            {
                **ROW,
                "architecture": "model_lock",
                "contention_max": 11,
                "measured_ms": {"median": 41.2, "p05": 40.0, "p95": 44.9},
            },
            {**ROW, "architecture": "node_zero", "measured_ms": TIMES},
        ],
        "pairs": [
            {
                "a": "node_zero",
                "b": "model_lock",
                "workers": 12,
                "ratio": 2.03,
                "interval": [1.95, 2.1],
                "wording": "2.03x faster",
            }
        ],
        "figures": [],
    },
}


def graphs() -> Entry:
    kinds = {
        "caller": "caller",
        "worker": "worker",
        "control": "control",
        "Worker.wake": "condition",
        "Trainer.model_lock": "mutex",
        "Trainer.running": "flag",
        "Trainer.batch_barrier": "barrier",
        "Trainer.epoch_barrier": "barrier",
        "process_batch": "work",
    }
    arrows = [
        ("caller", "worker", "starts 12"),
        ("caller", "control", "starts"),
        ("caller", "Worker.wake", "signals"),
        ("worker", "Worker.wake", "sleeps"),
        ("worker", "Trainer.model_lock", "locks"),
        ("worker", "process_batch", "calls"),
        ("control", "Trainer.running", "polls"),
        ("caller", "process_batch", "calls (sequential)"),
        ("caller", "Trainer.running", "sets"),
    ]
    order = [
        ("caller hands out", "Worker.wake", "signals"),
        ("Worker.wake", "worker computes", "releases"),
        ("worker computes", "Trainer.model_lock", "gives back"),
        ("Trainer.model_lock", "worker computes", "next worker"),
        ("worker computes", "caller updates", "complete"),
        ("caller updates", "caller hands out", "next batch"),
    ]
    order_kinds = {"Worker.wake": "condition", "Trainer.model_lock": "mutex", "worker computes": "worker"}
    places = dict.fromkeys(name for a, b, _ in order for name in (a, b))
    return {
        "roles": {
            "nodes": [{"id": name, "label": name, "kind": kind} for name, kind in kinds.items()],
            "edges": [{"a": a, "b": b, "label": label} for a, b, label in arrows],
        },
        "order": {
            "nodes": [{"id": name, "label": name, "kind": order_kinds.get(name, "caller")} for name in places],
            "edges": [{"a": a, "b": b, "label": label} for a, b, label in order],
        },
    }
