"""Results on the terminal: `render(result, console)` for any verb, `render_compare` for a comparison.

Plain lines where nobody looks: the console decides about colour and width, and at most 100 columns are used. Rules of
this file: who shows what; the shapes of a comparison are loaded only where there is one, so that a check ends at once.
"""

import json
from collections.abc import Callable

from rich.console import Console

from cllm_sim.report.lines import Data, line
from cllm_sim.report.text_check import render_check
from cllm_sim.report.text_runs import render_calibrate, render_simulate, render_train, render_validate
from cllm_sim.results import RunResult


def render(result: RunResult, console: Console, full: bool = False) -> None:
    """Show a result of any verb; `full`: of a check every defect step by step, not only the first."""
    shown = RENDERERS.get(str(result.data.get("verb")))
    if "any_depth" in result.data:
        _induction(result.data, console)
    elif shown is render_check:
        render_check(result.data, console, full)
    elif shown is None:
        line(console, json.dumps(result.data, indent=2, ensure_ascii=False))
    else:
        shown(result.data, console)


def render_compare(result: RunResult, console: Console) -> None:
    """Show a comparison: verdict in one sentence, table, notes, differences, and what is broken how."""
    _compare(result.data, console)


def _compare(data: Data, console: Console) -> None:
    from cllm_sim.report import text_compare

    text_compare.render_compare(data, console)


def _induction(data: Data, console: Console) -> None:
    from cllm_sim.report import text_induction

    line(console, text_induction.render(data["any_depth"]).rstrip("\n"))


def _audit(data: Data, console: Console) -> None:
    from cllm_sim.report.audit import text

    text.render(data, console)


RENDERERS: dict[str, Callable[[Data, Console], None]] = {
    "check": render_check,
    "simulate": render_simulate,
    "train": render_train,
    "validate": render_validate,
    "compare": _compare,
    "calibrate": render_calibrate,
    "audit": _audit,
}
