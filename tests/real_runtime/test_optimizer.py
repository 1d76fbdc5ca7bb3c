"""The optimizers: against their formulas in float64, in place, and with the same bits for every slicing."""

import math
from itertools import pairwise

import numpy as np
import pytest

from cllm_sim.errors import BadRequest
from real_runtime.learner import LearnerSettings
from real_runtime.optimizer import OptimizerSettings, optimizer_for
from real_runtime.settings import divided, rules

SIZE = 70_001  # more than two blocks, and no multiple of anything
KINDS = ("adam", "sgd")


def problem(kind: str, seed: int = 0) -> tuple[np.ndarray, np.ndarray, tuple[np.ndarray, ...]]:
    """Weights (SIZE,), three gradients (3, SIZE) and fresh state."""
    source = np.random.Generator(np.random.PCG64(seed))
    weights = source.standard_normal(SIZE).astype(np.float32)
    gradients = source.standard_normal((3, SIZE)).astype(np.float32)
    names = optimizer_for(OptimizerSettings(optimizer=kind)).state_names
    return weights, gradients, tuple(np.zeros(SIZE, np.float32) for _ in names)


def test_adam_follows_its_formula():
    weights, gradients, state = problem("adam")
    settings = OptimizerSettings(learning_rate=0.02, adam_beta1=0.8, adam_beta2=0.99, adam_epsilon=1e-3)
    expected, mean, square = weights.astype(np.float64), np.zeros(SIZE), np.zeros(SIZE)
    for step, gradient in enumerate(gradients, start=1):
        optimizer_for(settings).apply(weights, gradient, state, step, 0.25)
        scaled = 0.25 * gradient.astype(np.float64)
        mean = 0.8 * mean + 0.2 * scaled
        square = 0.99 * square + 0.01 * scaled**2
        expected -= 0.02 * (mean / (1 - 0.8**step)) / (np.sqrt(square / (1 - 0.99**step)) + 1e-3)
    np.testing.assert_allclose(weights, expected, rtol=1e-5, atol=1e-6)


def test_sgd_follows_its_formula():
    weights, gradients, state = problem("sgd")
    settings = OptimizerSettings(optimizer="sgd", learning_rate=0.3, momentum=0.7)
    expected, velocity = weights.astype(np.float64), np.zeros(SIZE)
    for step, gradient in enumerate(gradients, start=1):
        optimizer_for(settings).apply(weights, gradient, state, step, 0.25)
        velocity = 0.7 * velocity + 0.25 * gradient
        expected -= 0.3 * velocity
    np.testing.assert_allclose(weights, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_slices_give_the_same_bits_as_the_whole(kind):
    weights, gradients, state = problem(kind)
    whole, sliced = [[array.copy() for array in (weights, *state)] for _ in range(2)]
    source = np.random.Generator(np.random.PCG64(9))
    optimizer = optimizer_for(OptimizerSettings(optimizer=kind))
    for step, gradient in enumerate(gradients, start=1):
        optimizer.apply(whole[0], gradient, whole[1:], step, 1 / 768)
        cuts = [0, *sorted(source.integers(0, SIZE, 7).tolist()), SIZE]
        for begin, end in pairwise(cuts):
            parts = [array[begin:end] for array in sliced]
            other = optimizer_for(OptimizerSettings(optimizer=kind))  # as another process would
            other.apply(parts[0], gradient[begin:end], parts[1:], step, 1 / 768)
    for one, two in zip(whole, sliced, strict=True):
        assert one.tobytes() == two.tobytes()


@pytest.mark.parametrize("kind", KINDS)
def test_only_weights_and_state_are_changed(kind):
    weights, gradients, state = problem(kind)
    before = gradients.copy()
    old = [array.copy() for array in (weights, *state)]
    optimizer_for(OptimizerSettings(optimizer=kind)).apply(weights, gradients[0], state, 1)
    assert gradients.tobytes() == before.tobytes()
    for now, then in zip((weights, *state), old, strict=True):
        assert np.count_nonzero(now != then) > SIZE * 0.99


@pytest.mark.parametrize("kind", KINDS)
def test_a_quadratic_is_minimised(kind):
    settings = OptimizerSettings(optimizer=kind, learning_rate=0.05)
    weights = np.array([3.0, -2.0, 0.5], np.float32)
    state = tuple(np.zeros(3, np.float32) for _ in optimizer_for(settings).state_names)
    for step in range(1, 601):
        optimizer_for(settings).apply(weights, weights - 1, state, step)
    np.testing.assert_allclose(weights, 1, atol=1e-2)


def test_the_learning_rate_has_a_default_for_each_optimizer():
    assert OptimizerSettings().step_size == 0.01
    assert OptimizerSettings(optimizer="sgd").step_size == 0.5
    assert OptimizerSettings.from_texts({"learning_rate": "0"}).step_size == 0.0
    assert OptimizerSettings().gradient_clip_val == 1.0


def test_a_learning_rate_of_zero_moves_nothing():
    for kind in KINDS:
        weights, gradients, state = problem(kind)
        before = weights.copy()
        optimizer_for(OptimizerSettings(optimizer=kind, learning_rate=0)).apply(weights, gradients[0], state, 1)
        assert weights.tobytes() == before.tobytes()


def test_state_is_named_and_as_many_as_the_rule_needs():
    assert optimizer_for(OptimizerSettings()).state_names == ("mean", "mean_square")
    assert optimizer_for(OptimizerSettings(optimizer="sgd")).state_names == ("velocity",)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ({"optimizer": "adma"}, "--set optimizer=adma: must be adam or sgd"),
        ({"learning_rat": "1"}, "did you mean learning_rate?"),
        ({"learning_rate": "fast"}, "--set learning_rate=fast: must be a number from 0 to 1000"),
        ({"learning_rate": "nan"}, "--set learning_rate=nan: must be"),
        ({"learning_rate": "-1"}, "--set learning_rate=-1: must be"),
        ({"gradient_clip_val": "inf"}, "--set gradient_clip_val=inf: must be"),
        ({"momentum": "1"}, "--set momentum=1: must be"),
        ({"adam_epsilon": "0"}, "--set adam_epsilon=0: must be"),
    ],
)
def test_bad_settings_are_refused(texts, message):
    with pytest.raises(BadRequest) as caught:
        OptimizerSettings.from_texts(texts)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_bad_settings_from_python_are_refused():
    with pytest.raises(BadRequest, match="setting momentum=2"):
        OptimizerSettings(momentum=2)
    with pytest.raises(BadRequest, match="setting learning_rate=nan"):
        OptimizerSettings(learning_rate=math.nan)


def test_settings_are_shared_out_by_name():
    texts = {"hidden": "64", "optimizer": "sgd"}
    assert divided(texts, LearnerSettings, OptimizerSettings) == ({"hidden": "64"}, {"optimizer": "sgd"})
    with pytest.raises(BadRequest, match="did you mean momentum"):
        divided({"momemtum": "1"}, LearnerSettings, OptimizerSettings)


def test_every_setting_explains_itself():
    for kind in (LearnerSettings, OptimizerSettings):
        for name, rule in rules(kind).items():
            assert rule.about, name
            assert rule.allowed, name
            assert rule.accepts(getattr(kind(), name)), name
