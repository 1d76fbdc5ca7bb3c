"""What a run leaves behind: metrics line by line, the trace of all actors, and the fields of its result.

Rules of this file: it reads the board after or beside the run and writes files; it never takes part in the protocol. A
step counts as finished once its update has been applied. JSON knows no NaN: in files, a number that is not finite is
null.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cllm_sim.compose import System
from cllm_sim.errors import SubjectFailed
from cllm_sim.trace import SCHEMA, Event, Trace, write_trace
from real_runtime.board import STEP_COLUMNS, Board
from real_runtime.checkpoint import checkpoints_in, digest
from real_runtime.perform import COLUMN, STEP
from real_runtime.record import doing, log_is_whole, read_log
from real_runtime.text import bigram_bits_per_byte

if TYPE_CHECKING:
    from real_runtime.host import Host

METRICS_FILE, TRACE_FILE = "metrics.jsonl", "trace.jsonl"


class Metrics:
    """Rows of finished steps, once each; also written to `metrics.jsonl`. `written` is the last step with its row."""

    def __init__(self, board: Board, run_dir: Path, first_step: int) -> None:
        self.board = board
        self.file = run_dir / METRICS_FILE
        self.written = first_step
        self._write("w", _lines_until(self.file, first_step))

    def new_rows(self) -> list[dict[str, Any]]:
        """Steps that were finished since the last call; a loss or a norm may be NaN."""
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
            self._write("a", [json.dumps({name: _finite(value) for name, value in row.items()}) for row in rows])
        return rows

    def _write(self, mode: str, lines: list[str]) -> None:
        try:
            with self.file.open(mode, encoding="utf-8") as file:
                file.writelines(f"{line}\n" for line in lines)
        except OSError as error:
            raise _not_written(self.file, error) from error


def _lines_until(file: Path, step: int) -> list[str]:
    """The rows that a resumed run has already; later ones belong to steps that are done again."""
    if not step or not file.exists():
        return []
    kept = []
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            row = json.loads(line)
        except ValueError:  # the run before was ended while it wrote this line
            continue
        if isinstance(row, dict) and isinstance(row.get("step"), int) and row["step"] <= step:
            kept.append(line)
    return kept


def _not_written(file: Path, error: OSError) -> SubjectFailed:
    return SubjectFailed(f"{file} could not be written: {error.strerror or error}; the run was ended")


class _Logs(Mapping[str, tuple[Event, ...]]):
    """The logs by actor; each is read when it is asked for, because together they may be larger than the memory."""

    def __init__(self, system: System, board: Board, origin_ns: int) -> None:
        self._board, self._origin_ns = board, origin_ns
        self._numbers = {actor.name: number for number, actor in enumerate(system.actors)}

    def __getitem__(self, name: str) -> tuple[Event, ...]:
        return tuple(read_log(self._board, self._numbers[name], self._origin_ns))

    def __iter__(self) -> Iterator[str]:
        return iter(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)


def texts_ended(host: "Host") -> bool:
    """Did every actor come to the end of its text?"""
    return bool(host.children) and all(doing(host.board, actor).finished for actor in range(len(host.system.actors)))


def write_run_trace(host: "Host") -> list[str]:
    """Write the logs of all actors; returns the names of those whose log was too short for all their events."""
    actors = enumerate(host.system.actors)
    cut = [actor.name for number, actor in actors if not log_is_whole(host.board, number)]
    header = {
        "schema": SCHEMA,
        "clock": "real",
        "architecture": host.loaded.name,
        "path": host.loaded.path,
        "file_sha256": host.loaded.sha256,
        "workers": host.system.tree.workers,
        "depth": host.system.tree.depth,
        "slots": host.job.slots,
        "steps": host.spec.steps - host.first_step,
        "seed": host.spec.seed,
        "settings": host.spec.settings,
        "complete": texts_ended(host) and not cut,
        "cut": cut,
    }
    file = host.run_dir / TRACE_FILE
    try:
        write_trace(file, Trace(header, _Logs(host.system, host.board, host.origin_ns)))
    except OSError as error:
        raise _not_written(file, error) from error
    return cut


def train_result(host: "Host", heldout_before: float, seconds: float) -> dict[str, Any]:
    """The fields of a train result that only the runtime can know.

    Where the actors were ended in the middle of a step, the weights may be half of this step and half of the one
    before: then there is neither a digest nor a held-out loss of them.
    """
    board, first = host.board, host.first_step
    last = host.metrics.written
    rows = board.steps[first + 1 : last + 1]
    ended = texts_ended(host)
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
        "interrupted": bool(host.stops),
        "complete": ended,
        **_figures(rows),
        "heldout_bits_per_byte": {
            "first": _finite(heldout_before),
            "last": _finite(host.learner.heldout_bits_per_byte(board.weights)) if ended else None,
        },
        "bigram_bits_per_byte": bigram_bits_per_byte(host.corpus),
        "digest": digest(board.weights) if ended else None,
        "processes": len(host.system.actors),
        "restarts": 0,
        "parameters": host.learner.size,
        "gradient_clip_val": host.optimizer_settings.gradient_clip_val,
        "culprits": _culprits(host, first, rows),
        "text": {"name": host.corpus.name, "bytes": host.corpus.bytes, "sha256": host.corpus.sha256},
        "learner": plain(host.learner.settings),
        "optimizer": plain(host.optimizer_settings),
        "checkpoints": [path.name for path in checkpoints_in(host.run_dir / "checkpoints")],
        "trace": TRACE_FILE,
        "run_dir": str(host.run_dir),
        "seconds": round(seconds, 6),
    }


def plain(settings: Any) -> dict[str, Any]:
    """A settings value as a JSON object."""
    return {name: getattr(settings, name) for name in settings.__dataclass_fields__}


def _figures(rows: Any) -> dict[str, Any]:
    """What the rows of the finished steps say about all of them."""
    loss, norm = rows[:, COLUMN["loss_bits"]].tolist(), rows[:, COLUMN["norm"]]
    skipped = rows[:, COLUMN["nonfinite_slot"]] >= 0
    return {
        "loss": {"first": _finite(loss[0]) if loss else None, "last": _finite(loss[-1]) if loss else None},
        "step_ms": quantiles((rows[:, COLUMN["end_ns"]] - rows[:, COLUMN["begin_ns"]]) / 1e6),
        "nonfinite_steps": int(skipped.sum()),
        "clipped_steps": int(((rows[:, COLUMN["factor"]] < 1) & ~skipped).sum()),
        "gradient_norm_max": max(norm[np.isfinite(norm)].tolist(), default=None),
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
            index = int(row[COLUMN["nonfinite_index"]]) if whose else None
            parameter = host.learner.parameter_at(index) if index is not None else None
            found.append(
                {"step": first + number + 1, "slot": slot if whose else None, "parameter": parameter, "index": index}
            )
    return found


def _finite(value: float) -> float | None:
    """The value, or None where it is not finite."""
    return value if np.isfinite(value) else None
