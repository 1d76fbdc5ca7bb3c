"""The parser, and what it could not take.

Rules of this file: tree-sitter is used here only. Trees are walked with a list of what waits, never by recursion.
"""

from __future__ import annotations

from functools import cache

import tree_sitter_c
from tree_sitter import Language, Node, Parser, Tree

TROUBLES_MAX = 10_000


@cache
def _parser() -> Parser:
    return Parser(Language(tree_sitter_c.language()))


def parse(code: bytes) -> Tree:
    """The tree of some code; never fails, what was not understood are errors in the tree."""
    return _parser().parse(code)


def troubles(root: Node) -> list[Node]:
    """The errors and guesses of the parser in the order of the text, the outermost ones."""
    found: list[Node] = []
    waiting = [root]
    while waiting and len(found) < TROUBLES_MAX:
        node = waiting.pop()
        if node.is_error or node.is_missing:
            found.append(node)
        elif node.has_error:
            waiting.extend(child for child in reversed(node.children) if child.has_error or child.is_missing)
    return found
