"""LF1 to LF5: every worker has a segment of its own, one reader folds what is fresh, and looks at it before the update.

Rules of this file: the buffers are what the accumulation folds and workers write (`folding.py`); findings about these
buffers decide, and where there are none the code must show the order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cllm_sim.auditor.facts import Assign, Binary, Call, Conditional, Expr, Function, If, Name, Number, Site, Unary
from cllm_sim.auditor.findings import Finding
from cllm_sim.auditor.flow import Step
from cllm_sim.auditor.program import Count
from cllm_sim.auditor.requirements.answer import Answer, Evidence, answer, at, judges, missing, told
from cllm_sim.auditor.requirements.folding import Buffers, Fold, buffers, fetching, folds
from cllm_sim.auditor.requirements.node_zero import rounds_of
from cllm_sim.auditor.requirements.rounds import batch_barrier, first_after, last_before
from cllm_sim.auditor.requirements.subject import WAITS, Subject
from cllm_sim.auditor.roles import Role
from cllm_sim.auditor.traverse import all_expressions, assigned_locals, calls, names, statements, within
from cllm_sim.auditor.vocabulary import WRITES, Act

NO_FOLD = missing("no addition of what workers write was found in the accumulation (--bind accumulate=FUNC names it)")
CHECKS = frozenset(
    "isnan isinf isfinite isnormal fpclassify isnanf isinff finite __builtin_isnan __builtin_isinf"
    " __builtin_isfinite".split()
)
LIMITS = frozenset("fmin fmax fminf fmaxf fminl fmaxl clamp".split())
CLEARS = frozenset({"memset", "bzero"})
SHOWN_MAX = 4
ROOTS = frozenset("sqrt sqrtf hypot".split())


def gradient_buffers(subject: Subject) -> Buffers:
    """The workers' gradient buffers."""
    return buffers(subject, folds(subject))


def races(subject: Subject) -> list[Finding]:
    """Findings of races on the buffers, on what they are folded into, or at a place of the folding."""
    found = folds(subject)
    places = {place for fold in found for place in fold.locations}
    places |= {fold.sink_location for fold in found if fold.sink_location is not None}
    sites = {(fold.site.path, fold.site.line) for fold in found}
    about = subject.found_about(places, "CR001", "CR002")
    for one in subject.found("CR001"):
        lines = {(one.site.path, one.site.line), *((note.site.path, note.site.line) for note in one.notes)}
        if one not in about and lines & sites:
            about.append(one)
    return about


def folding_steps(subject: Subject) -> tuple[Role | None, list[Step]]:
    """Who accumulates, and its steps: the calls of the accumulation, or the additions themselves."""
    ranked = sorted(subject.roles, key=lambda role: role is not subject.director)
    for role in ranked:
        steps = subject.doing(role, "accumulate")
        if steps:
            return role, steps
    sites = {(fold.site.path, fold.site.line) for fold in folds(subject)}
    for role in ranked:
        steps = [
            step
            for step in subject.training_steps(role)
            if step.act in {Act.READ, Act.LOAD} and (step.site.path, step.site.line) in sites
        ]
        if steps:
            return role, steps
    return None, []


# -------------------------------------------------------------------------------------------------------- own segment
@judges("LF1", "the workers' writes to what the accumulation reads: into memory of their own, or shared")
def lf1(subject: Subject) -> Answer:
    """Each worker writes a segment of its own."""
    bad = [*subject.found("CS001"), *races(subject)]
    if bad:
        return answer("unmet", told(bad))
    if not subject.workers:
        return answer("unknown", missing("no worker threads were found"))
    found = folds(subject)
    known = buffers(subject, found)
    if not known:
        return _shared_sink(subject, found)
    own, shared = _written(subject, known)
    for role in subject.workers:
        for site, call, function in fetching(subject, role, known.accessors):
            text = subject.program.text(call)
            if _varies(subject, role, call, function):
                own.append(at(site, f"{role.name} gets a segment of its own: {text}"))
            else:
                shared.append(at(site, f"{role.name} gets its buffer by nothing of its own: {text}"))
    if shared:
        return answer("partly" if own else "unmet", shared, own)
    return answer("met", own) if own else answer("unknown", NO_FOLD)


