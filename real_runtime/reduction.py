"""Arithmetic of a reduction: folds, the global norm, the search for what is not finite.

Rules of this file: the order of additions comes from `cllm_sim.slots` alone and is the same for every element, so
neither the process that folds, nor the columns it was given, nor the width of a vector register can change a bit. The
norm is the one sum that runs across elements; it is therefore taken in chunks of fixed length, folded by halves in
float64.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cllm_sim.slots import FoldNode
from real_runtime.network import Array, Vector

NORM_CHUNK = 65_536
"""Numbers whose squares are folded at once; slices that begin and end at multiples of it share the work on the norm."""

_BLOCK = 32_768  # numbers; 128 KiB of running float32 sum stays in the cache while the operands stream past


def fold(rows: Array | Sequence[Vector], node: FoldNode, columns: slice) -> None:
    """Perform one node of the slot tree in `columns`: rows[node.row] becomes the sum of its operands, left to right.

    `rows` is an array (row_count, size) or a sequence of that many vectors. The sum begins with the first operand
    itself, never with zero (0 + -0.0 would lose a sign). Any partition of the columns gives the same bits as one
    pass.
    """
    start, stop, _ = columns.indices(rows[node.row].size)
    for begin in range(start, stop, _BLOCK):
        block = slice(begin, min(begin + _BLOCK, stop))
        first, *others = (rows[operand][block] for operand in node.operands)
        total = rows[node.row][block]
        np.copyto(total, first)
        for operand in others:
            np.add(total, operand, out=total)


def chunk_squares(vector: Vector) -> NDArray[np.float64]:
    """Sum of squares of each chunk of 65,536 numbers (the last may be shorter), as float64.

    The squares of several slices put end to end are those of the whole vector, provided every slice but the last has a
    whole number of chunks.
    """
    sums = np.empty(-(-vector.size // NORM_CHUNK))
    work = np.empty(NORM_CHUNK)
    for number in range(sums.size):
        chunk = vector[number * NORM_CHUNK : (number + 1) * NORM_CHUNK]
        work[chunk.size :] = 0
        np.copyto(work[: chunk.size], chunk)
        np.multiply(work, work, out=work)
        sums[number] = _folded_by_halves(work)
    return sums


def folded_squares(squares: NDArray[np.float64]) -> float:
    """The sum of what `chunk_squares` gave for a whole vector, in the one order that is used everywhere."""
    padded = np.zeros(1 << max(squares.size - 1, 0).bit_length())
    padded[: squares.size] = squares
    return _folded_by_halves(padded)


def _folded_by_halves(values: NDArray[np.float64]) -> float:
    """Sum of a power of two of numbers: the upper half is added to the lower until one is left; uses up `values`."""
    half = values.size // 2
    while half:
        np.add(values[:half], values[half : 2 * half], out=values[:half])
        half //= 2
    return float(values[0])


def squared_norm(vector: Vector) -> float:
    """Sum of the squares of all numbers; the same bits wherever the vector lies and however wide the registers are."""
    return folded_squares(chunk_squares(vector))


def first_nonfinite(vector: Vector) -> int | None:
    """Index of the first number that is not finite (NaN or an infinity), or None."""
    for start in range(0, vector.size, _BLOCK):
        finite = np.isfinite(vector[start : start + _BLOCK])
        if not finite.all():
            return start + int(np.argmin(finite))
    return None


def clip_factor(norm: float, norm_max: float) -> float:
    """What to scale a gradient of this norm by, so that it stays within `norm_max`; 1 where `norm_max` is 0 (off)."""
    if norm_max == 0 or not math.isfinite(norm):
        return 1.0
    return min(1.0, norm_max / (norm + 1e-6))
