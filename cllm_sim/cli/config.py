"""Defaults of options from a file: `cllm.toml`, or `[tool.cllm]` of `pyproject.toml`; the command line wins.

    workers = 3                 # for every verb that has the option
    set = { hidden = 64 }

    [check]                     # for one verb
    budget = "2m"

Rules of this file: a key is the long name of an option, and its value is read by that option's own type, so the file
and the command line refuse the same things. Every refusal names the file and the line.
"""

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from cllm_sim.errors import BadRequest

NOT_CONFIGURABLE = frozenset({"config", "help"})


@dataclass(frozen=True, slots=True)
class Source:
    """A file with defaults: its text, the table of ours in it (`tool.cllm` or nothing), and that table's content."""

    path: Path
    text: str
    table: str
    data: Mapping[str, Any]

    def line(self, section: str, key: str) -> int:
        """The line of a key of a section of ours ("" is the top), else of the section, else the first."""
        wanted = ".".join(filter(None, (self.table, section)))
        table, found = "", 1
        for number, row in enumerate(self.text.splitlines(), 1):
            header = re.match(r"\s*\[\s*([^\]]+?)\s*\]", row)
            if header:
                table = re.sub(r"""["'\s]""", "", header[1])
                found = number if table in (wanted, f"{wanted}.{key}".lstrip(".")) else found
            elif re.match(rf"""\s*(?:[\w.-]+\.)?["']?{re.escape(key)}["']?\s*[.=]""", row) and table == wanted:
                return number
        return found

    def at(self, section: str, key: str) -> str:
        """`file:line: key`, to begin a message with."""
        return f"{self.path}:{self.line(section, key)}: {f'[{section}] ' if section else ''}{key}"


def read_config(ctx: click.Context, _: click.Parameter, value: str | None) -> None:
    """Callback of `--config`: makes the file's values the defaults of the verb that is about to run."""
    source = _source(value)
    if source is not None:
        ctx.default_map = {**_defaults(ctx, source, ""), **_defaults(ctx, source, str(ctx.info_name))}


def _source(asked: str | None) -> Source | None:
    """The file asked for, else the one that lies in the current folder; None where there is none."""
    if asked is not None:
        return _read(Path(asked))
    for name in ("cllm.toml", "pyproject.toml"):
        if Path(name).is_file():
            source = _read(Path(name))
            if source.data or not source.table:
                return source
    return None


def _read(path: Path) -> Source:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadRequest(
            f"{path}: cannot be read as configuration: {getattr(error, 'strerror', None) or error}"
        ) from None
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r" \(at line (\d+), column \d+\)$", str(error))
        line = int(found[1]) if found else len(text.splitlines())
        message = str(error)[: found.start()] if found else str(error)
        raise BadRequest(f"{path}:{line}: not valid TOML: {message}") from None
    if path.name != "pyproject.toml":
        return Source(path, text, "", data)
    ours = data.get("tool", {}).get("cllm", {})
    if not isinstance(ours, dict):
        raise BadRequest(f"{path}: tool.cllm must be a table")
    return Source(path, text, "tool.cllm", ours)


def _options(command: click.Command | None) -> dict[str, click.Option]:
    """Long name without dashes -> option."""
    return {
        name.removeprefix("--"): option
        for option in (command.params if command is not None else ())
        if isinstance(option, click.Option)
        for name in option.opts
        if name.startswith("--") and name.removeprefix("--") not in NOT_CONFIGURABLE
    }


def _defaults(ctx: click.Context, source: Source, section: str) -> dict[str, Any]:
    """Parameter name -> value, from the top of the file or from the section of this verb; refuses unknown keys."""
    mine = _options(ctx.command)
    defaults: dict[str, Any] = {}
    for key, value in _entries(ctx, source, section):
        option = mine.get(key.replace("_", "-"))
        if option is not None and option.name is not None:
            defaults[option.name] = _value(ctx, source, section, key, option, value)
    return defaults


def _entries(ctx: click.Context, source: Source, section: str) -> Iterator[tuple[str, Any]]:
    """The entries of a section that are options of some verb (at the top) or of this one."""
    group = ctx.find_root().command
    verbs = group.list_commands(ctx) if isinstance(group, click.Group) else []
    entries = source.data.get(section, {}) if section else source.data
    if not isinstance(entries, Mapping):
        raise BadRequest(f"{source.at('', section)}: must be a table, [{section}]")
    known = set(_options(ctx.command))
    if not section and isinstance(group, click.Group):
        known = {name for verb in verbs for name in _options(group.get_command(ctx, verb))}
    for key, value in entries.items():
        if not section and key in verbs:
            continue
        if key.replace("_", "-") not in known:
            near = difflib.get_close_matches(key, sorted(known if section else {*known, *verbs}), n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"known: {', '.join(sorted(known))}"
            raise BadRequest(f"{source.at(section, key)}: unknown key; {hint}")
        yield key, value


def _value(ctx: click.Context, source: Source, section: str, key: str, option: click.Option, value: Any) -> Any:
    """The value as the option's own type reads it; raises BadRequest with the line for what it refuses."""
    try:
        given = _given(option, value)
        option.type_cast_value(ctx, given)
    except click.BadParameter as error:
        raise BadRequest(f"{source.at(section, key)}: {error.message}") from None
    return given


def _given(option: click.Option, value: Any) -> Any:
    """A TOML value as it would have been typed."""
    if option.is_flag:
        if not isinstance(value, bool):
            raise click.BadParameter(f"{value!r} must be true or false")
        return value
    if option.multiple:
        pairs = [f"{name}={_typed(item)}" for name, item in value.items()] if isinstance(value, Mapping) else None
        return pairs or [_typed(item) for item in (value if isinstance(value, list) else [value])]
    return ",".join(_typed(item) for item in value) if isinstance(value, list) else _typed(value)


def _typed(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise click.BadParameter(f"{value!r} is neither a number nor a text")
    return str(value)
