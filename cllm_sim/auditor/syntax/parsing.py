"""The parser, and what it could not take.

Rules of this file: tree-sitter is used here only. Trees are walked with a list of what waits, never by recursion.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import tree_sitter_c
from tree_sitter import Language, Node, Parser, Tree


class Trouble(NamedTuple):
    """A node that is an error or a guess of the parser, with the nodes around it, outermost first."""

    node: Node
    around: tuple[Node, ...]


@cache
def _parser() -> Parser:
    return Parser(Language(tree_sitter_c.language()))


def parse(code: bytes) -> Tree:
    """The tree of some code; never fails, what was not understood are errors in the tree."""
    return _parser().parse(code)


def troubles(root: Node, most: int = 10_000) -> list[Trouble]:
    """The errors in a tree in the order of the text: the outermost ones, with what is around them."""
    found: list[Trouble] = []
    waiting: list[tuple[Node, tuple[Node, ...]]] = [(root, ())]
    while waiting and len(found) < most:
        node, around = waiting.pop()
        if node.is_error or node.is_missing:
            found.append(Trouble(node, around))
        elif node.has_error:
            inside = (*around[-6:], node)
            waiting.extend((child, inside) for child in reversed(node.children) if child.has_error or child.is_missing)
    return found
