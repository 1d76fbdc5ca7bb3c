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
from typing import Any, TypeVar

from cllm_sim.architecture import Architecture, Loaded, Promise
from cllm_sim.errors import BadArchitecture, BadRequest, CllmError
from cllm_sim.grammar import check_source
from cllm_sim.operations import Place, Shared, Team

Result = TypeVar("Result")

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
        content = path.read_bytes()
        source = content.decode("utf-8-sig").replace("\r\n", "\n")
    except (OSError, UnicodeDecodeError) as error:
        raise BadRequest(f"{reference}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    check_source(str(path), source)
    sha256 = hashlib.sha256(content).hexdigest()
    module = _execute(path, sha256)
    architecture, used = _architecture(path, module, dict(settings or {}))
    _check(path, architecture)
    title = ((module.__doc__ or "").strip() or path.stem).splitlines()[0]
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
    loader = spec.loader
    assert loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # before it runs: dataclasses with postponed annotations look themselves up
    _run(path, lambda: loader.exec_module(module))
    return module


def _run(path: Path, code: Callable[[], Result]) -> Result:
    """Run code of the user's file; whatever it raises (leaving the interpreter, too) names the user's line."""
    try:
        return code()
    except CllmError:
        raise
    except (Exception, SystemExit) as error:
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
        place = Place(str(path), (lines or [1])[-1] or 1)
        raise BadArchitecture(f"{place}: {type(error).__name__}: {error}".replace("\n", " ")) from None


def _architecture(
    path: Path, module: ModuleType, settings: dict[str, str]
) -> tuple[Architecture, tuple[tuple[str, str], ...]]:
    found = getattr(module, "architecture", None)
    if isinstance(found, Architecture):
        return found, ()
    if callable(found):
        used = _run(path, lambda: _wanted(found, settings))
        made = _run(path, lambda: found(**used))
        if isinstance(made, Architecture):
            return made, tuple(sorted(used.items()))
    raise BadArchitecture(
        f"{path}: is no architecture: it must end with 'architecture = Architecture(root, worker, control, leaf, ...)'"
    )


def _wanted(function: Callable[..., Any], settings: dict[str, str]) -> dict[str, str]:
    names = inspect.signature(function).parameters
    return {name: value for name, value in settings.items() if name in names}


def _check(path: Path, architecture: Architecture) -> None:
    """Is every field of what a file declares of the kind it must be? Raises BadArchitecture."""
    if architecture.leaf is None or (architecture.worker is None) != (architecture.control is None):
        raise BadArchitecture(f"{path}: an Architecture needs root, worker, control and leaf (or only root and leaf)")
    _check_tuple(path, "shared", architecture.shared, Shared)
    _check_tuple(path, "promises", architecture.promises, Promise)
    team: object = architecture.team  # whatever the file says
    if not (isinstance(team, type) and issubclass(team, Team)):
        raise BadArchitecture(f"{path}: team must be a class derived from Team")
    texts = {"root": (architecture.root, 2)}
    texts.update({name: (getattr(architecture, name), 3) for name in ("worker", "control", "leaf")})
    texts.update({f"others['{name}']": (text, 1) for name, text in architecture.others.items()})
    for name, (text, arguments) in texts.items():
        if text is not None:
            _check_text(path, name, text, arguments)


def _check_tuple(path: Path, name: str, found: object, kind: type) -> None:
    if not isinstance(found, tuple) or not all(isinstance(item, kind) for item in found):
        raise BadArchitecture(f"{path}: {name} must be a tuple, such as {name}=(a,) or {name}=(a, b)")


def _check_text(path: Path, name: str, text: Callable[..., Any], arguments: int) -> None:
    code = getattr(text, "__code__", None)
    place = Place(str(path), code.co_firstlineno if code else 1)
    if not inspect.isgeneratorfunction(text):
        raise BadArchitecture(f"{place}: {name} is no text: it must be a function that yields operations")
    if code is not None and code.co_argcount != arguments:
        raise BadArchitecture(f"{place}: {name} takes {code.co_argcount} arguments, expected {arguments}")
