"""The cost model: durations from numbers, errors that name the line, streams that nobody else can shift."""

import math
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cllm_sim.compose import System, compose
from cllm_sim.costs import KINDS, CostModel, kind_of, load_costs, parse_costs
from cllm_sim.errors import BadRequest
from cllm_sim.job import Job, Piece
from cllm_sim.library import load
from cllm_sim.operations import RULES, Verb
from cllm_sim.tree import Tree

TEXT = """\
[machine]
cores = 2
switch_us = 2.0
wake_us = 30
release_us = 5.0
quantum_ms = inf
slowdown = 1.25

[operations]
wait = 1.0
acquire = 2.0
release = 3.0
sleep = 4.0
notify = 5.0
down = 6.0
up = 7.0
atomic = 8.0
await = 9.0
plain = 10.0
choose = 11.0
join = 12.0
next = 13.0
destroy = 14.0

[compute]
per_slot_us = 1000.0
fixed_us = 100.0

[fold]
per_operand_us = 20.0
fixed_us = 3.0

[update]
per_gradient_us = 200.0
fixed_us = 7.0

[parameters]
size = 10

[learner]
context = "16"

[spread]
distribution = "lognormal"
compute = 0.1
seed = 3
"""


def changed(line: str, by: str) -> str:
    assert TEXT.count(f"{line}\n") == 1
    return TEXT.replace(f"{line}\n", f"{by}\n")


def line_of(text: str, part: str) -> int:
    return next(number for number, row in enumerate(text.splitlines(), 1) if part in row)


def failure(text: str) -> str:
    with pytest.raises(BadRequest) as caught:
        parse_costs(text, "costs.toml")
    message = str(caught.value)
    assert "\n" not in message
    return message


# --- files ------------------------------------------------------------------------------------------------------------


def test_a_file_is_read(tmp_path):
    path = tmp_path / "costs.toml"
    path.write_text(TEXT, encoding="utf-8")
    model = load_costs(path)
    assert model.machine.cores == 2
    assert model.machine.quantum_ms == math.inf
    assert model.learner == {"context": "16"}
    assert model.spread.seed == 3


def test_what_is_written_is_read_back_equal():
    model = parse_costs(TEXT, "costs.toml")
    assert parse_costs(model.to_toml(), "again.toml") == model


@settings(max_examples=60, deadline=None)
@given(
    numbers=st.lists(st.floats(0, 1e9, allow_nan=False), min_size=4, max_size=4),
    learner=st.dictionaries(st.text(), st.text(), max_size=3),
)
def test_any_model_survives_writing(numbers, learner):
    data: dict[str, Any] = tomllib.loads(TEXT)
    data["machine"]["wake_us"], data["compute"]["fixed_us"], data["operations"]["await"], data["fold"]["fixed_us"] = (
        numbers
    )
    model = CostModel.model_validate({**data, "learner": learner})
    assert parse_costs(model.to_toml(), "again.toml") == model


def test_a_model_cannot_be_changed():
    model = parse_costs(TEXT, "costs.toml")
    with pytest.raises(ValueError, match="frozen"):
        model.machine.cores = 5


def test_every_cost_key_of_the_vocabulary_has_its_number():
    keys = {rule.cost_key for rule in RULES.values()} - {"compute", "fold", "update"}
    assert set(parse_costs(TEXT, "x").operations.model_dump(by_alias=True)) == keys


def test_spread_and_learner_may_be_left_out():
    model = parse_costs(TEXT[: TEXT.index("[learner]")], "costs.toml")
    assert model.spread.distribution == "constant"
    assert model.learner == {}


# --- errors -----------------------------------------------------------------------------------------------------------


def test_a_syntax_error_names_its_line():
    text = changed("slowdown = 1.25", "slowdown = = 1.25")
    assert failure(text).startswith(f"costs.toml:{line_of(text, 'slowdown')}: not valid TOML: ")


def test_a_text_cut_off_in_the_middle_names_the_last_line():
    assert failure('[machine]\ncores = "').startswith("costs.toml:2: not valid TOML: ")


def test_a_key_given_twice_is_a_syntax_error():
    assert failure(changed("switch_us = 2.0", "cores = 3")).startswith("costs.toml:3: not valid TOML: ")


def test_an_unknown_key_names_line_and_key_and_the_likely_one():
    text = changed("wake_us = 30", "wakeup_us = 30")
    assert failure(text) == (
        f"costs.toml:{line_of(text, 'wakeup_us')}: unknown key 'wakeup_us' in [machine]; did you mean 'wake_us'?"
    )


