"""The made-up audit's rules, findings, requirements and plan.

Rules of this file: see `sample`; codes and severities are those of real rules, places are those of `sample_lines`.
"""

from typing import Any

from tests.report.audit.sample_lines import HEADER, POOL, SHARED, SOURCES, TRAINER, Entry, at


def rules() -> dict[str, Entry]:
    found = """
    CB001 barrier-never-waited warning A barrier is declared or initialised and nobody ever waits on it.
    CL002 lock-held-during-work warning A lock of several threads is held while batch processing runs.
    CR001 data-race error Two threads access the same memory, one writes, and nothing orders them.
    CR002 plain-flag error A plain variable is polled to synchronise.
    CR003 flag-unused note A flag is set and never read, or never used.
    CS002 segment-remainder-lost error The remainder of an uneven division is given to nobody.
    CS003 buffer-never-read warning A buffer is written by threads and read by nobody.
    CS004 region-never-used warning A shared region is created and never used by the training threads.
    CT002 shutdown-leaves-waiter error On the way out a thread is left waiting.
    CT005 role-only-parked warning A thread exists that never does anything but wait.
    CT006 fallback-path warning A second implementation of the same job is reachable beside the threaded one.
    CX001 unused-suppression warning A suppression comment that suppresses nothing.
    """
    rows = [line.split(maxsplit=3) for line in found.strip().splitlines()]
    return {code: {"name": name, "severity": severity, "summary": summary} for code, name, severity, summary in rows}


def finding(code: str, path: str, line: int, column: int, message: str, subject: str, **more: Any) -> Entry:
    given = {
        "code": code,
        "severity": rules()[code]["severity"],
        "confidence": "high",
        "path": path,
        "line": line,
        "column": column,
        "message": message,
        "subject": subject,
        "role": "",
        "how": [],
        "notes": [],
        "tip": "",
        "source": SOURCES.get(path, {}).get(line, ""),
        "new": True,
        "checked": "",
    }
    return {**given, **more}


WORKER_CALLS = [at(TRAINER, 92, function="worker_thread"), at(POOL, 48, function="process_batch")]
CALLER_CALLS = [at("src/main.c", 40, function="trainer_free"), at(TRAINER, 184, function="trainer_stop")]
BARRIERS = [
    finding(
        "CB001",
        HEADER,
        31 + row,
        23,
        f"Trainer.{name} is initialised for num_threads + 1 threads and nobody ever waits on it",
        f"Trainer.{name}",
        notes=[at(TRAINER, 84 + row, column=27, text="initialised here", role="", how=[])],
        tip="let the workers and the control wait here after each batch, or remove it",
    )
    for row, name in enumerate(("batch_barrier", "epoch_barrier"))
]
FINDINGS: list[Entry] = [
    *BARRIERS,
    finding(
        "CL002",
        POOL,
        66,
        25,
        "Trainer.model_lock is held while batch processing runs: the 12 workers work one after another",
        "Trainer.model_lock",
        role="worker",
        how=WORKER_CALLS,
        notes=[
            at(POOL, 67, column=5, text="batch processing under the lock", role="worker", how=WORKER_CALLS),
            at(POOL, 69, column=27, text="given back here", role="worker", how=[]),
        ],
        tip="give each worker a gradient segment of its own and wait at a barrier instead",
    ),
    finding(
        "CR002",
        POOL,
        113,
        21,
        "Trainer.running is polled without an order: the loop may never see the change",
        "Trainer.running",
        role="control",
        how=[at(TRAINER, 95, function="control_thread")],
        notes=[at(TRAINER, 188, column=14, text="set here", role="caller", how=CALLER_CALLS)],
        tip="use an atomic, or a barrier that the stop goes through",
    ),
    finding(
        "CT002",
        POOL,
        43,
        31,
        "a worker that sleeps here is woken by nobody when the trainer stops",
        "Worker.wake",
        role="worker",
        how=[at(TRAINER, 92, function="worker_thread")],
        checked="confirmed",
        notes=[
            at(TRAINER, 188, column=14, text="stops without a signal", role="caller", how=CALLER_CALLS),
            at(TRAINER, 190, column=9, text="and waits here for the worker's end", role="caller", how=CALLER_CALLS),
        ],
        tip="set the flag and broadcast while holding Worker.lock",
    ),
    finding(
        "CS002",
        TRAINER,
        71,
        25,
        "num_parameters / num_threads gives the remainder to nobody",
        "Trainer.segments",
        confidence="medium",
        new=False,
        tip="the last segment takes the rest, or the first ones take one more",
    ),
    finding(
        "CR001",
        POOL,
        90,
        13,
        "Worker.has_work is written without Worker.lock while a worker reads it",
        "Worker.has_work",
        role="caller",
        how=[at(TRAINER, 120, function="hand_out")],
        checked="not confirmed",
        confidence="medium",
        notes=[
            at(
                POOL,
                43,
                column=31,
                text="tested here",
                role="worker",
                how=[at(TRAINER, 92, function="worker_thread")],
            )
        ],
    ),
    finding(
        "CT005",
        POOL,
        113,
        5,
        "the control thread never does anything but sleep",
        "control",
        role="control",
        how=[at(TRAINER, 95, function="control_thread")],
        notes=[at(POOL, 114, column=9, text="the whole of its loop", role="control", how=[])],
    ),
    finding(
        "CT006",
        TRAINER,
        150,
        43,
        "a sequential implementation is reachable beside the threaded one",
        "train_sequential",
        role="caller",
        confidence="medium",
        new=False,
    ),
    finding(
        "CS004",
        SHARED,
        22,
        20,
        "the shared region is mapped and neither read nor written by a training thread",
        "SharedRegion.base",
        new=False,
    ),
    finding("CR003", HEADER, 54, 9, "Worker.complete is declared and never used", "Worker.complete", new=False),
]


