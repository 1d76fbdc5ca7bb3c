"""`cllm simulate`: how long a design takes, and who waits for whom, from measured costs.

Rules of this file: options in, `api.simulate` called, results shown.
"""

from typing import Any

import click

from cllm_sim.cli import options
from cllm_sim.cli.exit import stdout_reserved
from cllm_sim.cli.terminal import Terminal


@click.command(
    short_help="How long will it take, and who waits for whom?",
    epilog="""\b
Examples:
  cllm simulate node_zero
  cllm simulate model_lock --workers 2,4,8,12 --steps 100
  cllm simulate node_zero --depth 2 --cores 64 --costs ./costs.toml
""",
)
@options.architecture
@options.workers_list
@options.depth
@options.slots
@options.steps(50, "Steps of every replication.")
@options.costs
@options.cores
@options.replications
@options.seed
@options.setting
@options.output("reports/<architecture>-simulate, then -2, -3")
@options.common
def command(terminal: Terminal, architecture: str, workers: tuple[int, ...] | None, **given: Any) -> int:
    """Simulate ARCH with the costs of a machine: step time with its interval, waiting, contention, critical path.

    The promises are watched meanwhile; a deadlock ends the run and shows who waits for whom. The same seed gives the
    same bytes.
    """
    from cllm_sim import api

    with terminal.working() as progress, stdout_reserved():
        results = []
        for one in options.one_by_one(workers, given):
            progress.stage(f"simulating {architecture}" + (f", {one['workers']} workers" if "workers" in one else ""))
            results.append(api.simulate(architecture, notify=progress.stage, **one))
    return terminal.finish(results)
