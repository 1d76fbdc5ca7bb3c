"""Steps about gradients on their way into the weights: fresh ones only, looked at and shortened before the update.

Rules of this file: one function a step; only what the analysis found is named.
"""

from __future__ import annotations

from collections.abc import Iterator

from cllm_sim.auditor.facts import (
    Binary,
    Loop,
    Number,
)
from cllm_sim.auditor.flow import Step
from cllm_sim.auditor.planning.context import Context, serves
from cllm_sim.auditor.planning.layout import covers
from cllm_sim.auditor.planning.lines import INDENT
from cllm_sim.auditor.planning.sketch import Sketch
from cllm_sim.auditor.planning.step import PlanStep
from cllm_sim.auditor.requirements.answer import at
from cllm_sim.auditor.requirements.folding import Fold, folds
from cllm_sim.auditor.traverse import names, statements


# ------------------------------------------------------------------------------------------------- fold and update
@serves("fresh", "LF4")
def fresh(context: Context) -> PlanStep | None:
    """Stamp what is written, fold what is stamped."""
    ids = context.open("LF4")
    found = folds(context.subject)
    if not found:
        return None
    record = context.layout.worker_record
    sketch = context.sketch()
    if record is not None:
        _stamped(context, sketch, found[0], context.program.label(record.name))
    return PlanStep(
        "Fold only what was written in this round",
        ids,
        tuple(at(fold.site, "folded whatever its age") for fold in found[:4]),
        "folding every segment, also that of a worker without a batch in this round",
        "give the last round fewer batches than workers: the sum is that of the workers that had one; "
        f"{context.expects(ids, run=False)}",
        "after the barrier: the round is what the barrier counts",
        tuple(dict.fromkeys(fold.function.name for fold in found)),
        patch=context.applied(sketch),
        promise=context.promise(ids),
    )


def _stamped(context: Context, sketch: Sketch, fold: Fold, label: str) -> None:
    """The control counts the rounds, a worker stamps what it wrote, the folding leaves out older stamps."""
    layout = context.layout
    record, pool, entry, work = layout.worker_record, layout.pool, layout.worker_entry, layout.work_step
    loops = [one for one in statements(fold.function.body) if isinstance(one, Loop) and covers(one, fold.site.line)]
    if record is None or pool is None or entry is None or work is None or layout.round is None or not loops:
        return
    own, now = layout.way_to(label, entry), layout.reference(layout.member("round"), entry)
    folded, there = layout.way_to(label, fold.function), layout.reference(layout.member("round"), fold.function)
    if not own or not folded or record is pool:
        return
    sketch.hunk(record.path, layout.type_of(record), record.line)
    sketch.add(f"{INDENT}unsigned long round;  /* of the batch whose gradients the segment holds; 0: none */")
    sketch.hunk(pool.path, layout.type_of(pool), pool.line)
    sketch.add(f"{INDENT}unsigned long round;  /* counted by the control, before wait A */")
    stamp = [f"{own}round = {now};  /* only where it has a batch in this round */"]
    sketch.edit(entry, before={work[2].line: stamp}, around=0)
    function, loop = layout.round
    holder, number = sketch.draft.holder(function, loop.body[0].line)
    counted = layout.named(layout.member("round"), holder)
    sketch.edit(holder, before={number: [f"{counted}++;"]}, around=0)
    line = (loops[0] if len(loops) == 1 else loops[1]).line if len(loops) > 1 else loops[0].body[0].line
    sketch.edit(fold.function, before={line: [f"if ({folded}round != {there})", f"{INDENT}continue;"]})


@serves("validate", "LF5")
def validate(context: Context) -> PlanStep | None:
    """Look for NaN and Inf, then shorten, then update."""
    ids, subject = context.open("LF5"), context.subject
    role = next((one for one in subject.roles if subject.doing(one, "update")), None)
    if role is None:
        return None
    step = subject.doing(role, "update")[0]
    sink = next((one.sink_location for one in folds(subject) if one.sink_location is not None), None)
    buffer = _updated_from(context, step) or (
        context.layout.reference(sink.holder, step.function)
        if sink is not None and sink.kind in {"member", "global"}
        else ""
    )
    sketch = context.sketch()
    included = next((file.includes for file in context.program.files if file.path == step.function.path), ())
    if not any("math.h" in one for one in included):
        sketch.hunk(step.function.path, "includes", 0)
        sketch.add("#include <math.h>")
    sketch.hunk(step.function.path, f"new functions, before {step.function.name}", 0)
    sketch.add(*_checks(_element(context, step)))
    _look_first(context, sketch, step, buffer)
    return PlanStep(
        "Validate and clip before the update",
        ids,
        (at(step.site, "the weights are updated here"), *context.rests_on("LF5", limit=4)),
        "an update with whatever was accumulated; a comparison with a limit lets NaN pass",
        "set one gradient to NAN and one to 1e30 in a test: the first update is left out, the second limited; "
        f"{context.expects(ids, run=False)}",
        "once the accumulation is in one place, the check is, too",
        (step.function.name,),
        patch=context.applied(sketch),
        promise=context.promise(ids),
    )


