"""`index.html` of a check: one file that needs nothing else, with the pictures of what is broken in it.

Rules of this file: it fills `templates/check.html.j2`; what is said is made in `causes`, `waits` and `text_defects`, so
that the page, the terminal and the other formats say the same.
"""

from collections.abc import Mapping, Sequence
from shlex import join, quote
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from cllm_sim.report.causes import causes, does, side, told, touched
from cllm_sim.report.commands import scope_options, subject
from cllm_sim.report.evidence import graph_of, schedule_of
from cllm_sim.report.figures import graph as graph_figure
from cllm_sim.report.figures import schedule as schedule_figure
from cllm_sim.report.figures.style import Picture, rendered
from cllm_sim.report.html import Shown, inlined
from cllm_sim.report.lines import changes_of, depth_of, who_of
from cllm_sim.report.locks import held_at_end
from cllm_sim.report.naming import place, slug
from cllm_sim.report.quantities import counted, listed, rounded
from cllm_sim.report.shape import read_comparison
from cllm_sim.report.text_defects import alike, holding, missing
from cllm_sim.report.waits import circle, labels_of, left_at, named, sentence, waits, what

Data = Mapping[str, Any]
PICTURES_MAX = 6
"""Defects that are drawn: the first of each class."""
TONES = {"holds": "good", "broken": "bad", "undecided": "open"}


def page(data: Data) -> str:
    """The whole page of a check result."""
    environment = Environment(
        loader=PackageLoader("cllm_sim.report", "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
    )
    depth, broken = depth_of(data), data.get("broken") or ()
    drawn = _drawn(broken)
    command = data.get("command") or ()
    return environment.get_template("check.html.j2").render(
        title=str(data.get("architecture") or ""),
        headline=headline(data),
        promises=[(row["name"], row["verdict"], TONES[row["verdict"]], row["class"]) for row in data["promises"]],
        causes=[{**cause._asdict(), "place": place(cause.path, cause.line)} for cause in causes(data, depth)],
        defects=[_defect(data, defect, depth, number in drawn) for number, defect in enumerate(broken)],
        unreached=[f"{place(row['path'], row['line'])}: {row['text']}" for row in data.get("unreached") or ()],
        command=command if isinstance(command, str) else join(command),
        settings=_settings(data),
    )


def headline(data: Data) -> str:
    """The verdict in one sentence."""
    name, verdict = data.get("architecture"), data.get("verdict")
    who = who_of(data)
    looked = f"{counted(data.get('states') or 0, 'state')}, {counted(data.get('transitions') or 0, 'step')}"
    if verdict == "holds":
        return f"{name} holds in every interleaving of {who} ({looked})."
    if verdict == "undecided":
        return f"{name} is undecided with {who}: {data.get('limit') or 'a limit was reached'} ({looked})."
    names = [f"“{row['name']}”" for row in data.get("promises") or () if row["verdict"] == "broken"]
    many = counted(len(data.get("broken") or ()), "defect")
    return f"{name} with {who} breaks {listed(names)}: {many} found."


def _drawn(broken: Sequence[Data]) -> set[int]:
    first: dict[str, int] = {}
    for number, defect in enumerate(broken):
        if defect.get("counterexample"):
            first.setdefault(defect["class"], number)
    return set(list(first.values())[:PICTURES_MAX])


def _defect(data: Data, defect: Data, depth: int, drawn: bool) -> dict[str, Any]:
    example = defect.get("counterexample") or {}
    labels, left = labels_of(example, depth), left_at(example)
    found = waits(example)
    ring = circle(found)
    schedule = example.get("schedule")
    return {
        "class": defect["class"],
        "place": place(defect.get("path", ""), defect.get("line")),
        "text": told(defect),
        "figures": [_shown(picture) for picture in pictures(data, defect)] if drawn else [],
        **_sides(example, labels),
        "stuck": [
            f"{named([wait.actor for wait in group], labels)} ({place(group[0].path, group[0].line)}): "
            f"{what(group[0], labels, left)}"
            for group in alike(found)
        ],
        "circle": "; ".join(sentence(wait, labels, left) for wait in ring) if len(ring) > 1 else "",
        "steps": [
            (labels[step["actor"]], place(step["path"], step["line"]), step["op"], _changes(step))
            for step in example.get("steps") or ()
        ],
        "no_way_back": example.get("no_way_back"),
        "replay": f"cllm replay {subject(data)} {quote(schedule)}{scope_options(data)}" if schedule else "",
    }


def _sides(example: Data, labels: Mapping[str, str]) -> dict[str, Any]:
    race = example.get("race")
    if not race:
        return {"sides": [], "object": "", "missing": ""}
    held = held_at_end(example)
    sides = [
        ", ".join(filter(None, [side(access, labels), does(access), holding(held.get(access["actor"], ()))]))
        for access in race["accesses"]
    ]
    return {"sides": sides, "object": touched(race), "missing": missing(example, labels)}


def _changes(step: Data) -> str:
    faults = [f"{fault['class']}: {fault['text']}" for fault in step.get("faults") or ()]
    return ", ".join(filter(None, [changes_of(step), *faults]))


def pictures(data: Data, defect: Data) -> list[Picture]:
    """The pictures of one defect: its steps with what orders them, and who waits for whom."""
    name, workers = str(data.get("architecture") or ""), (data.get("scope") or {}).get("workers") or 0
    steps = schedule_of(name, workers, defect)
    waiting = graph_of(name, workers, defect)
    found = []
    if steps is not None:
        graph = read_comparison({"graphs": [steps]}).graphs[0]
        found.append(schedule_figure.picture(graph, f"steps-{slug(name)}-{defect['class']}"))
    if waiting is not None and waiting["kind"] == "wait-for":
        one = graph_figure.pictures(read_comparison({"graphs": [waiting]}))[0]
        found.append(Picture(f"{one.name}-{slug(defect['class'])}", one.title, one.caption, one.draw))
    return found


def _shown(picture: Picture) -> Shown:
    svg = rendered(picture)[0].decode()
    return Shown(picture.name, picture.title, picture.caption, inlined(picture.name, picture.title, svg))


def _settings(data: Data) -> list[tuple[str, str]]:
    scope = data.get("scope") or {}
    seconds = data.get("seconds")
    rows = [
        ("workers", scope.get("workers")),
        ("depth", scope.get("depth")),
        ("memory", scope.get("memory")),
        ("states", f"{data.get('states') or 0:,}"),
        ("steps", f"{data.get('transitions') or 0:,}"),
        ("complete", "yes" if data.get("complete") else f"no ({data.get('limit')})"),
        ("reductions", ", ".join(data.get("reductions") or ()) or "none"),
        *(("assumed", note) for note in data.get("assumptions") or ()),
        ("SHA-256 of the file", data.get("file_sha256")),
        *(data.get("environment") or {}).items(),
        ("search took", f"{rounded(seconds)} s" if seconds is not None else None),
    ]
    return [(name, str(value)) for name, value in rows if value not in (None, "")]
