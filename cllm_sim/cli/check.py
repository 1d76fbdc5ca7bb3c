"""`cllm check`: every interleaving of a design, judged against its promises.

Rules of this file: options in, `api.check` called, results shown.
"""

from collections.abc import Sequence
from typing import Any

import click

from cllm_sim.cli import options
from cllm_sim.cli.exit import stdout_reserved
from cllm_sim.cli.terminal import Terminal
from cllm_sim.results import RunResult, worst

FORMATS = ("text", "json", "sarif", "junit")


@click.command(
    short_help="Can it ever go wrong? Every interleaving, every promise.",
    epilog="""\b
Examples:
  cllm check node_zero --workers 12
  cllm check ./mine.py --workers 2,3,4
  cllm check model_lock --workers 4 --promise uncontended
  cllm check node_zero --workers 2 --depth 2 --reductions none
  cllm check node_zero --workers 12 --depth 2 --reductions both
  cllm check node_zero --any-depth
""",
)
@options.architecture
@options.workers_list
@options.depth
@options.option(
    "--reductions",
    type=click.Choice(("none", "symmetry", "partial-order", "both")),
    shown="both",
    help="symmetry: workers that cannot be told apart are one; partial-order: of orders that make no difference one "
    "is followed; both; none: every interleaving by itself.",
)
@options.option(
    "--races",
    type=click.Choice(("auto", "next", "monitor")),
    shown="auto",
    help="How races are found: both accesses next, or happens-before marks in the state as well.",
)
@options.option("--promise", multiple=True, metavar="NAME", help="Judge this promise, too; may be repeated.")
@options.option("--without", multiple=True, metavar="NAME", help="Do not judge this promise; may be repeated.")
@options.budget("2m", "Time limit of the search; what is not searched by then is undecided.")
@options.option("--max-states", type=options.POSITIVE, metavar="N", shown="3000000", help="Limit of states.")
@options.option(
    "--any-depth",
    is_flag=True,
    help="Prove every depth by induction over the levels (fan-outs 1 to 12, or those of --workers).",
)
@options.option(
    "--promela",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Also write the model in Promela for SPIN; how to run it stands in the file's first lines.",
)
@options.setting
@options.option("--all", "full", is_flag=True, help="Show every defect step by step, not only the first.")
@options.output("none, nothing is written")
@options.common_with(FORMATS, "json, sarif, junit: one document on stdout, nothing else.")
def command(terminal: Terminal, architecture: str, workers: tuple[int, ...] | None, full: bool, **given: Any) -> int:
    """Search every interleaving of ARCH, with any number of steps, for a broken promise.

    A promise holds (for the scope shown), is broken (with the shortest way to break it, step by step, each with its
    line) or is undecided (a limit was reached). Few workers usually show the same defects as many, and faster.
    """
    from cllm_sim import api

    with terminal.working() as progress, stdout_reserved():

        def show(states: int, queue: int, seconds: float) -> None:
            rate = f", {states / seconds:,.0f} per second" if seconds else ""
            progress.show(f"{architecture}: {states:,} states, {queue:,} to look at{rate}, {seconds:.0f} s")

        if given["any_depth"]:
            once = next(options.one_by_one(None, given))
            results = [api.check(architecture, progress=show, fanouts=workers or range(1, 13), **once)]
        else:
            results = [api.check(architecture, progress=show, **one) for one in options.one_by_one(workers, given)]
    if terminal.format in ("sarif", "junit"):
        return _document(terminal, results)
    return terminal.finish(results, full=full)


def _document(terminal: Terminal, results: Sequence[RunResult]) -> int:
    """One document for other programs."""
    from cllm_sim.report import junit, sarif_check

    render = junit.render if terminal.format == "junit" else sarif_check.render
    terminal.say(render([result.data for result in results]).rstrip("\n"))
    return worst([result.exit_code for result in results])
