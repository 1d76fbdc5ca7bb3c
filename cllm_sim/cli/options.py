"""What verbs have in common: the types of their options, the options themselves, and how they reach the API.

Rules of this file: an option that is not given is not passed on, so the API's defaults are the only ones (the help
repeats them, and a test compares). An option has the same spelling and meaning in every verb that has it. Whether a
value makes sense for an architecture is for the API to say; here a value is only read.
"""

import functools
import re
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from cllm_sim.cli.config import read_config
from cllm_sim.cli.exit import Session
from cllm_sim.cli.terminal import COLORS, Terminal

Function = TypeVar("Function", bound=Callable[..., Any])
SECONDS = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
FORMATS = ("text", "json")


class WholeNumbers(click.ParamType[tuple[int, ...]]):
    """`12` or `2,4,8,12`."""

    name = "N[,N...]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        """The numbers as a tuple, each once."""
        if isinstance(value, tuple):
            return value
        try:
            return tuple(dict.fromkeys(int(part) for part in str(value).split(",")))
        except ValueError:
            self.fail(f"'{value}' is no list of whole numbers; write 12 or 2,4,8,12", param, ctx)


class AtLeast(click.ParamType[int]):
    """A whole number that is not below a limit."""

    name = "N"

    def __init__(self, low: int) -> None:
        self.low = low

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number."""
        try:
            number = int(str(value))
        except ValueError:
            number = self.low - 1
        if number < self.low:
            self.fail(f"'{value}' is no whole number from {self.low} on", param, ctx)
        return number


class Words(click.ParamType[tuple[str, ...]]):
    """A comma-separated choice of known words."""

    def __init__(self, known: tuple[str, ...]) -> None:
        self.known = known
        self.name = ",".join(known)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """The words as a tuple, in the order of `known`."""
        words = value if isinstance(value, tuple) else tuple(part.strip() for part in str(value).split(","))
        for word in words:
            if word not in self.known:
                self.fail(f"'{word}' is none of {', '.join(self.known)}", param, ctx)
        return tuple(word for word in self.known if word in words)


class Duration(click.ParamType[float]):
    """`60s`, `2m`, `1.5h`, `500ms`; a number alone is seconds."""

    name = "60s|2m"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds."""
        found = re.fullmatch(r"(\d+(?:\.\d*)?|\.\d+)\s*(ms|s|m|h|)", str(value).strip())
        if found is None or not float(found[1]):
            self.fail(f"'{value}' is no time limit; write 60s, 2m or 1h", param, ctx)
        return float(found[1]) * SECONDS[found[2]]


class Setting(click.ParamType[tuple[str, str]]):
    """`key=value`."""

    name = "key=value"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """The two parts."""
        if isinstance(value, tuple):
            return value
        key, equals, text = str(value).partition("=")
        if not equals or not key.strip() or not text.strip():
            self.fail(f"'{value}' is no setting; write key=value, for example hidden=64", param, ctx)
        return key.strip(), text.strip()


class ArchitectureName(click.ParamType[str]):
    """A shipped name or a path; the library judges it, this only completes it."""

    name = "ARCH"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Shipped names that begin like this; the shell adds files."""
        from cllm_sim.library import shipped

        names = [CompletionItem(name) for name in shipped() if name.startswith(incomplete)]
        return [*names, CompletionItem(incomplete, type="file")] if "/" in incomplete or not names else names


def option(*names: str, shown: str = "", help: str, **more: Any) -> Callable[[Function], Function]:
    """An option that is not passed on unless it is given; `shown` is the default that the API then takes."""
    return click.option(*names, help=f"{help}  [default: {shown}]" if shown else help, **more)


POSITIVE = AtLeast(1)
NOT_NEGATIVE = AtLeast(0)
FILE = click.Path(dir_okay=False)
FOLDER = click.Path(file_okay=False)

architecture = click.argument("architecture", metavar="ARCH", type=ArchitectureName())
workers = option("--workers", type=int, metavar="N", shown="12", help="Children of every control.")
workers_list = option(
    "--workers",
    type=WholeNumbers(),
    metavar="N[,N...]",
    shown="12",
    help="Children of every control; a list runs one after another.",
)
depth = option(
    "--depth", type=int, metavar="D", shown="1", help="Levels of workers: 12 at depth 1, 12 and 144 at depth 2."
)
slots = option(
    "--slots",
    type=POSITIVE,
    metavar="V",
    shown="12, or the next power of twelve that holds all leaves",
    help="Parts of every batch. They, not the processes, decide the arithmetic: the same slots give the same bits.",
)
seed = option("--seed", type=NOT_NEGATIVE, metavar="N", shown="1", help="Seed of everything that is drawn.")
setting = option(
    "--set",
    "settings",
    type=Setting(),
    metavar="key=value",
    multiple=True,
    help="A setting of the file or the learner; may be repeated.",
)
text = option(
    "--text",
    type=click.Path(),
    metavar="PATH",
    shown="the sources of Python's standard library",
    help="File or folder to train on.",
)
costs = option(
    "--costs",
    type=FILE,
    metavar="FILE",
    shown="the last calibration of this machine, else one made now",
    help="Cost model to simulate with, written by 'cllm calibrate'.",
)
cores = option("--cores", type=POSITIVE, metavar="N", shown="those of the cost model", help="Simulated cores.")
replications = option(
    "--replications", type=POSITIVE, metavar="N", shown="5", help="Independent simulations behind every interval."
)


