"""Steps from one control to a tree of them: the node, its place, its growth, its reports.

Rules of this file: they come last, for each level is the protocol that the steps before have made right; where the
program has a place to hook into, it is named.
"""

from __future__ import annotations

import re

from cllm_sim.auditor.facts import Function, Site
from cllm_sim.auditor.planning.context import Context, serves
from cllm_sim.auditor.planning.lines import INDENT
from cllm_sim.auditor.planning.sketch import Sketch
from cllm_sim.auditor.planning.step import PlanStep
from cllm_sim.auditor.requirements import Evidence
from cllm_sim.auditor.requirements.answer import at, missing
from cllm_sim.auditor.requirements.subject import site_of


def _places(context: Context, *ids: str) -> tuple[Evidence, ...]:
    entry = context.layout.worker_entry
    own = (at(site_of(entry), f"{entry.name} is every thread's entry"),) if entry is not None else ()
    return (*own, *context.rests_on(*ids, limit=4)) or (missing("no thread to hook into yet"),)


def _names(context: Context) -> tuple[str, str]:
    entry = context.layout.worker_entry
    return ("worker_main" if entry is None else entry.name), context.layout.control_name


@serves("sphere", "RC9")
def sphere(context: Context) -> PlanStep | None:
    """Each thread knows its place."""
    ids, layout = context.open("RC9"), context.layout
    record, worker = layout.worker_record, layout.worker
    sketch = context.sketch()
    places = _places(context, "RC9")
    if record is not None:
        places = (at(Site(record.path, record.line), f"{record.name} is what a thread is given"), *places)
        known = context.program.records
        sketch.hunk(record.path, layout.type_of(record), record.line)
        if not any(one.name == "struct sphere" for one in known):
            sketch.note("struct sphere: const struct sphere *parent; int position (0 to 11)")
        sketch.add(f"{INDENT}const struct sphere *sphere;  /* parent and position 0 to 11 under it */")
    alone = "" if record is not None else "a record for each thread, which its creation passes, holds its sphere; "
    for created in worker.created[:1] if worker is not None else ():
        places = (*places, at(created.event.site, "the threads start here, each with its sphere"))
        sketch.hunk(created.function.path, created.function.name, created.function.line)
        child = next(
            (one.name for one in context.program.functions if re.search(r"lattice_child|sphere_at", one.name)), ""
        )
        by = f"by {child} " if child else ""
        sketch.note(f"{alone}before the threads start, thread i gets {by}the sphere at position i under the root")
    return PlanStep(
        "Give each thread its sphere",
        ids,
        places[:6],
        "numbers in a flat array of threads",
        "every thread prints its parent and position once: each pair is there once, positions 0 to 11; "
        f"{context.expects(ids, run=False)}",
        "first of the tree: its shape is what the following steps build on, and it puts the lattice to use",
        tuple(
            dict.fromkeys([*_names(context)[:1], *(one.function.name for one in (worker.created if worker else ()))])
        ),
        patch=context.applied(sketch),
        promise=context.promise(ids),
    )


@serves("nodes", "RC1", "RC3", "RC4")
def nodes(context: Context) -> PlanStep | None:
    """A worker with children is a control: it hands its order on instead of computing."""
    ids = context.open("RC1", "RC3", "RC4")
    worker, control = _names(context)
    layout = context.layout
    entry, work, record = layout.worker_entry, layout.work_step, layout.worker_record
    sketch = context.sketch()
    way = layout.way_to(context.program.label(record.name), entry) if entry is not None and record is not None else ""
    if entry is not None and work is not None and record is not None and way:
        own = way.rstrip("->.") or "worker"
        kind = layout.type_of(record)
        sketch.hunk(record.path, kind, record.line)
        sketch.add(
            f"{INDENT}{kind} *children;  /* up to twelve, NULL for a leaf */",
            f"{INDENT}pthread_barrier_t child_barrier;  /* initialised for child_count + 1 */",
            f"{INDENT}int child_count;",
        )
        sketch.hunk(entry.path, f"new functions, before {entry.name}", 0)
        given = f"{kind} *{own}"
        sketch.note(
            f"hand_down({given}): deals this thread's share and the order to its children; before a thread ends or "
            "meets the end of an epoch, it hands that order down, too",
            f"fold_children({given}): adds the children's segments to this thread's own",
        )
        sketch.edit(*_branch(sketch, entry, work[2].line, way, own), around=1)
    return PlanStep(
        "Let a worker be the control of its own children",
        ids,
        _places(context, "RC1", "RC3", "RC4")[:6],
        f"one level of workers below {control}; {worker} computes always",
        f"run with depth 2 and compare the losses with depth 1: equal; {context.expects(ids)}; `cllm check "
        "node_zero --workers 2 --depth 2` shows the protocol of both levels to hold",
        "after one level is right: every level is the same protocol",
        (worker,),
        patch=context.applied(sketch),
        promise=context.promise(ids),
    )


