"""An audit to draw, made up but of a realistic shape and size: a trainer with twelve workers, one mutex around the
model, two barriers that nobody waits on and a control thread that is only parked.

Rules of this file: keep it in step with what `cllm audit` writes. The lines in `SOURCES` are what the places speak of;
the same call gives the same result.
"""

from copy import deepcopy
from typing import Any

from cllm_sim.results import scope

from tests.report.audit.sample_findings import FINDINGS, PLAN, REQUIREMENTS, rules
from tests.report.audit.sample_lines import HEADER, POOL, SHARED, SOURCES, TRAINER, Entry, at
from tests.report.audit.sample_runs import CHECKED, PROTOCOL, RESULTS, graphs

Result = dict[str, Any]


ROLES: list[Entry] = [
    {
        "name": "caller",
        "entry": "train_epoch",
        "kind": "caller",
        "count": "1",
        "reaches_work": True,
        "work_path": [at(TRAINER, 150, function="train_epoch"), at(TRAINER, 161, function="train_sequential")],
        "waits_on": ["Worker.wake"],
        "distributes": [at(TRAINER, 120, function="hand_out")],
        "accumulates": [at(TRAINER, 127, function="await_worker")],
        "updates": [at(TRAINER, 133, function="apply_gradients")],
        "only_parked": False,
    },
    {
        "name": "worker",
        "entry": "worker_thread",
        "kind": "worker",
        "count": "num_threads",
        "reaches_work": True,
        "work_path": [at(POOL, 48, function="worker_thread"), at(POOL, 67, function="process_batch")],
        "waits_on": ["Worker.wake", "Trainer.model_lock"],
        "distributes": [],
        "accumulates": [],
        "updates": [],
        "only_parked": False,
    },
    {
        "name": "control",
        "entry": "control_thread",
        "kind": "control",
        "count": "1",
        "reaches_work": False,
        "work_path": [],
        "waits_on": ["Trainer.running"],
        "distributes": [],
        "accumulates": [],
        "updates": [],
        "only_parked": True,
    },
]


MUTEX_USES = [at(POOL, 66, role="worker", operation="lock"), at(POOL, 69, role="worker", operation="unlock")]
WAKE_USES = [
    at(POOL, 43, role="worker", operation="sleep"),
    at(POOL, 101, role="caller", operation="sleep"),
    at(POOL, 91, role="caller", operation="signal"),
]
INVENTORY: Entry = {
    "barriers": [
        {
            "name": f"Trainer.{name}",
            "declared": at(HEADER, 31 + row),
            "destroyed": [],
            "waits": [],
            "members": [],
            "initialised": [at(TRAINER, 84 + row, count="num_threads + 1")],
            "note": "",
        }
        for row, name in enumerate(("batch_barrier", "epoch_barrier"))
    ],
    "mutexes": [
        {
            "name": "Trainer.model_lock",
            "declared": at(HEADER, 33),
            "initialised": [at(TRAINER, 86, count=None)],
            "waits": MUTEX_USES,
            "destroyed": [at(TRAINER, 196)],
            "members": ["worker"],
            "note": "held while forward and backward run",
        },
        {
            "name": "Worker.lock",
            "declared": at(HEADER, 52),
            "initialised": [],
            "destroyed": [],
            "note": "",
            "waits": [at(POOL, 41, role="worker", operation="lock")],
            "members": ["worker", "caller"],
        },
    ],
    "conditions": [
        {
            "name": "Worker.wake",
            "declared": at(HEADER, 51),
            "initialised": [],
            "waits": WAKE_USES,
            "destroyed": [],
            "members": ["worker", "caller"],
            "note": "one condition for work and for completion",
        },
    ],
    "semaphores": [],
    "atomics": [],
    "flags": [
        {
            "name": "Trainer.running",
            "declared": at(HEADER, 36),
            "initialised": [],
            "destroyed": [],
            "note": "volatile",
            "waits": [
                at(POOL, 113, role="control", operation="read"),
                at(TRAINER, 188, role="caller", operation="write"),
            ],
            "members": ["control", "caller"],
        },
    ],
    "regions": [
        {
            "name": "SharedRegion.base",
            "declared": at(HEADER, 40),
            "destroyed": [],
            "note": "",
            "members": [],
            "initialised": [at(SHARED, 22, count="bytes")],
            "waits": [at(SHARED, 22, role="caller", operation="map")],
        },
    ],
    "threads": [
        {
            "name": "worker_thread",
            "created": [at(TRAINER, 92, count="num_threads")],
            "joined": [at(TRAINER, 190)],
            "detached": [],
        },
        {
            "name": "control_thread",
            "created": [at(TRAINER, 95, count=None)],
            "joined": [at(TRAINER, 193)],
            "detached": [],
        },
    ],
    "roles": ROLES,
    "segments": [
        {
            "name": "Trainer.gradients",
            "declared": at(HEADER, 38),
            "size": "num_parameters * sizeof(float)",
            "offset": None,
            "length": None,
            "written": [at(POOL, 68, role="worker")],
            "read": [at(TRAINER, 133, role="caller")],
        },
        {
            "name": "Trainer.segments",
            "declared": at(HEADER, 39),
            "size": "num_parameters / num_threads * num_threads",
            "offset": "id * (num_parameters / num_threads)",
            "length": "num_parameters / num_threads",
            "written": [at(POOL, 77, role="worker")],
            "read": [],
        },
    ],
}


