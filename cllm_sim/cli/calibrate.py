"""`cllm calibrate`: this machine's durations, measured in seconds, as the cost model of later simulations.

Rules of this file: options in, `api.calibrate` called, result shown.
"""

from typing import Any

import click

from cllm_sim.cli import options
from cllm_sim.cli.exit import stdout_reserved
from cllm_sim.cli.terminal import Terminal


@click.command(
    short_help="Measure what operations cost on this machine.",
    epilog="""\b
Examples:
  cllm calibrate
  cllm calibrate --set hidden=128 -o ./my-machine
""",
)
@options.text
@options.seed
@options.setting
@options.output("the user's cache only")
@options.common
def command(terminal: Terminal, **given: Any) -> int:
    """Measure how long every operation takes on this machine, and keep the cost model for later simulations.

    The model goes to the user's cache, where 'simulate' and 'validate' find it, and to DIR/costs.toml with -o. The
    learner's settings belong to it: a larger network computes longer.
    """
    from cllm_sim import api

    with terminal.working() as progress, stdout_reserved():
        result = api.calibrate(notify=progress.stage, **options.passed_on(given))
    return terminal.finish([result])
