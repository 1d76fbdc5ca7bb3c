"""C sources in, a linked program out: what the tests of the linker share."""

from collections.abc import Mapping

from cllm_sim.auditor.facts import Declare, Do, Expr, Function, Return, TypeName
from cllm_sim.auditor.program import Count, Program
from cllm_sim.auditor.program.printing import type_text
from cllm_sim.auditor.syntax import read


def linked(sources: str | Mapping[str, str]) -> Program:
    """The program of one file "a.c", or of several by path."""
    files = {"a.c": sources} if isinstance(sources, str) else sources
    return Program([read(path, text.encode()) for path, text in files.items()])


def function(program: Program, name: str, path: str = "") -> Function:
    """The one function of that name (in that file)."""
    (found,) = (one for one in program.functions if one.name == name and path in ("", one.path))
    return found


def expression(source: str) -> Expr:
    """One expression."""
    (body,) = (one.body for one in read("expression.c", f"void f(void) {{ return {source}; }}".encode()).functions)
    assert isinstance(body[0], Return)
    assert body[0].value is not None
    return body[0].value


def declared(source: str) -> TypeName:
    """The type of one declaration, as written: "struct Pool *x[3]"."""
    (body,) = (one.body for one in read("expression.c", f"void f(void) {{ {source}; }}".encode()).functions)
    assert isinstance(body[0], Declare)
    return body[0].type


def only(function: Function) -> Expr:
    """The expression of a function's last statement."""
    last = function.body[-1]
    assert isinstance(last, Do | Return)
    value = last.expression if isinstance(last, Do) else last.value
    assert value is not None
    return value


def typed(program: Program, source: str, within: str | None = None, path: str = "a.c") -> str | None:
    """The type of an expression inside a function, as C would name it."""
    found = program.type_of(expression(source), None if within is None else function(program, within), path)
    return None if found is None else type_text(found) if not found.function else f"function {type_text(found)}"


def counted(program: Program, source: str, within: str | None = None, path: str = "a.c") -> Count:
    """The count of an expression inside a function."""
    return program.count(expression(source), None if within is None else function(program, within), path)


def constant(program: Program, source: str, within: str | None = None, path: str = "a.c") -> int | None:
    """The constant value of an expression inside a function."""
    return program.constant(expression(source), None if within is None else function(program, within), path)


def assigned(program: Program, key: str) -> list[tuple[str, str]]:
    """The texts of what is assigned under a key, and in which functions."""
    return [(program.text(value), function.name) for value, function in program.assignments.get(key, [])]
