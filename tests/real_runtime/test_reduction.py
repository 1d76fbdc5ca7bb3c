"""Folds, norm, search: the same bits for every process tree, every slicing and every place in memory."""

import math
import random
from itertools import pairwise

import numpy as np
import pytest

from cllm_sim.slots import ARITY, even_share, folds_of, row_count, slot_tree, total_row
from real_runtime.reduction import (
    NORM_CHUNK,
    chunk_squares,
    clip_factor,
    first_nonfinite,
    fold,
    folded_squares,
    squared_norm,
)

SIZE = 1_003


def gradients(slots: int, size: int = SIZE) -> np.ndarray:
    """Random numbers over many magnitudes, so that every change of order shows; some negative zeros."""
    source = np.random.Generator(np.random.PCG64(slots))
    values = source.standard_normal((slots, size)) * 10.0 ** source.integers(-6, 6, (slots, size))
    values[:, ::7] = -0.0
    return values.astype(np.float32)


def sequential(slots: list[np.ndarray]) -> np.ndarray:
    """The reference: levels of twelve, each added from left to right, in plain numpy."""
    while len(slots) > 1:
        level = []
        for start in range(0, len(slots), ARITY):
            total = slots[start].copy()
            for operand in slots[start + 1 : start + ARITY]:
                total = total + operand
            level.append(total)
        slots = level
    return slots[0]


def run_tree(rows: np.ndarray, own: range, slots: int, choose: random.Random) -> None:
    """Perform all folds of a random process tree over `own`: children first, each over its own columns."""
    workers = choose.randint(1, min(ARITY, len(own))) if len(own) > 1 and choose.random() < 0.8 else 0
    children = [even_share(child, workers, len(own)) for child in range(workers)]
    children = [range(own.start + part.start, own.start + part.stop) for part in children]
    if len(children) > 1:
        for child in choose.sample(children, len(children)):
            run_tree(rows, child, slots, choose)
    else:
        children = []
    cuts = [0, *sorted(choose.randint(0, SIZE) for _ in range(choose.randint(0, 5))), SIZE]
    for begin, end in pairwise(cuts):
        for node in folds_of(own, children, slots):
            fold(rows, node, slice(begin, end))


@pytest.mark.parametrize("slots", [1, 2, 12, 13, 24, 144, 150])
def test_every_process_tree_gives_the_bits_of_the_sequential_sum(slots):
    values = gradients(slots)
    expected = sequential(list(values))
    choose = random.Random(slots)
    for _ in range(12):
        rows = np.full((row_count(slots), SIZE), np.nan, np.float32)
        rows[:slots] = values
        run_tree(rows, range(slots), slots, choose)
        assert rows[total_row(slots)].tobytes() == expected.tobytes()
        assert rows[:slots].tobytes() == values.tobytes()


def test_the_order_of_additions_matters_for_these_numbers():
    """Without this, the test above could not fail."""
    values = gradients(24)
    assert sequential(list(values)).tobytes() != sequential(list(values[::-1])).tobytes()
    assert sequential(list(values)).tobytes() != np.add.reduce(values).tobytes()


def test_the_first_operand_is_copied():
    rows = np.zeros((row_count(12), 5), np.float32)
    rows[:12] = -0.0
    rows[12] = np.nan
    fold(rows, slot_tree(12)[0], slice(None))
    assert np.signbit(rows[12]).all()


def test_a_fold_stays_within_its_columns():
    rows = np.vstack([gradients(12), np.full((1, SIZE), 7, np.float32)])
    fold(rows, slot_tree(12)[0], slice(100, 200))
    assert np.all(rows[12, :100] == 7)
    assert np.all(rows[12, 200:] == 7)
    assert rows[12, 100:200].tobytes() == sequential(list(rows[:12, 100:200])).tobytes()


def test_rows_may_be_separate_vectors_longer_than_a_block():
    values = gradients(12, 70_001)
    rows = [*values, np.empty(70_001, np.float32)]
    fold(rows, slot_tree(12)[0], slice(None))
    assert rows[12].tobytes() == sequential(list(values)).tobytes()


@pytest.mark.parametrize("size", [1, 5, NORM_CHUNK - 1, NORM_CHUNK, NORM_CHUNK + 1, 3 * NORM_CHUNK + 17])
def test_the_norm_against_exact_arithmetic(size):
    vector = gradients(1, size)[0]
    assert squared_norm(vector) == pytest.approx(math.fsum(float(value) ** 2 for value in vector), rel=1e-13)


def test_the_norm_of_slices_is_that_of_the_whole():
    vector = gradients(1, 5 * NORM_CHUNK + 99)[0]
    for chunks in (1, 2, 3):
        parts = [vector[begin : begin + chunks * NORM_CHUNK] for begin in range(0, vector.size, chunks * NORM_CHUNK)]
        assert folded_squares(np.concatenate([chunk_squares(part) for part in parts])) == squared_norm(vector)


def test_the_norm_does_not_depend_on_the_place_in_memory():
    vector = gradients(1, NORM_CHUNK + 77)[0]
    memory = np.empty(vector.size + 16, np.float32)
    for offset in range(16):
        memory[offset : offset + vector.size] = vector
        assert squared_norm(memory[offset : offset + vector.size]) == squared_norm(vector)


def test_the_norm_follows_its_order_of_additions():
    """Halves onto halves: written out for a vector of two chunks."""
    vector = gradients(1, 2 * NORM_CHUNK)[0]
    squares = vector.astype(np.float64) ** 2
    sums = []
    for chunk in (squares[:NORM_CHUNK], squares[NORM_CHUNK:]):
        while chunk.size > 1:
            chunk = chunk[: chunk.size // 2] + chunk[chunk.size // 2 :]
        sums.append(chunk[0])
    assert squared_norm(vector) == sums[0] + sums[1]


def test_the_norm_of_the_largest_numbers_is_finite():
    assert math.isfinite(squared_norm(np.full(1_000, np.finfo(np.float32).max, np.float32)))
    assert squared_norm(np.zeros(0, np.float32)) == 0.0


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("index", [0, 1, 32_767, 32_768, 70_000])
def test_the_first_number_that_is_not_finite_is_found(bad, index):
    vector = gradients(1, 70_001)[0]
    assert first_nonfinite(vector) is None
    vector[index] = bad
    vector[70_000] = np.nan
    assert first_nonfinite(vector) == index


def test_the_clip_factor():
    assert clip_factor(0.5, 1.0) == 1.0
    assert clip_factor(4.0, 1.0) == 1.0 / (4.0 + 1e-6)
    assert clip_factor(4.0, 0.0) == 1.0
    assert clip_factor(0.0, 1.0) == 1.0
    for norm in (1.0, 1.0001, 3.0, 1e20):
        assert norm * clip_factor(norm, 1.0) <= 1.0
