"""SGD and Adam as updates in place on vectors that are handed in, weights and state alike.

Rules of this file: float32 arithmetic, element by element, in blocks that stay in the cache, so any slice of the
vectors updated by itself gets the same bits as the whole; no state of its own beside two blocks of scratch, so a
process can end between two steps and another one can go on. Steps are counted from 1.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from real_runtime import settings as options
from real_runtime.network import Vector

_BLOCK = 32_768  # numbers; five float32 streams of 128 KiB each stay within a 1 MiB second-level cache

_LEARNING_RATES = {"adam": 0.01, "sgd": 0.5}


@dataclass(frozen=True, slots=True)
class OptimizerSettings:
    """Names as in existing trainers; raises BadRequest for a value outside its bounds."""

    optimizer: str = options.choice("adam", ("adam", "sgd"), "how gradients move the weights")
    learning_rate: float | None = options.real(None, 0, 1_000, "size of a step; by default 0.01 for adam, 0.5 for sgd")
    momentum: float = options.real(0.9, 0, 0.9999, "sgd: part of the last step that is kept")
    adam_beta1: float = options.real(0.9, 0, 0.9999, "adam: decay of the mean gradient")
    adam_beta2: float = options.real(0.999, 0, 0.999999, "adam: decay of the mean squared gradient")
    adam_epsilon: float = options.real(1e-8, 1e-30, 1, "adam: keeps the divisor above zero")
    gradient_clip_val: float = options.real(1.0, 0, 1e30, "largest norm of the mean gradient; 0 switches clipping off")

    def __post_init__(self) -> None:
        options.check(self)

    @classmethod
    def from_texts(cls, texts: Mapping[str, str]) -> "OptimizerSettings":
        """From `--set name=value` texts; raises BadRequest for an unknown name or a bad value."""
        return options.from_texts(cls, texts)

    @property
    def step_size(self) -> float:
        """The learning rate in effect."""
        return _LEARNING_RATES[self.optimizer] if self.learning_rate is None else self.learning_rate


class Optimizer(Protocol):
    """An update rule. `state_names` names its state vectors, each as long as the weights and zero before step 1."""

    @property
    def state_names(self) -> tuple[str, ...]: ...

    def apply(self, weights: Vector, gradient: Vector, state: Sequence[Vector], step: int, scale: float = 1.0) -> None:
        """Update `weights` and `state` in place for step `step` (>= 1) from `scale * gradient`.

        `scale` carries the division by the number of samples and the clip factor, so the folded sum is used as it is.
        All vectors have equal length and may be the same slice of longer ones. `gradient` is not changed.
        """


def optimizer_for(settings: OptimizerSettings) -> Optimizer:
    """The update rule that the settings name."""
    return Sgd(settings) if settings.optimizer == "sgd" else Adam(settings)


class Sgd:
    """Gradient descent with momentum: velocity = momentum * velocity + gradient; weights -= rate * velocity."""

    state_names = ("velocity",)

    def __init__(self, settings: OptimizerSettings) -> None:
        self._rate = np.float32(settings.step_size)
        self._momentum = np.float32(settings.momentum)
        self._scratch = np.empty(_BLOCK, np.float32)

    def apply(self, weights: Vector, gradient: Vector, state: Sequence[Vector], step: int, scale: float = 1.0) -> None:
        """See `Optimizer.apply`."""
        assert step >= 1
        for block in _blocks(weights.size):
            velocity, target = state[0][block], weights[block]
            scratch = self._scratch[: target.size]
            np.multiply(gradient[block], np.float32(scale), out=scratch)
            np.multiply(velocity, self._momentum, out=velocity)
            np.add(velocity, scratch, out=velocity)
            np.multiply(velocity, self._rate, out=scratch)
            np.subtract(target, scratch, out=target)


class Adam:
    """Adam (Kingma and Ba, 2015) with bias correction; epsilon is added after the root."""

    state_names = ("mean", "mean_square")

    def __init__(self, settings: OptimizerSettings) -> None:
        self._settings = settings
        self._scratch = np.empty((2, _BLOCK), np.float32)

    def apply(self, weights: Vector, gradient: Vector, state: Sequence[Vector], step: int, scale: float = 1.0) -> None:
        """See `Optimizer.apply`."""
        assert step >= 1
        beta1, beta2 = self._settings.adam_beta1, self._settings.adam_beta2
        rate = np.float32(self._settings.step_size / (1 - beta1**step))
        root_correction = np.float32(1 / math.sqrt(1 - beta2**step))
        epsilon = np.float32(self._settings.adam_epsilon)
        for block in _blocks(weights.size):
            mean, square, target = state[0][block], state[1][block], weights[block]
            first, second = self._scratch[:, : target.size]
            np.multiply(gradient[block], np.float32(scale), out=first)
            np.multiply(first, np.float32(1 - beta1), out=second)
            np.multiply(mean, np.float32(beta1), out=mean)
            np.add(mean, second, out=mean)
            np.multiply(first, first, out=first)
            np.multiply(first, np.float32(1 - beta2), out=first)
            np.multiply(square, np.float32(beta2), out=square)
            np.add(square, first, out=square)
            np.sqrt(square, out=first)
            np.multiply(first, root_correction, out=first)
            np.add(first, epsilon, out=first)
            np.multiply(mean, rate, out=second)
            np.divide(second, first, out=second)
            np.subtract(target, second, out=target)


def _blocks(size: int) -> Iterator[slice]:
    for start in range(0, size, _BLOCK):
        yield slice(start, min(start + _BLOCK, size))
