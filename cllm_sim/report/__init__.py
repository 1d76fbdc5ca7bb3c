"""Reports: what a person looks at, made from results and from nothing else.

- `write_report` writes the page, the figures and the timeline of a comparison; `figure_names` lists the figures;
- `write_graphs` draws what a check or a simulation found broken (and writes the page of a check);
- `write_walk` writes the walk through a schedule; `junit` and `sarif_check` render checks for other programs;
- `text.render` shows any result on a terminal;
- `wording` has the words for a difference, `evidence` turns a defect into the graph that shows it.

Rules of this package: no simulator, no checker, no trace, no runtime; the same result gives the same bytes.
matplotlib, networkx and jinja2 are imported when something is drawn.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cllm_sim.results import RunResult


def write_report(result: RunResult, folder: Path) -> list[str]:
    """Write the report of a comparison to `folder`; returns the names of the files. See `write.write_report`."""
    from cllm_sim.report import write

    return write.write_report(result, folder)


def figure_names(result: RunResult) -> list[str]:
    """The files of all figures of a comparison. See `write.figure_names`."""
    from cllm_sim.report import write

    return write.figure_names(result)


def write_graphs(result: RunResult, folder: Path) -> list[str]:
    """Draw what a check or a simulation found broken; returns the names of the files. See `write.write_graphs`."""
    from cllm_sim.report import write

    return write.write_graphs(result, folder)


def write_walk(walk: Mapping[str, Any], folder: Path) -> list[str]:
    """Write the walk through a schedule and its timeline; returns the names of the files. See `write.write_walk`."""
    from cllm_sim.report import write

    return write.write_walk(walk, folder)


__all__ = ["figure_names", "write_graphs", "write_report", "write_walk"]