MODULES: list[Entry] = [
    {
        "name": "shared memory",
        "files": [SHARED],
        "functions": ["shared_create", "shared_publish"],
        "status": "only constructed",
        "evidence": [at(SHARED, 30, text="shared_publish is called by nobody")],
    },
    {
        "name": "control process",
        "files": [POOL],
        "functions": ["control_thread"],
        "status": "only constructed",
        "evidence": [at(POOL, 113, text="its thread only sleeps")],
    },
    {
        "name": "message passing",
        "files": [],
        "functions": [],
        "status": "absent",
        "evidence": [at("", 0, text="looked for functions that send and receive between threads")],
    },
]


SAMPLE: Result = {
    "schema": "cllm/1",
    "verb": "audit",
    "architecture": "trainer_model_lock",
    "file_sha256": "5f" * 32,
    "scope": scope(12, None, None, None),
    "seed": 0,
    "command": ["cllm", "audit", "trainer_model_lock", "--check"],
    "environment": {"python": "3.11.7", "system": "Linux 6.1", "machine": "x86_64", "cores": 2},
    "seconds": 0.412,
    "wall_seconds": 0.973,
    "exit_code": 1,
    "paths": ["trainer_model_lock"],
    "files": 7,
    "lines": 1240,
    "functions": 48,
    "verdict_line": "12 workers and a control thread that is only parked; 2 barriers are initialised and never "
    "waited on, one mutex serialises batch processing; 4 errors, 6 warnings and 1 note.",
    "inventory": INVENTORY,
    "modules": MODULES,
    "findings": FINDINGS,
    "suppressed": [{"code": "CL001", "path": SHARED, "line": 12, "reason": "kept for the next protocol version"}],
    "rules": rules(),
    "requirements": REQUIREMENTS,
    "plan": PLAN,
    "protocol": PROTOCOL,
    "mapping": [
        {"ours": "batch", "theirs": "Trainer.batch_barrier", "path": HEADER, "line": 31},
        {"ours": "epoch", "theirs": "Trainer.epoch_barrier", "path": HEADER, "line": 32},
        {"ours": "compute", "theirs": "process_batch", "path": POOL, "line": 64},
        {"ours": "update", "theirs": "apply_gradients", "path": TRAINER, "line": 133},
    ],
    "assumptions": [
        at(
            POOL,
            64,
            text="process_batch is batch processing (its name says so)",
            confidence="medium",
            override="--bind work=FUNC",
        ),
        at(HEADER, 14, text="num_threads is NUM_THREADS, 12", confidence="high", override=""),
    ],
    "unreadable": [{"path": "src/simd_kernels.s", "line": None, "why": "assembly, not C"}],
    "skeleton": CHECKED,
    "results": RESULTS,
    "documents": [
        {"id": name, "title": ""}
        for name in (
            "architecture-analysis",
            "barrier-usage",
            "control-thread",
            "shared-memory",
            "gap-analysis",
            "implementation-plan",
            "code-changes",
            "test-results",
        )
    ],
    "graphs": graphs(),
    "sources": {path: {str(line): text for line, text in found.items()} for path, found in SOURCES.items()},
}


def sample() -> Result:
    """The whole audit, for the caller to change."""
    return deepcopy(SAMPLE)


def empty() -> Result:
    """An audit of a folder without a single thread."""
    kinds = "barriers mutexes conditions semaphores atomics flags threads roles regions segments".split()
    return {
        "schema": "cllm/1",
        "verb": "audit",
        "architecture": "nothing_here",
        "scope": scope(None, None),
        "exit_code": 0,
        "paths": ["nothing_here"],
        "files": 1,
        "lines": 3,
        "functions": 1,
        "verdict_line": "",
        "inventory": {kind: [] for kind in kinds},
        "modules": [],
        "findings": [],
        "suppressed": [],
        "rules": rules(),
        "requirements": [],
        "plan": [],
        "protocol": "",
        "mapping": [],
        "assumptions": [],
        "unreadable": [],
        "skeleton": None,
        "results": None,
        "documents": [],
        "graphs": {"roles": {"nodes": [], "edges": []}, "order": {"nodes": [], "edges": []}},
    }