def _written(subject: Subject, known: Buffers) -> tuple[list[Evidence], list[Evidence]]:
    own: list[Evidence] = []
    shared: list[Evidence] = []
    for place in sorted(known.locations):
        for step in subject.worker_written.get(place, ())[:SHOWN_MAX]:
            shelf = own if step.own else shared
            kind = "memory of its own" if step.own else "memory that all workers reach"
            shelf.append(at(step.site, f"a worker writes {place.label}, {kind}"))
    return own, shared


def _varies(subject: Subject, role: Role, call: Call, function: Function) -> bool:
    """Does an argument come from the thread's own argument (its record or number)?"""
    entry = role.entries[0]
    given = {parameter.name for parameter in entry.parameters}
    carried = _carried(function, given if function is entry else {one.name for one in function.parameters})
    return any(names(one) & carried for one in call.arguments[1:] or call.arguments)


def _carried(function: Function, given: set[str]) -> set[str]:
    found = set(given)
    for _ in range(4):
        for one in statements(function.body):
            initial = getattr(one, "initial", None)
            if initial is not None and names(initial) & found:
                found.add(getattr(one, "name", ""))
    return found


def _shared_sink(subject: Subject, found: list[Fold]) -> Answer:
    """No buffer between worker and accumulation: do workers add to the sum themselves?"""
    sums = [fold for fold in found if fold.sink_location in subject.worker_written]
    if sums:
        return answer(
            "unmet", [at(fold.site, f"workers add to {subject.program.text(fold.sink)} themselves") for fold in sums]
        )
    return answer("unknown", NO_FOLD)


@judges("LF2", "offset and length of the segments: division by the number of workers, and who gets the remainder")
def lf2(subject: Subject) -> Answer:
    """Segments are disjoint and cover everything."""
    bad = subject.found("CS001", "CS002")
    if bad:
        return answer("unmet", told(bad))
    if not gradient_buffers(subject):
        return answer("unknown", NO_FOLD)
    shares = list(divisions(subject))
    lost = [
        at(site, f"{text}: the remainder is given to nobody in {where}")
        for site, text, where, dealt in shares
        if not dealt
    ]
    dealt = [at(site, f"{text}: {where} deals the remainder out") for site, text, where, given in shares if given]
    if lost and not dealt:
        return answer("partly", lost)
    if dealt:
        return answer("met", dealt)
    whole = [at(fold.site, f"whole buffers are folded: {subject.program.text(fold.source)}") for fold in folds(subject)]
    return answer("met", whole, missing("no buffer is divided by the number of workers"))


def divisions(subject: Subject) -> Iterator[tuple[Site, str, str, bool]]:
    """Divisions by the number of workers: place, text, function, and whether the same function uses the remainder."""
    counts = [subject.program.followed(role.count) for role in subject.workers if role.count is not None]
    each = {rounds_of(subject, created) for role in subject.workers for created in role.created}
    counts += [Count((), number, str(number)) for number in each if number is not None]
    for function in subject.reached(*subject.roles):
        for expr in all_expressions(function.body):
            if isinstance(expr, Binary) and expr.operator == "/" and _by_workers(subject, expr.right, function, counts):
                yield (
                    Site(function.path, expr.line),
                    subject.program.text(expr),
                    function.name,
                    _dealt(subject, function, expr.right),
                )


def _by_workers(subject: Subject, divisor: Expr, function: Function, counts: list[Count]) -> bool:
    found = subject.program.followed(subject.program.count(divisor, function, function.path))
    if any(found.same(count) for count in counts) and found.value != 1:
        return True
    return any(
        found.same(subject.program.followed(count)) for count in _passed(subject, divisor, function) for found in counts
    )


def _passed(subject: Subject, divisor: Expr, function: Function) -> Iterator[Count]:
    """Where the divisor is a parameter: the counts that callers pass."""
    wanted = names(divisor)
    for position, parameter in enumerate(function.parameters):
        if parameter.name in wanted:
            for call, caller in subject.analysis.callables.callers(function.name):
                if position < len(call.arguments):
                    yield subject.program.count(call.arguments[position], caller, caller.path)


def _dealt(subject: Subject, function: Function, divisor: Expr) -> bool:
    text = subject.program.text(divisor)
    for expr in all_expressions(function.body):
        if isinstance(expr, Binary) and expr.operator == "%" and subject.program.text(expr.right) == text:
            return True
        if isinstance(expr, Conditional | Binary) and _last_takes_rest(subject, expr, text):
            return True
    return False


