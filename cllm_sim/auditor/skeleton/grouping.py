"""Plain memory that is always touched together becomes one object: fewer steps, the same races.

Two pieces of memory belong together if they are accessed in the same runs (sequences of accesses without anything else
between them), with the same elements and in the same modes. Rules of this file: only memory whose value nobody follows;
what was put together is kept, for a race of the one is a race of all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from cllm_sim.auditor.skeleton.code import Access, Block, Node

Signature = frozenset[tuple[int, str, bool]]


def together(bodies: Iterable[list[Node]], data: set[str], sizes: dict[str, tuple[str, ...]]) -> dict[str, list[str]]:
    """Names of memory that stand for others, each with those (bodies are changed: the others' accesses go)."""
    kept = list(bodies)
    runs: list[list[Access]] = []
    for body in kept:
        _collect(body, runs)
    found: dict[str, set[tuple[int, str, bool]]] = {}
    for number, run in enumerate(runs):
        for one in run:
            name, _, rest = one.text.partition("[")
            found.setdefault(name, set()).add((number, rest, one.write))
    groups: dict[tuple[Signature, tuple[str, ...]], list[str]] = {}
    for name, touched in found.items():
        if name in data:
            groups.setdefault((frozenset(touched), sizes.get(name, ())), []).append(name)
    stands = {names[0]: names[1:] for names in groups.values() if len(names) > 1}
    gone = {name for names in stands.values() for name in names}
    for body in kept:
        _remove(body, gone)
    return stands


def _collect(body: list[Node], runs: list[list[Access]]) -> None:
    run: list[Access] = []
    for node in body:
        if isinstance(node, Access):
            run.append(node)
            continue
        if run:
            runs.append(run)
            run = []
        if isinstance(node, Block):
            _collect(node.body, runs)
    if run:
        runs.append(run)


def _remove(body: list[Node], gone: set[str]) -> None:
    body[:] = [node for node in body if not (isinstance(node, Access) and _base(node.text) in gone)]
    for node in body:
        if isinstance(node, Block):
            _remove(node.body, gone)


def _base(text: str) -> str:
    return re.split(r"\[", text, maxsplit=1)[0]
