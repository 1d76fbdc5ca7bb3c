"""An audit on the terminal: inventory, roles, findings, requirements, plan, what could not be read, the next command.

The inventory is always told, also when nothing was found. Rules of this file: it reads the audit and says it, in the
order in which one asks; `show` answers one question instead, the answer first and what it rests on below it.
"""

from collections.abc import Mapping
from shlex import quote
from typing import Any

from rich.console import Console

from cllm_sim.errors import BadRequest
from cllm_sim.report.audit import answers, findings, headlines, outcomes, requirements
from cllm_sim.report.audit.blocks import one_line, plain
from cllm_sim.report.audit.chapters import SHOWN, answering
from cllm_sim.report.audit.excerpts import excerpt
from cllm_sim.report.audit.objects import KINDS, Kind, facts, never, places, segment_facts, summary
from cllm_sim.report.audit.shape import SEVERITIES, Audit, Finding, Role, SyncObject, read_audit
from cllm_sim.report.audit.text_blocks import cut, pairs, paragraph
from cllm_sim.report.audit.text_blocks import excerpt as show_excerpt
from cllm_sim.report.audit.text_blocks import show as show_blocks
from cllm_sim.report.lines import blank, line, rows, steps, stuck, whole, width
from cllm_sim.report.quantities import counted, listed, rounded
from cllm_sim.results import RunResult

OBJECTS_MAX = 20
REQUIREMENT_INDENT = 18
LOWEST = SEVERITIES[-1]
SEVERITY_STYLES = {"error": "bold red", "warning": "yellow", "note": ""}
STATUS_STYLES = {"met": "green", "unmet": "red", "partly": "yellow"}


def render(
    data: Mapping[str, Any] | RunResult, console: Console, show: str | None = None, min_severity: str = LOWEST
) -> None:
    """Show an audit with the findings from this severity up.

    With `show` it answers one question only: `barriers`, `control`, `shared-memory` or `threads`. Raises BadRequest
    where there is no such question, and where the result is none of an audit.
    """
    audit = read_audit(data.data if isinstance(data, RunResult) else data)
    if show is not None:
        _answer(console, audit, show, min_severity)
        return
    _heading(console, audit)
    _inventory(console, audit)
    _roles(console, audit)
    _findings(console, audit, min_severity)
    _requirements(console, audit)
    _plan(console, audit)
    _skeleton(console, audit)
    _limits(console, audit)
    blank(console)
    line(console, _total(audit))
    whole(console, _next(audit))


# ------------------------------------------------------------------------------------------------------ one question
def _answer(console: Console, audit: Audit, question: str, min_severity: str) -> None:
    if question not in SHOWN:
        raise BadRequest(f"there is no question '{question}'; ask for {listed(list(SHOWN), 'or')}")
    chapter = answering(audit, question)
    line(console, plain(chapter.answer), "bold")
    show_blocks(console, chapter.blocks)
    shown = [number for number in chapter.findings if findings.at_least(audit.findings[number].severity, min_severity)]
    for number in shown:
        blank(console)
        _finding(console, audit, audit.findings[number])
    blank(console)
    others = [name for name in SHOWN if name != question]
    line(console, f"the other questions: --show {listed(others, 'or')}", "dim")
    whole(console, f"everything:  cllm audit {_paths(audit)}")


# ----------------------------------------------------------------------------------------------------------- heading
def _heading(console: Console, audit: Audit) -> None:
    size = f"{counted(audit.files, 'file')}, {counted(audit.lines, 'line')}, {counted(audit.functions, 'function')}"
    line(console, f"{one_line(audit.architecture)}  {size}")
    line(console, headlines.verdict(audit), "bold")


