"""What must be true of an installed wheel, outside the checkout: the command works and brings its architecture files.

Run by `make test` in an environment that holds the wheel, its pinned dependencies and pytest, and nothing else.
"""

import importlib.metadata
import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.wheel

SHIPPED = ("model_lock", "node_zero", "serial", "sliced_reduce", "unguarded", "work_queue")


def installed_files() -> list[str]:
    return [str(path) for path in importlib.metadata.files("cllm-sim") or ()]


def test_the_checkout_is_out_of_reach() -> None:
    import cllm_sim

    assert "site-packages" in Path(cllm_sim.__file__).parts


def test_version(cllm: Callable[..., tuple[int, str, str]]) -> None:
    code, stdout, stderr = cllm("--version")
    assert (code, stderr) == (0, "")
    assert importlib.metadata.version("cllm-sim") in stdout


def test_lists_the_shipped_architectures(cllm: Callable[..., tuple[int, str, str]]) -> None:
    code, stdout, _ = cllm("list")
    assert code == 0
    assert [name for name in SHIPPED if name not in stdout.split()] == []


def test_checks_a_shipped_architecture(cllm: Callable[..., tuple[int, str, str]]) -> None:
    code, stdout, stderr = cllm("check", "node_zero", "--workers", 2)
    assert code == 0, stderr
    assert "holds" in stdout


def test_models_is_data_and_cannot_be_imported() -> None:
    assert importlib.util.find_spec("models") is None
    assert "cllm_sim/_models/node_zero.py" in installed_files()
    assert "cllm_sim/_models/__init__.py" not in installed_files()


def test_nothing_but_the_two_packages_is_installed() -> None:
    tops = {name.split("/")[0] for name in installed_files() if not name.startswith("..")}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"cllm_sim", "real_runtime"}


def test_is_typed_and_brings_its_data_files() -> None:
    assert {"cllm_sim/py.typed", "real_runtime/py.typed"} <= set(installed_files())
