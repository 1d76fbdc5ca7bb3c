"""The claims of `published.toml`, one value each, and how each kind of number is counted.

Rules of this file: a claim is read and never changed; whoever adds a kind to the data file adds its counter here.
"""

import datetime
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from cllm_sim.checker.search import Limits, search

from tests.oracles import queues
from tests.oracles.counting import Actions, Graph, Settings, actions, explored, orbits, space_of
from tests.oracles.traces import Count, traces, traces_of

DATA = Path(__file__).with_name("published.toml")
HOW = {"itself", "run", "reference", "recalled"}


class Case(NamedTuple):
    """A program with its workers and settings."""

    program: str
    workers: int
    settings: Settings

    def __str__(self) -> str:
        chosen = ",".join(f"{name}={value}" for name, value in self.settings)
        return f"{self.program}({self.workers}{';' * bool(chosen)}{chosen})"


@dataclass(frozen=True)
class Claim:
    """One published number or verdict, with where it stands."""

    tool: str
    where: str
    read: datetime.date
    how: str
    case: Case
    counted: str
    number: int | None
    verdict: str
    classes: frozenset[str]
    without: tuple[str, ...]
    ours: int | None
    note: str
    recount: str
    nightly: bool

    def __str__(self) -> str:
        return f"{self.tool.partition(',')[0]}: {self.case} {self.counted}"


def _claim(source: dict[str, Any], entry: dict[str, Any]) -> Claim:
    settings = tuple(sorted(entry.get("settings", {}).items()))
    return Claim(
        source["tool"],
        source["where"],
        source["read"],
        source["how"],
        Case(entry["program"], entry.get("workers", 1), settings),
        entry["counted"],
        entry.get("number"),
        entry.get("verdict", ""),
        frozenset(entry.get("classes", ())),
        tuple(entry.get("without", ())),
        entry.get("ours"),
        entry.get("note", ""),
        entry.get("recount", ""),
        entry.get("nightly", False),
    )


@cache
def claims() -> tuple[Claim, ...]:
    """All of them, in the order of the file."""
    data = tomllib.loads(DATA.read_text(encoding="utf-8"))
    return tuple(_claim(source, entry) for source in data["source"] for entry in source["claims"])


# --- counting -------------------------------------------------------------------------------------------------------
@cache
def graph(case: Case) -> Graph:
    """The whole graph of a program."""
    return explored(space_of(*case))


@cache
def atomic(case: Case) -> Actions:
    """The graph of a program read as atomic actions."""
    return actions(space_of(*case))


@cache
def traced(case: Case) -> Count:
    """The traces of a program."""
    return traces(graph(case))


def quotient(case: Case) -> int:
    """States of the checker's search with symmetry."""
    found, left_out = search(space_of(*case), True, Limits())
    assert found.complete
    assert not left_out
    return len(found.states)


COUNTERS: dict[str, Callable[[Case], int]] = {
    "traces": lambda case: traced(case).complete,
    "deadlocked traces": lambda case: traced(case).deadlocked,
    "deadlocks": lambda case: len(graph(case).deadlocks),
    "states": lambda case: len(graph(case).states),
    "transitions": lambda case: graph(case).transitions,
    "generated": lambda case: graph(case).transitions + 1,
    "action states": lambda case: len(atomic(case).states),
    "generated actions": lambda case: atomic(case).count + 1,
    "orbits": lambda case: orbits(space_of(*case), graph(case).states),
    "action orbits": lambda case: orbits(space_of(*case), atomic(case).states),
    "quotient states": quotient,
}


def recounted(how: str) -> int:
    """Complete traces of a program of `queues.py`, given by its name and numbers."""
    name, *numbers = how.split()
    make: Callable[..., queues.Requests] = getattr(queues, name)
    return traces_of(make(*map(int, numbers))).complete
