"""The text: what is read, how it is split, what is refused, and the entropy that is printed beside the loss."""

import math
import os
import sysconfig
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from cllm_sim.errors import BadRequest
from real_runtime import text as text_module
from real_runtime.text import TEXT_BYTES_MIN, Corpus, bigram_bits_per_byte, load_text


def numbered(size: int) -> bytes:
    """A text in which every four bytes say where they stand, so that a part of it can be found again."""
    return np.arange(-(-size // 4), dtype=np.uint32).tobytes()[:size]


def corpus_of(heldout: bytes) -> Corpus:
    values = np.frombuffer(heldout, np.uint8)
    return Corpus("made", values, values, "", 2 * values.size)


def refusal(path: Path | None) -> str:
    with pytest.raises(BadRequest) as caught:
        load_text(path)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize("size", [TEXT_BYTES_MIN, 20_479, 20_480, 99_999, 1_000_000])
def test_the_parts_hold_every_byte_once(tmp_path, size):
    file = tmp_path / "numbers"
    file.write_bytes(numbered(size))
    corpus = load_text(file)
    assert corpus.name == "numbers"
    assert corpus.bytes == size == corpus.train.size + corpus.heldout.size
    merged = np.sort(np.concatenate([corpus.train, corpus.heldout]))
    assert np.array_equal(merged, np.sort(np.frombuffer(file.read_bytes(), np.uint8)))
    assert corpus.heldout.size >= 1_024
    assert size < 50_000 or 0.04 < corpus.heldout.size / size < 0.06


def test_the_heldout_part_is_whole_blocks_spread_over_the_text(tmp_path):
    file = tmp_path / "numbers"
    file.write_bytes(numbered(1_000_000))
    places = np.frombuffer(load_text(file).heldout.tobytes(), np.uint32) * 4
    starts = places[np.flatnonzero(np.diff(places, prepend=-8) != 4)]
    assert starts.size >= 7
    assert starts[0] < 100_000
    assert starts[-1] > 850_000
    assert np.all(np.diff(starts.astype(np.int64)) == np.diff(starts.astype(np.int64))[0])


def test_the_parts_cannot_be_written(tmp_path):
    file = tmp_path / "numbers"
    file.write_bytes(numbered(TEXT_BYTES_MIN))
    corpus = load_text(file)
    for part in (corpus.train, corpus.heldout):
        with pytest.raises(ValueError, match="read-only"):
            part[0] = 1


def test_a_folder_is_read_in_order_without_hidden_and_binary_files(tmp_path):
    pieces = {"b.txt": b"second" * 1_000, "a.txt": b"first " * 1_000, "sub/c.txt": b"third " * 1_000}
    left_out = {".hidden": b"hidden" * 1_000, ".git/config": b"hidden" * 1_000, "picture.png": b"\0binary" * 1_000}
    for name, content in (pieces | left_out).items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    os.mkfifo(tmp_path / "pipe")  # would block for ever if it were opened
    (tmp_path / "again").symlink_to(tmp_path)
    corpus = load_text(tmp_path)
    assert corpus.bytes == 18_000
    whole = tmp_path / "sub" / "whole"
    whole.write_bytes(pieces["a.txt"] + pieces["b.txt"] + pieces["sub/c.txt"])
    assert load_text(whole).sha256 == corpus.sha256


def test_the_default_text_is_the_same_every_time():
    first, second = load_text(None), load_text(None)
    assert first.sha256 == second.sha256
    assert np.array_equal(first.train, second.train)
    assert 1_000_000 < first.bytes <= text_module.DEFAULT_BYTES_MAX
    assert first.name.startswith("Python 3.")


def test_the_default_text_ends_with_a_whole_file(monkeypatch):
    whole = text_module._standard_library()
    monkeypatch.setattr(text_module, "DEFAULT_BYTES_MAX", 100_000)
    part = text_module._standard_library()
    assert 0 < len(part) <= 100_000
    assert whole.startswith(part)
    assert part.endswith(b"\n")


def test_a_machine_without_library_sources_is_told_to_give_a_text(monkeypatch, tmp_path):
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path))
    assert "--text" in refusal(None)


def test_a_missing_text_is_refused(tmp_path):
    assert "does not exist" in refusal(tmp_path / "nowhere")


def test_an_empty_text_is_refused(tmp_path):
    file = tmp_path / "empty"
    file.touch()
    assert "is empty" in refusal(file)
    assert f"{TEXT_BYTES_MIN:,} bytes" in refusal(file)


def test_a_short_text_is_refused(tmp_path):
    file = tmp_path / "short"
    file.write_bytes(numbered(TEXT_BYTES_MIN - 1))
    assert "only 8,191 bytes" in refusal(file)


def test_an_empty_folder_is_refused(tmp_path):
    assert "is empty" in refusal(tmp_path)


def test_a_pipe_is_refused_without_being_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert "neither a file nor a folder" in refusal(tmp_path / "pipe")


def test_a_file_that_may_not_be_read_is_refused(tmp_path, monkeypatch):
    """Permissions do not stop the superuser, so the refusal of the system is played here."""
    file = tmp_path / "secret"
    file.write_bytes(numbered(TEXT_BYTES_MIN))

    def forbidden(self):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "read_bytes", forbidden)
    assert refusal(file) == f"text {file} cannot be read: Permission denied"
    assert refusal(tmp_path) == f"text {file} cannot be read: Permission denied"


def test_a_text_beyond_the_limit_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(text_module, "TEXT_BYTES_MAX", 10_000)
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(numbered(9_000))
    assert "at most 10,000" in refusal(tmp_path)
    (tmp_path / "a").write_bytes(numbered(10_001))
    assert "at most 10,000" in refusal(tmp_path / "a")


def test_bigram_entropy_of_known_texts():
    assert bigram_bits_per_byte(corpus_of(b"ab" * 2_000)) == 0.0
    # After an `a` comes `b` or `c`, equally often; after those always an `a`: 1 bit for every second byte.
    assert bigram_bits_per_byte(corpus_of(b"abac" * 1_000 + b"a")) == pytest.approx(0.5, abs=1e-12)
    random = np.random.Generator(np.random.PCG64(0)).integers(0, 4, 200_000).astype(np.uint8)
    assert bigram_bits_per_byte(corpus_of(random.tobytes())) == pytest.approx(2.0, abs=0.001)


def test_bigram_entropy_against_its_definition():
    heldout = load_text(Path(text_module.__file__).parent).heldout.tobytes()
    pairs = list(pairwise(heldout))
    expected = 0.0
    for pair in set(pairs):
        together = pairs.count(pair)
        expected += together / len(pairs) * math.log2(sum(first == pair[0] for first, _ in pairs) / together)
    assert bigram_bits_per_byte(corpus_of(heldout)) == pytest.approx(expected, rel=1e-12)
