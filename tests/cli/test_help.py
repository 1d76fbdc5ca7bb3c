"""What `--help` says, that it says it at once, and that what it says of defaults is what the API does."""

import dataclasses
import importlib
import inspect
import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import click
import pytest

from cllm_sim import api, checker
from cllm_sim.cli import options
from cllm_sim.cli.compare import WAYS
from cllm_sim.cli.train import STEPS
from cllm_sim.cli.verbs import VERBS, commands
from cllm_sim.comparison.request import STAGES, Request

HEAVY = {"jinja2", "matplotlib", "networkx", "numpy", "pydantic", "rich", "safetensors", "scipy", "simpy"}
FIRST_LINES = {
    "check": "Search every interleaving of ARCH, with any number of steps, for a broken promise.",
    "simulate": "Simulate ARCH with the costs of a machine: step time with its interval, waiting, contention",
    "train": "Train a small byte-level language model with ARCH: one process per actor, weights and gradients in",
    "validate": "Judge a recorded run: is there an order of the events, fitting the clocks, that the text allows?",
    "compare": "Check, simulate, train and validate every ARCH, and write one report: index.html with its figures.",
    "audit": "Read the C sources below every PATH and say what their threads do: inventory, findings",
    "calibrate": "Measure how long every operation takes on this machine, and keep the cost model for later",
    "report": "Write index.html, the figures and timeline.json of RESULT (a result.json or its folder) again.",
    "replay": "Show what every step of SCHEDULE does: who moved, at which line, what changed; and who is stuck",
    "list": "Show the shipped architectures, the first line of each, and which of them are broken on purpose.",
    "new": "Write NAME.py to the current folder: a small design that holds, with what every line is for",
    "explain": "Explain CODE: a class of defect (race), a promise (no race) or an exit code (3). Without CODE",
}
USAGE = {
    "check": "cllm check [OPTIONS] ARCH",
    "simulate": "cllm simulate [OPTIONS] ARCH",
    "train": "cllm train [OPTIONS] ARCH",
    "validate": "cllm validate [OPTIONS] RUN",
    "compare": "cllm compare [OPTIONS] ARCH...",
    "audit": "cllm audit [OPTIONS] PATH...",
    "calibrate": "cllm calibrate [OPTIONS]",
    "report": "cllm report [OPTIONS] RESULT",
    "replay": "cllm replay [OPTIONS] ARCH SCHEDULE",
    "list": "cllm list [OPTIONS]",
    "new": "cllm new [OPTIONS] NAME",
    "explain": "cllm explain [OPTIONS] [CODE]",
}


def command_of(verb: str) -> click.Command:
    command: click.Command = importlib.import_module(f"cllm_sim.cli.{verb}").command
    return command


def help_of(verb: str) -> str:
    """The help at a width at which nothing wraps."""
    context = click.Context(commands, info_name="cllm", max_content_width=400, terminal_width=400)
    return command_of(verb).get_help(click.Context(command_of(verb), context, verb))


def test_every_verb_is_in_the_tables() -> None:
    assert list(VERBS) == list(FIRST_LINES) == list(USAGE)


@pytest.mark.parametrize("verb", VERBS)
def test_first_lines(verb: str) -> None:
    lines = help_of(verb).splitlines()
    assert lines[0] == f"Usage: {USAGE[verb]}"
    assert lines[2].strip().startswith(FIRST_LINES[verb])


@pytest.mark.parametrize("verb", VERBS)
def test_the_table_of_verbs_says_what_the_verb_says(verb: str) -> None:
    assert command_of(verb).short_help == VERBS[verb]


