"""`make bench`: how fast the parts are, as ratios against a rival measured in the same run, with spread.

Rounds of ours and of the rival alternate, so that a slow minute of the machine hits both; a ratio is taken per round
and its median and quartiles are reported. Nothing is discarded. Times live here and nowhere in the tests.

Rules of this file: every case is a function that returns one row; a case that cannot run says why in `skipped`.
"""

import argparse
import json
import multiprocessing
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import simpy  # noqa: E402 - the thread limits above must be set before numpy is loaded

from cllm_sim import checker, results  # noqa: E402 - as above
from cllm_sim.compose import compose  # noqa: E402 - as above
from cllm_sim.job import Job  # noqa: E402 - as above
from cllm_sim.library import load  # noqa: E402 - as above
from cllm_sim.tree import Tree  # noqa: E402 - as above
from real_runtime import native  # noqa: E402 - as above
from real_runtime.memory import Layout, SharedMemory  # noqa: E402 - as above
from real_runtime.processes import fork_actor, kill_all, wait_any  # noqa: E402 - as above

Row = dict[str, Any]
Timed = Callable[[], float]


def ratios(name: str, unit: str, ours: Timed, rival: Timed, rounds: int, must: float | None, aim: float | None) -> Row:
    """Alternate ours and the rival; the ratio is rival / ours, so above 1 means that ours is faster."""
    pairs = [(ours(), rival()) for _ in range(rounds)]
    per_round = sorted(theirs / mine for mine, theirs in pairs)
    p25, median, p75 = statistics.quantiles(per_round, n=4) if rounds > 1 else per_round * 3
    return {
        "name": name,
        "ours": statistics.median(mine for mine, _ in pairs),
        "rival": statistics.median(theirs for _, theirs in pairs),
        "unit": unit,
        "ratio": {"median": median, "p25": p25, "p75": p75},
        "rounds": rounds,
        "must": must,
        "aim": aim,
        "met": None if must is None else median >= must,
        "skipped": None,
    }


def rate(name: str, unit: str, measure: Timed, rounds: int) -> Row:
    """A figure without a rival: the median of some rounds, and its quartiles in place of a ratio."""
    values = [measure() for _ in range(rounds)]
    p25, median, p75 = statistics.quantiles(values, n=4) if rounds > 1 else values * 3
    spread = {"median": median, "p25": p25, "p75": p75}
    return {"name": name, "ours": median, "rival": None, "unit": unit, "ratio": None, "spread": spread,
            "rounds": rounds, "must": None, "aim": None, "met": None, "skipped": None}  # fmt: skip


# --- barrier ----------------------------------------------------------------------------------------------------------


def _together(parties: int, wait: Callable[[], object], rounds: int) -> float:
    """Microseconds per round when `parties` processes cross a barrier `rounds` times; the clock stops with the last."""

    def cross() -> int:
        for _ in range(rounds):
            wait()
        return 0

    def report(error: BaseException) -> None:
        print(error, file=sys.stderr)

    begin = time.perf_counter()
    children = [fork_actor(cross, on_error=report) for _ in range(parties)]
    try:
        while any(child.end is None for child in children):
            wait_any(children, 60.0)
        return (time.perf_counter() - begin) / rounds * 1e6
    finally:
        kill_all(children)


def barrier(parties: int, rounds: int) -> Row:
    """A barrier round of our processes against `multiprocessing.Barrier`."""
    layout = Layout()
    layout.add("barrier", native.Barrier.SIZE_BYTES)
    with SharedMemory.create(layout) as memory:
        ours = native.Barrier.initialise(memory.address("barrier"), parties)
        rival = multiprocessing.get_context("fork").Barrier(parties)
        crossings = 1000
        return ratios(
            f"barrier round, {parties} processes, against multiprocessing.Barrier",
            "us",
            lambda: _together(parties, ours.wait, crossings),
            lambda: _together(parties, rival.wait, crossings),
            rounds,
            2.0,
            5.0,
        )


# --- checker, simulator, judge ----------------------------------------------------------------------------------------


def _states_per_second(reductions: str, workers: int) -> float:
    data = checker.run(load("node_zero"), workers=workers, reductions=reductions).data
    return float(data["states"] / data["seconds"])


