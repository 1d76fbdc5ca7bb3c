"""The infrastructure's modules: used by the training, only constructed, only built, or absent."""

import pytest

from cllm_sim.auditor import syntax
from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.document.modules import modules

from tests.audit.test_requirements import BUSY, NO_THREADS, trainer

NAMES = {"control process", "shared memory", "lattice hierarchy", "messages"}


def statuses(analysis: Analysis) -> dict[str, str]:
    """Status by module."""
    return {one["name"]: one["status"] for one in modules(analysis)}


def program(box: str, main: str) -> Analysis:
    """A thread beside a mailbox."""
    files = {"mailbox.c": box, "main.c": main}
    return Analysis([syntax.read(path, text.encode()) for path, text in files.items()])


BOX = """
#include <stdlib.h>
struct mailbox { int latest; };
struct mailbox *mailbox_create(void) { return calloc(1, sizeof(struct mailbox)); }
void mailbox_destroy(struct mailbox *box) { free(box); }
static int checked(int value) { return value < 0 ? 0 : value; }
void mailbox_post(struct mailbox *box, int value) { box->latest = checked(value); }
int mailbox_read(struct mailbox *box) { return box->latest; }
"""

MAIN = """
#include <pthread.h>
struct mailbox;
struct mailbox *mailbox_create(void);
void mailbox_destroy(struct mailbox *box);
void mailbox_post(struct mailbox *box, int value);
static void *thread_main(void *argument) { USE return argument; }
int main(void)
{
    pthread_t thread;
    struct mailbox *box = mailbox_create();
    BEFORE
    pthread_create(&thread, NULL, thread_main, box);
    DURING
    pthread_join(thread, NULL);
    mailbox_destroy(box);
    return 0;
}
"""


def main_with(use: str = "", before: str = "", during: str = "") -> str:
    """The main file with these statements in its places."""
    return MAIN.replace("USE", use).replace("BEFORE", before).replace("DURING", during)


def test_the_trainers_stand_where_they_do() -> None:
    assert statuses(trainer("trainer_node_zero")[0]) == dict.fromkeys(NAMES, "used by the training path")
    before = statuses(trainer("trainer_model_lock")[0])
    assert before.pop("messages") == "only built"
    assert set(before.values()) == {"only constructed"}


@pytest.mark.parametrize(
    ("main", "status"),
    [
        (main_with(use="mailbox_post(argument, 1);"), "used by the training path"),
        (main_with(during="mailbox_post(box, 1);"), "used by the training path"),
        (main_with(before="mailbox_post(box, 1);"), "only constructed"),
        (main_with(), "only constructed"),
        ("int main(void) { return 0; }", "only built"),
    ],
)
def test_use_counts_while_threads_run(main: str, status: str) -> None:
    assert statuses(program(BOX, main))["messages"] == status


def test_a_member_of_its_record_counts_as_use() -> None:
    header = "struct mailbox { int latest; };\n"
    main = header + main_with(use="((struct mailbox *)argument)->latest = 3;").replace("struct mailbox;\n", "")
    assert statuses(program(BOX, main))["messages"] == "used by the training path"


def test_what_is_not_there_is_absent() -> None:
    for text in (NO_THREADS, BUSY):
        found = modules(Analysis([syntax.read("program.c", text.encode())]))
        assert {one["name"] for one in found} == NAMES
        assert {one["status"] for one in found} == {"absent"}
        assert not any(one["files"] or one["functions"] or one["evidence"] for one in found)


def test_evidence_has_places() -> None:
    for one in modules(trainer("trainer_model_lock")[0]):
        assert one["files"]
        assert one["functions"]
        for place in one["evidence"]:
            assert place["path"].endswith(".c")
            assert place["line"] > 0
            assert place["text"]
