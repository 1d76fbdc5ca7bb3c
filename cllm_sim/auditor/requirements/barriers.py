"""BA1 to BA7: barriers order the rounds, everybody takes part, and everybody gets out again.

Rules of this file: what a rule found is not derived again; a row is met only where the code shows the order.
"""

from __future__ import annotations

from cllm_sim.auditor.flow import Step
from cllm_sim.auditor.inventory import SharedObject
from cllm_sim.auditor.program import Count
from cllm_sim.auditor.requirements import gradients, node_zero
from cllm_sim.auditor.requirements.answer import Answer, Evidence, answer, at, judges, missing, told
from cllm_sim.auditor.requirements.rounds import batch_barrier, first_after, last_before, meets
from cllm_sim.auditor.requirements.subject import WAITS, Subject, listed, site_of
from cllm_sim.auditor.roles import Role
from cllm_sim.auditor.vocabulary import LOCKS, Act

NO_BARRIER = missing("no barrier is declared or initialised anywhere")
ORDERS = frozenset({*WAITS, Act.CREATE, Act.NOTIFY, Act.NOTIFY_ALL, Act.UP})


@judges("BA1", "for each barrier: an initialisation, waits by threads, a destruction")
def ba1(subject: Subject) -> Answer:
    """Every barrier is initialised, waited on and destroyed."""
    if not subject.barriers:
        return answer("unmet" if subject.workers else "unknown", NO_BARRIER)
    bad, weak, good = [], [], []
    for one in subject.barriers:
        if not one.by(Act.WAIT):
            bad.append(at(one.site, f"nobody waits on {one.label}"))
        elif not one.initialised:
            bad.append(at(one.site, f"{one.label} is waited on and never initialised"))
        elif not one.destroyed:
            weak.append(at(one.initialised[0].site, f"{one.label} is never destroyed"))
        else:
            good.append(at(one.by(Act.WAIT)[0].site, f"{one.label} is waited on by {listed(one.roles(Act.WAIT))}"))
    return answer("unmet" if bad else "partly" if weak else "met", bad, weak, good)


@judges("BA2", "the count of each initialisation against the threads that wait on the barrier")
def ba2(subject: Subject) -> Answer:
    """Counts are right."""
    if not subject.barriers:
        return answer("unknown", missing("no barrier is declared, so there is no count to compare"))
    wrong = subject.found("CB002", "CB003", "CB004")
    idle = [one for one in subject.barriers if not one.by(Act.WAIT)]
    if wrong or idle:
        found = [
            at(
                init.site,
                f"{one.label} is initialised for {init.count.text if init.count else '?'}, and nobody waits on it",
            )
            for one in idle
            for init in one.initialised[:1]
        ]
        return answer("unmet", told(wrong), found or [at(one.site, f"nobody waits on {one.label}") for one in idle])
    found, sure = [], True
    for one in subject.barriers:
        for init in one.initialised:
            same, text = _compared(subject, one, init.count)
            sure = sure and same
            found.append(at(init.site, text))
    return answer("met" if sure else "unknown", found or [missing("no initialisation with a count was found")])


def _compared(subject: Subject, one: SharedObject, count: Count | None) -> tuple[bool, str]:
    roles = [role for role in subject.roles if role.name in one.roles(Act.WAIT)]
    parties: Count | None = Count((), 0, "0")
    for role in roles:
        there = Count((), 1, "1") if role.caller or not role.many else role.count
        parties = None if parties is None or there is None else parties + there
    if count is None or parties is None:
        return False, f"{one.label}: how many threads wait cannot be told from the code"
    same = subject.program.same_count(count, parties)
    text = f"{one.label} is initialised for {count.text}; {listed(role.name for role in roles)} wait on it"
    return same is True, text if same else f"{text}, and it cannot be told that these are as many"


@judges("BA3", "a wait after each batch in the workers, and a wait on the same barrier in the role that coordinates")
def ba3(subject: Subject) -> Answer:
    """Workers and control meet at the batch barrier."""
    if not subject.workers:
        return answer("unknown", node_zero.NO_WORKERS)
    barrier = batch_barrier(subject)
    if barrier is None:
        return answer("unmet", _other_waits(subject) or [missing("no worker waits at a barrier after its work")])
    made = {one.label: crossings for one, crossings in meets(subject)}[barrier.label]
    found = [
        at(subject.place(one.wait), f"{one.role.name} waits at {barrier.label} after its batch ({one.work.site})")
        for one in made
    ]
    around = [at(one.work.site, f"a way leads from this batch past {barrier.label}") for one in made if not one.always]
    around += told(subject.found("CB002", "CB003", "CB004"))
    director = subject.director
    waits = [] if director is None else subject.crossings(director, barrier)
    if not waits:
        return answer("partly", found, missing(f"nobody but the workers waits at {barrier.label}"))
    assert director is not None
    found.append(at(subject.place(waits[0]), f"{director.name} waits at {barrier.label} for them"))
    whole = len(made) == len(subject.workers) and not around
    return answer("met" if whole else "partly", around, found)


def _other_waits(subject: Subject) -> list[Evidence]:
    """How the director waits for the workers instead."""
    role = subject.director
    if role is None:
        return []
    return [
        at(
            step.site,
            f"{role.name} waits here, not at a barrier: {step.act} {step.target.label if step.target else ''}".rstrip(),
        )
        for step in subject.waits(role)
        if step.act is not Act.WAIT
    ]