# ------------------------------------------------------------------------------------------------- requirements, plan
ROWS: list[tuple[str, str, str, str, list[Entry], str]] = [
    (
        "NZ1",
        "Node Zero",
        "A control thread of its own exists, apart from workers and caller.",
        "met",
        [at(TRAINER, 95, text="control_thread is started")],
        "",
    ),
    (
        "NZ2",
        "Node Zero",
        "No path from the control's entry function reaches batch processing.",
        "met",
        [at(POOL, 113, text="its loop calls usleep and nothing else")],
        "",
    ),
    (
        "NZ3",
        "Node Zero",
        "The control distributes, waits, accumulates and updates; it is not merely parked.",
        "unmet",
        [
            at(POOL, 113, text="only parked"),
            at(TRAINER, 120, text="the caller distributes instead"),
            at(TRAINER, 133, text="the caller updates instead"),
        ],
        "",
    ),
    (
        "NZ5",
        "Node Zero",
        "No lock is held during forward and backward.",
        "unmet",
        [at(POOL, 66, text="Trainer.model_lock is taken"), at(POOL, 67, text="forward runs under it")],
        "",
    ),
    (
        "BA1",
        "Barriers",
        "Every barrier is initialised, waited on and destroyed.",
        "partly",
        [at(TRAINER, 84, text="initialised"), at("", 0, text="looked for pthread_barrier_wait: no call")],
        "",
    ),
    (
        "BA6",
        "Barriers",
        "Shutdown is part of the protocol: nobody is left waiting.",
        "unmet",
        [at(POOL, 43, text="nobody wakes this worker")],
        "",
    ),
    (
        "LF2",
        "Lock-free gradients",
        "Segments do not overlap and cover the whole gradient.",
        "unmet",
        [at(TRAINER, 71, text="the remainder is lost")],
        "",
    ),
    (
        "LF5",
        "Lock-free gradients",
        "Gradients are validated and clipped before the update.",
        "unmet",
        [at("", 0, text="")],
        "a call of isnan, isinf or isfinite, or a norm, between backward and the update",
    ),
    (
        "SM1",
        "Shared memory",
        "Regions are created, and read and written by the training threads.",
        "partly",
        [at(SHARED, 22, text="created and never used")],
        "",
    ),
    (
        "RC5",
        "Recursive control",
        "Depth grows with the work and shrinks when idle.",
        "unknown",
        [],
        "a thread that starts threads of its own",
    ),
    (
        "IN4",
        "Infrastructure",
        "Every thread is joined or detached; every object is destroyed once.",
        "partly",
        [at(TRAINER, 190, text="workers are joined"), at(TRAINER, 84, text="never destroyed")],
        "",
    ),
]
REQUIREMENTS: list[Entry] = [
    {
        "id": name,
        "group": group,
        "text": text,
        "source": "the plan",
        "status": status,
        "evidence": evidence,
        "looked_for": looked_for,
    }
    for name, group, text, status, evidence, looked_for in ROWS
]


PLAN: list[Entry] = [
    {
        "step": 1,
        "title": "Workers wait at the batch barrier after each batch",
        "requirements": ["BA1", "NZ5"],
        "where": [at(POOL, 66, text="the lock is taken here"), at(TRAINER, 84, text="initialised here")],
        "replaces": "Trainer.model_lock around forward and backward",
        "promise": "no race",
        "test": "run with -fsanitize=thread: no report",
        "functions": ["process_batch", "worker_thread"],
        "sides": [
            at(POOL, 68, text="workers write their segments before"),
            at(TRAINER, 133, text="the control reads them after"),
        ],
        "patch": "--- a/src/pool.c\n+++ b/src/pool.c\n@@ process_batch @@\n"
        "-    pthread_mutex_lock(&trainer->model_lock);\n"
        "     forward(trainer->model, slot);\n-    backward(trainer->model, slot, trainer->gradients);\n"
        "-    pthread_mutex_unlock(&trainer->model_lock);\n+    backward(trainer->model, slot, worker->segment);\n"
        "+    pthread_barrier_wait(&trainer->batch_barrier);\n",
        "order_reason": "the barrier has to stand before the lock can go",
    },
    {
        "step": 2,
        "title": "The control thread distributes, accumulates and updates",
        "requirements": ["NZ3"],
        "where": [at(POOL, 113, text="its empty loop")],
        "replaces": "the loop of usleep",
        "promise": "update before use",
        "test": "the control's thread identity is seen in apply_gradients",
        "functions": ["control_thread"],
        "sides": [],
        "patch": "@@ control_thread @@\n-    while (trainer->running) usleep(1000);\n"
        "+    while (next_order(trainer) != STOP) {\n"
        "+        pthread_barrier_wait(&trainer->batch_barrier);\n+    }\n",
        "order_reason": "",
    },
    {
        "step": 3,
        "title": "Shutdown goes through the barrier",
        "requirements": ["BA6"],
        "where": [at(TRAINER, 188)],
        "replaces": "",
        "promise": "progress",
        "test": "stop after 0, 1 and 3 epochs ends",
        "functions": [],
        "sides": [],
        "patch": "",
        "order_reason": "needs the order that step 2 brings",
    },
]
