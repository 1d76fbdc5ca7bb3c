"""The learner: exact gradients, batches that depend on seed, step and slot only, bits that depend on no memory."""

import hashlib
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cllm_sim.errors import BadRequest
from cllm_sim.slots import row_count, slot_tree, total_row
from real_runtime.learner import Learner, LearnerSettings, Scratch, bits_per_byte
from real_runtime.optimizer import OptimizerSettings, optimizer_for
from real_runtime.reduction import clip_factor, fold, squared_norm
from real_runtime.text import Corpus, bigram_bits_per_byte, load_text

SMALL = LearnerSettings(context=3, embedding=5, hidden=(7, 6), rows_per_slot=9)


def made_corpus(size: int = 4_000) -> Corpus:
    """Bytes that follow a rule with exceptions, so that there is something to learn."""
    source = np.random.Generator(np.random.PCG64(5))
    values = (np.arange(size) * 7 % 31 + source.integers(0, 3, size)).astype(np.uint8)
    return Corpus("made", values[: size * 3 // 4], values[size * 3 // 4 :], "", size)


def placed(values: np.ndarray, offset: int) -> np.ndarray:
    """A copy of a vector that begins `offset` numbers after the begin of a cache line."""
    memory = np.zeros(values.size + 32, values.dtype)
    start = -memory.ctypes.data % 64 // values.itemsize + offset
    memory[start : start + values.size] = values
    return memory[start : start + values.size]


@pytest.fixture(scope="module")
def standard() -> Corpus:
    return load_text(None)


def summed_loss(learner: Learner, weights: np.ndarray) -> float:
    return learner.gradient(weights, 3, 2, 1, np.empty_like(weights)).loss_sum


@pytest.mark.parametrize("hidden", [(7,), (7, 6), (4, 5, 6)])
def test_gradients_agree_with_finite_differences(hidden):
    settings = LearnerSettings(context=3, embedding=5, hidden=hidden, rows_per_slot=9)
    learner = Learner(settings, made_corpus(), np.float64)
    source = np.random.Generator(np.random.PCG64(1))
    weights = learner.initial_weights(1) + 0.05 * source.standard_normal(learner.size)
    gradient = np.empty(learner.size)
    learner.gradient(weights, 3, 2, 1, gradient)
    for parameter in learner.parameters:
        places = parameter.offset + np.arange(parameter.size)
        moving = places[gradient[places] != 0]  # bytes that do not occur have no slope in the embedding
        assert moving.size >= parameter.size // 60
        for place in source.choice(moving, min(moving.size, 40), replace=False):
            shift = np.zeros(learner.size)
            shift[place] = 1e-6
            slope = (summed_loss(learner, weights + shift) - summed_loss(learner, weights - shift)) / 2e-6
            assert slope == pytest.approx(gradient[place], rel=1e-5, abs=1e-7), parameter.name


def test_a_byte_that_does_not_occur_has_no_gradient():
    learner = Learner(SMALL, made_corpus(), np.float64)
    weights = learner.initial_weights(1)
    gradient = np.full(learner.size, 3.0)
    learner.gradient(weights, 3, 2, 1, gradient)
    rows = gradient[: 256 * SMALL.embedding].reshape(256, -1)
    assert not rows[200:].any()
    assert summed_loss(
        learner, weights + np.repeat([0.0, 1.0, 0.0], [1_000, 280, learner.size - 1_280])
    ) == summed_loss(learner, weights)


def test_the_loss_is_that_of_the_softmax():
    learner = Learner(SMALL, made_corpus(), np.float64)
    weights = np.zeros(learner.size)
    result = learner.gradient(weights, 1, 1, 0, np.empty(learner.size))
    assert result.samples == 9
    assert bits_per_byte(result.loss_sum, result.samples) == pytest.approx(8.0, abs=1e-12)
    assert learner.heldout_bits_per_byte(weights) == pytest.approx(8.0, abs=1e-12)


def test_the_parameters_cover_the_vector_and_name_every_number():
    learner = Learner(SMALL, made_corpus())
    end = 0
    for parameter in learner.parameters:
        assert parameter.offset == end
        end += math.prod(parameter.shape)
        assert learner.parameter_at(parameter.offset) == learner.parameter_at(end - 1) == parameter.name
    assert end == learner.size == 256 * 5 + 15 * 7 + 7 + 7 * 6 + 6 + 6 * 256 + 256
    for index in (-1, learner.size):
        with pytest.raises(IndexError):
            learner.parameter_at(index)


def test_a_micro_batch_depends_on_seed_step_and_slot_only():
    learner, other = Learner(SMALL, made_corpus()), Learner(SMALL, made_corpus())
    keys = [(seed, step, slot) for seed in (0, 1, 2**63) for step in (1, 2, 300) for slot in (0, 1, 143)]
    drawn = {key: learner.positions(*key).tobytes() for key in keys}
    assert len(set(drawn.values())) == len(keys)
    for key in reversed(keys):
        assert other.positions(*key).tobytes() == drawn[key]


def test_the_numbers_of_a_micro_batch_are_pinned():
    """Neither another numpy nor a careless change may move the batches: stored digests would be worth nothing."""
    learner = Learner(SMALL, made_corpus())
    assert learner.positions(1, 1, 0).tolist() == [455, 1960, 1773, 685, 2700, 1845, 1026, 2589, 1259]
    assert hashlib.sha256(learner.initial_weights(1).tobytes()).hexdigest()[:16] == "6b6bdb24bd7d7efb"


def test_positions_reach_all_of_the_text_and_nothing_beyond():
    learner = Learner(LearnerSettings(context=3, rows_per_slot=4_096), made_corpus(200))
    places = np.concatenate([learner.positions(1, step, 0) for step in range(1, 5)])
    assert set(places.tolist()) == set(range(150 - 3))


def test_slots_in_any_order_and_twice_give_the_same_bits(standard):
    learner = Learner(LearnerSettings(rows_per_slot=32), standard)
    weights = learner.initial_weights(1)
    untouched = weights.copy()
    first, second = np.empty((2, 4, learner.size), np.float32)
    for slot in range(4):
        learner.gradient(weights, 1, 7, slot, first[slot])
    for slot in (2, 0, 3, 3, 1):
        learner.gradient(weights, 1, 7, slot, second[slot])
    assert first.tobytes() == second.tobytes()
    assert len({row.tobytes() for row in first}) == 4
    assert weights.tobytes() == untouched.tobytes()


@pytest.mark.parametrize(
    "settings",
    [
        LearnerSettings(),
        LearnerSettings(rows_per_slot=32, hidden=(64,)),
        SMALL,
        LearnerSettings(context=1, embedding=1, hidden=(1,), rows_per_slot=1),
        LearnerSettings(context=5, embedding=3, hidden=(33, 17), rows_per_slot=65),
    ],
)
def test_bits_do_not_depend_on_where_vectors_lie_nor_on_the_scratch(settings, standard):
    learner = Learner(settings, standard)
    weights = learner.initial_weights(2)
    expected = np.empty(learner.size, np.float32)
    result = learner.gradient(weights, 2, 3, 1, expected)
    sizes = learner.scratch_sizes
    for offset in range(16):
        out = placed(np.full(learner.size, np.nan, np.float32), (7 * offset + 3) % 16)
        activations = placed(np.full(sizes.activations, np.nan, np.float32), (5 * offset) % 16)
        scratch = Scratch(activations, placed(np.full(sizes.gradient, np.nan, np.float32), (3 * offset) % 16))
        for where in (None, scratch):
            assert learner.gradient(placed(weights, offset), 2, 3, 1, out, where) == result
            assert out.tobytes() == expected.tobytes()
        assert scratch.gradient.tobytes() == expected.tobytes()


def test_a_shared_scratch_that_another_writes_into_changes_the_gradient(monkeypatch):
    """What `unguarded` shows: the second worker begins between the forward and the backward pass of the first."""
    learner = Learner(SMALL, made_corpus())
    weights = learner.initial_weights(1)
    sizes = learner.scratch_sizes
    scratch = Scratch(np.zeros(sizes.activations, np.float32), np.zeros(sizes.gradient, np.float32))
    alone, disturbed = np.empty((2, learner.size), np.float32)
    learner.gradient(weights, 1, 1, 0, alone)
    network = learner._network
    forward = network.forward

    def interrupted(*arguments):
        loss_sum = forward(*arguments)
        monkeypatch.undo()
        learner.gradient(weights, 1, 1, 1, np.empty_like(alone), scratch)
        return loss_sum

    monkeypatch.setattr(network, "forward", interrupted)
    learner.gradient(weights, 1, 1, 0, disturbed, scratch)
    assert np.isfinite(disturbed).all()
    assert alone.tobytes() != disturbed.tobytes()


def test_garbage_in_a_shared_scratch_is_never_an_address():
    learner = Learner(SMALL, made_corpus())
    sizes = learner.scratch_sizes
    out = np.empty(learner.size, np.float32)
    for garbage in (np.nan, np.inf, -np.inf, 3e38):
        weights = np.full(learner.size, garbage, np.float32)
        scratch = Scratch(np.full(sizes.activations, garbage, np.float32), np.empty(sizes.gradient, np.float32))
        learner.gradient(weights, 1, 1, 0, out, scratch)  # with all warnings being errors
        assert not np.isfinite(out).all()
        assert not math.isfinite(learner.heldout_bits_per_byte(weights))


def test_a_poisoned_weight_is_seen_in_the_gradient():
    learner = Learner(SMALL, made_corpus())
    for parameter in learner.parameters[1:]:
        weights = learner.initial_weights(1)
        weights[parameter.offset] = np.nan
        out = np.empty(learner.size, np.float32)
        learner.gradient(weights, 1, 1, 0, out)
        assert not np.isfinite(out).all(), parameter.name


def test_two_fresh_processes_agree(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(
        "import hashlib, sys\n"
        "import numpy as np\n"
        "padding = np.zeros(int(sys.argv[1]), np.uint8)\n"
        "from real_runtime.learner import Learner, LearnerSettings\n"
        "from real_runtime.text import load_text\n"
        "learner = Learner(LearnerSettings(), load_text(None))\n"
        "out = np.empty(learner.size, np.float32)\n"
        "result = learner.gradient(learner.initial_weights(1), 1, 1, 5, out)\n"
        "print(hashlib.sha256(out).hexdigest(), result)\n"
    )
    import real_runtime.learner

    roots = [str(Path(real_runtime.learner.__file__).parents[1]), *filter(None, sys.path)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(roots), "OPENBLAS_NUM_THREADS": "1"}
    answers = {
        subprocess.run(
            [sys.executable, program, padding], env=environment, check=True, capture_output=True, text=True, timeout=120
        ).stdout
        for padding in ("1", "70000")
    }
    assert len(answers) == 1
    assert "samples=256" in answers.pop()


def trained(learner: Learner, options: OptimizerSettings, slots: int, steps: int) -> np.ndarray:
    """The plain sequential training loop: every slot, every fold, one update."""
    weights, rows = learner.initial_weights(1), np.empty((row_count(slots), learner.size), np.float32)
    optimizer = optimizer_for(options)
    state = [np.zeros_like(weights) for _ in optimizer.state_names]
    for step in range(1, steps + 1):
        samples = sum(learner.gradient(weights, 1, step, slot, rows[slot]).samples for slot in range(slots))
        for node in slot_tree(slots):
            fold(rows, node, slice(None))
        total = rows[total_row(slots)]
        norm = math.sqrt(squared_norm(total)) / samples
        optimizer.apply(weights, total, state, step, clip_factor(norm, options.gradient_clip_val) / samples)
    return weights


@pytest.mark.parametrize("name", ["adam", "sgd"])
def test_training_learns(standard, name):
    """A small part of the promised run: 40 steps, a quarter of the units, an eighth of the rows."""
    learner = Learner(LearnerSettings(hidden=(64,), rows_per_slot=32), standard)
    assert learner.heldout_bits_per_byte(learner.initial_weights(1)) == pytest.approx(8.0, abs=0.1)
    bits = learner.heldout_bits_per_byte(trained(learner, OptimizerSettings(optimizer=name), 12, 40))
    assert bits < 4.1


@pytest.mark.nightly
def test_300_steps_reach_the_promised_loss(standard):
    learner = Learner(LearnerSettings(), standard)
    bits = learner.heldout_bits_per_byte(trained(learner, OptimizerSettings(), 12, 300))
    assert bits < 3.2
    assert bits < bigram_bits_per_byte(standard)


def test_the_heldout_loss_is_that_of_its_positions():
    learner = Learner(SMALL, made_corpus(), np.float64)
    weights = learner.initial_weights(1)
    heldout = learner.corpus.heldout
    embedding, *layers = (parameter.view(weights) for parameter in learner.parameters)
    losses = []
    for start in range(heldout.size - SMALL.context):
        values = embedding[heldout[start : start + SMALL.context]].reshape(-1)
        for weight, bias in zip(layers[:-2:2], layers[1:-2:2], strict=True):
            values = np.maximum(values @ weight + bias, 0)
        logits = values @ layers[-2] + layers[-1]
        losses.append(np.log(np.exp(logits).sum()) - logits[heldout[start + SMALL.context]])
    assert learner.heldout_bits_per_byte(weights) == pytest.approx(np.mean(losses) / np.log(2), rel=1e-12)


def test_the_sample_of_a_long_heldout_part_is_spread_over_it(monkeypatch):
    monkeypatch.setattr("real_runtime.learner._HELDOUT_SAMPLES_MAX", 100)
    heldout = np.repeat([0, 1], [600, 400]).astype(np.uint8)
    learner = Learner(SMALL, Corpus("made", heldout, heldout, "", 2_000), np.float64)
    weights = np.zeros(learner.size)
    weights[-256:] = np.repeat([2.0, 0.0], [1, 255])  # the biases of the output: zero is the likelier byte
    logsum = math.log(math.exp(2) + 255)
    expected = (0.6 * (logsum - 2) + 0.4 * logsum) / math.log(2)
    assert learner.heldout_bits_per_byte(weights) == pytest.approx(expected, abs=0.03)


def test_tensors_go_to_a_checkpoint_and_back():
    learner = Learner(SMALL, made_corpus())
    weights = learner.initial_weights(1)
    tensors = learner.tensors(weights, "mean.")
    assert tensors["mean.hidden2.bias"].shape == (6,)
    again = np.zeros_like(weights)
    learner.restore(tensors, again, "mean.")
    assert again.tobytes() == weights.tobytes()


def test_tensors_of_another_model_are_refused():
    learner = Learner(SMALL, made_corpus())
    out = np.zeros(learner.size, np.float32)
    other = Learner(LearnerSettings(context=4, embedding=5, hidden=(7, 6)), made_corpus())
    with pytest.raises(BadRequest, match=r"hidden1\.weight is \(20, 7\) float32, this model needs \(15, 7\) float32"):
        learner.restore(other.tensors(other.initial_weights(1)), out)
    with pytest.raises(BadRequest, match="no tensor embedding"):
        learner.restore({}, out)


def test_settings_from_the_command_line():
    assert LearnerSettings.from_texts({}) == LearnerSettings()
    chosen = LearnerSettings.from_texts({"hidden": "64,32", "context": "5", "rows_per_slot": "24"})
    assert chosen == LearnerSettings(context=5, hidden=(64, 32), rows_per_slot=24)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ({"hiden": "64"}, "--set hiden=64: unknown setting 'hiden'; did you mean hidden?"),
        ({"xyzzy": "1"}, "known are context, embedding, hidden, rows_per_slot"),
        ({"hidden": ""}, "--set hidden=: must be 1 to 8 whole numbers from 1 to 8192"),
        ({"hidden": "64,x"}, "--set hidden=64,x: must be"),
        ({"hidden": "64,0"}, "--set hidden=64,0: must be"),
        ({"context": "0"}, "--set context=0: must be a whole number from 1 to 256"),
        ({"embedding": "1.5"}, "--set embedding=1.5: must be a whole number"),
        ({"rows_per_slot": "-3"}, "--set rows_per_slot=-3: must be a whole number"),
    ],
)
def test_bad_settings_are_refused(texts, message):
    with pytest.raises(BadRequest) as caught:
        LearnerSettings.from_texts(texts)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_bad_settings_from_python_are_refused():
    with pytest.raises(BadRequest, match="setting context=True"):
        LearnerSettings(context=True)
    with pytest.raises(BadRequest, match=r"setting hidden=\(\): must be"):
        LearnerSettings(hidden=())


def test_a_text_shorter_than_the_context_is_refused():
    with pytest.raises(BadRequest, match="context=200: text made has a part of only 50 bytes"):
        Learner(LearnerSettings(context=200), made_corpus(200))
