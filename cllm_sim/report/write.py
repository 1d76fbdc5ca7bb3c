"""Writing a report: `result.json` where there is none, the figures, `timeline.json`, and `index.html`.

Rules of this file: everything is made from the result as it stands in `result.json` (so a report can be made again
from the file alone, byte for byte), and every file is whole or not there.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cllm_sim.errors import BadRequest
from cllm_sim.report import figures
from cllm_sim.report.check_page import page as check_page
from cllm_sim.report.evidence import graphs
from cllm_sim.report.figures import Picture
from cllm_sim.report.html import page
from cllm_sim.report.perfetto import timeline_json
from cllm_sim.report.shape import Comparison, read_comparison
from cllm_sim.results import RunResult

RESULT_FILE = "result.json"
TIMELINE_FILE = "timeline.json"
WALK_FILE = "walk.json"
PAGE_FILE = "index.html"
FIGURES_FOLDER = "figures"


def figure_names(result: RunResult) -> list[str]:
    """The files of all figures of a comparison, as its field `figures` lists them; nothing is drawn."""
    return [f"{FIGURES_FOLDER}/{name}" for one in figures.pictures(_comparison(result)) for name in _files(one)]


def write_report(result: RunResult, folder: Path) -> list[str]:
    """Write the report of a comparison to `folder` (made where it is missing); returns the names of the files written.

    An existing `result.json` is left as it is. Raises BadRequest where the result is none of a comparison or has
    another shape, and where the folder cannot be written. The report of a check is its page alone.
    """
    if result.data.get("verb") == "check":
        return write_check(result, folder)
    comparison = _comparison(result)
    drawn = [(one, figures.rendered(one)) for one in figures.pictures(comparison)]
    contents: dict[str, bytes] = {}
    if not (folder / RESULT_FILE).exists():
        names = [f"{FIGURES_FOLDER}/{name}" for one, _ in drawn for name in _files(one)]
        contents[RESULT_FILE] = RunResult({**result.data, "figures": names}).to_json().encode()
    for one, rendered in drawn:
        contents.update({f"{FIGURES_FOLDER}/{name}": data for name, data in zip(_files(one), rendered, strict=True)})
    contents[TIMELINE_FILE] = timeline_json(comparison).encode()
    contents[PAGE_FILE] = page(comparison, [(one, svg.decode()) for one, (svg, _) in drawn]).encode()
    _write(folder, contents)
    return list(contents)


def write_graphs(result: RunResult, folder: Path) -> list[str]:
    """Draw what a check or a simulation found broken (who waits for whom, a missing order); returns the file names.

    A check gets its page beside the pictures.
    """
    if result.data.get("verb") == "check":
        write_check(result, folder)
    rows = graphs(json.loads(result.to_json()))
    comparison = read_comparison({"graphs": rows})
    drawn = [(one, figures.rendered(one)) for one in figures.pictures(comparison)]
    contents = {name: data for one, rendered in drawn for name, data in zip(_files(one), rendered, strict=True)}
    _write(folder, contents)
    return list(contents)


def write_check(result: RunResult, folder: Path) -> list[str]:
    """Write the page of a check; returns the names of the files. Raises BadRequest as `write_report` does."""
    try:
        made = check_page(json.loads(result.to_json()))
    except (KeyError, TypeError, AttributeError) as error:
        raise BadRequest(f"this result of 'check' has another shape: {type(error).__name__}: {error}") from None
    _write(folder, {PAGE_FILE: made.encode()})
    return [PAGE_FILE]


def write_walk(walk: Mapping[str, Any], folder: Path) -> list[str]:
    """Write the walk through a schedule; with times, its timeline for Perfetto and as a picture. Returns the names."""
    contents: dict[str, bytes] = {WALK_FILE: RunResult(walk).to_json().encode()}
    timing = walk.get("timing")
    if timing:
        comparison = read_comparison({"timelines": [timing["timeline"]]})
        contents[TIMELINE_FILE] = timeline_json(comparison).encode()
        for one in figures.timelines(comparison):
            contents.update(dict(zip(_files(one), figures.rendered(one), strict=True)))
    _write(folder, contents)
    return list(contents)


def _comparison(result: RunResult) -> Comparison:
    """The result as the page reads it: through JSON, so that a stored one and a fresh one are the same."""
    verb = result.data.get("verb")
    if verb != "compare":
        raise BadRequest(f"this is the result of '{verb}'; a report is made of a comparison (cllm compare ARCH ARCH)")
    return read_comparison(json.loads(result.to_json()))


def _files(picture: Picture) -> Sequence[str]:
    return f"{picture.name}.svg", f"{picture.name}.png"


def _write(folder: Path, contents: Mapping[str, Any]) -> None:
    for name, data in contents.items():
        target = folder / name
        partial = target.with_name(f".{target.name}.partial")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            partial.write_bytes(data)
            partial.replace(target)
        except OSError as error:
            raise BadRequest(f"{target}: cannot be written: {error.strerror}") from None