def _inventory(console: Console, audit: Audit) -> None:
    _title(console, "inventory")
    for kind in KINDS:
        rows(console, [(f"{kind.many:<15}", summary(kind, audit.inventory))])
        found = kind.of(audit.inventory)
        pairs(console, [_object(kind, item) for item in found[:OBJECTS_MAX]], 4)
        _rest(console, len(found))
    segments = audit.inventory.segments
    rows(console, [(f"{'shared buffers':<15}", counted(len(segments), "buffer") if segments else "none")])
    pairs(console, [(item.name, "; ".join(segment_facts(item))) for item in segments[:OBJECTS_MAX]], 4)
    _rest(console, len(segments))
    threads = audit.inventory.threads
    told = counted(len(threads), "entry function") if threads else "none is started"
    rows(console, [(f"{'threads':<15}", told)])
    pairs(console, [(item.name, _thread(item.created, item.joined, item.detached)) for item in threads], 4)


def _object(kind: Kind, item: SyncObject) -> tuple[str, str]:
    return item.name, "; ".join(facts(kind, item)) or never(kind, item)


def _rest(console: Console, count: int) -> None:
    if count > OBJECTS_MAX:
        line(console, f"    and {count - OBJECTS_MAX} more (--format json has them all)", "dim")


def _thread(created: Any, joined: Any, detached: Any) -> str:
    counts = listed(list(dict.fromkeys(place.count for place in created if place.count)), "or")
    times = f" {counts} times" if counts and counts != "1" else ""
    started = f"started{times} ({places(created)})" if created else "never started"
    ends = [f"{word} ({places(where)})" for word, where in (("joined", joined), ("detached", detached)) if where]
    return "; ".join([started, *(ends or ["neither joined nor detached"])])


def _roles(console: Console, audit: Audit) -> None:
    _title(console, "roles")
    found = [(role.name, _role(role, audit.knows_work)) for role in audit.inventory.roles]
    if not found:
        line(console, f"  none: {answers.read(audit)} no entry function of a thread, no call that starts one")
    pairs(console, found, 2)


def _role(role: Role, knows_work: bool) -> str:
    idle = "never processes batches" if knows_work else "no function is known as batch processing"
    path = " → ".join(f"{place.function or place.path}:{place.line}" for place in role.work_path)
    works = f"processes batches{f' ({path})' if path else ''}" if role.reaches_work else idle
    parts = [
        f"{role.count} of them" if role.count and role.count != "1" else "",
        f"enters {role.entry}" if role.entry else "",
        "only waits" if role.only_parked else "",
        works,
        listed(answers.duties(role)),
        f"waits on {listed(list(role.waits_on))}" if role.waits_on else "waits on nothing",
    ]
    return "; ".join(part for part in parts if part)


# ---------------------------------------------------------------------------------------------------------- findings
def _findings(console: Console, audit: Audit, min_severity: str) -> None:
    numbers = findings.by_severity(audit)
    shown = [number for number in numbers if findings.at_least(audit.findings[number].severity, min_severity)]
    _title(console, "findings")
    if not audit.findings:
        rules = f"{counted(len(audit.rules), 'rule')} looked" if audit.rules else "all rules looked"
        line(console, f"  none: {rules} at every object and role")
    for number in shown:
        _finding(console, audit, audit.findings[number])
        blank(console)
    hidden = len(numbers) - len(shown)
    if hidden:
        line(console, f"  {counted(hidden, 'finding')} below {min_severity} not shown", "dim")
    for item in audit.suppressed:
        paragraph(console, f"suppressed  {item}  {item.code}: {item.reason}", 2, "dim")


def _finding(console: Console, audit: Audit, finding: Finding) -> None:
    """Place, code and message; the line with its mark; the other sides; how sure, and where to read more."""
    place = f"{finding}:{finding.column}" if finding.column else str(finding)
    paragraph(console, f"{place}: {finding.code} {finding.message}", 0, SEVERITY_STYLES[finding.severity])
    show_excerpt(console, excerpt(audit, finding), 0, head=False)
    for note in finding.notes:
        show_excerpt(console, excerpt(audit, note, note.text, finding.subject), 2)
    if finding.tip:
        paragraph(console, f"to do: {finding.tip}", 2)
    known = f"  {', '.join([finding.severity, *findings.certainty(audit, finding)])}."
    command = f"cllm explain {finding.code}"
    if len(known) + len(command) + 3 <= width(console):
        whole(console, f"{known}   {command}")
    else:
        paragraph(console, known.strip(), 2)
        whole(console, f"  {command}")


