"""`index.html`: one file that needs nothing else, made from a comparison and its figures.

Figures are put into the page as SVG without anything that points elsewhere; their ids get the figure's name in front,
so that no two figures share one. Rules of this file: it fills `templates/index.html.j2`; what is said is made in
`headline`, `tables` and `settings`, how it looks stands in `templates/page.css`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from cllm_sim.report import figures, tables
from cllm_sim.report.commands import command, replay_command
from cllm_sim.report.figures import Picture
from cllm_sim.report.headline import headline
from cllm_sim.report.naming import actor_labels, place
from cllm_sim.report.quantities import rounded
from cllm_sim.report.shape import Comparison, Counterexample

FIRST_LINES = re.compile(r"\A.*?(?=<svg)", re.DOTALL)
ROOT = re.compile(r"<svg\b[^>]*?viewBox=\"([^\"]+)\"[^>]*>", re.DOTALL)
STYLE = re.compile(r"<style\b.*?</style>", re.DOTALL)
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
METADATA = re.compile(r"<metadata\b.*?</metadata>", re.DOTALL)
IDS = re.compile(r'\b(id="|href="#|url\(#)')


@dataclass(frozen=True, slots=True)
class Shown:
    """One figure on the page."""

    name: str
    title: str
    caption: str
    svg: Markup


def page(comparison: Comparison, drawn: Sequence[tuple[Picture, str]]) -> str:
    """The whole page; `drawn` are the pictures with their SVG."""
    environment = Environment(
        loader=PackageLoader("cllm_sim.report", "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
    )
    return environment.get_template("index.html.j2").render(
        title=" · ".join(comparison.architectures) or "comparison",
        headline=headline(comparison),
        table=tables.table(comparison),
        notes=tables.notes(comparison),
        pairs=tables.pair_lines(comparison),
        figures=[Shown(one.name, one.title, one.caption, inlined(one.name, one.title, svg)) for one, svg in drawn],
        missing=figures.missing(comparison),
        counterexamples=[_counterexample(example) for example in comparison.stories],
        settings=settings(comparison),
        command=command(comparison),
    )


def inlined(name: str, title: str, svg: str) -> Markup:
    """A stand-alone SVG as a part of a page: no prolog, no addresses, ids of its own, and a name for the blind."""
    body = METADATA.sub("", STYLE.sub("", COMMENT.sub("", FIRST_LINES.sub("", svg))))
    label = Markup.escape(title)
    body = ROOT.sub(lambda found: f'<svg viewBox="{found[1]}" role="img" aria-label="{label}">', body, count=1)
    return Markup(IDS.sub(lambda found: f"{found[1]}{name}-", body))


def _counterexample(example: Counterexample) -> dict[str, Any]:
    names = [step.actor for step in example.steps] + [row.actor for row in example.stuck]
    labels = actor_labels(names, 1)  # a schedule may not move all: the root is a control all the same
    return {
        "title": " · ".join(part for part in (example.architecture, example.defect) if part),
        "text": example.text,
        "workers": example.workers,
        "schedule": example.schedule,
        "no_way_back": example.no_way_back,
        "steps": [
            (labels[step.actor], place(step.path, step.line), step.op, ", ".join(step.changes))
            for step in example.steps
        ],
        "stuck": [(labels[row.actor], place(row.path, row.line), row.waits_for, row.needs) for row in example.stuck],
        "replay": replay_command(example),
    }


def settings(comparison: Comparison) -> list[tuple[str, str]]:
    """Settings, seed and versions, as (name, value)."""
    scope = comparison.scope
    workers = ", ".join(map(str, comparison.workers)) or scope.workers
    found: list[tuple[str, Any]] = [
        ("workers", workers),
        ("depth", scope.depth),
        ("slots", scope.slots),
        ("steps of a run", scope.steps),
        ("repeats", comparison.repeats),
        ("seed", comparison.seed),
        ("memory", scope.memory),
        ("parameters of the model", f"{comparison.parameters:,}" if comparison.parameters else None),
        ("text", _plain(comparison.text)),
        ("costs", comparison.costs_source),
        *((f"--set {name}", value) for name, value in comparison.settings.items()),
        *((f"{name}, SHA-256 of the file", digest) for name, digest in comparison.files.items()),
        *comparison.environment.items(),
        ("took", f"{rounded(comparison.wall_seconds)} s" if comparison.wall_seconds is not None else None),
    ]
    return [(name, _plain(value)) for name, value in found if value not in (None, "", {}, [])]


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_plain(item)}" for name, item in value.items() if item is not None)
    return "" if value is None else str(value)
