"""`cllm audit`: what an existing C program's threading really does, measured against the plan.

Rules of this file: options in, `api.audit` called, the result shown in the format asked for.
"""

from functools import partial
from typing import Any

import click

from cllm_sim.cli import options
from cllm_sim.cli.exit import stdout_reserved
from cllm_sim.cli.terminal import Terminal

FORMATS = ("text", "json", "sarif", "html")
TOPICS = ("barriers", "control", "shared-memory", "threads")
SEVERITIES = ("error", "warning", "note")


@click.command(
    short_help="What does an existing C program do, against the plan?",
    epilog="""\b
Examples:
  cllm audit src/
  cllm audit src/ --show barriers
  cllm audit src/ --check                          put the extracted protocol to the checker
  cllm audit src/ --format html > audit.html       eight documents in one page
  cllm audit src/ --baseline audit/result.json     only what is new decides the exit code

\b
A comment takes one finding away, with its reason; one that takes nothing away is a finding itself:
  pthread_mutex_t spare;  /* cllm: ignore[CL001] kept for the next release */
""",
)
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path())
@options.option("--show", type=click.Choice(TOPICS), help="Answer one question only.")
@options.option(
    "--plan", type=options.FILE, metavar="FILE", shown="the plan that comes along", help="Audit against it."
)
@options.option(
    "--bind",
    multiple=True,
    metavar="PURPOSE=FUNC",
    help="Say which function is the work (or accumulate, update, distribute); may be repeated.",
)
@options.option("--check", is_flag=True, help="Extract the protocol and search every interleaving of it.")
@options.option(
    "--workers",
    type=options.WholeNumbers(),
    metavar="N[,N...]",
    shown="2,3",
    help="Workers to check the protocol with.",
)
@options.budget("60s", "Time limit of each such search.")
@options.option(
    "--max-states", type=options.POSITIVE, metavar="N", shown="1000000", help="Limit of states of each such search."
)
@options.option("--export", type=options.FILE, metavar="FILE", help="Write the protocol as an architecture file.")
@options.option(
    "--min-severity", type=click.Choice(SEVERITIES), shown="note", help="Leave out findings that weigh less."
)
@options.option(
    "--baseline", type=click.Path(), metavar="RESULT", help="An earlier result; only new findings end with 1."
)
@options.option(
    "--with-results", is_flag=True, help="Run node_zero as well, for the chapter on test results (minutes)."
)
@options.output("none, nothing is written")
@options.common_with(FORMATS, "json, sarif, html: one document on stdout, nothing else.")
def command(terminal: Terminal, paths: tuple[str, ...], show: str | None, **given: Any) -> int:
    """Read the C sources below every PATH and say what their threads do: inventory, findings, the plan's requirements.

    Nothing is built or run, headers of the system are not needed, and comments are never evidence. What could not be
    read is named. Findings end with 1.
    """
    from cllm_sim import api

    with terminal.working() as progress, stdout_reserved():
        result = api.audit(*paths, progress=progress.show, **options.passed_on(given))
    if terminal.format == "sarif":
        from cllm_sim.report.audit import sarif

        terminal.say(sarif.render(result.data).rstrip("\n"))
    elif terminal.format == "html":
        from cllm_sim.report.audit import page

        terminal.say(page.render(result.data).rstrip("\n"))
    elif terminal.format == "json":
        return terminal.finish([result])
    else:
        from cllm_sim.report.audit import text

        terminal.draw(partial(text.render, result, show=show))
    return int(result.exit_code)