def _last_takes_rest(subject: Subject, expr: Expr, divisor: str) -> bool:
    """`i == n - 1 ? total : ...`, the last worker takes the rest; or the end is worked out as (i + 1) * total / n."""
    if isinstance(expr, Conditional):
        return any(
            isinstance(one, Binary) and one.operator in {"==", "<"} and divisor in subject.program.text(one)
            for one in within(expr.condition)
        )
    return (
        isinstance(expr, Binary)
        and expr.operator == "/"
        and isinstance(expr.left, Binary)
        and expr.left.operator == "*"
        and subject.program.text(expr.right) == divisor
    )


# ------------------------------------------------------------------------------------------------------- who reads when
@judges("LF3", "the synchronisation around the reads of the workers' buffers, and races on them")
def lf3(subject: Subject) -> Answer:
    """The control reads at a barrier only."""
    bad = races(subject)
    if bad:
        return answer("unmet", told(bad))
    role, steps = folding_steps(subject)
    if role is None:
        return answer("unknown", NO_FOLD)
    here = at(steps[0].site, f"{role.name} reads the buffers here")
    acts = frozenset(WAITS)
    before = [one for step in steps[:1] for one in last_before(subject, role, step, acts)]
    after = [one for step in steps[-1:] for one in first_after(subject, role, step, acts)]
    shown = [
        at(subject.place(one), f"{role.name}: {one.act} {'' if one.target is None else one.target.label}".rstrip())
        for one in (*before, *after)
    ]
    barrier = batch_barrier(subject)
    at_barrier = (
        barrier is not None
        and bool(before)
        and all(one.act is Act.WAIT and one.target == barrier.location for one in before)
        and all(one.act is not Act.JOIN for one in after[:1])
    )
    if not before:
        return answer("unmet", here, missing(f"{role.name} waits for nobody before it reads"))
    if at_barrier and role is subject.control:
        return answer("met", here, shown)
    why = missing(
        "the reader is no control thread" if at_barrier else "ordered, but not by a barrier that the workers wait at"
    )
    return answer("partly", here, shown, why)


@judges("LF4", "a test that leaves out workers without a batch in this round, or buffers cleared for each batch")
def lf4(subject: Subject) -> Answer:
    """Only fresh gradients are folded."""
    found = folds(subject)
    known = buffers(subject, found)
    if not known:
        return answer("unknown", NO_FOLD)
    guards = [one for fold in found for one in guarded(subject, fold)]
    cleared = _cleared(subject, known)
    if guards:
        return answer("met", guards, cleared)
    if cleared:
        return answer("met" if batch_barrier(subject) is not None else "partly", cleared)
    return answer("unmet", [at(fold.site, "folded whether or not it was written in this round") for fold in found])


def guarded(subject: Subject, fold: Fold) -> Iterator[Evidence]:
    """Tests in the folding function that skip a worker: an `if` with a member or a call of that worker in it."""
    for one in statements(fold.function.body):
        if not isinstance(one, If) or one.line > fold.site.line:
            continue
        asked = [part for part in within(one.condition) if not isinstance(part, Name | Number | Unary)]
        if not asked:
            continue
        skips = any(getattr(inner, "kind", "") == "continue" for inner in statements(one.then))
        covers = any(getattr(inner, "line", 0) == fold.site.line for inner in statements(one.then))
        if skips or covers:
            yield at(Site(fold.function.path, one.line), f"folded only if: {subject.program.text(one.condition)}")


def _cleared(subject: Subject, known: Buffers) -> list[Evidence]:
    """Buffers set to zero in each round, by the worker before its work or by the director."""
    roles = [*subject.workers, *([subject.director] if subject.director is not None else [])]
    found = [
        at(step.site, f"{role.name} clears the buffer in each round")
        for role in roles
        for step in subject.training_steps(role)
        if step.act in WRITES and step.loops and step.target in known.locations and _zero(step)
    ]
    for role in subject.workers:
        for _, call, function in fetching(subject, role, known.accessors):
            held = {
                name for name, values in assigned_locals(function).items() if any(call in within(one) for one in values)
            }
            for one in calls(function.body):
                cleared = isinstance(one.function, Name) and one.function.name in CLEARS and one.arguments
                if cleared and names(one.arguments[0]) & held:
                    found.append(at(Site(function.path, one.line), f"{role.name} clears the buffer in each round"))
    return found


