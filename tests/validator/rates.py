"""How many events a second the judge looks at, on runs that the runtime recorded.

    python -m tests.validator.rates [RUN...]

makes the runs itself where no folders are given: twelve workers, as real processes, in a temporary folder. Printed are
the events, the rate of the judgement alone (best of three; neither reading the file nor comparing times is in it), and
what it costs to refute the same trace with one reply of the last tenth falsified, as a share of confirming it.

`rows` gives the same to `make bench`.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from cllm_sim.architecture import Loaded
from cllm_sim.compose import System
from cllm_sim.library import load
from cllm_sim.trace import Trace, read_trace
from cllm_sim.validator import judge, system_of

RUNS = (("node_zero", 400), ("model_lock", 60))
"""Architectures and steps; both leave some twenty thousand events."""
MUST = 100_000
START = "import sys; from cllm_sim.cli import main; sys.exit(main())"

Rate = Callable[[str, str, Callable[[], float], int], dict[str, Any]]


def record(name: str, steps: int, folder: Path, workers: int = 12) -> Path:
    """Train for some steps with real processes; the folder with the trace."""
    run = folder / name
    command = [sys.executable, "-c", START, "train", name, "--workers", str(workers), "--steps", str(steps)]
    subprocess.run([*command, "-o", str(run)], check=True, capture_output=True, timeout=600)
    return run


def opened(run: Path) -> tuple[Loaded, System, Trace]:
    """A recorded run, ready to be judged."""
    trace = read_trace(run / "trace.jsonl")
    loaded = load(trace.header["architecture"])
    return loaded, system_of(loaded, trace), trace


def seconds(loaded: Loaded, system: System, trace: Trace, legal: bool) -> float:
    """The processor time of one judgement, so that a busy machine does not count; it must be the right one."""
    begin = time.process_time()
    assert judge(system, trace, path=loaded.path).legal is legal
    return time.process_time() - begin


def falsified(trace: Trace) -> Trace:
    """The same run with one wrong reply, in the last tenth of the longest log."""
    name = max(trace.actors, key=lambda actor: len(trace.actors[actor]))
    log = list(trace.actors[name])
    at = len(log) * 19 // 20
    log[at] = log[at]._replace(reply=log[at].reply + 5)
    return Trace(trace.header, {**trace.actors, name: tuple(log)})


def rows(rate: Rate, rounds: int) -> Iterator[dict[str, Any]]:
    """Rows for the benchmarks, made with their function for figures without a rival."""
    with tempfile.TemporaryDirectory() as folder:
        for name, steps in RUNS:
            loaded, system, trace = opened(record(name, steps, Path(folder)))

            def measure(loaded: Loaded = loaded, system: System = system, trace: Trace = trace) -> float:
                return trace.events / seconds(loaded, system, trace, True)

            row = rate(f"judged events of a recorded run, {name} 1 + 12", "events/s", measure, rounds)
            yield {**row, "must": MUST, "met": row["ours"] >= MUST}


def told(run: Path) -> str:
    """One line about a recorded run."""
    loaded, system, trace = opened(run)
    confirming = min(seconds(loaded, system, trace, True) for _ in range(3))
    refuting = min(seconds(loaded, system, falsified(trace), False) for _ in range(3))
    per_second = trace.events / confirming
    return (
        f"{loaded.name:12} {trace.events:>8,} events {per_second:>10,.0f} events/s "
        f"(must {MUST:,}: {'met' if per_second >= MUST else 'NOT MET'}), refuting {refuting / confirming:.0%} of that"
    )


def main(arguments: Sequence[str]) -> int:
    """Print a line per run."""
    with tempfile.TemporaryDirectory() as folder:
        runs = [Path(text) for text in arguments] or [record(name, steps, Path(folder)) for name, steps in RUNS]
        for run in runs:
            print(told(run), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