def _simulator_costs() -> Any:
    from cllm_sim.costs import load_costs

    return load_costs(Path(__file__).with_name("costs.toml"))


def simulator(rounds: int) -> Row:
    """Events per second of the simulator against a bare SimPy loop with as many events."""
    from cllm_sim import simulator as package

    costs, loaded = _simulator_costs(), load("node_zero")
    events = 0

    def ours() -> float:
        nonlocal events
        result, _ = package.run(loaded, workers=12, slots=12, steps=60, costs=costs, cores=2, replications=1, seed=1)
        data = result.data
        events = data["events"]
        return float(1e6 / data["events_per_second"])

    def rival() -> float:
        environment = simpy.Environment()

        def process() -> Any:
            for _ in range(events // 13):
                yield environment.timeout(1.0)

        for _ in range(13):
            environment.process(process())
        begin = time.perf_counter()
        environment.run()
        return (time.perf_counter() - begin) / events * 1e6

    return ratios("simulated event, 1 + 12, against a bare SimPy timeout", "us", ours, rival, rounds, None, None)


def judge(rounds: int) -> Row:
    """Events per second of the judge on a simulated run of 1 + 12 actors."""
    from cllm_sim import simulator as package
    from cllm_sim import validator

    loaded = load("node_zero")
    trace = package.run(
        loaded, workers=12, depth=1, slots=12, steps=100, costs=_simulator_costs(), cores=2, replications=1, seed=1
    )[1]

    def measure() -> float:
        begin = time.perf_counter()
        assert validator.run(loaded, trace).data["legal"]
        return trace.events / (time.perf_counter() - begin)

    return rate("judged events, 1 + 12", "events/s", measure, rounds)


def composition(rounds: int) -> Row:
    """Milliseconds to compose 157 actors and their job."""

    def measure() -> float:
        begin = time.perf_counter()
        Job(compose(load("node_zero").architecture, Tree(12, 2)), 144).ranges  # noqa: B018 - a cached property is computed
        return (time.perf_counter() - begin) * 1e3

    return rate("load and compose 1 + 12 + 144 actors", "ms", measure, rounds)


def all_rows(rounds: int) -> list[Row]:
    """Every case, one after another."""
    cases: list[Callable[[], Row]] = [
        lambda: barrier(13, rounds),
        lambda: barrier(4, rounds),
        lambda: rate("checked, node_zero 1 + 12, symmetry", "states/s", lambda: _states_per_second("symmetry", 12), 3),
        lambda: rate("checked, node_zero 1 + 6, unreduced", "states/s", lambda: _states_per_second("none", 6), 3),
        lambda: simulator(rounds),
        lambda: judge(3),
        lambda: composition(rounds),
    ]
    rows = []
    for case in cases:
        rows.append(case())
        print(_line(rows[-1]), flush=True)
    return rows


def _line(row: Row) -> str:
    spread = row["ratio"] or row["spread"]
    shown = f"{spread['median']:.4g} [{spread['p25']:.4g}, {spread['p75']:.4g}]"
    if row["ratio"]:
        met = {True: "met", False: "NOT MET", None: ""}[row["met"]]
        asked = f"must {row['must']:g}x {met}" if row["must"] else ""
        return f"{row['name']}: {row['ours']:.4g} against {row['rival']:.4g} {row['unit']}, ratio {shown} {asked}"
    return f"{row['name']}: {shown} {row['unit']}"


def main() -> int:
    """Run all cases and write `reports/bench/result.json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("-o", "--output", default="reports/bench")
    options = parser.parse_args()
    begin = time.perf_counter()
    rows = all_rows(options.rounds)
    data = {
        "schema": results.SCHEMA,
        "verb": "bench",
        "architecture": None,
        "file_sha256": None,
        "scope": results.scope(None, None),
        "seed": 1,
        "command": ["make", "bench"],
        "environment": results.environment(),
        "rows": rows,
        "seconds": round(time.perf_counter() - begin, 3),
        "wall_seconds": round(time.perf_counter() - begin, 3),
        "exit_code": 0,
    }
    folder = Path(options.output)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "result.json").write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
