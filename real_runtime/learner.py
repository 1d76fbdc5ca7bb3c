"""The learner: which bytes slot S of step N reads, and what gradient they give.

A slot's micro-batch is a pure function of (seed, step, slot), drawn from a counter-based generator, so any process may
compute any slot, twice or in any order, and gets the same bits. Steps are counted from 1; slots from 0.

Rules of this file: works only on vectors that are handed in or private to this object; knows no process, no shared
memory and no optimizer. The generator's raw 64-bit words are used, because only those are promised to stay the same
between versions of numpy. One BLAS thread is a precondition of equal bits between processes; whoever starts them sees
to it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from cllm_sim.errors import BadRequest
from real_runtime import settings as options
from real_runtime.network import Array, Integers, Network, Parameter, Vector
from real_runtime.text import Corpus

__all__ = ["Learner", "LearnerSettings", "Parameter", "Scratch", "ScratchSizes", "SlotResult", "bits_per_byte"]

_HELDOUT_SAMPLES_MAX = 20_000
_HELDOUT_ROWS = 500

_WEIGHTS_STREAM, _BATCH_STREAM = 0, 1
_WORD_MASK = (1 << 64) - 1
_OUTPUT_SCALE = 0.1  # small first logits: an untrained model begins at the 8 bits per byte of pure guessing


@dataclass(frozen=True, slots=True)
class LearnerSettings:
    """Shape of the model and of one slot's micro-batch; raises BadRequest for a value outside its bounds."""

    context: int = options.whole(8, 1, 256, "bytes that the model looks back")
    embedding: int = options.whole(16, 1, 512, "numbers that stand for one byte of the context")
    hidden: tuple[int, ...] = options.wholes((256,), 1, 8_192, 8, "units of each hidden layer")
    rows_per_slot: int = options.whole(256, 1, 4_096, "predicted bytes in one slot's micro-batch")

    def __post_init__(self) -> None:
        options.check(self)

    @classmethod
    def from_texts(cls, texts: Mapping[str, str]) -> "LearnerSettings":
        """From `--set name=value` texts; raises BadRequest for an unknown name or a bad value."""
        return options.from_texts(cls, texts)


@dataclass(frozen=True, slots=True)
class SlotResult:
    """What one slot's micro-batch gave: the sum of its losses in nats, over that many predicted bytes."""

    loss_sum: float
    samples: int


@dataclass(frozen=True, slots=True)
class ScratchSizes:
    """Numbers that the two vectors of a `Scratch` must hold."""

    activations: int
    gradient: int


@dataclass(frozen=True, slots=True, eq=False)
class Scratch:
    """Where a gradient is computed when it is not the learner's own memory; may be shared, at the user's peril."""

    activations: Vector
    gradient: Vector


def bits_per_byte(loss_sum: float, samples: int) -> float:
    """Mean loss in bits per predicted byte, from a sum in nats."""
    return loss_sum / samples / math.log(2)


