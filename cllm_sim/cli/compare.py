"""`cllm compare`: several designs checked, simulated, trained and validated, side by side in one report.

Rules of this file: options in, `api.compare` called, result shown.
"""

from typing import Any

import click

from cllm_sim.cli import options
from cllm_sim.cli.exit import stdout_reserved
from cllm_sim.cli.terminal import Terminal

WAYS = ("check", "simulate", "train", "validate")


@click.command(
    short_help="Which design is better, and is the difference real?",
    epilog="""\b
Examples:
  cllm compare unguarded model_lock node_zero --preset demo
  cllm compare node_zero ./mine.py --workers 2,4,8,12 --repeats 3
  cllm compare node_zero work_queue --with check,simulate
""",
)
@click.argument("architectures", metavar="ARCH...", nargs=-1, type=options.ArchitectureName())
@options.workers_list
@options.depth
@options.option(
    "--with", "with_", type=options.Words(WAYS), metavar="VERB,...", shown=",".join(WAYS), help="How they are compared."
)
@options.steps(60, "Steps of every run.")
@options.option(
    "--repeats", type=options.POSITIVE, metavar="N", shown="3", help="Runs of each; their spread is the noise."
)
@options.slots
@options.seed
@options.text
@options.setting
@options.costs
@options.cores
@options.replications
@options.budget("20s", "Time limit of every single search.")
@options.option(
    "--baseline", type=click.Path(), metavar="RESULT", help="An earlier result; becoming slower ends with 1."
)
@options.option("--preset", metavar="NAME", help="A prepared comparison (demo); other options win over it.")
@options.output("reports/<architecture>-...-compare, then -2, -3")
@options.common
def command(terminal: Terminal, architectures: tuple[str, ...], **given: Any) -> int:
    """Check, simulate, train and validate every ARCH, and write one report: index.html with its figures.

    A difference is called one only where the whole interval of the ratio lies on one side, else it is 'no clear
    difference'. An architecture whose first line says BROKEN may be broken; any other broken promise, an illegal record
    or a regression against --baseline ends with 1.
    """
    from cllm_sim import api

    if not architectures and given["preset"] is None:
        raise click.UsageError(
            "Missing argument 'ARCH...'; 'cllm list' shows the shipped ones.", click.get_current_context()
        )
    with terminal.working() as progress, stdout_reserved():
        result = api.compare(*architectures, progress=progress.stage, **options.passed_on(given))
    return terminal.finish([result])