# ------------------------------------------------------------------------------------------------ requirements, plan
def _requirements(console: Console, audit: Audit) -> None:
    if not audit.requirements:
        return
    _title(console, f"requirements  {requirements.counts(audit)}")
    for row in audit.requirements:
        styles = ("", STATUS_STYLES.get(row.status, ""))
        rows(
            console, [(f"{row.id:<5}", f"{row.status:<7}", cut(one_line(row.text), width(console) - 18))], styles=styles
        )
        line(console, " " * 18 + cut(requirements.one_line_of(row), width(console) - 18), "dim")


def _plan(console: Console, audit: Audit) -> None:
    if not audit.plan:
        return
    _title(console, f"plan  {counted(len(audit.plan), 'step')}")
    told = []
    for step in audit.plan:
        where = f" at {places(step.where)}" if step.where else ""
        what = f" ({', '.join(step.requirements)})" if step.requirements else ""
        told.append((f"{step.step}.", f"{one_line(step.title)}{what}{where}"))
    rows(console, told)


# ------------------------------------------------------------------------------------------------- skeleton, limits
def _skeleton(console: Console, audit: Audit) -> None:
    skeleton = audit.skeleton
    if skeleton is None:
        return
    _title(console, "the program's own protocol, checked")
    if skeleton.refused:
        paragraph(console, f"not possible: {skeleton.refused}", 2)
    for check in skeleton.checks:
        word = "BROKEN" if check.verdict == "broken" else check.verdict
        size = f"{counted(check.states, 'state')}" if check.states is not None else ""
        extent = outcomes.searched(check.complete, check.limit)
        told = ", ".join(part for part in (check.kind, size, extent) if part)
        style = {"broken": "bold red", "undecided": "yellow", "holds": "green"}.get(check.verdict, "")
        rows(console, [(f"{counted(check.workers, 'worker'):<11}", f"{word:<9}", told)], styles=("", style))
    example = next((check.counterexample for check in skeleton.checks if check.counterexample), None)
    if example is not None:
        blank(console)
        steps(console, example.model_dump(), 0)
        if example.stuck:
            blank(console)
            stuck(console, [row.model_dump() for row in example.stuck], 0)


def _limits(console: Console, audit: Audit) -> None:
    if audit.unreadable:
        _title(console, "not understood")
        pairs(console, [(str(item), one_line(item.why)) for item in audit.unreadable], 2)
    if audit.assumptions:
        _title(console, "assumed")
        for item in audit.assumptions:
            where = f" ({item})" if item.known else ""
            other = f"; otherwise {item.override}" if item.override else ""
            sure = f", confidence {item.confidence}" if item.confidence else ""
            paragraph(console, f"{item.text}{where}{sure}{other}", 2)


def _total(audit: Audit) -> str:
    count = len(audit.findings)
    told = [counted(audit.number(severity), severity) for severity in SEVERITIES if audit.number(severity)]
    which = f" ({', '.join(told)})" if told else ""
    took = f", {rounded(audit.seconds, 2)} s" if audit.seconds is not None else ""
    left = len(audit.unreadable)
    unread = f"; {counted(left, 'place')} not understood" if left else ""
    return f"{counted(count, 'finding')}{which} in {counted(audit.files, 'file')}{took}{unread}"


def _next(audit: Audit) -> str:
    if audit.output:
        return f"look at it:  {audit.output}/index.html"
    if audit.skeleton is None and audit.inventory.threads:
        return f"is there a schedule that goes wrong?  cllm audit {_paths(audit)} --check"
    return f"all of it as a page:  cllm audit {_paths(audit)} -o audit-report"


def _paths(audit: Audit) -> str:
    return " ".join(quote(path) for path in audit.paths) or "PATH"


def _title(console: Console, text: str) -> None:
    blank(console)
    line(console, text, "bold")