@judges("BA4", "what stands before and after the accumulation in the thread that does it, and races on what it reads")
def ba4(subject: Subject) -> Answer:
    """Gradients are accumulated while the workers wait, by one thread."""
    races = gradients.races(subject)
    if races:
        return answer("unmet", told(races))
    role, steps = gradients.folding_steps(subject)
    if role is None:
        return answer(
            "unknown", missing("no accumulation of what workers write was found (--bind accumulate=FUNC names it)")
        )
    if role.many:
        return _by_many(subject, role, steps)
    before = [one for step in steps[:1] for one in last_before(subject, role, step, ORDERS)]
    after = [one for step in steps[-1:] for one in first_after(subject, role, step, ORDERS)]
    here = at(steps[0].site, f"{role.name} alone accumulates here")
    shown = [
        at(subject.place(one), f"before it: {one.act} {one.target.label if one.target else ''}".rstrip())
        for one in before
    ]
    shown += [
        at(subject.place(one), f"after it: {one.act} {one.target.label if one.target else ''}".rstrip())
        for one in after
    ]
    if not any(one.act in WAITS for one in before):
        return answer("unmet", here, missing(f"{role.name} waits for nobody before it accumulates"))
    if role in subject.workers:
        return answer("partly", here, shown)
    return answer("met", here, shown)


def _by_many(subject: Subject, role: Role, steps: list[Step]) -> Answer:
    held = subject.analysis.held(role)
    inside = subject.within(role, "accumulate") or steps
    writes = [step for step in inside if step.act is Act.WRITE and step.target is not None]
    here = at(steps[0].site, f"every thread of {role.name} accumulates here")
    if writes and all(step.own for step in writes):
        return answer("met", here, at(writes[0].site, "each writes its own part"))
    locks = sorted({one.lock.label for step in writes for one in held.surely[step.index]})
    if locks:
        return answer("partly", here, at(writes[0].site, f"one after another, under {listed(locks)}"))
    return answer("partly", here, missing("several threads accumulate; no finding says that they race"))


@judges(
    "BA5", "a wait on a barrier inside the loop over the epochs and outside the loop over the batches, by all roles"
)
def ba5(subject: Subject) -> Answer:
    """Epochs are separated by a barrier."""
    role = subject.director
    if role is None or not subject.workers:
        return answer("unknown", node_zero.NO_WORKERS)
    depth = _batch_depth(subject, role)
    found, partial = [], []
    for barrier in subject.barriers:
        between = [step for step in subject.crossings(role, barrier) if 0 < len(step.loops) < depth]
        if not between:
            continue
        absent = [one.name for one in subject.workers if not subject.crossings(one, barrier)]
        places = [
            at(subject.place(step), f"{role.name} waits at {barrier.label} between two epochs") for step in between[:1]
        ]
        if absent:
            partial += [*places, missing(f"{listed(absent)} never waits at {barrier.label}")]
        else:
            waits = [
                at(subject.place(step), f"{one.name} waits at {barrier.label}")
                for one in subject.workers
                for step in subject.crossings(one, barrier)[:1]
            ]
            found.append(([*places, *waits], barrier))
    apart = [one for one in found if batch_barrier(subject) is None or one[1].label != batch_barrier(subject).label]  # type: ignore[union-attr]
    if apart or found:
        return answer("met", *(places for places, _ in apart or found))
    if partial:
        return answer("partly", partial)
    idle = [at(one.site, f"nobody waits on {one.label}") for one in subject.barriers if not one.by(Act.WAIT)]
    return answer(
        "unmet",
        idle or [missing(f"{role.name} waits at no barrier between the last batch of an epoch and the next epoch")],
    )


def _batch_depth(subject: Subject, role: Role) -> int:
    """How many loops lie around one batch in the coordinating role."""
    steps = [step for purpose in ("distribute", "accumulate", "update") for step in subject.doing(role, purpose)]
    steps = steps or node_zero.waits_in(subject, role)
    return max((len(step.loops) for step in steps), default=0)


@judges("BA6", "how each thread gets out of its last wait when the trainer stops, and where it is joined")
def ba6(subject: Subject) -> Answer:
    """Nobody is left waiting at the end."""
    if not subject.threads:
        return answer("unknown", missing("no thread is created"))
    stuck = subject.found("CT001", "CT002", "CB003", "CB004", "CB002", "CW005", "CP002", "CL003", "CL004")
    if stuck:
        return answer("unmet", told(stuck))
    weak = told([*subject.found("CR002"), *subject.found("CT003"), *subject.found("CW006")])
    joined = _joins(subject)
    if weak:
        return answer("partly", weak, joined)
    if not joined:
        return answer("partly", missing("no thread is joined, so nothing shows that all have ended"))
    return answer("met", joined, _ends(subject))


def _joins(subject: Subject) -> list[Evidence]:
    return [
        at(step.site, f"{role.name} joins {'' if step.target is None else step.target.label}".rstrip())
        for role in subject.roles
        for step in subject.flow(role).events(Act.JOIN)
    ]


def _ends(subject: Subject) -> list[Evidence]:
    return [
        at(site_of(role.entries[0]), f"{role.name}: no finding of a thread left waiting") for role in subject.threads
    ]


@judges("BA7", "locks that workers or the control take while batches are processed, beside barriers")
def ba7(subject: Subject) -> Answer:
    """No locks where barriers order."""
    serial = subject.found("CL002")
    taken = _locks(subject)
    if serial:
        return answer("unmet", told(serial), taken)
    if not subject.threads:
        return answer("unknown", missing("no thread is created"))
    if taken:
        return answer("partly", taken)
    return answer("met", missing(f"{listed(role.name for role in subject.threads)}: no lock is taken"))


def _locks(subject: Subject) -> list[Evidence]:
    roles: list[Role] = [*subject.workers, *([subject.director] if subject.director is not None else [])]
    found = [
        at(step.site, f"{role.name} takes {'a lock' if step.target is None else step.target.label}")
        for role in roles
        for step in subject.training_steps(role)
        if step.act in LOCKS
    ]
    return list(dict.fromkeys(found))
