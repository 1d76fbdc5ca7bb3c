"""The conditions under which the induction is valid: what is checked, how, and in which words.

Some follow from the declarations and are checked before anything runs; the others are checked at every operation that
a text performs in any case of the proof (`moves.py`, `interface.py`), and named here so that the report can list all.

Rules of this file: a condition that does not hold never lets the proof hold; it says why, with the user's line.
"""

import ast
from pathlib import Path

from cllm_sim.architecture import Architecture, Loaded
from cllm_sim.compose import compose
from cllm_sim.induction.findings import Condition, NotProvable
from cllm_sim.operations import Place, Regions, declared, seat_class
from cllm_sim.tree import Tree

TEXTS: dict[str, str] = {
    "control tree": "one root, and below it only workers and controls",
    "any depth": "the text is declared for trees of any depth",
    "same text": "a control runs the same text at every level",
    "root decides": "only the root lets the environment choose and ends a step",
    "footprint": "a subtree touches only its own objects and what its parent sees; of the rest it reads weights",
    "private": "every barrier, mutex and condition belongs to one group",
    "no counters": "no number is shared by the whole tree",
    "interchangeable": "no text names a child by its index",
    "interface": "a worker by itself never refuses, never goes round, and its steps are determined",
    "tags": "what a worker delivers carries the mark of the step whose order it read",
    "whole-tree promises": "no promise of the architecture's own speaks about the whole tree",
}
"""Name -> what is claimed. The order is that of the report."""


def all_conditions() -> dict[str, Condition]:
    """All conditions, as holding; what does not hold is noted by `failed`."""
    return {name: Condition(name, text) for name, text in TEXTS.items()}


def failed(conditions: dict[str, Condition], found: NotProvable) -> None:
    """Note that a condition does not hold."""
    condition = conditions[found.condition]
    condition.holds, condition.why = False, found.why
    if found.place is not None:
        condition.path, condition.line = found.place


def check_declarations(loaded: Loaded, names: tuple[str, ...]) -> None:
    """The conditions that follow from the declarations; raises NotProvable at the first that does not hold."""
    architecture = loaded.architecture
    where = Place(loaded.path, _line_of(loaded.path, "architecture"))
    if architecture.alone or architecture.leaf is None or architecture.worker is None:
        raise NotProvable("control tree", "this is an architecture of a single actor: it has no levels", where)
    if architecture.others:
        others = ", ".join(architecture.others)
        raise NotProvable("control tree", f"there are further actors beside the root: {others}", where)
    if architecture.depth_max is not None:
        level = f"{architecture.depth_max} level{'' if architecture.depth_max == 1 else 's'}"
        raise NotProvable("any depth", f"it declares depth_max: written for at most {level} of workers", where)
    if not _same_text(architecture):
        raise NotProvable("same text", "controls of different levels run different texts", where)
    own = [promise.name for promise in architecture.promises if promise.predicate is not None]
    asked = [name for name in own if name in names]
    if asked:
        why = f"'{asked[0]}' asks about the whole tree, which no single level shows (leave it out: --without)"
        raise NotProvable("whole-tree promises", why, where)


def _same_text(architecture: Architecture) -> bool:
    """Do the controls of two levels run one text? (They do by construction; this asks.)"""
    system = compose(architecture, Tree(2, 3))
    inner = [actor for actor in system.actors if actor.parent is not None and actor.children]
    return len({actor.kind for actor in inner}) == 1


def _line_of(path: str, name: str) -> int:
    """The line at which a module-level name is assigned; 1 where it is not found."""
    for node in _parsed(path).body:
        targets = node.targets if isinstance(node, ast.Assign) else ()
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            return node.lineno
    return 1


def _parsed(path: str) -> ast.Module:
    return ast.parse(Path(path).read_text(encoding="utf-8-sig"))


def asks_for_numbers(loaded: Loaded) -> bool:
    """May a text depend on the fan-out? Where it may, the proof is one of trees with equal fan-outs only."""
    team = loaded.architecture.team
    families = (*declared(team).values(), *declared(seat_class(team)).values())
    if any(isinstance(thing, Regions) for thing in families):
        return True
    return any(_asks(node) for node in ast.walk(_parsed(loaded.path)))


def _asks(node: ast.AST) -> bool:
    if isinstance(node, ast.Attribute):
        return node.attr in ("workers", "seats")
    if isinstance(node, ast.Name):
        return node.id in ("getattr", "vars", "dir")
    names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    return any(name.partition(".")[0] != "cllm_sim" for name in names)
