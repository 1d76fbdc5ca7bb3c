"""`cllm validate`: a recorded run judged by the very meaning of the operations, and its times by the prediction.

Rules of this file: options in, `api.validate` called, result shown.
"""

from typing import Any

import click

from cllm_sim.cli import options
from cllm_sim.cli.exit import stdout_reserved
from cllm_sim.cli.terminal import Terminal


@click.command(
    short_help="Did reality do what the text allows, in the time predicted?",
    epilog="""\b
Examples:
  cllm validate reports/node_zero-train
  cllm validate reports/node_zero-simulate/trace.jsonl --no-predict
""",
)
@click.argument("run", metavar="RUN", type=click.Path())
@options.costs
@options.budget("2m", "Time limit of the judgement; what is not judged by then is undecided.")
@options.option("--no-predict", is_flag=True, help="Judge the order of events only, not the times.")
@options.output("none, nothing is written")
@options.common
def command(terminal: Terminal, run: str, no_predict: bool, **given: Any) -> int:
    """Judge a recorded run: is there an order of the events, fitting the clocks, that the text allows?

    RUN is the folder that 'train' or 'simulate' left, or its trace.jsonl. An illegal record is shown with its first
    impossible event and what would have been possible instead. For a real run the step time is also compared with the
    simulated one, with the noise beside the error.
    """
    from cllm_sim import api

    with terminal.working() as progress, stdout_reserved():
        progress.stage(f"judging {run}")
        result = api.validate(run, predict=not no_predict, notify=progress.stage, **options.passed_on(given))
    return terminal.finish([result])
