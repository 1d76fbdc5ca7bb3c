"""Checkpoints: written whole or not at all, and read only when every byte is what was written.

    FOLDER/step-000123/tensors.safetensors    the tensors
    FOLDER/step-000123/manifest.json          format, step, size and sha256 of the tensors, meta, and its own sha256
    FOLDER/.unfinished-...                    a save or a removal that did not end; the next save cleans it

A checkpoint is prepared in a hidden folder, its files and folders are flushed to the disk, and one rename makes it
appear.

Rules of this file: `tensors` and `meta` are the caller's; nothing here knows a model, a process count or a tree. One
run writes into a folder at a time; whoever starts runs holds the lock. Raise `_FORMAT` whenever the meaning of a file
changes.
"""

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

from cllm_sim.errors import BadRequest, SubjectFailed

TENSORS_FILE = "tensors.safetensors"
MANIFEST_FILE = "manifest.json"

_FORMAT = "cllm-checkpoint/1"
_STEP_NAME = re.compile(r"step-(\d{6,})\Z")
_UNFINISHED = ".unfinished-"
_OWN_DIGEST = "manifest_sha256"
_MANIFEST_KEYS = {"format", "step", "bytes", "sha256", "meta"}

Tensors = Mapping[str, NDArray[Any]]


class SaveFailed(SubjectFailed):
    """A checkpoint could not be written; what was complete before still is."""


class _DefectError(Exception):
    """What is wrong with one file of a checkpoint, in words; never leaves this module."""

    def __init__(self, file: Path, what: str) -> None:
        super().__init__(what)
        self.file = file


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """State after `step` steps, its digests verified. The tensors may be read-only: copy them to change them."""

    path: Path
    step: int
    tensors: dict[str, NDArray[Any]]
    meta: dict[str, Any]


def digest(weights: NDArray[Any]) -> str:
    """SHA-256 of the vector's bytes in memory order, as 64 hex digits."""
    return hashlib.sha256(np.ascontiguousarray(weights).data).hexdigest()


def save(folder: Path, step: int, tensors: Tensors, meta: Mapping[str, Any], save_total_limit: int | None = 3) -> Path:
    """Write the checkpoint of `step` below `folder` (created where missing) and return its own folder.

    `meta` is anything JSON can hold (configuration, seed, digest of the text). Afterwards only the newest
    `save_total_limit` checkpoints are kept, this one always among them; None keeps all. Raises SaveFailed, with the
    folder as it was, where the disk does not take it.
    """
    target = folder / f"step-{step:06d}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        clean_unfinished(folder)
        _write(folder, target, step, tensors, meta)
    except OSError as error:
        raise SaveFailed(
            f"checkpoint of step {step} could not be written to {folder}: {error.strerror or error}; {_kept(folder)}"
        ) from error
    try:
        _keep_newest(folder, target, save_total_limit)
    except OSError as error:
        raise SaveFailed(f"old checkpoints in {folder} could not be removed: {error.strerror or error}") from error
    return target


def _write(folder: Path, target: Path, step: int, tensors: Tensors, meta: Mapping[str, Any]) -> None:
    prepared = Path(tempfile.mkdtemp(prefix=f"{_UNFINISHED}{target.name}-", dir=folder))
    try:
        _write_files(prepared, step, tensors, meta)
        if not _same(prepared, target):
            _publish(prepared, target)
    finally:
        shutil.rmtree(prepared, ignore_errors=True)  # nothing is left of it once it was published


def _write_files(prepared: Path, step: int, tensors: Tensors, meta: Mapping[str, Any]) -> None:
    content = safetensors.numpy.save({name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()})
    manifest = {
        "format": _FORMAT,
        "step": step,
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "meta": json.loads(json.dumps(dict(meta), allow_nan=False)),  # keys become texts before they are sorted
    }
    prepared.chmod(0o755)  # mkdtemp makes it private, a checkpoint is as readable as any other result
    _write_flushed(prepared / TENSORS_FILE, content)
    _write_flushed(prepared / MANIFEST_FILE, _manifest_text(manifest))
    _flush_folder(prepared)


def _manifest_text(manifest: dict[str, Any]) -> bytes:
    """The one spelling of a manifest, closed by its own digest; a file that is spelled otherwise was changed."""
    body = json.dumps(manifest, sort_keys=True, allow_nan=False)
    own = hashlib.sha256(body.encode()).hexdigest()
    return (json.dumps(manifest | {_OWN_DIGEST: own}, sort_keys=True, indent=2, allow_nan=False) + "\n").encode()


