"""The Promela file: a header for the reader, the variables, the statements that several steps share, the processes.

Rules of this file: only text; what a step does is `meaning.py`'s, who does the steps is `processes.py`'s.
"""

from pathlib import PurePath

from cllm_sim.compose import SharedObject
from cllm_sim.operations import Kind
from cllm_sim.promela.layout import PHASE_NAMES, PHASES, TYPES, Layout
from cllm_sim.promela.meaning import REGION_STEPS, releases
from cllm_sim.promela.processes import one_for_all, one_per_actor, plain

HEADER = """\
/* {title}: {actors} actor{plural}, written by cllm-sim for SPIN.

   One transition is one step of one actor. SPIN counts one transition more than `cllm check --reductions none --races
   next` does: the arrival in the initial state. An invalid end state is a deadlock; a violated assertion is a step that
   breaks a rule (races are not looked for here).

       spin -a FILE && gcc -O2 -DNOREDUCE -DSAFETY -o pan pan.c
       ./pan -A -c0 -b -m1000000      (all states; errors: deadlocks)
       ./pan -E -c0 -b -m1000000      (all states; errors: steps that break a rule)

   Where everybody's text may stand:
{places}*/
"""

JUDGE = """\
inline judge() {
	assert(!broken);
	broken = false
}
"""

NOTHING_MORE = """\
/* Nobody passes here. It reads what may only ever be written: SPIN leaves such variables out of its states. */
#define nothing_more {}"""


def model_text(layout: Layout, process_per_actor: bool) -> str:
    """The whole model."""
    parts = [_header(layout), _variables(layout)]
    if layout.regions():
        parts.extend((REGION_STEPS, _emptying(layout)))
    parts.extend(releases(layout))
    parts.append(one_per_actor(layout) if process_per_actor else one_for_all(layout))
    return "\n".join(parts)


def _header(layout: Layout) -> str:
    count = len(layout.system.actors)
    title = PurePath(layout.path).stem
    places = "".join(_places(layout, actor) for actor in range(count))
    return HEADER.format(title=plain(title), actors=count, plural="" if count == 1 else "s", places=places)


def _places(layout: Layout, actor: int) -> str:
    places = layout.places[actor]
    rows = [f"   {layout.at[actor]}\n"]
    for node in places.nodes:
        op = places.automaton.op[node]
        place = places.automaton.place[node]
        line = f"{PurePath(place.path).name}:{place.line}"
        for phase in range(PHASES.get(op.verb, 1) if op else 1):
            what = layout.system.describe(actor, op) if op else "finished"
            state = f", {PHASE_NAMES[op.verb][phase]}" if op and phase else ""
            rows.append(f"{places.number[node, phase]:>8}  {plain(line + '  ' + what + state)}\n")
    return "".join(rows)


def _variables(layout: Layout) -> str:
    rows = ["bool broken = false;  /* whether the present step breaks a rule; always false between steps */"]
    for actor, name in enumerate(layout.at):
        wide = len(layout.places[actor].number) > 255
        rows.append(f"{'short' if wide else 'byte'} {name} = {layout.places[actor].number[0, 0]};")
    rows.extend(f"short {name} = 0;" for name in layout.cursor.values())
    for item, name in layout.value.items():
        thing = layout.system.objects[item]
        rows.append(f"{TYPES.get(thing.kind, 'int')} {name} = {thing.initial};{_remark(layout, thing)}")
    rows.extend(f"bool {name} = false;" for name in layout.gone.values())
    unread = " || ".join(f"{name} == 0" for item, name in layout.value.items() if _kind(layout, item) not in TYPES)
    rows.extend(("", NOTHING_MORE.format(f"(false && ({unread}))" if unread else "false")))
    return "\n".join((*rows, "", JUDGE))


def _kind(layout: Layout, item: int) -> Kind:
    return layout.system.objects[item].kind


def _remark(layout: Layout, thing: SharedObject) -> str:
    if thing.kind is Kind.BARRIER:
        return f"  /* arrived, of {thing.parties} */"
    return "  /* 0 free, else its owner + 1 */" if thing.kind is Kind.MUTEX else ""


def _emptying(layout: Layout) -> str:
    statements = ";\n".join(f"\t{layout.value[item]} = 0" for item in layout.regions())
    return f"inline empty_all_regions() {{\n{statements}\n}}\n"