def _checks(kind: str) -> tuple[str, ...]:
    """Two functions in C: are all gradients numbers, and shorten them together."""
    return (
        f"static int gradients_valid(const {kind} *gradients, size_t count)",
        "{",
        f"{INDENT}for (size_t k = 0; k < count; k++)",
        f"{INDENT * 2}if (!isfinite(gradients[k]))",
        f"{INDENT * 3}return 0;",
        f"{INDENT}return 1;",
        "}",
        f"static void gradients_clip({kind} *gradients, size_t count, double limit)",
        "{",
        f"{INDENT}double squares = 0.0;",
        f"{INDENT}for (size_t k = 0; k < count; k++)",
        f"{INDENT * 2}squares += (double)gradients[k] * gradients[k];",
        f"{INDENT}if (sqrt(squares) > limit)",
        f"{INDENT * 2}for (size_t k = 0; k < count; k++)",
        f"{INDENT * 3}gradients[k] *= ({kind})(limit / sqrt(squares));",
        "}",
    )


def _look_first(context: Context, sketch: Sketch, step: Step, buffer: str) -> None:
    """The two calls before the update; where no vector is summed up before it, that comes first."""
    count, limit = _figures(context, step)
    lines = [
        f"if (!gradients_valid({buffer}, {count}))",
        f"{INDENT}{_leaves(step)}",
        f"gradients_clip({buffer}, {count}, {limit});",
    ]
    if limit == "limit":
        sketch.note("limit, the largest length of the whole gradient, is an option of the program")
    if not buffer:
        lines = [
            "/* to be written: sum the gradients into one vector; gradients_valid and gradients_clip look at it */"
        ]
    holder, number = sketch.draft.holder(step.function, step.site.line)
    if step.event is not None and step.event.callees:
        sketch.edit(holder, before={number: lines})


def _element(context: Context, step: Step) -> str:
    """The type of one gradient: that of the numbers the update is passed."""
    for callee in () if step.event is None else step.event.callees:
        for one in callee.parameters:
            if one.type.base in {"float", "double"} and (one.type.pointers or one.type.arrays):
                return one.type.base
    return next((fold for fold in sums(context)), "float")


def sums(context: Context) -> Iterator[str]:
    for fold in folds(context.subject):
        type = context.program.type_of(fold.sink, fold.function)
        if type is not None and type.base in {"float", "double"}:
            yield type.base


def _updated_from(context: Context, step: Step) -> str:
    """The argument of the update that is a vector of numbers; the last one, for weights come first."""
    call = None if step.event is None else step.event.call
    found = ""
    for argument in () if call is None else call.arguments:
        type = context.program.type_of(argument, step.function)
        if type is not None and type.base in {"float", "double"} and (type.pointers or type.arrays):
            found = context.program.text(argument)
    return found


def _figures(context: Context, step: Step) -> tuple[str, str]:
    """The number of gradients and the limit, as the program writes them at its update."""
    count, limit = "count", "limit"
    for callee in () if step.event is None else step.event.callees:
        inside = context.program.locals(callee)
        for one in statements(callee.body):
            if (
                isinstance(one, Loop)
                and isinstance(one.condition, Binary)
                and not names(one.condition.right) & set(inside)
            ):
                count = context.program.text(one.condition.right)
    call = None if step.event is None else step.event.call
    for argument in () if call is None else call.arguments:
        text = context.program.text(argument)
        limit = text if any(word in text.lower() for word in ("limit", "clip", "norm")) else limit
    for argument in () if call is None or limit == "limit" else call.arguments:
        if isinstance(argument, Binary) and argument.operator == "/" and isinstance(argument.left, Number):
            limit = f"{limit} * {context.program.text(argument.right)}"  # the update scales the sum by this
    return count, limit


def _leaves(step: Step) -> str:
    """How a round ends without its update."""
    if any(isinstance(one, Loop) and covers(one, step.site.line) for one in statements(step.function.body)):
        return "continue;"
    result = step.function.result
    return "return NULL;" if result.pointers else "return;" if result.base == "void" else "return 0;"