def test_the_same_key_of_another_table_is_not_mistaken():
    text = changed("per_operand_us = 20.0", "per_operand_us = 20.0\nper_slot_us = 1.0")
    assert failure(text).startswith(
        f"costs.toml:{line_of(text, 'per_slot_us = 1.0')}: unknown key 'per_slot_us' in [fold]"
    )


def test_an_unknown_table_names_line_and_table():
    text = changed("[learner]", "[larner]")
    assert failure(text) == f"costs.toml:{line_of(text, 'larner')}: unknown table [larner]; did you mean 'learner'?"


@pytest.mark.parametrize(
    ("line", "by", "expected"),
    [
        ("cores = 2", "cores = 0", "[machine] cores: Input should be greater than or equal to 1 (it is 0)"),
        ("cores = 2", "cores = 1.5", "[machine] cores: Input should be a valid integer"),
        ("cores = 2", "cores = true", "[machine] cores: Input should be a valid integer (it is True)"),
        ("wake_us = 30", "wake_us = -1", "[machine] wake_us: Input should be greater than or equal to 0 (it is -1)"),
        ("wake_us = 30", 'wake_us = "30"', "[machine] wake_us: Input should be a valid number (it is '30')"),
        ("wake_us = 30", "wake_us = nan", "[machine] wake_us: Input should be"),
        ("wake_us = 30", "wake_us = inf", "[machine] wake_us: Input should be a finite number (it is inf)"),
        ("quantum_ms = inf", "quantum_ms = nan", "[machine] quantum_ms: Input should be"),
        ("slowdown = 1.25", "slowdown = 0", "[machine] slowdown: Input should be greater than 0 (it is 0)"),
        ("await = 9.0", "await = [9.0]", "[operations] await: Input should be a valid number (it is [9.0])"),
        ("size = 10", "size = 0", "[parameters] size: Input should be greater than or equal to 1 (it is 0)"),
        ('context = "16"', "context = 16", "[learner] context: Input should be a valid string (it is 16)"),
        ("compute = 0.1", "compute = -0.1", "[spread] compute: Input should be greater than or equal to 0"),
        ("seed = 3", "seed = -3", "[spread] seed: Input should be greater than or equal to 0"),
    ],
)
def test_a_wrong_value_names_line_and_key(line, by, expected):
    text = changed(line, by)
    message = failure(text)
    assert message.startswith(f"costs.toml:{line_of(text, by)}: ")
    assert expected in message


def test_a_missing_key_names_the_table():
    assert failure(changed("wake_us = 30", "")) == (
        "costs.toml:1: [machine] lacks the key 'wake_us'; `cllm calibrate` writes a complete file"
    )


def test_a_missing_table_is_named():
    text = TEXT.replace("[fold]\nper_operand_us = 20.0\nfixed_us = 3.0\n", "")
    assert failure(text) == "costs.toml:1: the table [fold] is missing; `cllm calibrate` writes a complete file"


def test_keys_in_dotted_form_are_found_as_well():
    text = "machine.coers = 2\n" + TEXT[TEXT.index("[operations]") :]
    assert failure(text).startswith("costs.toml:1: unknown key 'coers' in [machine]; did you mean 'cores'?")


@pytest.mark.parametrize(
    ("distribution", "spread", "expected"),
    [
        ("constant", 0.1, "a constant has no spread"),
        ("exponential", 0.5, "its spread is always 1"),
        ("normal", 0.6, "the cut at zero shifts the mean"),
    ],
)
def test_a_spread_that_its_distribution_cannot_have_is_refused(distribution, spread, expected):
    text = changed('distribution = "lognormal"', f'distribution = "{distribution}"').replace(
        "compute = 0.1", f"compute = {spread}"
    )
    message = failure(text)
    assert message.startswith(f"costs.toml:{line_of(text, '[spread]')}: [spread]: compute = {spread:g} does not fit")
    assert expected in message


def test_an_unknown_distribution_is_refused():
    assert "[spread] distribution: Input should be 'constant', 'normal'" in failure(TEXT.replace("lognormal", "cauchy"))


def test_a_file_that_is_missing_or_no_text(tmp_path):
    with pytest.raises(BadRequest, match="cannot be read as costs: No such file"):
        load_costs(tmp_path / "none.toml")
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadRequest, match="cannot be read as costs"):
        load_costs(binary)
    with pytest.raises(BadRequest, match="cannot be read as costs: Is a directory"):
        load_costs(Path(tmp_path))


# --- durations --------------------------------------------------------------------------------------------------------


def mean_us(system: System, actor: str, verb: Verb) -> float:
    """The mean duration of the first operation with this verb in the text of an actor, driven through one batch."""
    number = system.actor_number(actor)
    steps = system.text(number)
    op = next(steps)
    while op.verb is not verb:
        op = steps.send(op.options[0] if op.options else 1)
    bound = system.bound(number, op)
    return 1e6 * parse_costs(TEXT, "x").mean_s(bound, Job(system).piece(number, bound))


