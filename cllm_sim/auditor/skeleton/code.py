"""The text of a skeleton as a tree, simplified and then written out.

Accesses to plain memory are nodes of their own until the end, so that those between two synchronisations can be merged,
and loops and branches that hold nothing else can be flattened. Rules of this file: it knows Python's layout and the
lines of C, nothing of what an operation means.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from cllm_sim.auditor.facts import Site

INDENT = "    "


@dataclass(frozen=True, slots=True)
class Line:
    """One line of Python and the line of C it comes from. `choice` says what was made a choice of the environment.

    `yields` says whether something happens here; `sets` that a local changes; `leaves` that control does not go on.
    """

    text: str
    site: Site
    choice: str = ""
    yields: bool = False
    leaves: bool = False
    sets: bool = False


@dataclass(frozen=True, slots=True)
class Access:
    """An access of plain memory: the object's Python text ("{}" where each of all instances is meant), its mode."""

    text: str
    size: str
    write: bool
    site: Site

    @property
    def key(self) -> tuple[str, bool]:
        """What makes two accesses the same."""
        return self.text, self.write


@dataclass(slots=True)
class Block:
    """A line that opens a block, and the block. `kind` is if, elif, else, for or while; `known` says that the condition
    is evaluated and no choice; `variable` is the loop's."""

    head: Line
    kind: str
    body: list[Node] = field(default_factory=list)
    known: bool = True
    variable: str = ""


Node = Line | Access | Block


def happens(body: list[Node]) -> bool:
    """Does a body do anything another thread could notice, or leave?"""
    for node in body:
        if isinstance(node, Access) or (isinstance(node, Line) and (node.yields or node.leaves)):
            return True
        if isinstance(node, Block) and ((node.head.yields and node.known) or happens(node.body)):
            return True
    return False


def matters(body: list[Node]) -> bool:
    """Does a body do anything at all, be it only to a local?"""
    return happens(body) or any(isinstance(node, Line) and node.sets for node in walk(body))


def only_accesses(body: list[Node]) -> bool:
    """Is there nothing but accesses of plain memory?"""
    return all(
        isinstance(node, Access)
        or (isinstance(node, Block) and not (node.known and node.head.yields) and only_accesses(node.body))
        for node in body
    )


def only_choices(body: list[Node]) -> bool:
    """Is there nothing but choices of the environment, values that follow from them, and returns?"""
    for node in walk(body):
        line = node.head if isinstance(node, Block) else node
        if isinstance(line, Access) or line.sets or (line.yields and "choose(" not in line.text):
            return False
        if line.leaves and not line.text.startswith("return"):
            return False
    return True


def trimmed(body: list[Node]) -> list[Node]:
    """A function's body without what makes no difference at its end: a bare return, or a choice between such."""
    out = list(body)
    while out:
        last = out[-1]
        bare = isinstance(last, Line) and last.text == "return"
        if isinstance(last, Block) and last.kind in {"if", "else"}:
            last.body = trimmed(last.body)
            idle = not last.body or all(isinstance(one, Line) and one.text == "pass" for one in last.body)
            if last.kind == "else" and not idle:
                break
            if last.kind == "if" and (
                not idle or (last.head.yields and last.known and "choose(" not in last.head.text)
            ):
                if idle:
                    last.body = [Line("pass", Site("", 0))]
                break
            bare = idle
        if not bare:
            break
        out.pop()
    return out


def accesses(body: list[Node]) -> list[Access]:
    """All accesses of a body."""
    found: list[Access] = []
    for node in body:
        if isinstance(node, Access):
            found.append(node)
        elif isinstance(node, Block):
            found.extend(accesses(node.body))
    return found


def without_guesses(body: list[Node]) -> list[Node]:
    """Where a function surely touches one element, its accesses of "some element" of the same array are left out."""
    every = [node for node in walk(body) if isinstance(node, Access)]
    certain = {(one.text.partition("[")[0], one.write) for one in every if "{}" not in one.text}

    def kept(nodes: list[Node]) -> list[Node]:
        out: list[Node] = []
        for node in nodes:
            if isinstance(node, Access) and "{}" in node.text and (node.text.partition("[")[0], node.write) in certain:
                continue
            if isinstance(node, Block):
                node.body = kept(node.body)
            out.append(node)
        return out

    return kept(body)


def simplified(body: list[Node]) -> list[Node]:
    """The same body with accesses merged between synchronisations, and blocks of accesses alone made flat."""
    flat: list[Node] = []
    for at, node in enumerate(body):
        if not isinstance(node, Block):
            flat.append(node)
            continue
        node.body = simplified(node.body)
        following = body[at + 1] if at + 1 < len(body) else None
        chained = node.kind in {"elif", "else"} or (isinstance(following, Block) and following.kind in {"elif", "else"})
        flat.extend([node] if chained else _flattened(node))
    return _merged(flat)


def _flattened(block: Block) -> list[Node]:
    if not only_accesses(block.body):
        return [block]
    if block.kind == "for":
        varying = [one for one in block.body if any(mentions(a.text, block.variable) for a in accesses([one]))]
        fixed = [one for one in block.body if one not in varying]
        block.body = varying
        return [*fixed, block] if varying else fixed
    if block.kind == "while" or not block.known:
        return block.body
    return [block]


def mentions(text: str, variable: str) -> bool:
    """Is a name one of the words of a text?"""
    return variable in _words(text)


def _words(text: str) -> set[str]:
    word, found = "", set()
    for character in text + " ":
        if character.isalnum() or character == "_":
            word += character
        else:
            found.add(word)
            word = ""
    return found


def _merged(body: list[Node]) -> list[Node]:
    """Consecutive accesses: each once; a write of the same memory stands for its read."""
    out: list[Node] = []
    run: dict[str, Access] = {}
    for node in [*body, None]:
        if isinstance(node, Access):
            known = run.get(node.text)
            if known is None or (node.write and not known.write):
                run[node.text] = node
            continue
        out.extend(run.values())
        run.clear()
        if node is not None:
            out.append(node)
    return out


@dataclass(slots=True)
class Written:
    """Python lines, and for each (counted from `first`) the line it comes from."""

    lines: list[str] = field(default_factory=list)
    origin: dict[int, Site] = field(default_factory=dict)
    choices: dict[int, str] = field(default_factory=dict)


def write(body: list[Node], depth: int, out: Written) -> None:
    """Write a body at an indentation."""
    for node in body or [Line("pass", Site("", 0))]:
        if isinstance(node, Access):
            _access(node, depth, out)
        elif isinstance(node, Line):
            _line(node, depth, out)
        else:
            _line(node.head, depth, out)
            write(node.body, depth + 1, out)


def _line(line: Line, depth: int, out: Written) -> None:
    comment = f"  # {line.site}" if line.site.line else ""
    if line.choice:
        comment += f": {line.choice}"
    out.lines.append(INDENT * depth + line.text + comment)
    if line.site.line:
        out.origin[len(out.lines)] = line.site
    if line.choice:
        out.choices[len(out.lines)] = line.choice


def _access(access: Access, depth: int, out: Written) -> None:
    operation = "write(0)" if access.write else "read()"
    if "{}" not in access.text:
        _line(Line(f"yield {access.text}.{operation}", access.site), depth, out)
        return
    _line(Line(f"for each in range({access.size}):", access.site), depth, out)
    _line(Line(f"yield {access.text.format('each')}.{operation}", access.site), depth + 1, out)


def walk(body: list[Node]) -> Iterator[Node]:
    """All nodes of a body."""
    for node in body:
        yield node
        if isinstance(node, Block):
            yield from walk(node.body)