def _zero(step: Step) -> bool:
    event = step.event
    if event is None:
        return False
    value = event.value
    if event.operator == "=" and isinstance(value, Number):
        return value.value == 0 or value.text.rstrip("fFlL") in {"0.0", "0.", ".0", "0"}
    return event.call is not None and isinstance(event.call.function, Name) and event.call.function.name in CLEARS


# ------------------------------------------------------------------------------------------------- before the update
@judges(
    "LF5",
    "isnan, isinf, isfinite or x != x, and a limit of the values or of their norm, before the weights are written",
)
def lf5(subject: Subject) -> Answer:
    """Gradients are validated and clipped before the update."""
    functions = list(_before_update(subject))
    if not functions:
        return answer("unknown", missing("no update of the weights was found (--bind update=FUNC names it)"))
    validated = [one for function in functions for one in _validations(subject, function)]
    clipped = [one for function in functions for one in _limits(subject, function)]
    absent = [] if validated else [missing("neither NaN nor Inf is looked for before the update")]
    absent += [] if clipped else [missing("no limit of the gradients or of their norm before the update")]
    status = "met" if validated and clipped else "partly" if validated or clipped else "unmet"
    return answer(status, absent, validated, clipped)  # type: ignore[arg-type]  # one of the literals


def _before_update(subject: Subject) -> Iterable[Function]:
    """The functions between the workers' part and the write of the weights, in the roles that update."""
    found: dict[int, Function] = {}
    for role in subject.roles:
        updates = subject.doing(role, "update")
        flow = subject.flow(role)
        for step in updates:
            before = flow.reachable(step.index, lambda one: one.act in WAITS, backwards=True)
            before &= {one.index for one in subject.training_steps(role)}
            inside = [one.index for one in subject.within(role, "update")]
            work = {one.index for one in subject.within(role, "work")}
            for index in {*before, *inside, step.index} - work:
                found.setdefault(id(flow.steps[index].function), flow.steps[index].function)
    return found.values()


def _validations(subject: Subject, function: Function) -> Iterator[Evidence]:
    for expr in all_expressions(function.body):
        named = isinstance(expr, Call) and isinstance(expr.function, Name) and expr.function.name in CHECKS
        same = (
            isinstance(expr, Binary)
            and expr.operator == "!="
            and subject.program.text(expr.left) == subject.program.text(expr.right)
        )
        if named or same:
            yield at(Site(function.path, expr.line), f"{function.name} validates: {subject.program.text(expr)}")


def _limits(subject: Subject, function: Function) -> Iterator[Evidence]:
    """`if (x > limit) x = limit;`, `if (norm > limit) scale *= ...`, the same as a conditional, or fmin and fmax."""
    for expr in all_expressions(function.body):
        if isinstance(expr, Call) and isinstance(expr.function, Name) and expr.function.name in LIMITS:
            yield at(Site(function.path, expr.line), f"{function.name} limits: {subject.program.text(expr)}")
        if isinstance(expr, Conditional) and _limiting(subject, expr.condition, function):
            yield at(Site(function.path, expr.line), f"{function.name} limits: {subject.program.text(expr)}")
    for one in statements(function.body):
        if isinstance(one, If) and _limiting(subject, one.condition, function):
            sets = [
                part for inner in statements(one.then) for part in all_expressions((inner,)) if isinstance(part, Assign)
            ]
            if any(names(part.value) & names(one.condition) for part in sets):
                yield at(
                    Site(function.path, one.line), f"{function.name} limits: {subject.program.text(one.condition)}"
                )


def _limiting(subject: Subject, condition: Expr, function: Function) -> bool:
    """A comparison of two floating values, or of a magnitude."""
    for one in within(condition):
        if isinstance(one, Binary) and one.operator in {"<", ">", "<=", ">="}:
            types = [subject.program.type_of(side, function) for side in (one.left, one.right)]
            if any(
                type is not None and type.base in {"float", "double", "long double"} and not type.pointers
                for type in types
            ):
                return True
            if any(
                isinstance(part, Call) and getattr(part.function, "name", "") in ROOTS | {"fabs", "fabsf"}
                for part in within(one)
            ):
                return True
    return False
