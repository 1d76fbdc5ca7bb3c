"""What the tests of the report share: one written report of the made-up demo comparison, and a console that keeps its
text.

Rules of this file: drawing takes seconds, so a report is written once for all tests and never changed by them.
"""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from cllm_sim.report import write_report
from cllm_sim.report.text import render
from cllm_sim.results import RunResult

from tests.report import sample


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the report of the demo comparison."""
    folder = tmp_path_factory.mktemp("report")
    write_report(RunResult(sample.demo()), folder)
    return folder


@pytest.fixture
def shown() -> Callable[..., str]:
    """`shown(data, width=100)`: what the terminal shows of a result, without spaces at the ends of lines."""

    def show(data: sample.Result, width: int = 100, color: bool = False) -> str:
        buffer = io.StringIO()
        render(RunResult(data), Console(file=buffer, width=width, force_terminal=color, highlight=False))
        return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines())

    return show
