"""Checkpoints: whole or not there, and never accepted with a single changed bit."""

import errno
import hashlib
import json
import os
import random
import shutil
from pathlib import Path

import numpy as np
import pytest

from cllm_sim.errors import BadRequest
from real_runtime import checkpoint as module
from real_runtime.checkpoint import MANIFEST_FILE, TENSORS_FILE, SaveFailed, checkpoints_in, digest, load, save

META = {
    "seed": 1,
    "config": {"hidden": [16], "learning_rate": 0.01, 7: "seven", 12: "twelve"},
    "text_sha256": "ab" * 32,
}
DAMAGES = 400


def tensors(step: int) -> dict[str, np.ndarray]:
    source = np.random.Generator(np.random.PCG64(step))
    return {
        "embedding": source.standard_normal((8, 4)).astype(np.float32),
        "output.bias": source.standard_normal(5).astype(np.float32),
        "loss": source.standard_normal(3),
    }


def saved(folder: Path, *steps: int) -> list[Path]:
    return [save(folder, step, tensors(step), META) for step in steps]


def refusal(path: Path) -> str:
    with pytest.raises(BadRequest) as caught:
        load(path)
    message = str(caught.value)
    assert "\n" not in message
    return message


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_was_saved_is_loaded(tmp_path):
    (path,) = saved(tmp_path / "run" / "checkpoints", 123)
    assert path.name == "step-000123"
    for given in (path, path.parent):
        found = load(given)
        assert (found.path, found.step) == (path, 123)
        assert found.meta == META | {"config": {"hidden": [16], "learning_rate": 0.01, "7": "seven", "12": "twelve"}}
        assert found.tensors.keys() == tensors(123).keys()
        for name, tensor in tensors(123).items():
            assert found.tensors[name].dtype == tensor.dtype
            assert found.tensors[name].tobytes() == tensor.tobytes()


def test_views_that_are_not_contiguous_are_saved(tmp_path):
    matrix = np.arange(12, dtype=np.float32).reshape(3, 4)
    path = save(tmp_path, 1, {"turned": matrix.T}, {})
    assert np.array_equal(load(path).tensors["turned"], matrix.T)


def test_the_newest_is_loaded_and_the_oldest_are_removed(tmp_path):
    saved(tmp_path, 8, 9, 10, 11)
    assert names(tmp_path) == ["step-000009", "step-000010", "step-000011"]
    assert load(tmp_path).step == 11
    save(tmp_path, 1_000_000, tensors(0), META, save_total_limit=1)
    assert names(tmp_path) == ["step-1000000"]
    for step in (0, 1, 2, 3, 200_000):  # by name, the last of these would come after 1,000,000
        save(tmp_path, step, tensors(step), META, save_total_limit=None)
    assert len(checkpoints_in(tmp_path)) == 6
    assert load(tmp_path).step == 1_000_000


def test_the_one_just_written_is_kept_even_if_later_steps_exist(tmp_path):
    saved(tmp_path, 100, 200)
    save(tmp_path, 50, tensors(50), META, save_total_limit=1)
    assert names(tmp_path) == ["step-000050"]


def test_saving_the_same_step_again(tmp_path):
    (path,) = saved(tmp_path, 5)
    first = path.stat().st_ino
    saved(tmp_path, 5)
    assert path.stat().st_ino == first  # the same bits: nothing to do
    save(tmp_path, 5, tensors(6), META)
    assert load(path).tensors["loss"].tobytes() == tensors(6)["loss"].tobytes()
    (path / TENSORS_FILE).write_bytes(b"")
    save(tmp_path, 5, tensors(6), META)
    assert load(path).step == 5
    assert names(tmp_path) == ["step-000005"]


def test_random_damage_is_never_accepted(tmp_path):
    (path,) = saved(tmp_path, 3)
    choose = random.Random(0)
    for _ in range(DAMAGES):
        file = path / choose.choice([TENSORS_FILE, MANIFEST_FILE])
        whole = file.read_bytes()
        damaged = bytearray(whole)
        kind = choose.choice(["flip", "byte", "cut", "grow", "swap"])
        place = choose.randrange(len(whole))
        if kind == "flip":
            damaged[place] ^= 1 << choose.randrange(8)
        elif kind == "byte":
            damaged[place] = (damaged[place] + choose.randrange(1, 256)) % 256
        elif kind == "cut":
            del damaged[place:]
        elif kind == "grow":
            damaged.insert(place, choose.choice(b" 0\n,}\x00"))
        else:
            other = choose.randrange(len(whole))
            damaged[place], damaged[other] = damaged[other], damaged[place]
        if damaged == whole:
            continue
        file.write_bytes(damaged)
        assert str(file) in refusal(path), (file.name, kind, place)
        file.write_bytes(whole)
    assert load(path).step == 3


def test_every_bit_of_a_manifest_counts(tmp_path):
    (path,) = saved(tmp_path, 3)
    file = path / MANIFEST_FILE
    whole = file.read_bytes()
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        file.write_bytes(damaged)
        refusal(path)


def test_a_damaged_one_is_refused_with_the_newest_good_alternative(tmp_path):
    _, good, damaged, newest = saved(tmp_path, 1, 2, 3, 4)
    for path in (damaged, newest):
        content = (path / TENSORS_FILE).read_bytes()
        (path / TENSORS_FILE).write_bytes(content[:-1])
    message = refusal(tmp_path)
    assert str(newest / TENSORS_FILE) in message
    assert f"{len(content) - 1:,} bytes instead of {len(content):,}" in message
    assert message.endswith(f"the newest good checkpoint is {good}")
    (good / MANIFEST_FILE).unlink()
    assert refusal(good).endswith("there is no other good checkpoint beside it")
    assert f"{good / MANIFEST_FILE} is missing" in refusal(good)


