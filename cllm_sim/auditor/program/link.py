"""The linked program: the facts of all files, and answers about names, types, macros and counts across them.

Rules of this file: it wires the parts of this package together and holds no logic of its own. Every answer is computed
when first asked for and kept; no question recurses without a limit, so hostile sources end in "unknown".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from types import MappingProxyType

from cllm_sim.auditor.facts import (
    Call,
    Expr,
    FileFacts,
    Function,
    MemberDeclaration,
    Name,
    Record,
    Stmt,
    TypeName,
)
from cllm_sim.auditor.program import printing
from cllm_sim.auditor.program.assignments import Assignments
from cllm_sim.auditor.program.constants import Constants
from cllm_sim.auditor.program.counting import Bindings, Counting, Knowledge, Scope, static_symbol
from cllm_sim.auditor.program.counts import Count
from cllm_sim.auditor.program.expand import Macros
from cllm_sim.auditor.program.following import Following
from cllm_sim.auditor.program.functions import Functions
from cllm_sim.auditor.program.labels import Labels
from cllm_sim.auditor.program.nodes import Effort
from cllm_sim.auditor.program.records import Records
from cllm_sim.auditor.program.symbols import Symbols
from cllm_sim.auditor.program.types import Types
from cllm_sim.auditor.program.typing_of import ExpressionTypes
from cllm_sim.auditor.program.usage import Usages
from cllm_sim.auditor.program.variables import Variable, Variables
from cllm_sim.auditor.program.visibility import Visibility

NO_BINDINGS: Bindings = MappingProxyType({})


class Program:
    """All files under audit, linked."""

    def __init__(self, files: Sequence[FileFacts]) -> None:
        self.files: tuple[FileFacts, ...] = tuple(files)
        visibility = Visibility(self.files)
        self._functions = Functions(self.files, visibility)
        self._macros = Macros(self.files, visibility, self._functions)
        records = Records(self.files, visibility)
        self._types = Types(self.files, visibility, records)
        self._labels = Labels(self.files, records, self._types)
        self._variables = Variables(self.files, visibility, self._types, self._macros)
        self._constants = Constants(self.files, visibility, self._types, self._macros, self._variables)
        self._type_of = ExpressionTypes(
            self._types, self._functions, self._macros, self._variables, self._constants.enumerators
        )
        self._constants.type_of = self._type_of
        self._knowledge = Knowledge(
            self._types,
            self._labels,
            self._functions,
            self._macros,
            self._variables,
            self._constants,
            self._type_of,
            Usages(self._macros),
        )
        self._counting = Counting(self._knowledge, Symbols())
        self.functions: tuple[Function, ...] = self._functions.all

    # ------------------------------------------------------------------------------------------------ names and types
    def lookup(self, name: str, path: str) -> tuple[Function, ...]:
        """The definitions that a call of `name` in file `path` may mean."""
        return self._functions.lookup(name, path)

    def resolved(self, type: TypeName, path: str = "") -> TypeName:
        """The type with typedefs followed, as the file sees them."""
        return self._types.resolved(type, path)

    def record(self, type: TypeName, path: str = "") -> Record | None:
        """The struct or union that a type is, points to or is an array of."""
        return self._types.record(type, path)

    def label(self, record_name: str, path: str = "") -> str:
        """How a person calls a record; a name as written in a file needs that file's path."""
        return self._labels.label(self._types.base(record_name, path).base if path else record_name)

    @cached_property
    def records(self) -> tuple[Record, ...]:
        """All structs and unions, copies of one only once, under names of their own and with resolved members.

        Unnamed ones inside others are left out: their members are among those of the outer one.
        """
        return tuple(self._types.linked(unique) for unique in self._labels.named())

    def member(self, record: Record, name: str) -> MemberDeclaration | None:
        """A member by name, also one of an anonymous struct or union inside; its type is resolved."""
        return self._types.member(record, name)

    def variable(self, name: str, function: Function | None, path: str) -> Variable | None:
        """What a name means in a function of a file, if it means a variable."""
        declared = self._variables.declared(name, function, path)
        return None if declared is None else declared.variable

    def locals(self, function: Function) -> Mapping[str, Variable]:
        """Parameters and locals of a function."""
        return self._variables.locals(function)

    def type_of(self, expr: Expr, function: Function | None, path: str = "") -> TypeName | None:
        """The resolved type of an expression; None where it is unknown."""
        return self._type_of.of(expr, function, path if function is None else function.path, Effort())

    def expand(self, use: Call | Name, path: str) -> Expr | tuple[Stmt, ...] | None:
        """One step of macro expansion; None where the use is none of a macro of the sources."""
        return self._macros.expand(use, path)

    # ---------------------------------------------------------------------------------------------------------- counts
    def constant(self, expr: Expr, function: Function | None, path: str) -> int | None:
        """The value of an expression that the compiler would know."""
        return self._constants.value(expr, function, path, Effort())

    def count(self, expr: Expr, function: Function | None, path: str, bindings: Bindings = NO_BINDINGS) -> Count:
        """The symbolic value of an expression; parameters in `bindings` are what the caller gave."""
        return self._counting.of(expr, Scope(function, path, bindings))

    def followed(self, count: Count) -> Count:
        """The count with members, globals and parameters replaced that always are one other count."""
        return self._following.followed(count)

    def same_count(self, a: Count, b: Count) -> bool | None:
        """Whether two counts are equal: surely (True), surely not (False), or it cannot be told (None)."""
        return self._following.same(a, b)

    @property
    def assignments(self) -> Mapping[str, list[tuple[Expr, Function]]]:
        """All values ever assigned, by "Label.member" or a global's name; at file level the function has no name."""
        return self._assignments.values

    def symbol(self, variable: Variable) -> str:
        """The symbol that counts have for a global or static local."""
        return self._counting.global_symbol(variable) if variable.kind == "global" else static_symbol(variable)

    def text(self, expr: Expr) -> str:
        """The expression as C, with normalised spacing."""
        return printing.text(expr)

    @cached_property
    def _assignments(self) -> Assignments:
        return Assignments(self.files, self._knowledge, self._counting)

    @cached_property
    def _following(self) -> Following:
        return Following(self.files, self._knowledge, self._counting, self._assignments)
