"""One audit from paths to its document: read, link, judge, plan, and say what was assumed.

Rules of this file: it calls, in order; what each part means stands in its own file.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cllm_sim.auditor import document, planning, requirements, sources, syntax
from cllm_sim.auditor.analysis import Analysis, Options
from cllm_sim.auditor.facts import FileFacts
from cllm_sim.auditor.judging import judge, rules_known
from cllm_sim.errors import BadRequest

Progress = Callable[[str], None]


@dataclass(slots=True)
class Read:
    """The sources as read: facts per file, what could not be read, and a digest over everything."""

    files: list[FileFacts]
    unreadable: list[sources.Unreadable]
    digest: str
    texts: Mapping[str, Path] = field(default_factory=dict)


def read(paths: Sequence[str], cache: Path | None, progress: Progress) -> Read:
    """Read the C sources under paths; raises BadRequest where a path does not exist or holds no C source at all."""
    found = sources.find(paths)
    progress(f"reading {len(found.sources)} files")
    files, unreadable = syntax.read_all(found.sources, cache)
    if not files and not found.unreadable and not unreadable:
        raise BadRequest(f"{', '.join(paths)}: there is no C source here (*.c, *.h)")
    digest = hashlib.sha256()
    for source in found.sources:
        digest.update(source.path.encode("utf-8", "replace") + b"\0")
        digest.update(_bytes(source.file))
    texts = {source.path: source.file for source in found.sources}
    return Read(files, [*found.unreadable, *unreadable], digest.hexdigest(), texts)


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""


def run(
    paths: Sequence[str],
    *,
    bind: Mapping[str, tuple[str, ...]] | None = None,
    plan_file: Path | None = None,
    baseline: frozenset[str] | None = None,
    cache: Path | None = None,
    oracle_seconds: float = 20.0,
    progress: Progress = lambda _: None,
) -> tuple[Analysis, dict[str, Any]]:
    """Audit paths; returns the analysis (for the skeleton) and the document's own fields."""
    started = time.perf_counter()
    plan = requirements.load_plan(plan_file)
    given = read(paths, cache, progress)
    progress("linking")
    analysis = Analysis(given.files, Options(bind=dict(bind or {}), oracle_seconds=oracle_seconds))
    progress("judging")
    findings, suppressed = judge(analysis)
    judgements = requirements.judge(analysis, findings, plan)
    steps = planning.plan(analysis, judgements, findings)
    fields = document.fields(
        analysis, given.files, given.texts, given.unreadable, findings, suppressed, judgements, steps, baseline
    )
    fields["paths"] = list(paths)
    fields["rules"] = {
        rule.code: {"name": rule.name, "summary": rule.summary, "severity": str(rule.severity)}
        for rule in rules_known()
    }
    fields["file_sha256"] = given.digest
    fields["seconds"] = round(time.perf_counter() - started, 6)
    return analysis, fields
