"""NZ1 to NZ5: a control thread of its own that coordinates twelve workers and computes nothing.

Rules of this file: the control is whoever coordinates, not what a name says; a thread that is only parked is none.
"""

from __future__ import annotations

from collections.abc import Iterator

from cllm_sim.auditor.facts import Binary, Call, Conditional, Expr, Function, If, Loop, Return, Site, Stmt
from cllm_sim.auditor.flow import Step
from cllm_sim.auditor.requirements.answer import Answer, Evidence, answer, at, judges, missing, told
from cllm_sim.auditor.requirements.subject import COORDINATES, Subject, listed, site_of
from cllm_sim.auditor.roles import Role
from cllm_sim.auditor.roles.model import Creation
from cllm_sim.auditor.traverse import expressions, statements, within
from cllm_sim.auditor.vocabulary import Act

TWELVE = 12
NO_WORKERS = missing(
    "no created thread reaches batch processing (--bind work=FUNC names it where it has no telling name)"
)
COMPARES = frozenset({"==", "!=", "<", ">", "<=", ">="})
WORDS = {
    "distribute": "distributes the batches",
    "accumulate": "accumulates the gradients",
    "update": "updates the weights",
}


def starts(role: Role, text: str = "") -> list[Evidence]:
    """Where the threads of a role are created."""
    many = (
        f"{role.count.text} threads" if role.many and role.count is not None else "threads" if role.many else "thread"
    )
    return [at(one.event.site, text or f"{one.creator} starts the {many} of {role.name}") for one in role.created[:2]]


@judges(
    "NZ1", "a single created thread, other than the workers and the caller, that distributes, accumulates or updates"
)
def nz1(subject: Subject) -> Answer:
    """A dedicated control thread."""
    control = subject.control
    if control is not None:
        done = [WORDS[one] for one in COORDINATES if subject.doing(control, one)]
        what = f"{control.name} is a thread of its own and {listed(done) or 'starts the workers'}"
        return answer("met", starts(control, what), *(starts(one) for one in subject.workers))
    if not subject.threads:
        return answer("unmet", missing("no thread is created"))
    found = [] if subject.director is None else _coordination(subject, subject.director)
    if subject.parked:
        parked = [one for role in subject.parked for one in starts(role, f"{role.name} is created and only waits")]
        return answer("partly", parked, found)
    return answer(
        "unmet", found or [missing("no created single thread coordinates the others")], *map(starts, subject.threads)
    )


def _coordination(subject: Subject, role: Role) -> list[Evidence]:
    kind = "several threads" if role.many else "the calling thread" if role.caller else "a thread of its own"
    return [
        at(step.site, f"{role.name} ({kind}) {WORDS[purpose]} here: {called(step)}")
        for purpose in COORDINATES
        for step in subject.doing(role, purpose)[:1]
    ]


def called(step: Step) -> str:
    """What a step calls or writes."""
    if step.event is not None and step.event.callees:
        return step.event.callees[0].name
    return "a write" if step.target is None else step.target.label


def computing(subject: Subject, role: Role) -> list[Evidence]:
    """How a role reaches batch processing: one piece of evidence for each function, the first call and the last."""
    found = []
    for function in subject.reaches(role, "work"):
        how = subject.analysis.path_to(role, function)
        site = how[-1] if how else site_of(function)
        way = f" by way of {how[0]}" if len(how) > 1 else ""
        found.append(at(site, f"{role.name} reaches {function.name}{way}"))
    return found


@judges("NZ2", "calls of batch processing in what the control thread's entry function reaches")
def nz2(subject: Subject) -> Answer:
    """The control never computes."""
    control = subject.control
    if not subject.analysis.purposes.work:
        return answer("unknown", missing("no function is known as batch processing (--bind work=FUNC names it)"))
    if control is not None:
        reached = computing(subject, control)
        if reached:
            return answer("unmet", told(subject.found("CT004")), reached)
        entry = at(
            site_of(control.entries[0]),
            f"{len(control.reach)} functions reached from {control.name}, none of them batch processing",
        )
        return answer("met", entry)
    director = subject.director
    reached = [] if director is None else computing(subject, director)
    if director is None:
        return answer("unmet", missing("no thread coordinates the others"))
    if subject.parked:
        idle = [
            at(site_of(role.entries[0]), f"{role.name} computes nothing, but coordinates nothing either")
            for role in subject.parked
        ]
        return answer("partly", idle, reached or _coordination(subject, director))
    if reached:
        return answer("unmet", reached)
    return answer(
        "partly",
        missing(f"there is no control thread; {director.name}, which coordinates, reaches no batch processing"),
    )


