"""Steps from one control to a tree of them: the node, its place, its growth, its reports.

Rules of this file: they come last, for each level is the protocol that the steps before have made right; where the
program has a place to hook into, it is named.
"""

from __future__ import annotations

from cllm_sim.auditor.planning.context import Context, serves
from cllm_sim.auditor.planning.sketch import INDENT, Sketch
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
    ids = context.open("RC9")
    record = context.layout.worker_record
    sketch = Sketch()
    if record is not None:
        sketch.hunk(record.path, context.layout.type_of(record), record.line)
        sketch.add(f"{INDENT}const struct sphere *sphere;  /* parent and position 0 to 11 under it */")
    places = _places(context, "RC9")
    if record is not None:
        places = (at(_site(record.path, record.line), f"{record.name} is what a thread is given"), *places)
    return PlanStep(
        "Give each thread its sphere",
        ids,
        places[:6],
        "numbers in a flat array of threads",
        "every thread prints its parent and position once: each pair is there once, positions 0 to 11; "
        f"{context.expects(ids, run=False)}",
        "first of the tree: its shape is what the following steps build on",
        tuple(_names(context)[:1]),
        patch=str(sketch),
        promise=context.promise(ids),
    )


def _site(path: str, line: int):  # type: ignore[no-untyped-def]
    from cllm_sim.auditor.facts import Site

    return Site(path, line)


@serves("nodes", "RC1", "RC3", "RC4")
def nodes(context: Context) -> PlanStep | None:
    """A worker with children is a control: it hands its order on instead of computing."""
    ids = context.open("RC1", "RC3", "RC4")
    worker, control = _names(context)
    layout = context.layout
    entry, work = layout.worker_entry, layout.work_step
    sketch = Sketch()
    record = layout.worker_record
    if entry is not None and work is not None and record is not None:
        way = layout.way_to(context.program.label(record.name), entry)
        if way:
            sketch.hunk(record.path, context.layout.type_of(record), record.line)
            sketch.add(f"{INDENT}{context.layout.type_of(record)} *children;  /* up to twelve, NULL for a leaf */")
            sketch.add(
                f"{INDENT}pthread_barrier_t child_barrier;  /* initialised for child_count + 1 */",
                f"{INDENT}int child_count;",
            )
        line = work[2].line
        lines = [
            f"if ({way}child_count > 0) {{",
            f"{INDENT}hand_down({way.rstrip('->.') or 'worker'});  /* the children's shares and the order */",
            f"{INDENT}pthread_barrier_wait(&{way}child_barrier);  /* A of the level below */",
            f"{INDENT}pthread_barrier_wait(&{way}child_barrier);  /* B of the level below */",
            f"{INDENT}fold_children({way.rstrip('->.') or 'worker'});  /* into this thread's own segment */",
            "} else",
        ]
        if way:
            sketch.body(entry, lambda _: False, {line: lines}, around=1)
    return PlanStep(
        "Let a worker be the control of its own children",
        ids,
        _places(context, "RC1", "RC3", "RC4")[:6],
        f"one level of workers below {control}; {worker} computes always",
        f"run with depth 2 and compare the losses with depth 1: equal; {context.expects(ids)}; `cllm check "
        "node_zero --workers 2 --depth 2` shows the protocol of both levels to hold",
        "after one level is right: every level is the same protocol",
        (worker,),
        patch=str(sketch),
        promise=context.promise(ids),
    )


@serves("reports", "RC7", "RC8")
def reports(context: Context) -> PlanStep | None:
    """Figures go up with each round, shares follow them."""
    ids = context.open("RC7", "RC8")
    worker, control = _names(context)
    return PlanStep(
        "Report the children's figures to the parent and deal by them",
        ids,
        _places(context, "RC7", "RC8")[:6],
        "figures that end at one reader, shares that are made once",
        "the root's sums equal those of all leaves, and the shares of two children differ by one at most; "
        f"{context.expects(ids, run=False)}",
        "with the levels there: a control has a parent to report to",
        (worker, control),
        promise=context.promise(ids),
    )


@serves("growth", "RC5", "RC6")
def growth(context: Context) -> PlanStep | None:
    """Depth follows the load, activity the cores."""
    ids = context.open("RC5", "RC6")
    worker, control = _names(context)
    entry = context.layout.worker_entry
    sketch = Sketch()
    if entry is not None:
        sketch.hunk(entry.path, "new function", 0)
        sketch.add(
            "static int may_grow(int active)",
            "{",
            f"{INDENT}long cores = sysconf(_SC_NPROCESSORS_ONLN);",
            "",
            f"{INDENT}return cores < 1 || active + 12 <= cores;  /* surplus threads wait at their barrier */",
            "}",
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
        patch=str(sketch),
        promise=context.promise(ids),
    )