def _branch(
    sketch: Sketch, entry: Function, line: int, way: str, own: str
) -> tuple[Function, set[int], dict[int, list[str]]]:
    """What `Sketch.edit` takes: the work only without children."""
    lines = [
        f"if ({way}child_count > 0) {{",
        f"{INDENT}hand_down({own});",
        f"{INDENT}pthread_barrier_wait(&{way}child_barrier);  /* A of the level below */",
        f"{INDENT}pthread_barrier_wait(&{way}child_barrier);  /* B of the level below */",
        f"{INDENT}fold_children({own});",
    ]
    text = [one for one in sketch.draft.text(entry).lines if one.number == line]
    if len(text) == 1 and text[0].text.endswith(";"):
        return entry, {line}, {line: [*lines, "} else {", f"{INDENT}{text[0].text.strip()}", "}"]}
    return entry, set(), {line: [*lines, f"{INDENT}continue;", "}"]}


@serves("reports", "RC7", "RC8")
def reports(context: Context) -> PlanStep | None:
    """Figures go up with each round, shares follow them."""
    ids = context.open("RC7", "RC8")
    worker, control = _names(context)
    record = context.layout.worker_record
    sketch = context.sketch()
    if record is not None:
        sketch.hunk(record.path, context.layout.type_of(record), record.line)
        sketch.add(
            f"{INDENT}size_t subtree_done;  /* windows of this thread and all below it, in this round */",
            f"{INDENT}double subtree_seconds;  /* time they computed */",
        )
        sketch.note(
            "fold_children adds both up behind wait B, so they stand when the parent reads them",
            "hand_down deals n windows to c children as n / c, the first n % c of them one more",
        )
    return PlanStep(
        "Report the children's figures to the parent and deal by them",
        ids,
        _places(context, "RC7", "RC8")[:6],
        "figures that end at one reader, shares that are made once",
        "the root's sums equal those of all leaves, and the shares of two children differ by one at most; "
        f"{context.expects(ids, run=False)}",
        "with the levels there: a control has a parent to report to",
        (worker, control),
        patch=context.applied(sketch),
        promise=context.promise(ids),
    )


@serves("growth", "RC5", "RC6")
def growth(context: Context) -> PlanStep | None:
    """Depth follows the load, activity the cores."""
    ids = context.open("RC5", "RC6")
    worker, control = _names(context)
    entry = context.layout.worker_entry
    sketch = context.sketch()
    if entry is not None:
        sketch.hunk(entry.path, f"new function, before {entry.name} (with <unistd.h>)", 0)
        sketch.add(
            "static int may_grow(int active)",
            "{",
            f"{INDENT}long cores = sysconf(_SC_NPROCESSORS_ONLN);",
            "",
            f"{INDENT}return cores < 1 || active + 12 <= cores;  /* surplus threads wait at their barrier */",
            "}",
        )
        sketch.note(
            "between two epochs the root alone changes the tree: a leaf with too large a share gets twelve children, "
            "if may_grow; those of a node with an empty one get the order to stop"
        )
    return PlanStep(
        "Grow and shrink with the load, within the cores",
        ids,
        _places(context, "RC5", "RC6")[:6],
        "a number of threads that is decided once, whatever the load and the machine",
        "`taskset -c 0,1` before the program: no more than two threads are busy (`top -H`); idle levels end; "
        f"{context.expects(ids, run=False)}",
        "last: only a tree that is right at a fixed depth may change it",
        (worker, control),
        patch=context.applied(sketch),
        promise=context.promise(ids),
    )