def test_a_compute_costs_its_slots_and_its_own_folds():
    system = compose(load("node_zero").architecture, Tree(5, 1))
    assert mean_us(system, "0.0", Verb.COMPUTE) == pytest.approx(3 * 1000 + 100)
    assert mean_us(system, "0.4", Verb.COMPUTE) == pytest.approx(2 * 1000 + 100)
    alone = compose(load("serial").architecture, Tree(1, 1))
    assert mean_us(alone, "0", Verb.COMPUTE) == pytest.approx(12 * 1000 + 12 * 20 + 100)


def test_a_fold_costs_its_operands_and_a_slice_its_part():
    whole = compose(load("node_zero").architecture, Tree(4, 1))
    assert mean_us(whole, "0", Verb.FOLD) == pytest.approx(12 * 20 + 3)
    sliced = compose(load("sliced_reduce").architecture, Tree(4, 1))  # 10 numbers in 4 slices: 3, 3, 2, 2
    assert mean_us(sliced, "0.1", Verb.FOLD) == pytest.approx(12 * 20 * 3 / 10 + 3)
    assert mean_us(sliced, "0.3", Verb.FOLD) == pytest.approx(12 * 20 * 2 / 10 + 3)


def test_the_rest_costs_what_stands_in_the_table():
    system = compose(load("node_zero").architecture, Tree(2, 1))
    assert mean_us(system, "0", Verb.UPDATE) == pytest.approx(207)
    assert mean_us(system, "0", Verb.WAIT) == pytest.approx(1)
    assert mean_us(system, "0", Verb.CHOOSE) == pytest.approx(11)
    assert mean_us(system, "0", Verb.WRITE) == pytest.approx(10)


def test_every_verb_has_a_kind():
    assert {kind_of(verb) for verb in Verb} == set(KINDS)


@pytest.mark.parametrize(
    ("distribution", "spread"), [("normal", 0.2), ("lognormal", 0.2), ("lognormal", 1.5), ("exponential", 1)]
)
def test_draws_have_mean_one_and_their_spread(distribution, spread):
    text = changed('distribution = "lognormal"', f'distribution = "{distribution}"')
    model = parse_costs(text.replace("compute = 0.1", f"compute = {spread}"), "x")
    stream = model.streams(1, 0).of("0", "compute")
    drawn = np.array([model.factor("compute", stream) for _ in range(20_000)])
    assert (drawn > 0).all()
    assert abs(drawn.mean() - 1) < 4 * drawn.std() / math.sqrt(drawn.size)
    assert drawn.std() == pytest.approx(spread, rel=0.15)


def test_without_spread_nothing_is_drawn():
    model = parse_costs(TEXT, "x")
    stream = model.streams(1, 0).of("0", "fold")
    before = stream.bit_generator.state
    assert model.factor("fold", stream) == 1.0
    assert str(stream.bit_generator.state) == str(before)


def test_a_drawn_duration_is_the_mean_times_the_factor():
    model = parse_costs(TEXT, "x")
    system = compose(load("node_zero").architecture, Tree(2, 1))
    steps = system.text(1)
    next(steps)
    steps.send(0)
    bound = system.bound(1, steps.send(1))
    piece = Piece(range(4), ())
    one, other = (model.streams(1, 0).of("0.0", "compute") for _ in range(2))
    assert model.duration(bound, piece, one) == model.mean_s(bound, piece) * model.factor("compute", other)


# --- streams ----------------------------------------------------------------------------------------------------------


def test_a_stream_depends_on_its_key_and_on_nothing_else():
    model = parse_costs(TEXT, "x")
    alone = model.streams(7, 2).of("0.3", "compute").random(5)
    among = model.streams(7, 2)
    for actor in ("0", "0.1", "0.2", "main"):
        among.of(actor, "compute").random(3)
    among.of("0.3", "fold").random(3)
    assert (among.of("0.3", "compute").random(5) == alone).all()


def test_streams_of_different_keys_differ():
    first, second = parse_costs(TEXT, "x"), parse_costs(TEXT.replace("seed = 3", "seed = 4"), "x")
    keys = [
        (first, 1, 0, "0", "compute"), (second, 1, 0, "0", "compute"), (first, 2, 0, "0", "compute"),
        (first, 1, 1, "0", "compute"), (first, 1, 0, "0.1", "compute"), (first, 1, 0, "0", "fold"),
    ]  # fmt: skip
    drawn = {
        float(model.streams(seed, replication).of(actor, kind).random())
        for model, seed, replication, actor, kind in keys
    }
    assert len(drawn) == len(keys)
