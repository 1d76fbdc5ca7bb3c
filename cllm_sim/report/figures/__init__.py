"""The figures of a report: one file each, every one a function from a comparison to the pictures it has data for.

Rules of this folder: figures see the comparison and nothing else; a figure without data returns no picture, and the
page then says what is missing in the words of `WITHOUT`.
"""

from collections.abc import Callable

from cllm_sim.report.figures import graph, locks, prediction, shares, speedup, timeline, tree
from cllm_sim.report.figures.style import Picture, rendered
from cllm_sim.report.shape import Comparison

FIGURES: tuple[Callable[[Comparison], list[Picture]], ...] = (
    timeline.pictures,
    prediction.pictures,
    shares.pictures,
    speedup.pictures,
    locks.pictures,
    tree.pictures,
    graph.pictures,
)

WITHOUT: dict[Callable[[Comparison], list[Picture]], str] = {
    timeline.pictures: "timeline: no run was recorded or simulated",
    prediction.pictures: "predicted against measured step time: not both were asked for",
    shares.pictures: "where the time goes: nothing was timed",
    speedup.pictures: "speed-up: no serial run to compare with",
    locks.pictures: "lock contention: none of these architectures has a lock",
    tree.pictures: "control tree: no waiting was measured",
    graph.pictures: "wait-for or happens-before graph: nothing is broken",
}


def pictures(comparison: Comparison) -> list[Picture]:
    """All pictures of a comparison, in the order of the page."""
    return [picture for figure in FIGURES for picture in figure(comparison)]


def timelines(comparison: Comparison) -> list[Picture]:
    """Only the timelines."""
    return timeline.pictures(comparison)


def missing(comparison: Comparison) -> list[str]:
    """What is not shown, and why."""
    return [WITHOUT[figure] for figure in FIGURES if not figure(comparison)]


__all__ = ["Picture", "missing", "pictures", "rendered", "timelines"]
