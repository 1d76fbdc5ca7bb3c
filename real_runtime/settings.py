"""Settings of the learner and of the optimizer: from `--set name=value` to checked values, one rule per field.

A settings class is a frozen dataclass whose fields are made by `whole`, `wholes`, `real` or `choice`; each of these
keeps the field's bounds beside its default, so that a value typed on the command line and one given from Python meet
the same rule and get the same one-line answer.

Rules of this file: every refusal is a `BadRequest` of one line that names the setting, the value and what is allowed.
"""

import dataclasses
import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from cllm_sim.errors import BadRequest

_RULE = "rule"


@dataclass(frozen=True, slots=True)
class Rule:
    """What one setting accepts: `parse` turns a text into a value, `accepts` judges it, `allowed` says it in words."""

    parse: Callable[[str], object]
    accepts: Callable[[Any], bool]
    allowed: str
    about: str


def whole(default: int, low: int, high: int, about: str) -> int:
    """A field that holds a whole number from `low` to `high`."""
    rule = Rule(int, lambda value: _is_whole(value, low, high), f"a whole number from {low} to {high}", about)
    return dataclasses.field(default=default, metadata={_RULE: rule})


def wholes(default: tuple[int, ...], low: int, high: int, count_max: int, about: str) -> tuple[int, ...]:
    """A field that holds one to `count_max` whole numbers from `low` to `high`, written `128` or `128,64`."""
    rule = Rule(
        lambda text: tuple(int(part) for part in text.split(",")),
        lambda value: (
            isinstance(value, tuple)
            and 1 <= len(value) <= count_max
            and all(_is_whole(item, low, high) for item in value)
        ),
        f"1 to {count_max} whole numbers from {low} to {high}, separated by commas",
        about,
    )
    return dataclasses.field(default=default, metadata={_RULE: rule})


def real(default: float | None, low: float, high: float, about: str) -> Any:
    """A field that holds a number from `low` to `high`; `None` is accepted exactly where it is the default.

    The annotation of the field says which of the two it is, which is why this returns `Any`.
    """
    rule = Rule(
        float,
        lambda value: (value is None and default is None) or _is_real(value, low, high),
        f"a number from {low:g} to {high:g}",
        about,
    )
    return dataclasses.field(default=default, metadata={_RULE: rule})


def choice(default: str, options: tuple[str, ...], about: str) -> str:
    """A field that holds one of `options`."""
    rule = Rule(str, lambda value: value in options, " or ".join(options), about)
    return dataclasses.field(default=default, metadata={_RULE: rule})


def _is_whole(value: object, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _is_real(value: object, low: float, high: float) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and low <= value <= high


def rules(kind: type) -> dict[str, Rule]:
    """The settings that `kind` knows, in the order of its fields."""
    return {field.name: field.metadata[_RULE] for field in dataclasses.fields(kind)}


def check(settings: object) -> None:
    """To be called by `__post_init__`: refuses the first field whose value its rule does not accept."""
    for name, rule in rules(type(settings)).items():
        value = getattr(settings, name)
        if not rule.accepts(value):
            raise BadRequest(f"setting {name}={value!r}: must be {rule.allowed}")


_Settings = TypeVar("_Settings")


def from_texts(kind: type[_Settings], texts: Mapping[str, str]) -> _Settings:
    """Build `kind` from texts as typed after `--set`; what is not named keeps its default.

    Raises BadRequest for a name that `kind` does not know (with the nearest known one) and for a value its rule
    refuses.
    """
    known = rules(kind)
    refuse_unknown(texts, tuple(known))
    return kind(**{name: _parsed(name, text, known[name]) for name, text in texts.items()})


def divided(texts: Mapping[str, str], *kinds: type) -> tuple[dict[str, str], ...]:
    """Share `texts` out among several settings classes; raises BadRequest for a name that none of them knows."""
    names = [tuple(rules(kind)) for kind in kinds]
    refuse_unknown(texts, tuple(name for group in names for name in group))
    return tuple({name: texts[name] for name in texts if name in group} for group in names)


def refuse_unknown(texts: Mapping[str, str], known: tuple[str, ...]) -> None:
    """Raise BadRequest for the first name in `texts` that is not in `known`, naming the nearest known one."""
    for name, text in texts.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
            raise BadRequest(f"--set {name}={text}: unknown setting {name!r}; {hint}")


def _parsed(name: str, text: str, rule: Rule) -> object:
    try:
        value = rule.parse(text)
    except ValueError:
        value = None
    if value is None or not rule.accepts(value):
        raise BadRequest(f"--set {name}={text}: must be {rule.allowed}")
    return value
