"""What functions are for: batch processing, accumulation, update, distribution.

Names may propose a purpose; the proposal is an assumption with its confidence, shown in every result, and `--bind
work=FUNC` overrides it. Rules of this file: a purpose by name alone never has high confidence; only reached functions
are proposed; the innermost telling name wins over its callers (the caller of `forward` is not itself the work unless
its own name says so).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from cllm_sim.auditor.facts import Assign, Binary, Call, Function, Loop, Name, Site
from cllm_sim.auditor.findings import Confidence
from cllm_sim.auditor.locations import Location
from cllm_sim.auditor.program import Program
from cllm_sim.auditor.roles import Roles, function_key
from cllm_sim.auditor.roles.model import Key
from cllm_sim.auditor.traverse import all_expressions, statements
from cllm_sim.auditor.vocabulary import SYNCHRONISES, Act
from cllm_sim.errors import BadRequest

NAMES = {
    "work": re.compile(
        r"(^|_)(forward|backward|backprop|crunch|compute|process_(batch|item|job|tile|row|slice|chunk|block|sample)"
        r"|train_(batch|sample|sequence|step_on)|do_work|run_batch|work_on|render_(tile|row|band|slice))", re.IGNORECASE
    ),
    "accumulate": re.compile(r"(^|_)(accumulate|reduce|fold|sum_grad|merge_grad|combine|gather_grad)", re.IGNORECASE),
    "update": re.compile(
        r"(^|_)(optimi[sz]er?_step|apply_(grad|update)|update_(weights|model|param)|sgd_step|adam_step"
        r"|(model|weights?|params?|parameters?)_(update|step|apply))", re.IGNORECASE
    ),
    "distribute": re.compile(r"(^|_)(distribute|dispatch|assign_(batch|work)|hand_out|schedule_batch)", re.IGNORECASE),
}  # fmt: skip
PURPOSES = tuple(NAMES)
TELLING = re.compile(
    r"(^|_)(forward|backward|backprop|crunch|compute_(grad|loss)|process_(batch|item|job|tile|row|slice|chunk|block|sample)"
    r"|train_(batch|sample|sequence|step_on)|do_work|work_on|render_(tile|row|band|slice))", re.IGNORECASE
)  # fmt: skip
"""Names of work that need little arithmetic to be believed; `compute_offset` and `run_batch` are not among them."""
UPDATES = re.compile(r"(^|_)update(s|d)?($|_)", re.IGNORECASE)
"""Names of an update if the function writes what the work reads; there are updates of displays, too."""
ARITHMETIC = frozenset({"*", "+", "-", "/"})
ARITHMETIC_MIN = 4


@dataclass(frozen=True, slots=True)
class Assumption:
    """Something taken to be so, why, how sure, and what overrides it."""

    text: str
    confidence: Confidence
    override: str = ""
    site: Site | None = None


@dataclass(slots=True)
class Purposes:
    """Functions by purpose (by key), and what was assumed."""

    work: set[Key] = field(default_factory=set)
    accumulate: set[Key] = field(default_factory=set)
    update: set[Key] = field(default_factory=set)
    distribute: set[Key] = field(default_factory=set)
    bound: set[str] = field(default_factory=set)
    assumptions: list[Assumption] = field(default_factory=list)

    def of(self, purpose: str) -> set[Key]:
        """The functions of a purpose."""
        found: set[Key] = getattr(self, purpose)
        return found


def find_purposes(program: Program, roles: Roles, bind: Mapping[str, tuple[str, ...]]) -> Purposes:
    """The purposes of a program's functions; raises BadRequest where `bind` names an unknown purpose or function."""
    purposes = Purposes()
    for purpose, names in bind.items():
        if purpose not in NAMES:
            raise BadRequest(f"--bind {purpose}=...: no such purpose; there are {', '.join(PURPOSES)}")
        for name in names:
            found = [function for function in program.functions if function.name == name]
            if not found:
                raise BadRequest(f"--bind {purpose}={name}: no function of this name is defined in the sources")
            purposes.of(purpose).update(function_key(function) for function in found)
        purposes.bound.add(purpose)
    for purpose in PURPOSES:
        if purpose not in purposes.bound:
            _propose(purpose, program, roles, purposes)
    return purposes


def _propose(purpose: str, program: Program, roles: Roles, purposes: Purposes) -> None:
    entries = {function_key(entry) for role in roles.all for entry in role.entries}
    read = _read_by(purposes.work, roles) if purpose == "update" else frozenset()
    for function in program.functions:
        key = function_key(function)
        if key in entries or not roles.of(function):
            continue
        written = bool(read) and UPDATES.search(function.name) is not None and bool(_written_by(function, roles) & read)
        if not written and not NAMES[purpose].search(function.name):
            continue
        calculates = _calculates(function)
        if purpose == "work" and not calculates and not _works(function, program, roles):
            continue
        purposes.of(purpose).add(key)
        confidence = Confidence.MEDIUM if calculates else Confidence.LOW
        why = "by its name and its arithmetic" if calculates else "by its name"
        purposes.assumptions.append(
            Assumption(
                f"{function.name} is {_words(purpose)} ({why})",
                confidence,
                f"--bind {purpose}={function.name}",
                Site(function.path, function.line),
            )
        )


def _words(purpose: str) -> str:
    return {
        "work": "batch processing",
        "accumulate": "the accumulation of gradients",
        "update": "the update of the weights",
        "distribute": "the distribution of batches",
    }[purpose]


def _calculates(function: Function) -> bool:
    found = 0
    for expr in all_expressions(function.body):
        found += isinstance(expr, Binary) and expr.operator in ARITHMETIC
        if found >= ARITHMETIC_MIN:
            return True
    return False


def _works(function: Function, program: Program, roles: Roles) -> bool:
    """Does a function that calculates little still work: by what it calls, or by a telling name and any arithmetic?

    One that synchronises coordinates work, whatever its name.
    """
    if _calls_calculation(function, program):
        return True
    if not TELLING.search(function.name) or any(one.event.act in SYNCHRONISES for one in roles.placed(function)):
        return False
    return any(isinstance(one, Loop) for one in statements(function.body)) or any(
        (isinstance(expr, Binary) and expr.operator in ARITHMETIC)
        or (isinstance(expr, Assign) and expr.operator != "=")
        for expr in all_expressions(function.body)
    )


def _read_by(keys: set[Key], roles: Roles) -> frozenset[Location]:
    """What functions read, themselves or one call further down."""
    functions = [reach.function for role in roles.all for key, reach in role.reach.items() if key in keys]
    return frozenset(target for one in functions for target in _touched(one, roles, Act.READ))


def _written_by(function: Function, roles: Roles) -> set[Location]:
    return _touched(function, roles, Act.WRITE)


def _touched(function: Function, roles: Roles, act: Act) -> set[Location]:
    """The members, globals and memory behind them that a function, or one it calls, reads or writes."""
    callees = [callee for one in roles.placed(function) for callee in one.event.callees]
    return {
        one.event.target
        for here in (function, *callees)
        for one in roles.placed(here)
        if one.event.act is act and one.event.target is not None and one.event.target.kind in {"member", "global"}
    }


def _calls_calculation(function: Function, program: Program) -> bool:
    """Does a function call one that calculates (one level)?"""
    return any(
        _calculates(callee)
        for expr in all_expressions(function.body)
        if isinstance(expr, Call) and isinstance(expr.function, Name)
        for callee in program.lookup(expr.function.name, function.path)
    )
