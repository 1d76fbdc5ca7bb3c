"""The list of verbs, and the group that imports a verb only when it is used.

Rules of this file: `VERBS` holds one line per verb, shown by `cllm --help`; the file of a verb has the same name and
makes a `command` with the same line as its short help (a test compares them).
"""

import difflib
import importlib
from typing import Any

import click

from cllm_sim import __version__
from cllm_sim.cli.exit import interruptible

VERBS = {
    "check": "Can it ever go wrong? Every interleaving, every promise.",
    "simulate": "How long will it take, and who waits for whom?",
    "train": "A real training run on real processes and shared memory.",
    "validate": "Did reality do what the text allows, in the time predicted?",
    "compare": "Which design is better, and is the difference real?",
    "audit": "What does an existing C program do, against the plan?",
    "calibrate": "Measure what operations cost on this machine.",
    "report": "Write the page and the figures of a stored comparison again.",
    "replay": "Walk through one schedule, step by step.",
    "list": "The shipped architectures.",
    "new": "Write a commented architecture of your own to start from.",
    "explain": "What a class of defect, a promise or an exit code means.",
}

HELP = """Write a synchronisation protocol once; check it, simulate it, really train with it, and judge what it did.

ARCH is a shipped name (see 'cllm list') or the path of a file of yours (a path contains '/' or ends in .py). Loading a
file runs it, as pytest does with conftest.py.

\b
First steps:
  cllm check node_zero --workers 3       a design that holds
  cllm check early_reduce --workers 3    one that does not, and how it breaks
  cllm train node_zero --steps 20        1 control and 12 workers, for real
  cllm new mine                          a file of your own to start from
"""

EPILOG = """\b
Exit codes ('cllm explain CODE' says more):
  0  all holds                        3  undecided: a limit was reached
  1  the subject is at fault          4  we are at fault
  2  the request is at fault          130 interrupted, 143 terminated

\b
Shell completion:
  bash   eval "$(_CLLM_COMPLETE=bash_source cllm)"
  zsh    eval "$(_CLLM_COMPLETE=zsh_source cllm)"
  fish   _CLLM_COMPLETE=fish_source cllm | source

Defaults of any option may stand in cllm.toml, or in pyproject.toml under [tool.cllm]; the command line wins.
"""


class Verbs(click.Group):
    """A group whose members are modules, imported on use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in the order of the table."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the verb's file."""
        if cmd_name not in VERBS:
            return None
        command: click.Command = importlib.import_module(f"cllm_sim.cli.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb; an unknown one is answered with the nearest known one."""
        name = args[0]
        if name not in VERBS and not name.startswith("-"):
            near = difflib.get_close_matches(name, VERBS, n=1)
            hint = f"Did you mean '{near[0]}'?" if near else f"There are: {', '.join(VERBS)}."
            raise click.UsageError(f"No verb called '{name}'. {hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table, without importing a single verb."""
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb."""
        with interruptible():
            return super().invoke(ctx)


@click.group(
    cls=Verbs,
    help=HELP,
    epilog=EPILOG,
    invoke_without_command=True,
    subcommand_metavar="VERB [ARGUMENTS]...",
    context_settings={"max_content_width": 100, "help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, message="cllm-sim %(version)s")
@click.pass_context
def commands(ctx: click.Context) -> None:
    """All verbs; without one, the help."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