def test_a_missing_file_is_named(tmp_path):
    (path,) = saved(tmp_path, 1)
    (path / TENSORS_FILE).unlink()
    assert f"{path / TENSORS_FILE} is missing" in refusal(path)


def test_another_format_is_refused(tmp_path):
    (path,) = saved(tmp_path, 1)
    manifest = json.loads((path / MANIFEST_FILE).read_bytes())
    manifest["format"] = "cllm-checkpoint/2"
    (path / MANIFEST_FILE).write_text(json.dumps(manifest))
    assert "is of format 'cllm-checkpoint/2', this version reads 'cllm-checkpoint/1'" in refusal(path)


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b"1e400", b"[" * 100_000, b'{"format": "cllm-checkpoint/1"}'])
def test_a_manifest_that_is_none_is_refused(tmp_path, content):
    (path,) = saved(tmp_path, 1)
    (path / MANIFEST_FILE).write_bytes(content)
    assert str(path / MANIFEST_FILE) in refusal(path)


def test_a_manifest_with_a_right_digest_but_without_its_fields_is_refused(tmp_path):
    (path,) = saved(tmp_path, 1)
    (path / MANIFEST_FILE).write_bytes(module._manifest_text({"format": "cllm-checkpoint/1", "step": 1}))
    assert "it is not what was written" in refusal(path)


def test_tensors_that_fit_the_manifest_but_are_no_tensors_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("safetensors.numpy.save", lambda content: b"not a tensor file")
    (path,) = saved(tmp_path, 1)
    assert "is not a safetensors file" in refusal(path)


def test_a_checkpoint_under_another_name(tmp_path):
    first, second = saved(tmp_path, 1, 2)
    best = tmp_path / "best"
    shutil.copytree(first, best)
    assert load(best).step == 1
    shutil.rmtree(second)
    shutil.copytree(first, second)
    assert "is that of step 1, not of step-000002" in refusal(second)


def test_where_there_is_no_checkpoint(tmp_path):
    assert "does not exist" in refusal(tmp_path / "nowhere")
    assert "holds no complete checkpoint" in refusal(tmp_path)
    (tmp_path / "step-000001").touch()
    (tmp_path / "step-x").mkdir()
    assert "holds no complete checkpoint" in refusal(tmp_path)
    assert "is no folder" in refusal(tmp_path / "step-000001")


@pytest.mark.parametrize("point", ["_write_flushed", "_flush_folder", "_publish"])
def test_a_save_that_ends_at_any_point_leaves_the_last_one_good(tmp_path, monkeypatch, point):
    """A process that is killed does not tidy up, so the tidying is switched off as well."""
    saved(tmp_path, 1)
    with monkeypatch.context() as broken:
        broken.setattr(module, point, lambda *arguments: (_ for _ in ()).throw(KeyboardInterrupt))
        broken.setattr(shutil, "rmtree", lambda *arguments, **options: None)
        with pytest.raises(KeyboardInterrupt):
            saved(tmp_path, 2)
    assert len(names(tmp_path)) == 2
    assert load(tmp_path).step == 1
    saved(tmp_path, 3)
    assert names(tmp_path) == ["step-000001", "step-000003"]


def test_an_interrupted_save_tidies_up(tmp_path, monkeypatch):
    saved(tmp_path, 1)
    monkeypatch.setattr(module, "_publish", lambda *arguments: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        saved(tmp_path, 2)
    assert names(tmp_path) == ["step-000001"]


def test_leftovers_are_counted_and_cleaned(tmp_path):
    saved(tmp_path, 1)
    for name in ("a", "b"):
        (tmp_path / f".unfinished-step-000002-{name}").mkdir()
    assert load(tmp_path).step == 1
    assert module.clean_unfinished(tmp_path) == 2
    assert module.clean_unfinished(tmp_path) == 0
    assert names(tmp_path) == ["step-000001"]


def test_a_full_disk_is_told_with_the_last_good_checkpoint(tmp_path, monkeypatch):
    def full(path, content):
        path.write_bytes(content[:10])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(module, "_write_flushed", full)
        with pytest.raises(SaveFailed, match=r"step 1 .*No space left on device; there is no earlier checkpoint"):
            saved(tmp_path, 1)
    saved(tmp_path, 2)
    monkeypatch.setattr(module, "_write_flushed", full)
    with pytest.raises(SaveFailed, match=r"step 3 .*No space left on device; the last good checkpoint is step-000002"):
        saved(tmp_path, 3)
    assert names(tmp_path) == ["step-000002"]


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SaveFailed, match="could not be written"):
        saved(tmp_path / "file" / "checkpoints", 1)


def test_files_are_flushed_before_the_rename(tmp_path, monkeypatch):
    order: list[str] = []
    rename, fsync = Path.rename, os.fsync

    def flushed(descriptor):
        order.append(Path(f"/proc/self/fd/{descriptor}").readlink().name.split("-")[0])
        fsync(descriptor)

    def renamed(self, target):
        order.append("rename")
        return rename(self, target)

    monkeypatch.setattr(os, "fsync", flushed)
    monkeypatch.setattr(Path, "rename", renamed)
    saved(tmp_path / "run", 1)
    assert order == [TENSORS_FILE, MANIFEST_FILE, ".unfinished", "rename", "run"]


def test_the_digest_is_that_of_the_bytes():
    weights = np.arange(6, dtype=np.float32)
    assert digest(weights) == hashlib.sha256(weights.tobytes()).hexdigest()
    assert digest(weights[::2]) == hashlib.sha256(weights[::2].tobytes()).hexdigest()
    assert digest(weights) != digest(-weights)
