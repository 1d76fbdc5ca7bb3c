"""The document of an audit: inventory, roles, graphs and sentence as plain data."""

import json

import pytest

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.document.flags import flags
from cllm_sim.auditor.document.inventory import inventory_fields
from cllm_sim.auditor.document.roles import only_parked, order_graph, role_graph, role_kind, thread_fields
from cllm_sim.auditor.document.sentence import verdict_line
from cllm_sim.auditor.facts import Site
from cllm_sim.auditor.findings import Confidence, Finding, Severity

from tests.audit.auditing import analysed
from tests.audit.showing import role

TEXT = """
#include <pthread.h>
#include <stdbool.h>
#include <unistd.h>
#define N 4
struct Pool {
    pthread_barrier_t begin, end, idle;
    double g[N], w;
    bool stop;
    volatile int seen;
    int rounds;
} pool;
static void process_batch(int id) { for (int i = 0; i < 9; i++) pool.g[id] = pool.g[id] * 2 + i * 3 - pool.w / 2; }
static void accumulate(void) { for (int i = 0; i < N; i++) pool.w = pool.w + pool.g[i] * 2 - 1 / 3 + 4; }
static void *worker(void *v)
{
    int id = (int)(long)v;
    while (!pool.stop) {
        pthread_barrier_wait(&pool.begin);
        process_batch(id);
        pthread_barrier_wait(&pool.end);
    }
    return 0;
}
static void *control(void *v)
{
    for (int round = 0; round < 3; round++) {
        pthread_barrier_wait(&pool.begin);
        pthread_barrier_wait(&pool.end);
        accumulate();
    }
    return v;
}
static void *parked(void *v)
{
    while (!pool.stop)
        sleep(1);
    return v;
}
int main(void)
{
    pthread_t t[N], c, p;
    pthread_barrier_init(&pool.begin, 0, N + 1);
    pthread_barrier_init(&pool.end, 0, N + 1);
    pthread_barrier_init(&pool.idle, 0, 2);
    for (int i = 0; i < N; i++)
        pthread_create(&t[i], 0, worker, (void *)(long)i);
    pthread_create(&c, 0, control, 0);
    pthread_create(&p, 0, parked, 0);
    pthread_join(c, 0);
    pthread_detach(p);
    for (int i = 0; i < N; i++)
        pthread_join(t[i], 0);
    return 0;
}
"""


@pytest.fixture(scope="module")
def analysis() -> Analysis:
    return analysed(TEXT)


def line(text: str) -> int:
    return next(number for number, one in enumerate(TEXT.split("\n"), 1) if text in one)


def test_what_each_role_is(analysis: Analysis) -> None:
    kinds = {one.name: role_kind(analysis, one) for one in analysis.roles.all}
    assert kinds == {"main": "caller", "worker": "worker", "control": "control", "parked": "other"}
    assert only_parked(analysis, role(analysis, "parked"))
    assert not only_parked(analysis, role(analysis, "worker"))


def test_the_fields_of_a_role(analysis: Analysis) -> None:
    fields = {one["name"]: one for one in inventory_fields(analysis)["roles"]}
    worker = fields["worker"]
    assert (worker["count"], worker["threads"], worker["reaches_work"]) == ("N", 4, True)
    assert worker["work_path"] == [
        {"path": "program.c", "line": line("process_batch(id);"), "function": "process_batch"}
    ]
    assert worker["waits_on"] == ["Pool.begin", "Pool.end"]
    assert [one["line"] for one in fields["control"]["accumulates"]] == [line("        accumulate();")]
    assert not fields["control"]["reaches_work"]


def test_barriers_with_their_waits(analysis: Analysis) -> None:
    barriers = {one["name"]: one for one in inventory_fields(analysis)["barriers"]}
    begin, idle = barriers["Pool.begin"], barriers["Pool.idle"]
    assert begin["initialised"] == [
        {"path": "program.c", "line": line("init(&pool.begin"), "count": "N + 1"}
    ]  # fmt: skip
    assert sorted({one["role"] for one in begin["waits"]}) == ["control", "worker"]
    assert sorted(begin["members"]) == ["control", "worker"]
    assert (idle["waits"], idle["note"]) == ([], "initialised and never used")


def test_threads_with_what_becomes_of_them(analysis: Analysis) -> None:
    threads = {one["name"]: one for one in thread_fields(analysis)}
    assert [one["count"] for one in threads["worker"]["created"]] == ["N"]
    assert [one["line"] for one in threads["worker"]["joined"]] == [line("pthread_join(t[i]")]
    assert [one["line"] for one in threads["parked"]["detached"]] == [line("pthread_detach")]
    assert threads["parked"]["joined"] == []


def test_flags(analysis: Analysis) -> None:
    assert [one.label for one in flags(analysis)] == ["Pool.seen", "Pool.stop"]
    assert flags(analysed("static int stop; int main(void) { return stop; }")) == []


def test_who_creates_whom(analysis: Analysis) -> None:
    graph = role_graph(analysis)
    edges = {(one["a"], one["b"], one["label"]) for one in graph["edges"]}
    assert edges >= {("main", "worker", "creates"), ("main", "control", "creates"), ("main", "parked", "creates")}
    assert ("worker", "work of worker", "reaches") in edges
    assert {one["id"] for one in graph["nodes"]} == {"main", "worker", "control", "parked", "work of worker"}
    assert next(one for one in graph["nodes"] if one["id"] == "worker")["label"] == "N × worker"


def test_what_orders_whom(analysis: Analysis) -> None:
    graph = order_graph(analysis)
    edges = {(one["a"], one["b"]) for one in graph["edges"]}
    assert edges >= {("worker", "Pool.begin"), ("Pool.begin", "worker"), ("control", "Pool.end"), ("worker", "main")}
    nodes = {one["id"] for one in graph["nodes"]}
    assert "Pool.idle" not in nodes
    assert {one for edge in edges for one in edge} <= nodes


def test_everything_is_plain_data(analysis: Analysis) -> None:
    data = {"inventory": inventory_fields(analysis), "graphs": [role_graph(analysis), order_graph(analysis)]}
    assert json.loads(json.dumps(data)) == data


def finding(severity: Severity) -> Finding:
    return Finding("CR001", severity, Confidence.HIGH, Site("program.c", 1), "a message", "subject")


def test_the_verdict_in_one_sentence(analysis: Analysis) -> None:
    inventory = inventory_fields(analysis)
    line_ = verdict_line(inventory, [finding(Severity.ERROR), finding(Severity.ERROR), finding(Severity.NOTE)], [])
    assert line_.startswith("Workers: N × worker; control thread: control; 3 barriers, 1 of them never waited on; ")
    assert "2 errors" in line_
    assert "1 note" in line_
    assert line_.endswith("0 of 0 requirements of the plan met.")


def test_the_verdict_of_a_program_without_threads() -> None:
    inventory = inventory_fields(analysed("int main(void) { return 0; }"))
    assert verdict_line(inventory, [], []) == (
        "No threads are created; no barriers; no findings; 0 of 0 requirements of the plan met."
    )
