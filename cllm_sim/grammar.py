"""The static rules of a text, checked on its source before anything runs.

A local situation of a text is recognised by the position and the plain local values of its frames. Habits of ordinary
Python that would hide part of the situation from that would make a checker lose behaviours without a word, so they are
refused here, each with the file and line:

1. a `yield` that is not the first thing its statement evaluates (`x = (yield a) + (yield b)` keeps a reply on the
   interpreter's stack);
2. a `for` over anything but `range(...)` or `<team>.seats` (the iterator is hidden), or one whose variable is assigned
   inside the loop (only the variable tells the position);
3. an operation that is made and not yielded, or a text that is called and not run (`team.batch.wait()` or `work(order)`
   alone on a line does nothing);
4. state outside of the frame: `global`, `nonlocal`, assigning an attribute or an element, `try`, `with`, `async`, a
   `lambda` that yields.

Rules of this file: source
in, errors out; nothing is imported or executed.
"""

import ast
from collections.abc import Iterator

from cllm_sim.errors import BadArchitecture
from cllm_sim.operations import Place

OPERATION_METHODS = frozenset(
    "wait acquire release notify notify_all down up load store add exchange wait_until read write next destroy".split()
)
OPERATION_FUNCTIONS = frozenset({"compute", "fold", "update", "choose", "join"})

NOT_YIELDED = "this operation is made but not yielded; write 'yield' before it"

HIDING = (ast.Try, ast.TryStar, ast.With, ast.AsyncFor, ast.AsyncWith, ast.Await, ast.Global, ast.Nonlocal)
"""Statements that keep a part of a text's state where a frame's plain locals do not show it."""

Function = ast.FunctionDef


def check_source(path: str, source: str) -> None:
    """Check every text (generator function) of a file; raises BadArchitecture at the first offending line."""
    try:
        module = ast.parse(source, filename=path)
    except SyntaxError as error:
        raise BadArchitecture(f"{path}:{error.lineno or 1}: not valid Python: {error.msg}") from None
    except ValueError as error:  # null bytes
        raise BadArchitecture(f"{path}:1: not valid Python: {error}") from None
    functions = [node for node in ast.walk(module) if isinstance(node, Function)]
    texts = frozenset(function.name for function in functions if _is_generator(function))
    for function in functions:
        _check_function(path, function, texts)


def text_lines(source: str) -> set[int]:
    """First lines of all statements inside generator functions: the lines that a search can reach."""
    lines: set[int] = set()
    for function in ast.walk(ast.parse(source)):
        if isinstance(function, Function) and _is_generator(function):
            for statement in _statements(function.body):
                if not _is_docstring(statement) and not isinstance(statement, ast.Pass):
                    lines.add(statement.lineno)
    return lines


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for statement in body:
        yield statement
        for name in ("body", "orelse"):
            yield from _statements(getattr(statement, name, []))
        for case in getattr(statement, "cases", []):
            yield from _statements(case.body)


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _is_generator(function: Function) -> bool:
    return any(isinstance(node, ast.Yield | ast.YieldFrom) for node in _own_nodes(function))


def _own_nodes(function: Function) -> Iterator[ast.AST]:
    """All nodes of a function, those of nested functions left out."""
    pending: list[ast.AST] = list(function.body)
    while pending:
        node = pending.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            pending.extend(ast.iter_child_nodes(node))


def _check_function(path: str, function: Function, texts: frozenset[str]) -> None:
    nodes = sorted(_own_nodes(function), key=lambda node: getattr(node, "lineno", 0))
    is_text = _is_generator(function)
    allowed = {id(node) for node in nodes if isinstance(node, ast.stmt) for node in _first_yields(node)}
    for node in nodes:
        wrong = _wrong(node, allowed) if is_text else None
        wrong = wrong or _forgotten(node, function, texts, is_text)
        if wrong:
            raise BadArchitecture(f"{Place(path, getattr(node, 'lineno', function.lineno))}: {wrong}")


def _wrong(node: ast.AST, allowed: set[int]) -> str | None:
    """What is wrong with one node of a text, in words."""
    if isinstance(node, ast.Yield | ast.YieldFrom) and id(node) not in allowed:
        return "this yield is not the first thing its statement evaluates; give its reply a name on a line of its own"
    if isinstance(node, ast.For):
        return _wrong_loop(node)
    if isinstance(node, HIDING):
        return f"a text may not use {type(node).__name__.lower()}; it hides local state"
    if isinstance(node, ast.Lambda) and any(isinstance(inner, ast.Yield | ast.YieldFrom) for inner in ast.walk(node)):
        return "a lambda may not yield; write a function"
    if isinstance(node, ast.Attribute | ast.Subscript) and not isinstance(node.ctx, ast.Load):
        return "a text keeps plain local values only; this changes something that outlives it"
    return None


def _wrong_loop(loop: ast.For) -> str | None:
    """A loop's position must be told by its variable, for its iterator is hidden."""
    if not _plain_iterable(loop.iter):
        return "a text may loop over range(...) or team.seats only; use while or team.next()"
    if not isinstance(loop.target, ast.Name):
        return "a loop in a text needs one plain variable"
    name = loop.target.id
    if any(_binds(node, name) for statement in loop.body for node in ast.walk(statement)):
        return f"the loop variable '{name}' is assigned inside its loop, so it no longer tells the position; rename one"
    return None


def _binds(node: ast.AST, name: str) -> bool:
    if isinstance(node, ast.Name):
        return node.id == name and not isinstance(node.ctx, ast.Load)
    return isinstance(node, ast.MatchAs | ast.MatchStar) and node.name == name


def _forgotten(node: ast.AST, function: Function, texts: frozenset[str], is_text: bool) -> str | None:
    """Something was made and is not used: an operation without `yield`, a text without `yield from`."""
    if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Call):
        return None
    called = node.value.func
    if isinstance(called, ast.Name):
        if called.id in OPERATION_FUNCTIONS:
            return NOT_YIELDED
        given = {argument.arg for argument in function.args.args}
        runs_text = called.id in texts or (is_text and called.id in given)
        return f"'{called.id}(...)' alone does nothing; write 'yield from' before it" if runs_text else None
    is_operation = isinstance(called, ast.Attribute) and called.attr in OPERATION_METHODS
    return NOT_YIELDED if is_text and is_operation else None


def _plain_iterable(node: ast.expr) -> bool:
    if isinstance(node, ast.Subscript):
        node = node.value
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id == "range"
    return isinstance(node, ast.Attribute) and node.attr == "seats"


def _first_yields(statement: ast.stmt) -> Iterator[ast.expr]:
    """The yields that are the first thing a statement evaluates."""
    heads: list[ast.expr | None] = []
    if isinstance(statement, ast.Expr | ast.Assign | ast.AnnAssign | ast.Return):
        heads = [statement.value]
    elif isinstance(statement, ast.If | ast.While):
        heads = [statement.test]
    elif isinstance(statement, ast.Match):
        heads = [statement.subject]
    for head in heads:
        yield from _leading(head)


def _leading(node: ast.expr | None) -> Iterator[ast.expr]:
    """Follow an expression to what it evaluates first. `and`/`or` keep nothing on the stack."""
    if isinstance(node, ast.Yield | ast.YieldFrom):
        yield node
    elif isinstance(node, ast.NamedExpr):
        yield from _leading(node.value)
    elif isinstance(node, ast.UnaryOp):
        yield from _leading(node.operand)
    elif isinstance(node, ast.Compare):
        yield from _leading(node.left)
    elif isinstance(node, ast.BoolOp):
        for value in node.values:
            yield from _leading(value)
