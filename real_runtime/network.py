"""The byte-level language model as arithmetic: embedding, context window, hidden layers, softmax, and their gradient.

The bytes of the context are looked up in the embedding and put side by side; fully connected layers with rectified
units follow; the last layer gives one logit per possible next byte. Everything lives in three flat vectors that are
handed in: the weights, the gradient, and the activations of one batch of rows.

Rules of this file: no random numbers, no corpus, no allocation that grows with the model on the way of a gradient,
and no step that depends on where a vector lies in memory. Integers (token numbers) never come out of a handed-in
vector, so that a vector overwritten by somebody else gives wrong numbers but never a wrong address. Losses are sums,
not means: the divisor is known only after all slots have been folded.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.floating[Any]]
Array = NDArray[np.floating[Any]]
Integers = NDArray[np.intp]

BYTE_VALUES = 256

_ALIGNMENT = 16  # numbers; float32 rows then begin on their own cache line wherever the vector does


@dataclass(frozen=True, slots=True)
class Parameter:
    """One tensor inside the weight vector: numbers `offset` to `offset + size`, in C order."""

    name: str
    offset: int
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    def view(self, vector: Vector) -> Array:
        """The tensor inside `vector`, without a copy."""
        return vector[self.offset : self.offset + self.size].reshape(self.shape)


@dataclass(frozen=True, slots=True)
class Activations:
    """Everything computed on the way of one gradient, as views into one vector; `rows` is the first axis of each.

    inputs and input_slopes: (rows, context * embedding); hidden and hidden_slopes: (rows, width) for each layer;
    scores: (rows, 256), first logits, then probabilities, then slopes; per_row: (rows, 1), first maxima, then sums.
    """

    inputs: Array
    input_slopes: Array
    hidden: tuple[Array, ...]
    hidden_slopes: tuple[Array, ...]
    scores: Array
    per_row: Array


class Network:
    """Shapes and arithmetic of one model; holds no numbers itself.

    `widths` are the sizes of the hidden layers. Parameters: `embedding` (256, embedding), then `hiddenK.weight`
    (inputs, width) and `hiddenK.bias` (width,) for K = 1, 2, ..., then `output.weight` and `output.bias`.
    """

    def __init__(self, context: int, embedding: int, widths: Sequence[int]) -> None:
        self.context = context
        self.embedding = embedding
        self.widths = tuple(widths)
        self.parameters = self._laid_out()
        self.size = self.parameters[-1].offset + self.parameters[-1].size
        self._columns = np.arange(embedding, dtype=np.intp)

    def _laid_out(self) -> tuple[Parameter, ...]:
        shapes: list[tuple[str, tuple[int, ...]]] = [("embedding", (BYTE_VALUES, self.embedding))]
        fan_in = self.context * self.embedding
        for number, width in enumerate((*self.widths, BYTE_VALUES), start=1):
            layer = f"hidden{number}" if number <= len(self.widths) else "output"
            shapes += [(f"{layer}.weight", (fan_in, width)), (f"{layer}.bias", (width,))]
            fan_in = width
        parameters: list[Parameter] = []
        offset = 0
        for name, shape in shapes:
            parameters.append(Parameter(name, offset, shape))
            offset += parameters[-1].size
        return tuple(parameters)

    def _activation_shapes(self, rows: int) -> list[tuple[int, int]]:
        inputs = (rows, self.context * self.embedding)
        hidden = [(rows, width) for width in self.widths]
        return [inputs, inputs, *hidden, *hidden, (rows, BYTE_VALUES), (rows, 1)]

    def activations_size(self, rows: int) -> int:
        """Numbers that a vector for `activations` must hold."""
        return sum(_rounded_up(count * width) for count, width in self._activation_shapes(rows))

    def activations(self, vector: Vector, rows: int) -> Activations:
        """Lay the activations of `rows` rows out in `vector`, which holds `activations_size(rows)` numbers."""
        views: list[Array] = []
        offset = 0
        for count, width in self._activation_shapes(rows):
            views.append(vector[offset : offset + count * width].reshape(count, width))
            offset += _rounded_up(count * width)
        layers = len(self.widths)
        hidden, hidden_slopes = tuple(views[2 : 2 + layers]), tuple(views[2 + layers : 2 + 2 * layers])
        return Activations(views[0], views[1], hidden, hidden_slopes, views[-2], views[-1])

    def forward(self, weights: Vector, tokens: Integers, targets: Integers, work: Activations) -> float:
        """Sum of the losses of all rows, in nats; leaves the probabilities of the next byte in `work.scores`.

        tokens: (rows, context) and targets: (rows,) hold byte values.
        """
        embedding, *layers = (parameter.view(weights) for parameter in self.parameters)
        np.take(embedding, tokens, axis=0, out=work.inputs.reshape(*tokens.shape, self.embedding), mode="clip")
        inputs = work.inputs
        for number, hidden in enumerate(work.hidden):
            np.matmul(inputs, layers[2 * number], out=hidden)
            np.add(hidden, layers[2 * number + 1], out=hidden)
            np.maximum(hidden, 0, out=hidden)
            inputs = hidden
        np.matmul(inputs, layers[-2], out=work.scores)
        np.add(work.scores, layers[-1], out=work.scores)
        return _softmax(targets, work.scores, work.per_row)

    def backward(
        self, weights: Vector, tokens: Integers, targets: Integers, work: Activations, gradient: Vector
    ) -> None:
        """Write the gradient of the summed loss into all of `gradient`; uses up what `forward` left in `work`."""
        slopes = work.scores
        slopes[np.arange(targets.size), targets] -= 1
        last = len(self.widths)
        self._layer_gradient(last, work.hidden[-1], slopes, gradient)
        for number in range(last - 1, -1, -1):
            hidden, below = work.hidden[number], work.hidden_slopes[number]
            np.matmul(slopes, self._weight(number + 1).view(weights).T, out=below)
            np.sign(hidden, out=hidden)  # 1 where the unit was active, else 0; not-a-number stays one and is seen
            np.multiply(below, hidden, out=below)
            slopes = below
            self._layer_gradient(number, work.hidden[number - 1] if number else work.inputs, slopes, gradient)
        np.matmul(slopes, self._weight(0).view(weights).T, out=work.input_slopes)
        self._embedding_gradient(tokens, work.input_slopes, gradient)

    def _weight(self, layer: int) -> Parameter:
        return self.parameters[1 + 2 * layer]

    def _layer_gradient(self, layer: int, inputs: Array, slopes: Array, gradient: Vector) -> None:
        weight, bias = self.parameters[1 + 2 * layer : 3 + 2 * layer]
        np.matmul(inputs.T, slopes, out=weight.view(gradient))
        np.add.reduce(slopes, axis=0, out=bias.view(gradient))

    def _embedding_gradient(self, tokens: Integers, slopes: Array, gradient: Vector) -> None:
        """Add the slope of every context byte to the row of its byte value, in the order of the rows, in float64."""
        places = tokens.reshape(-1, 1) * self.embedding + self._columns
        table = self.parameters[0]
        sums = np.bincount(places.reshape(-1), weights=slopes.reshape(-1), minlength=table.size)
        table.view(gradient)[...] = sums.reshape(table.shape)


def _rounded_up(size: int) -> int:
    return -(-size // _ALIGNMENT) * _ALIGNMENT


def _softmax(targets: Integers, scores: Array, per_row: Array) -> float:
    """Turn logits (rows, 256) into probabilities, in place; returns the summed -log(probability of the target)."""
    np.maximum.reduce(scores, axis=1, keepdims=True, out=per_row)
    np.subtract(scores, per_row, out=scores)
    at_target = scores[np.arange(targets.size), targets]
    np.exp(scores, out=scores)
    np.add.reduce(scores, axis=1, keepdims=True, out=per_row)
    np.divide(scores, per_row, out=scores)
    losses = np.log(per_row.reshape(-1).astype(np.float64)) - at_target
    return float(np.add.reduce(losses))