@pytest.mark.parametrize("arguments", [(), ("--help",), ("-h",)])
def test_the_whole(cllm: Callable[..., Any], arguments: tuple[str, ...]) -> None:
    code, stdout, stderr = cllm(*arguments)
    assert (code, stderr) == (0, "")
    assert stdout.startswith("Usage: cllm [OPTIONS] VERB [ARGUMENTS]...\n")
    assert all(f"  {verb} " in stdout and line in stdout for verb, line in VERBS.items())
    assert "_CLLM_COMPLETE=bash_source" in stdout


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["check", "--help"], ["compare", "--help"], ["check"], ["nothing"]]
)
def test_nothing_heavy_is_imported(arguments: list[str]) -> None:
    program = (
        "import sys\n"
        "from cllm_sim.cli.exit import run\n"
        f"run({arguments!r})\n"
        f"print('HEAVY', *sorted({HEAVY!r} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines()[-1] == "HEAVY"


def test_the_list_of_verbs_imports_no_verb() -> None:
    program = (
        "import sys\n"
        "from cllm_sim.cli.exit import run\n"
        "run(['--help'])\n"
        f"print('VERBS', *[name for name in {list(VERBS)!r} if 'cllm_sim.cli.' + name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines()[-1] == "VERBS"


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("cllm ch", "plain,check"),
        ("cllm check node_z", "plain,node_zero"),
        ("cllm check ./mi", "file,./mi"),
        ("cllm check --redu", "plain,--reductions"),
        ("cllm explain rac", "plain,race"),
    ],
)
def test_completion(cllm: Callable[..., Any], words: str, offered: str) -> None:
    asked = {"COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1), "_CLLM_COMPLETE": "bash_complete"}
    code, stdout, stderr = cllm(env=asked)
    assert (code, stderr) == (0, "")
    assert offered in stdout.splitlines()


# ------------------------------------------------------------------------------------------------------------- defaults
def api_defaults(verb: str) -> dict[str, Any]:
    if verb == "compare":
        fields = dataclasses.fields(Request)
        return {field.name: field.default for field in fields if field.default is not dataclasses.MISSING}
    parameters = inspect.signature(getattr(api, verb)).parameters.values()
    return {parameter.name: parameter.default for parameter in parameters if parameter.default is not parameter.empty}


def read(option: click.Option, shown: str) -> Any:
    """A shown default, as the option's own type reads it."""
    return option.type_cast_value(click.Context(commands), shown)


def shown_defaults() -> list[tuple[str, str, Any, Any]]:
    found = []
    for verb in ("check", "simulate", "train", "validate", "compare", "calibrate", "replay"):
        known = api_defaults(verb)
        for option in command_of(verb).params:
            default = re.search(r"\[default: ([^],]+(?:,[a-z]+)*)", getattr(option, "help", "") or "")
            if isinstance(option, click.Option) and default and known.get(option.name or "") not in (None, ()):
                found.append((verb, option.name or "", read(option, default[1]), known[option.name or ""]))
    return found


def test_shown_defaults_are_those_of_the_api() -> None:
    rows = shown_defaults()
    assert len(rows) > 25
    wrong = [row for row in rows if row[2] not in (row[3], (row[3],))]
    assert wrong == []


@pytest.mark.parametrize("verb", ["check", "simulate", "train", "validate", "compare", "calibrate", "replay", "report"])
def test_every_option_is_known_to_the_api(verb: str) -> None:
    own = {"help", "config", "format", "color", "quiet", "verbose", "no_progress", "exit_zero", "no_predict"}
    own |= {"pause", "full"}
    known = set(inspect.signature(getattr(api, verb)).parameters)
    if verb == "compare":
        known |= {field.name for field in dataclasses.fields(Request)} | {"output", "overwrite"}
    assert {option.name for option in command_of(verb).params} - own - known == set()


def test_choices_are_those_of_the_checker() -> None:
    choices = {option.name: option.type for option in command_of("check").params}
    assert tuple(choices["reductions"].choices) == checker.REDUCTIONS  # type: ignore[attr-defined]
    assert tuple(choices["races"].choices) == checker.RACES  # type: ignore[attr-defined]
    assert WAYS == STAGES
    assert api_defaults("train")["steps"] == STEPS


def test_common_options_are_spelled_alike() -> None:
    for verb in ("check", "simulate", "train", "validate", "compare", "calibrate"):
        names = {name for option in command_of(verb).params for name in option.opts}
        assert {"--format", "--color", "--no-progress", "-q", "-v", "--config", "--exit-zero", "-o"} <= names
    assert options.FORMATS == ("text", "json")