@judges("NZ3", "the control's own calls of distribution, accumulation and update, and its waits for the workers")
def nz3(subject: Subject) -> Answer:
    """The control itself coordinates."""
    control = subject.control
    if control is None:
        idle = [one for role in subject.parked for one in starts(role, f"{role.name} is only parked")]
        other = [] if subject.director is None else _coordination(subject, subject.director)
        return answer("unmet", idle, other or [missing("no control thread exists, so none coordinates")])
    found = _coordination(subject, control)
    waits = subject.waits(control)
    absent = [missing(f"{control.name}: no step that {WORDS[one]}") for one in _absent(subject, control)]
    if waits:
        found.append(at(subject.place(waits[0]), f"{control.name} waits for the workers here"))
    else:
        absent.append(missing(f"{control.name} never waits for the workers"))
    if not absent:
        return answer("met", found)
    return answer("partly" if found else "unmet", absent, found)


def _absent(subject: Subject, control: Role) -> list[str]:
    absent = [one for one in COORDINATES if not subject.doing(control, one)]
    if "distribute" in absent and hands_out(subject, control):
        absent.remove("distribute")
    return absent


def hands_out(subject: Subject, role: Role) -> list[Step]:
    """The writes of a role, while threads run, to what workers read and do not write: orders and shares of work."""
    read = {place for worker in subject.workers for place, _ in subject.accesses(worker, write=False)}
    update = {step.index for step in subject.within(role, "update")} | {
        one.index for one in subject.doing(role, "update")
    }
    return [
        step
        for place, step in subject.accesses(role, write=True)
        if place in read and place not in subject.worker_written and step.index not in update
    ]


# --------------------------------------------------------------------------------------------------------- how many
@judges("NZ4", "a constant number of workers, or a comparison of their number with twelve on the way to their creation")
def nz4(subject: Subject) -> Answer:
    """Twelve workers, enforced."""
    if not subject.workers:
        return answer("unknown", NO_WORKERS)
    found: list[Evidence] = []
    states = set()
    for role in subject.workers:
        state, evidence = _enforced(subject, role)
        states.add(state)
        found += evidence
    if states == {"met"} and subject.control is not None:
        return answer("met", found)
    return answer("unmet" if states == {"unmet"} else "partly", found)


def _enforced(subject: Subject, role: Role) -> tuple[str, list[Evidence]]:
    count = role.count
    if count is None:
        return _by_each(subject, role)
    value = subject.program.followed(count).value
    if value is not None:
        kind = "twelve" if value == TWELVE else f"the declared arity {value}"
        return "met", starts(role, f"{value} threads of {role.name}, a constant: {kind}")
    for created in role.created:
        for site, text, exact in _checks(subject, created):
            return "met" if exact else "partly", [at(site, text), *starts(role)]
    return "unmet", [
        *starts(role, f"{count.text} threads of {role.name}; nothing on the way here compares that with {TWELVE}"),
        *_defaults(subject, count.terms),
    ]


def _by_each(subject: Subject, role: Role) -> tuple[str, list[Evidence]]:
    """Where the whole number cannot be told: does every thread that starts some start as many, a constant?"""
    numbers = {rounds_of(subject, created) for created in role.created}
    if len(numbers) == 1 and None not in numbers:
        return "met", starts(role, f"each starts {numbers.pop()} threads of {role.name}, a constant")
    return "unmet", starts(role, f"how many threads of {role.name} there are cannot be told here")


