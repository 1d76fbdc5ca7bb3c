"""What a run leaves behind: metrics line by line, the trace of all actors, and the fields of its result.

Rules of this file: it reads the board after or beside the run and writes files; it never takes part in the protocol.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cllm_sim.trace import SCHEMA, Trace, write_trace
from real_runtime.board import STEP_COLUMNS, Board
from real_runtime.checkpoint import checkpoints_in, digest
from real_runtime.perform import COLUMN, STEP
from real_runtime.record import current_op, read_log
from real_runtime.text import bigram_bits_per_byte

if TYPE_CHECKING:
    from real_runtime.host import Host


class Metrics:
    """Rows of finished steps, once each; also written to `metrics.jsonl`."""

    def __init__(self, board: Board, run_dir: Path, first_step: int) -> None:
        self.board = board
        self.file = run_dir / "metrics.jsonl"
        self.written = first_step
        if not first_step:
            self.file.write_text("", encoding="utf-8")

    def new_rows(self) -> Iterator[dict[str, Any]]:
        """Steps that ended since the last call."""
        rows = []
        last = int(self.board.header[STEP])
        while self.written < last and self.board.steps[self.written + 1, COLUMN["end_ns"]]:
            self.written += 1
            row = dict(zip(STEP_COLUMNS, self.board.steps[self.written].tolist(), strict=True))
            rows.append(
                {
                    "step": self.written,
                    "loss_bits": row["loss_bits"],
                    "gradient_norm": row["norm"],
                    "clip_factor": row["factor"],
                    "step_ms": (row["end_ns"] - row["begin_ns"]) / 1e6,
                }
            )
        if rows:
            with self.file.open("a", encoding="utf-8") as file:
                file.writelines(json.dumps(row) + "\n" for row in rows)
        yield from rows


def write_run_trace(host: "Host") -> bool:
    """Write the logs of all actors; returns whether every text came to its end and no log was cut."""
    logs, complete = {}, bool(host.children)
    for number, actor in enumerate(host.system.actors):
        events, whole = read_log(host.board, number, host.origin_ns)
        logs[actor.name] = events
        complete = complete and whole and current_op(host.board, number) == "finished"
    header = {
        "schema": SCHEMA,
        "clock": "real",
        "architecture": host.loaded.name,
        "path": host.loaded.path,
        "file_sha256": host.loaded.sha256,
        "workers": host.spec.workers,
        "depth": host.spec.depth,
        "slots": host.job.slots,
        "steps": host.spec.steps - host.first_step,
        "seed": host.spec.seed,
        "settings": host.spec.settings,
        "complete": complete,
    }
    write_trace(host.run_dir / "trace.jsonl", Trace(header, logs))
    return complete


def train_result(host: "Host", heldout_before: float, complete: bool, seconds: float) -> dict[str, Any]:
    """The fields of a train result that only the runtime can know."""
    board, first = host.board, host.first_step
    last = int(board.header[STEP])
    rows = board.steps[first + 1 : last + 1]
    step_ms = (rows[:, COLUMN["end_ns"]] - rows[:, COLUMN["begin_ns"]]) / 1e6
    loss = rows[:, COLUMN["loss_bits"]]
    return {
        "architecture": host.loaded.name,
        "file": host.loaded.path,
        "file_sha256": host.loaded.sha256,
        "title": host.loaded.title,
        "marked_broken": host.loaded.broken,
        "slots": host.job.slots,
        "steps": last,
        "first_step": first,
        "asked_steps": host.spec.steps,
        "interrupted": bool(host.stop_asked),
        "complete": complete,
        "loss": {"first": _number(loss, 0), "last": _number(loss, -1)},
        "heldout_bits_per_byte": {
            "first": heldout_before,
            "last": _finite(host.learner.heldout_bits_per_byte(board.weights)),
        },
        "bigram_bits_per_byte": bigram_bits_per_byte(host.corpus),
        "digest": digest(board.weights),
        "step_ms": quantiles(step_ms),
        "processes": len(host.system.actors),
        "restarts": 0,
        "parameters": host.learner.size,
        "nonfinite_steps": int((rows[:, COLUMN["nonfinite_slot"]] >= 0).sum()),
        "clipped_steps": int(((rows[:, COLUMN["factor"]] < 1) & (rows[:, COLUMN["nonfinite_slot"]] < 0)).sum()),
        "gradient_norm_max": _finite(float(np.nanmax(rows[:, COLUMN["norm"]]))) if len(rows) else None,
        "gradient_clip_val": host.optimizer_settings.gradient_clip_val,
        "culprits": _culprits(host, first, rows),
        "text": {"name": host.corpus.name, "bytes": host.corpus.bytes, "sha256": host.corpus.sha256},
        "learner": {name: getattr(host.learner.settings, name) for name in host.learner.settings.__dataclass_fields__},
        "optimizer": {n: getattr(host.optimizer_settings, n) for n in host.optimizer_settings.__dataclass_fields__},
        "checkpoints": [path.name for path in checkpoints_in(host.run_dir / "checkpoints")],
        "trace": "trace.jsonl",
        "run_dir": str(host.run_dir),
        "seconds": round(seconds, 6),
    }


def quantiles(values_ms: Any) -> dict[str, float] | None:
    """Median, 5 % and 95 % quantile in milliseconds; None where there are no steps."""
    if not len(values_ms):
        return None
    p05, median, p95 = np.quantile(values_ms, [0.05, 0.5, 0.95]).tolist()
    return {"median": median, "p05": p05, "p95": p95}


def _culprits(host: "Host", first: int, rows: Any) -> list[dict[str, Any]]:
    """Steps whose gradient was not finite: the step, the first slot concerned and the parameter."""
    found = []
    for number, row in enumerate(rows):
        slot = int(row[COLUMN["nonfinite_slot"]])
        if slot >= 0:
            whose = slot < host.job.slots
            index = int(row[COLUMN["nonfinite_index"]])
            parameter = host.learner.parameter_at(index) if whose else None
            found.append({"step": first + number + 1, "slot": slot if whose else None, "parameter": parameter, "index": index})
    return found


def _number(values: Any, at: int) -> float | None:
    return _finite(float(values[at])) if len(values) else None


def _finite(value: float) -> float | None:
    """JSON knows no NaN: a value that is not finite becomes null."""
    return value if np.isfinite(value) else None
