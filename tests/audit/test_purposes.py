"""What functions are for: proposed by name and arithmetic, said with confidence, overridden by the user."""

import pytest

from cllm_sim.auditor.findings import Confidence
from cllm_sim.auditor.purposes import PURPOSES
from cllm_sim.errors import BadRequest

from tests.audit.auditing import analysed

CALCULATES = "for (int i = 1; i < 8; i++) g[i] = g[i] * 2.0 + g[i - 1] / 3.0 - 1.0;"
ADDS = "g[k] += 1;"


def purposes_of(body: str, name: str, more: str = "", call: str = "") -> dict[str, Confidence]:
    """The purposes proposed for one function of a program whose thread calls it, with their confidence."""
    analysis = analysed(
        "#include <pthread.h>\nstatic double g[8], w[8]; static int k; static pthread_mutex_t m;\n"
        f"{more}\nstatic void {name}(void) {{ {body} }}\n"
        f"static void *run(void *v) {{ {name}(); {call} return v; }}\n"
        "int main(void) { pthread_t t; pthread_create(&t, 0, run, 0); pthread_join(t, 0); }"
    )
    keys = {function.key for function in analysis.program.functions if function.name == name}
    confidences = {one.override: one.confidence for one in analysis.purposes.assumptions}
    return {
        purpose: confidences[f"--bind {purpose}={name}"]
        for purpose in PURPOSES
        if keys <= analysis.purposes.of(purpose)
    }


@pytest.mark.parametrize("name", ["process_batch", "forward", "backward", "train_batch", "compute_gradient", "do_work"])
def test_work_by_name_and_arithmetic(name: str) -> None:
    assert purposes_of(CALCULATES, name) == {"work": Confidence.MEDIUM}
    assert purposes_of(ADDS, name) == {"work": Confidence.LOW}


def test_a_telling_name_over_a_loop() -> None:
    assert purposes_of("for (int i = 0; i < 8; i++) g[i] = 0;", "process_batch") == {"work": Confidence.LOW}


@pytest.mark.parametrize("name", ["compute_offset", "computed", "run_batch", "helper", "reforward"])
def test_names_that_tell_too_little(name: str) -> None:
    assert purposes_of(ADDS, name) == {}


def test_a_name_without_any_arithmetic_is_no_work() -> None:
    assert purposes_of("k = 1;", "process_batch") == {}


def test_what_synchronises_coordinates() -> None:
    assert purposes_of(f"pthread_mutex_lock(&m); {ADDS} pthread_mutex_unlock(&m);", "process_batch") == {}


def test_work_by_what_it_calls() -> None:
    more = f"static void kernel(void) {{ {CALCULATES} }}"
    assert purposes_of("kernel();", "compute_all", more) == {"work": Confidence.LOW}


@pytest.mark.parametrize(
    ("name", "purpose"),
    [
        ("accumulate_gradients", "accumulate"),
        ("reduce", "accumulate"),
        ("apply_gradients", "update"),
        ("model_update", "update"),
        ("weights_step", "update"),
        ("distribute_batches", "distribute"),
    ],
)
def test_other_purposes_by_name(name: str, purpose: str) -> None:
    assert purposes_of(ADDS, name) == {purpose: Confidence.LOW}
    assert purposes_of(CALCULATES, name) == {purpose: Confidence.MEDIUM}


def test_an_update_writes_what_the_work_reads() -> None:
    more = "static void forward(void) { for (int i = 0; i < 8; i++) g[i] = w[i] * w[i] + w[i] * 2.0 - 1.0; }"
    assert purposes_of("w[k] = 1;", "layer_update", more, "forward();") == {"update": Confidence.LOW}
    assert purposes_of("k = 1;", "screen_update", more, "forward();") == {}


def test_functions_that_nothing_reaches_have_no_purpose() -> None:
    analysis = analysed(
        f"static double g[8];\nstatic void process_batch(void) {{ {CALCULATES} }}\nint main(void) {{ }}"
    )
    assert analysis.purposes.work == set()


def test_the_user_decides() -> None:
    text = (
        f"static double g[8];\nstatic void mill(void) {{ g[0] = 1; }}\nstatic void forward(void) {{ {CALCULATES} }}\n"
    )
    analysis = analysed(text + "int main(void) { mill(); forward(); }", {"work": ("mill",)})
    names = {function.name for function in analysis.program.functions if analysis.is_work(function)}
    assert names == {"mill"}
    assert not [one for one in analysis.purposes.assumptions if "batch processing" in one.text]


@pytest.mark.parametrize(
    ("bind", "words"),
    [({"walk": ("mill",)}, "no such purpose"), ({"work": ("nowhere",)}, "no function of this name")],
)
def test_bindings_that_mean_nothing_are_refused(bind: dict[str, tuple[str, ...]], words: str) -> None:
    with pytest.raises(BadRequest, match=words):
        analysed("int main(void) { return 0; }", bind)
