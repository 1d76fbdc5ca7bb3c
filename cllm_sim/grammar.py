"""The static rules of a text, checked on its source before anything runs.

A local situation of a text is recognised by the position and the plain local values of its frames. Three habits of
ordinary Python would hide part of the situation from that and make a checker lose behaviours without a word, so they
are refused here, each with the file and line:

1. a `yield` that is not the first thing its statement evaluates (`x = (yield a) + (yield b)` keeps a reply on the
   interpreter's stack);
2. a `for` over anything but `range(...)` or `<team>.seats` (the iterator is hidden);
3. an operation that is made and not yielded (`team.batch.wait()` alone on a line does nothing).

`try`, `with`, `async` and generator expressions around a `yield` hide state in the same way. Rules of this file: source
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

Function = ast.FunctionDef


def check_source(path: str, source: str) -> None:
    """Check every text (generator function) of a file; raises BadArchitecture at the first offending line."""
    try:
        module = ast.parse(source, filename=path)
    except SyntaxError as error:
        raise BadArchitecture(f"{path}:{error.lineno}: not valid Python: {error.msg}") from None
    for node in ast.walk(module):
        if isinstance(node, Function):
            _check_function(path, node)


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


def _check_function(path: str, function: Function) -> None:
    nodes = list(_own_nodes(function))
    if not _is_generator(function):
        _check_not_forgotten(path, nodes, function)
        return
    allowed = {id(node) for node in nodes if isinstance(node, ast.stmt) for node in _first_yields(node)}
    for node in nodes:
        place = Place(path, getattr(node, "lineno", function.lineno))
        if isinstance(node, ast.Yield | ast.YieldFrom) and id(node) not in allowed:
            raise BadArchitecture(
                f"{place}: this yield is not the first thing its statement evaluates; "
                "give its reply a name on a line of its own"
            )
        if isinstance(node, ast.For) and not _plain_iterable(node.iter):
            raise BadArchitecture(
                f"{place}: a text may loop over range(...) or team.seats only; use while or team.next()"
            )
        if isinstance(node, ast.Try | ast.With | ast.AsyncFor | ast.AsyncWith | ast.Await):
            raise BadArchitecture(f"{place}: a text may not use {type(node).__name__.lower()}; it hides local state")
    _check_not_forgotten(path, nodes, function)


def _check_not_forgotten(path: str, nodes: list[ast.AST], function: Function) -> None:
    for node in nodes:
        if isinstance(node, ast.Expr) and _makes_operation(node.value, function):
            raise BadArchitecture(
                f"{Place(path, node.lineno)}: this operation is made but not yielded; write 'yield' before it"
            )


def _makes_operation(value: ast.expr, function: Function) -> bool:
    if not isinstance(value, ast.Call):
        return False
    if isinstance(value.func, ast.Name):
        return value.func.id in OPERATION_FUNCTIONS
    if not isinstance(value.func, ast.Attribute) or value.func.attr not in OPERATION_METHODS:
        return False
    root: ast.expr = value.func
    while isinstance(root, ast.Attribute | ast.Subscript):
        root = root.value
    parameters = {argument.arg for argument in function.args.args}
    return isinstance(root, ast.Name) and root.id in parameters and _is_generator(function)


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
