"""The eight documents of an audit, each made once: a question, its answer in a sentence, and what it rests on.

Rules of this folder: one file a chapter, each with one function `chapter(audit, number, title)`. Chapters see the
audit and nothing else and say nothing that it does not; an empty list is told as what was looked for and not found.
"""

from collections.abc import Callable

from cllm_sim.report.audit.blocks import Chapter
from cllm_sim.report.audit.chapters import architecture, barriers, changes, control, gaps, memory, plan, proof
from cllm_sim.report.audit.shape import Audit

Maker = Callable[[Audit, int, str], Chapter]
MAKERS: dict[str, tuple[str, Maker]] = {
    "architecture-analysis": ("Architecture analysis", architecture.chapter),
    "barrier-usage": ("Barrier usage", barriers.chapter),
    "control-thread": ("Control-thread status", control.chapter),
    "shared-memory": ("Shared-memory integration status", memory.chapter),
    "gap-analysis": ("Gap analysis", gaps.chapter),
    "implementation-plan": ("Implementation plan", plan.chapter),
    "code-changes": ("Code changes", changes.chapter),
    "test-results": ("Test results", proof.chapter),
}
"""The documents in their order, with the title that each has where the result gives none."""

SHOWN = {
    "threads": "architecture-analysis",
    "barriers": "barrier-usage",
    "control": "control-thread",
    "shared-memory": "shared-memory",
}
"""What can be asked on the command line, and the chapter that answers it."""


def chapters(audit: Audit) -> tuple[Chapter, ...]:
    """All eight documents."""
    return tuple(_made(audit, name, number) for number, name in enumerate(MAKERS, 1))


def answering(audit: Audit, question: str) -> Chapter:
    """The chapter that answers a question of the command line; raises KeyError where there is no such question."""
    name = SHOWN[question]
    return _made(audit, name, list(MAKERS).index(name) + 1)


def _made(audit: Audit, name: str, number: int) -> Chapter:
    given = next((document.title for document in audit.documents if document.id == name), "")
    title, make = MAKERS[name]
    return make(audit, number, given or title)
