"""CT004: a control that does batch processing."""

from tests.audit.auditing import found
from tests.audit.rules.barrier_programs import AND_STOP, CONTROL, UNTIL_STOP, crew

SHARED = """static bool stop; static int sum;
static void process_batch(int id) { for (int k = 0; k < 9; k++) results[id] += k * id + k / 3 - 1; }
static void accumulate(void) { for (int k = 0; k < WORKERS; k++) sum += results[k]; }"""
WORKER = UNTIL_STOP.replace("results[id]++;", "process_batch(id);")


def computing(control: str, worker: str = WORKER, count: str = "WORKERS + 1") -> list[str]:
    """The messages about controls."""
    return [one.message for one in found(crew(worker, control, shared=SHARED, count=count), "CT004", "CT006")]


def test_a_control_that_orders_and_gathers() -> None:
    assert computing(AND_STOP + "accumulate();") == []


def test_a_control_that_takes_a_share() -> None:
    body = "pthread_barrier_wait(&gate);\n        pthread_barrier_wait(&gate);"
    busy = AND_STOP.replace(
        body, "pthread_barrier_wait(&gate); process_batch(0);\n        pthread_barrier_wait(&gate);"
    )
    [message] = computing(busy)
    assert "main coordinates worker_main and processes a batch itself: it calls process_batch" in message


def test_work_before_the_threads_is_no_control() -> None:
    text = crew(
        WORKER, AND_STOP, shared=SHARED, init="process_batch(0); pthread_barrier_init(&gate, NULL, WORKERS + 1);"
    )
    assert found(text, "CT004", "CT006") == []


def test_workers_among_themselves_are_no_controls() -> None:
    worker = "for (int r = 0; r < ROUNDS; r++) { process_batch(id); pthread_barrier_wait(&gate); }"
    assert computing("", worker, "WORKERS") == []
    assert computing(CONTROL.replace("ROUNDS", "0"), worker) == []