def _write_flushed(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _same(prepared: Path, target: Path) -> bool:
    """Does `target` already hold this very checkpoint? A resumed run comes to the same step with the same bits."""
    if not target.exists() or not _is_good(target):
        return False
    return (prepared / MANIFEST_FILE).read_bytes() == (target / MANIFEST_FILE).read_bytes()


def _publish(prepared: Path, target: Path) -> None:
    if target.exists():
        _remove(target)
    prepared.rename(target)
    _flush_folder(target.parent)


def _remove(checkpoint: Path) -> None:
    """Take a checkpoint away at once: a removal that is interrupted must not look like a damaged checkpoint."""
    doomed = checkpoint.with_name(f"{_UNFINISHED}{checkpoint.name}-removed")
    checkpoint.rename(doomed)
    shutil.rmtree(doomed)


def _keep_newest(folder: Path, written: Path, save_total_limit: int | None) -> None:
    if save_total_limit is None:
        return
    others = [path for path in checkpoints_in(folder) if path != written]
    for path in others[max(save_total_limit - 1, 0) :]:
        _remove(path)


def clean_unfinished(folder: Path) -> int:
    """Remove what interrupted saves left in `folder`; returns how many. Only for the run that writes there."""
    leftovers = [path for path in folder.glob(f"{_UNFINISHED}*") if path.is_dir()]
    for path in leftovers:
        shutil.rmtree(path, ignore_errors=True)
    return len(leftovers)


def checkpoints_in(folder: Path) -> list[Path]:
    """The checkpoints of a folder by name, newest first; not verified. Empty where there is no such folder."""
    found = [path for path in folder.glob("step-*") if _STEP_NAME.match(path.name) and path.is_dir()]
    return sorted(found, key=lambda path: int(path.name.removeprefix("step-")), reverse=True)


def load(path: Path) -> Checkpoint:
    """Read one checkpoint, or the newest of a folder of checkpoints, after verifying every digest.

    Raises BadRequest where there is none or where it is damaged, incomplete or of another version: one line that
    names the file, and the newest good checkpoint beside it where there is one. Another checkpoint is never taken
    silently.
    """
    if not os.path.isdir(path):  # noqa: PTH112 - unlike Path.is_dir, says no where it may not look
        what = "is no folder" if os.path.lexists(path) else "does not exist"
        raise BadRequest(f"checkpoint {path} {what}: give the folder of a checkpoint or of a run's checkpoints")
    chosen = path
    if not _STEP_NAME.match(path.name) and not (path / MANIFEST_FILE).exists():
        found = checkpoints_in(path)
        if not found:
            raise BadRequest(f"folder {path} holds no complete checkpoint: give one that holds step-... folders")
        chosen = found[0]
    try:
        return _verified(chosen)
    except _DefectError as defect:
        raise BadRequest(f"checkpoint file {defect.file} {defect}; {_alternative(chosen)}") from None


def _alternative(damaged: Path) -> str:
    for path in checkpoints_in(damaged.parent):
        if path != damaged and _is_good(path):
            return f"the newest good checkpoint is {path}"
    return "there is no other good checkpoint beside it"


def _kept(folder: Path) -> str:
    for path in checkpoints_in(folder):
        if _is_good(path):
            return f"the last good checkpoint is {path.name}"
    return "there is no earlier checkpoint"


def _is_good(path: Path) -> bool:
    try:
        _verified(path)
    except _DefectError:
        return False
    return True


def _verified(path: Path) -> Checkpoint:
    manifest = _read_manifest(path / MANIFEST_FILE)
    if _STEP_NAME.match(path.name) and path.name != f"step-{manifest['step']:06d}":
        raise _DefectError(path / MANIFEST_FILE, f"is that of step {manifest['step']}, not of {path.name}")
    file = path / TENSORS_FILE
    content = _read(file)
    if len(content) != manifest["bytes"]:
        raise _DefectError(file, f"is damaged: {len(content):,} bytes instead of {manifest['bytes']:,}")
    if hashlib.sha256(content).hexdigest() != manifest["sha256"]:
        raise _DefectError(file, "is damaged: its digest differs from the one in the manifest")
    try:
        tensors = safetensors.numpy.load(content)
    except safetensors.SafetensorError as error:
        raise _DefectError(file, f"is not a safetensors file: {error}") from error
    return Checkpoint(path, manifest["step"], tensors, manifest["meta"])


def _read_manifest(file: Path) -> dict[str, Any]:
    content = _read(file)
    try:
        manifest = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise _DefectError(file, "is damaged: it is no JSON document") from error
    if not isinstance(manifest, dict):
        raise _DefectError(file, "is damaged: it is no manifest")
    found = manifest.get("format")
    if found != _FORMAT:
        raise _DefectError(file, f"is of format {str(found)[:40]!r}, this version reads {_FORMAT!r}")
    manifest.pop(_OWN_DIGEST, None)
    if _respelled(manifest) != content or manifest.keys() != _MANIFEST_KEYS:
        raise _DefectError(file, "is damaged: it is not what was written")
    return manifest


def _respelled(manifest: dict[str, Any]) -> bytes | None:
    try:
        return _manifest_text(manifest)
    except (ValueError, RecursionError):  # a number that JSON does not know, an unpaired surrogate
        return None


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError as error:
        raise _DefectError(file, "is missing") from error
    except OSError as error:
        raise _DefectError(file, f"cannot be read: {error.strerror}") from error