class Learner:
    """A model over one corpus: initial weights, gradients of slots, and the loss on the held-out part.

    `dtype` is float32 in every run; tests use float64 to compare gradients with finite differences.
    """

    def __init__(self, settings: LearnerSettings, corpus: Corpus, dtype: DTypeLike = np.float32) -> None:
        shortest = min(corpus.train.size, corpus.heldout.size)
        if shortest <= settings.context:
            raise BadRequest(
                f"setting context={settings.context}: text {corpus.name} has a part of only {shortest} bytes; "
                "choose a smaller context or a longer text"
            )
        self.settings = settings
        self.corpus = corpus
        self.dtype: np.dtype[Any] = np.dtype(dtype)
        self._network = Network(settings.context, settings.embedding, settings.hidden)
        self._window = np.arange(settings.context, dtype=np.int64)
        self._own = self._network.activations(
            np.zeros(self.scratch_sizes.activations, self.dtype), settings.rows_per_slot
        )

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The tensors of the weight vector in order; without gaps, so they cover it exactly."""
        return self._network.parameters

    @property
    def size(self) -> int:
        """Numbers in the weight vector, and in every gradient."""
        return self._network.size

    @property
    def scratch_sizes(self) -> ScratchSizes:
        """What a `Scratch` for `gradient` must hold."""
        return ScratchSizes(self._network.activations_size(self.settings.rows_per_slot), self.size)

    def initial_weights(self, seed: int) -> Vector:
        """A new weight vector: uniform around zero, scaled by the number of inputs of each layer; biases are zero."""
        weights = np.zeros(self.size, self.dtype)
        words = _words(seed, _WEIGHTS_STREAM, 0, 0, self.size)
        spread = (words >> np.uint64(11)).astype(np.float64) * 2.0**-52 - 1.0
        for parameter in self.parameters:
            if parameter.name == "embedding":
                scale = 1.0
            elif parameter.name == "output.weight":
                scale = _OUTPUT_SCALE * math.sqrt(3 / parameter.shape[0])
            elif parameter.name.endswith(".weight"):
                scale = math.sqrt(6 / parameter.shape[0])
            else:
                continue
            parameter.view(weights)[...] = parameter.view(spread) * scale
        return weights

    def positions(self, seed: int, step: int, slot: int) -> NDArray[np.int64]:
        """Where in `corpus.train` the contexts of a slot's rows begin; each row predicts the byte after its context."""
        words = _words(seed, _BATCH_STREAM, step, slot, self.settings.rows_per_slot) >> np.uint64(32)
        choices = np.uint64(self.corpus.train.size - self.settings.context)
        return ((words * choices) >> np.uint64(32)).astype(np.int64)

    def gradient(
        self, weights: Vector, seed: int, step: int, slot: int, out: Vector, scratch: Scratch | None = None
    ) -> SlotResult:
        """Write the gradient of the summed loss of a slot's micro-batch into all of `out`; reads `weights` in place.

        With `scratch`, activations and gradient are computed there and the gradient is copied to `out` at the end;
        whoever shares one scratch between workers gets what the original trainer got. Same bits with and without.
        """
        assert out.shape == (self.size,)
        assert out.dtype == self.dtype
        assert out.flags.c_contiguous
        tokens, targets = self._rows(self.corpus.train, self.positions(seed, step, slot))
        rows = self.settings.rows_per_slot
        work = self._own if scratch is None else self._network.activations(scratch.activations, rows)
        gradient = out if scratch is None else scratch.gradient
        with np.errstate(all="ignore"):  # a number that is not finite is found, and named, after the fold
            loss_sum = self._network.forward(weights, tokens, targets, work)
            self._network.backward(weights, tokens, targets, work, gradient)
        if scratch is not None:
            np.copyto(out, gradient)
        return SlotResult(loss_sum, rows)

    def _rows(self, text: NDArray[np.uint8], positions: NDArray[np.int64]) -> tuple[Integers, Integers]:
        tokens = text[positions[:, np.newaxis] + self._window]
        return tokens.astype(np.intp), text[positions + self.settings.context].astype(np.intp)

    def heldout_bits_per_byte(self, weights: Vector) -> float:
        """Mean loss on the held-out part, in bits per byte, over at most 20,000 positions spread evenly over it."""
        choices = self.corpus.heldout.size - self.settings.context
        samples = min(choices, _HELDOUT_SAMPLES_MAX)
        positions = np.arange(samples, dtype=np.int64) * choices // samples
        loss_sum = 0.0
        memory = np.zeros(self._network.activations_size(_HELDOUT_ROWS), self.dtype)
        with np.errstate(all="ignore"):
            for start in range(0, samples, _HELDOUT_ROWS):
                tokens, targets = self._rows(self.corpus.heldout, positions[start : start + _HELDOUT_ROWS])
                work = self._network.activations(memory, targets.size)
                loss_sum += self._network.forward(weights, tokens, targets, work)
        return bits_per_byte(loss_sum, samples)

    def parameter_at(self, index: int) -> str:
        """Name of the tensor that number `index` of the weight vector belongs to."""
        for parameter in self.parameters:
            if parameter.offset <= index < parameter.offset + parameter.size:
                return parameter.name
        raise IndexError(f"the weight vector has {self.size} numbers, not one at {index}")

    def tensors(self, vector: Vector, prefix: str = "") -> dict[str, Array]:
        """`vector` as named tensors (views, no copies), for a checkpoint; every name begins with `prefix`."""
        return {prefix + parameter.name: parameter.view(vector) for parameter in self.parameters}

    def restore(self, tensors: Mapping[str, Array], out: Vector, prefix: str = "") -> None:
        """Copy named tensors, as `tensors` gave them, into `out`; raises BadRequest where they are another model's."""
        for parameter in self.parameters:
            name = prefix + parameter.name
            found = tensors.get(name)
            if found is None:
                raise BadRequest(f"checkpoint has no tensor {name}: it is not of a model with these settings")
            if found.shape != parameter.shape or found.dtype != self.dtype:
                raise BadRequest(
                    f"checkpoint tensor {name} is {found.shape} {found.dtype}, this model needs {parameter.shape} "
                    f"{self.dtype}: use the settings it was trained with"
                )
            parameter.view(out)[...] = found


def _words(seed: int, stream: int, step: int, slot: int, count: int) -> NDArray[np.uint64]:
    """`count` raw words of the generator keyed by the seed and the stream, its counter set by step and slot."""
    counter = np.array([0, 0, slot, step], np.uint64)
    key = np.array([seed & _WORD_MASK, stream], np.uint64)
    return np.random.Philox(counter=counter, key=key).random_raw(count)
