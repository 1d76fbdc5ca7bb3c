"""Finding and loading architecture files: a shipped name and a path of a user's own take the same route.

Rules of this file: loading a file runs it (as pytest does with conftest.py); each file gets a module name of its own,
`sys.path` is never touched, and the current directory is never searched for shipped names. An error names the user's
line.
"""

import difflib
import hashlib
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from cllm_sim.architecture import Architecture, Loaded
from cllm_sim.errors import BadArchitecture, BadRequest, CllmError
from cllm_sim.grammar import check_source
from cllm_sim.operations import Place, Team

PACKAGE = Path(__file__).resolve().parent


def shipped_folder() -> Path:
    """Where the shipped architectures lie: inside the installed package, else beside it in a checkout."""
    packaged = PACKAGE / "_models"
    if packaged.is_dir():
        return packaged
    checkout = PACKAGE.parent / "models"
    if checkout.is_dir() and (PACKAGE.parent / "pyproject.toml").is_file():
        return checkout
    raise BadRequest("the shipped architectures are missing from this installation; reinstall cllm-sim")


def shipped() -> dict[str, Path]:
    """Name -> file of every shipped architecture, sorted by name."""
    return {path.stem: path for path in sorted(shipped_folder().glob("*.py"))}


def load(reference: str, settings: Mapping[str, str] | None = None) -> Loaded:
    """Load a shipped architecture by name or any file by path; raises BadRequest or BadArchitecture with one line."""
    path = _locate(reference)
    try:
        source = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadRequest(f"{reference}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    check_source(str(path), source)
    sha256 = hashlib.sha256(source.encode()).hexdigest()
    module = _execute(path, sha256)
    architecture, used = _architecture(path, module, dict(settings or {}))
    _check(path, architecture)
    title = (module.__doc__ or path.stem).strip().splitlines()[0]
    return Loaded(path.stem, str(path), sha256, title, architecture, used)


def _locate(reference: str) -> Path:
    if "/" in reference or reference.endswith(".py"):
        path = Path(reference)
        if not path.is_file():
            raise BadRequest(f"{reference}: no such architecture file")
        return path.resolve()
    known = shipped()
    if reference in known:
        return known[reference]
    near = difflib.get_close_matches(reference, known, n=1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    raise BadRequest(
        f"no architecture called '{reference}'.{hint} Shipped: {', '.join(known)} "
        "(a path must contain '/' or end in .py)"
    )


def _execute(path: Path, sha256: str) -> ModuleType:
    name = f"cllm_architecture_{path.stem}_{sha256[:12]}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # before it runs: dataclasses with postponed annotations look themselves up
    try:
        spec.loader.exec_module(module)
    except CllmError:
        raise
    except Exception as error:
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
        place = Place(str(path), (lines or [1])[-1] or 1)
        raise BadArchitecture(f"{place}: {type(error).__name__}: {error}".replace("\n", " ")) from None
    return module


def _architecture(
    path: Path, module: ModuleType, settings: dict[str, str]
) -> tuple[Architecture, tuple[tuple[str, str], ...]]:
    found = getattr(module, "architecture", None)
    if isinstance(found, Architecture):
        return found, ()
    if callable(found):
        used = _wanted(found, settings)
        made = found(**used)
        if isinstance(made, Architecture):
            return made, tuple(sorted(used.items()))
    raise BadArchitecture(
        f"{path}: is no architecture: it must end with 'architecture = Architecture(root, worker, control, leaf, ...)'"
    )


def _wanted(function: Callable[..., Any], settings: dict[str, str]) -> dict[str, str]:
    names = inspect.signature(function).parameters
    return {name: value for name, value in settings.items() if name in names}


def _check(path: Path, architecture: Architecture) -> None:
    texts = {
        "root": architecture.root,
        "worker": architecture.worker,
        "control": architecture.control,
        "leaf": architecture.leaf,
        **{f"others['{name}']": text for name, text in architecture.others.items()},
    }
    if architecture.leaf is None or (architecture.worker is None) != (architecture.control is None):
        raise BadArchitecture(f"{path}: an Architecture needs root, worker, control and leaf (or only root and leaf)")
    for name, text in texts.items():
        if text is None:
            continue
        code = getattr(text, "__code__", None)
        place = Place(str(path), code.co_firstlineno if code else 1)
        if not inspect.isgeneratorfunction(text):
            raise BadArchitecture(f"{place}: {name} is no text: it must be a function that yields operations")
        wanted = 1 if name.startswith("others") else 2 if name == "root" else 3
        if code is not None and code.co_argcount != wanted:
            raise BadArchitecture(f"{place}: {name} takes {code.co_argcount} arguments, expected {wanted}")
    team: object = architecture.team  # whatever the file says
    if not (isinstance(team, type) and issubclass(team, Team)):
        raise BadArchitecture(f"{path}: team must be a class derived from Team")
