"""`cllm report`: page, figures and timeline of a stored result, made again from nothing but the result.

Rules of this file: options in, `api.report` called, names of files shown.
"""

from typing import Any

import click

from cllm_sim.cli import options
from cllm_sim.cli.exit import stdout_reserved
from cllm_sim.cli.terminal import Terminal


@click.command(
    short_help="Write the page and the figures of a stored comparison again.",
    epilog="""\b
Example:
  cllm report reports/demo/result.json -o ./page
""",
)
@click.argument("result", metavar="RESULT", type=click.Path())
@options.output_folder("beside RESULT")
@options.plain
def command(terminal: Terminal, result: str, **given: Any) -> int:
    """Write index.html, the figures and timeline.json of RESULT (a result.json or its folder) again.

    The same result gives the same bytes. timeline.json opens in Perfetto.
    """
    from cllm_sim import api

    with terminal.working() as progress, stdout_reserved():
        progress.stage(f"drawing {result}")
        written = api.report(result, **options.passed_on(given))
    terminal.say("\n".join(written))
    return 0