def rounds_of(subject: Subject, created: Creation) -> int | None:
    """How many threads one run of the loops around a creation starts, where that is a number."""
    roles, function = subject.analysis.roles, created.function
    loops = next((one.loops for one in roles.placed(function) if one.event == created.event), ())
    total = 1
    for loop in loops[-1:]:
        rounds = roles.rounds(loop, function)
        value = None if rounds is None else subject.program.followed(rounds).value
        if value is None:
            return None
        total *= value
    return total


def _checks(subject: Subject, created: Creation) -> Iterator[tuple[Site, str, bool]]:
    """Comparisons of the number of threads with twelve, in the functions that lead to a creation."""
    if created.count is None:
        return
    wanted = subject.program.followed(created.count)
    for function in _on_the_way(subject, created):
        for condition in _conditions(function):
            for one in within(condition):
                if not isinstance(one, Binary) or one.operator not in COMPARES:
                    continue
                for number, other in ((one.left, one.right), (one.right, one.left)):
                    if subject.program.constant(number, function, function.path) != TWELVE:
                        continue
                    count = subject.program.followed(subject.program.count(other, function, function.path))
                    if count.same(wanted) or count.same(created.count):
                        exact = one.operator in {"==", "!="}
                        text = f"{function.name} compares the number of workers: {subject.program.text(one)}"
                        yield Site(function.path, one.line), text, exact


def _on_the_way(subject: Subject, created: Creation) -> list[Function]:
    role = subject.analysis.roles.get(created.creator)
    found = [created.function]
    for reach in [] if role is None else role.reach.values():
        if reach.how == created.how[: len(reach.how)]:
            found.append(reach.function)
    return found


def _conditions(function: Function) -> Iterator[Expr]:
    for one in statements(function.body):
        if isinstance(one, If):
            yield one.condition
        elif not isinstance(one, Loop):
            yield from (expr for expr in expressions(one) if isinstance(one, Return) or _asserts(expr))
            yield from _conditional(one)


def _asserts(expr: Expr) -> bool:
    return isinstance(expr, Call) and "assert" in str(getattr(expr.function, "name", "")).lower()


def _conditional(one: Stmt) -> Iterator[Expr]:
    for expr in expressions(one):
        yield from (part.condition for part in within(expr) if isinstance(part, Conditional))


def _defaults(subject: Subject, terms: tuple[tuple[str, int], ...]) -> list[Evidence]:
    """Where the number of workers is set to twelve without being held to it."""
    members = {symbol.rpartition(".")[2] for symbol, _ in terms}
    return [
        at(Site(function.path, getattr(value, "line", function.line)), f"{TWELVE} is only what {label} starts with")
        for label, values in subject.program.assignments.items()
        if label.rpartition(".")[2] in members
        for value, function in values
        if subject.program.constant(value, function, function.path) == TWELVE
    ]


@judges("NZ5", "locks held at the calls of batch processing by the workers")
def nz5(subject: Subject) -> Answer:
    """No lock around forward and backward."""
    if not subject.workers:
        return answer("unknown", NO_WORKERS)
    serial = subject.found("CL002")
    if serial:
        return answer("unmet", told(serial))
    held = held_at_work(subject)
    if held:
        return answer("partly", held)
    shown = work_sites(subject, "no lock is held at this call of batch processing")
    return answer("met", shown or [one for role in subject.workers for one in computing(subject, role)])


def held_at_work(subject: Subject) -> list[Evidence]:
    """Calls of batch processing with a lock held."""
    found = []
    for role in subject.workers:
        locks = subject.analysis.held(role)
        for step in subject.doing(role, "work"):
            for one in sorted(locks.possibly[step.index], key=lambda held: held.lock.label):
                found.append(at(step.site, f"{one.lock.label} is held at this call of {called(step)}"))
    return found


def work_sites(subject: Subject, text: str) -> list[Evidence]:
    """The workers' calls of batch processing."""
    return [at(step.site, f"{role.name}: {text}") for role in subject.workers for step in subject.doing(role, "work")]


def waits_in(subject: Subject, role: Role) -> list[Step]:
    """The steps at which a role waits at a barrier."""
    return [step for step in subject.training_steps(role) if step.act is Act.WAIT]