def steps(default: int, what: str) -> Callable[[Function], Function]:
    """`--steps`, with the default of this verb."""
    return option("--steps", "--max-steps", "steps", type=POSITIVE, metavar="S", shown=str(default), help=what)


def budget(default: str, what: str) -> Callable[[Function], Function]:
    """`--budget`, with the default of this verb."""
    return option("--budget", "budget_seconds", type=Duration(), metavar="60s|2m", shown=default, help=what)


def output(default: str) -> Callable[[Function], Function]:
    """`-o` and `--overwrite`; `default` says where files go without them."""

    def decorate(function: Function) -> Function:
        over = option("--overwrite", is_flag=True, help="Empty DIR first if it holds an earlier result.")
        return output_folder(default)(over(function))

    return decorate


def output_folder(default: str) -> Callable[[Function], Function]:
    """`-o` alone."""
    return option("-o", "--output", type=FOLDER, metavar="DIR", shown=default, help="Folder for the files left behind.")


def _presentation(function: Function) -> Function:
    for add in (
        option("--no-progress", is_flag=True, help="Say nothing while working."),
        option("-q", "--quiet", is_flag=True, help="Only the result; no progress, no hints."),
        option(
            "-v",
            "--verbose",
            is_flag=True,
            help="More detail: all progress as lines; the traceback of an internal error.",
        ),
        option(
            "--color",
            type=click.Choice(COLORS),
            default="auto",
            shown="auto",
            help="auto: on a terminal, unless NO_COLOR is set.",
        ),
    ):
        function = add(function)
    return function


def common(function: Callable[..., int]) -> Callable[..., int]:
    """The options of every verb that has a result; hands the verb a `Terminal` as its first argument."""
    return common_with(FORMATS, "json: one document on stdout, nothing else.")(function)


def common_with(formats: tuple[str, ...], formats_help: str) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """`common` for a verb that has formats of its own."""
    return lambda function: _with_common(function, formats, formats_help)


def _with_common(function: Callable[..., int], formats: tuple[str, ...], formats_help: str) -> Callable[..., int]:
    @functools.wraps(function)
    def with_terminal(*, format: str, exit_zero: bool, **given: Any) -> int:
        session = click.get_current_context().find_root().ensure_object(Session)
        session.exit_zero = exit_zero
        return function(_terminal(given, format), **given)

    for add in (
        option(
            "--config",
            type=click.Path(dir_okay=False),
            metavar="FILE",
            is_eager=True,
            expose_value=False,
            callback=read_config,
            shown="cllm.toml, else [tool.cllm] of pyproject.toml",
            help="File with defaults for options.",
        ),
        option("--exit-zero", is_flag=True, help="Report, but do not fail: 1 and 3 become 0."),
        _presentation,
        option(
            "--format",
            type=click.Choice(formats),
            default="text",
            shown="text",
            help=formats_help,
        ),
    ):
        with_terminal = add(with_terminal)
    return with_terminal


def plain(function: Callable[..., int]) -> Callable[..., int]:
    """The options of a verb without a result document; hands the verb a `Terminal` as its first argument."""

    @functools.wraps(function)
    def with_terminal(**given: Any) -> int:
        return function(_terminal(given, "text"), **given)

    return _presentation(with_terminal)


def _terminal(given: dict[str, Any], shape: str) -> Terminal:
    """Take the options about presentation out of `given`."""
    session = click.get_current_context().find_root().ensure_object(Session)
    session.verbose = bool(given["verbose"])
    names = ("color", "quiet", "verbose", "no_progress")
    color, quiet, verbose, no_progress = (given.pop(name) for name in names)
    return Terminal(shape, color, quiet=quiet, verbose=verbose, progress=not (no_progress or quiet))


def passed_on(options: dict[str, Any]) -> dict[str, Any]:
    """The options that were given, as keyword arguments of the API."""
    kept = {name: value for name, value in options.items() if value is not None and value is not False and value != ()}
    if "settings" in kept:
        kept["settings"] = dict(kept["settings"])
    return kept


def one_by_one(workers: tuple[int, ...] | None, options: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The keyword arguments of one call per number of workers; several leave their files in `DIR/workers-N`."""
    given = passed_on(options)
    if workers is None:
        yield given
        return
    for number in workers:
        folder = {"output": f"{given['output']}/workers-{number}"} if "output" in given and len(workers) > 1 else {}
        yield {**given, **folder, "workers": number}
