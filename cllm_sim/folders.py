"""Where a verb leaves its files: a new folder for every result, and never over somebody's earlier one unasked.

Rules of this file: folders and result files only. The default is `reports/<architecture>-<verb>/`, then `-2`, `-3`,
...; an existing folder is refused unless the caller says to overwrite it or to resume in it, and one that a run is
still using even then. Keep in step with `real_runtime/host.py`, whose runs hold `lock` while they last.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cllm_sim.errors import BadRequest
from cllm_sim.results import RunResult

NUMBERS_MAX = 10_000
RESULT_FILE = "result.json"
LOCK_FILE = "lock"
MARKERS = (RESULT_FILE, "trace.jsonl", "metrics.jsonl", "checkpoints", LOCK_FILE, "costs.toml")
"""What our own folders contain; only such a folder is ever overwritten."""


def output_folder(name: str, asked: str | None, *, overwrite: bool = False, resume: bool = False) -> Path:
    """The folder for a verb's files, created; raises BadRequest where it exists unasked or cannot be written.

    Without `asked` it is the next one below `reports/` that is not in use, and for `resume` the last one that is.
    """
    if resume:
        return _to_resume(name, asked)
    if asked is None:
        return _next_default(name)
    folder = Path(asked)
    if _is_folder(folder) and not _unused(folder):
        if not overwrite:
            raise BadRequest(f"{folder}: exists already; use another -o, --overwrite or --resume")
        _clear(_writable(folder))
    return _writable(folder)


def _is_folder(folder: Path) -> bool:
    try:
        if folder.exists() and not folder.is_dir():
            raise BadRequest(f"{folder}: is a file, not a folder")
        return folder.is_dir()
    except OSError as error:  # a name that is too long, a folder above that may not be entered
        raise BadRequest(f"{folder}: cannot be used: {error.strerror}") from None


def _unused(folder: Path) -> bool:
    """Is there nothing in it but the lock of a run that was refused before it began?"""
    try:
        return all(entry.name == LOCK_FILE for entry in folder.iterdir())
    except OSError as error:
        raise BadRequest(f"{folder}: cannot be read: {error.strerror}") from None


def _to_resume(name: str, asked: str | None) -> Path:
    if asked is None:
        found = [folder for folder in _defaults(name) if _is_folder(folder) and not _unused(folder)]
        if not found:
            raise BadRequest(f"nothing to resume: there is no {Path('reports') / name}; name the run directory with -o")
        return _writable(found[-1])
    if not _is_folder(Path(asked)):
        raise BadRequest(f"{asked}: nothing to resume, there is no such run directory")
    return _writable(Path(asked))


def _defaults(name: str) -> Iterator[Path]:
    """The default folders in order, up to the first that does not exist."""
    base = Path("reports") / name
    for number in range(1, NUMBERS_MAX):
        folder = base if number == 1 else base.with_name(f"{base.name}-{number}")
        yield folder
        if not folder.exists():
            return


def _next_default(name: str) -> Path:
    for folder in _defaults(name):
        _writable(folder.parent)
        try:
            folder.mkdir()  # two runs that begin at the same time must not both take it
        except FileExistsError:
            if not (_is_folder(folder) and _unused(folder)) or _in_use(folder):
                continue
        return _writable(folder)
    raise BadRequest(f"{Path('reports') / name}: {NUMBERS_MAX} results already; remove some or use -o")


def _clear(folder: Path) -> None:
    """Empty a folder of ours; a folder without any of our files is somebody else's and is refused."""
    if not any((folder / marker).exists() for marker in MARKERS):
        raise BadRequest(f"{folder}: holds no result of ours, so it is not overwritten; use another -o")
    with _held(folder):
        for entry in folder.iterdir():
            if entry.name != LOCK_FILE:
                shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Keep runs out of a folder meanwhile; raises BadRequest where one is using it."""
    try:
        import fcntl
    except ImportError:  # no such locks on this system, but no runs either
        yield
        return
    try:
        file = (folder / LOCK_FILE).open("a+", encoding="utf-8")
    except OSError as error:
        raise BadRequest(f"{folder}: cannot be written: {error.strerror}") from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            raise BadRequest(f"{folder}: run directory in use by {file.read().strip() or 'another run'}") from None
        yield


def _in_use(folder: Path) -> bool:
    try:
        with _held(folder):
            return False
    except BadRequest:
        return True


def _writable(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise BadRequest(f"{folder}: is a file, not a folder") from None
    except OSError as error:
        raise BadRequest(f"{folder}: cannot be created: {error.strerror}") from None
    if not os.access(folder, os.W_OK | os.X_OK) or _read_only(folder):
        raise BadRequest(f"{folder}: cannot be written; choose another folder with -o")
    return folder


def _read_only(folder: Path) -> bool:
    """A folder may look writable (to root, say) and still refuse; only trying tells."""
    probe = folder / f".cllm-probe-{os.getpid()}"
    try:
        probe.touch()
        probe.unlink()
    except OSError:
        return True
    return False


def write_result(folder: Path, result: RunResult) -> Path:
    """Write `result.json`; half a file is never left behind."""
    target = folder / RESULT_FILE
    partial = folder / f".{RESULT_FILE}.partial"
    partial.write_text(result.to_json(), encoding="utf-8")
    partial.replace(target)
    return target


def cache_folder() -> Path:
    """Where calibrations of this machine are kept for the user."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "cllm-sim"
