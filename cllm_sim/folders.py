"""Where a verb leaves its files: a new folder for every result, and never over somebody's earlier one unasked.

Rules of this file: folders and result files only. The default is `reports/<architecture>-<verb>/`, then `-2`, `-3`, ...; an
existing folder is refused unless the caller says to overwrite it or to resume in it.
"""

import os
import shutil
from pathlib import Path

from cllm_sim.errors import BadRequest
from cllm_sim.results import RunResult

NUMBERS_MAX = 10_000
RESULT_FILE = "result.json"
MARKERS = (RESULT_FILE, "trace.jsonl", "metrics.jsonl", "checkpoints", "lock", "costs.toml")
"""What our own folders contain; only such a folder is ever overwritten."""


def output_folder(name: str, asked: str | None, *, overwrite: bool = False, resume: bool = False) -> Path:
    """The folder for a verb's files, created; raises BadRequest where it exists unasked or cannot be written."""
    folder = Path(asked) if asked else _next_default(name)
    if resume:
        if not folder.is_dir():
            raise BadRequest(f"{folder}: nothing to resume, there is no such run directory")
        return _writable(folder)
    if folder.exists() and not folder.is_dir():
        raise BadRequest(f"{folder}: is a file, not a folder")
    if folder.is_dir() and any(folder.iterdir()):
        if not overwrite:
            raise BadRequest(f"{folder}: exists already; use another -o, --overwrite or --resume")
        _clear(folder)
    return _writable(folder)


def _next_default(name: str) -> Path:
    base = Path("reports") / name
    for number in range(1, NUMBERS_MAX):
        folder = base if number == 1 else base.with_name(f"{base.name}-{number}")
        if not folder.exists():
            return folder
    raise BadRequest(f"{base}: {NUMBERS_MAX} results already; remove some or use -o")


def _clear(folder: Path) -> None:
    """Empty a folder of ours; a folder without any of our files is somebody else's and is refused."""
    if not any((folder / marker).exists() for marker in MARKERS):
        raise BadRequest(f"{folder}: holds no result of ours, so it is not overwritten; use another -o")
    for entry in folder.iterdir():
        if entry.name != "lock":  # a run that is still going on holds it, and is told so when it is taken
            shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()


def _writable(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadRequest(f"{folder}: cannot be created: {error.strerror}") from None
    if not os.access(folder, os.W_OK | os.X_OK) or _read_only(folder):
        raise BadRequest(f"{folder}: cannot be written; choose another folder with -o")
    return folder


def _read_only(folder: Path) -> bool:
    """A folder may look writable (to root, say) and still refuse; only trying tells."""
    probe = folder / ".cllm-probe"
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
