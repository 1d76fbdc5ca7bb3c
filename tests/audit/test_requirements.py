"""The gap analysis: every requirement's judge finds it met where it is, and unmet where it is not.

Rules of this file: the two trainers are judged with the findings that `trainers.toml` expects of a good auditor, so
that a judge is tested whatever the rules find today. Every other program is small and says one thing.
"""

import tomllib
from functools import cache
from pathlib import Path

import pytest

from cllm_sim.auditor import sources, syntax
from cllm_sim.auditor.analysis import Analysis, Options
from cllm_sim.auditor.facts import Site
from cllm_sim.auditor.findings import Confidence, Finding, Severity
from cllm_sim.auditor.requirements import Judgement, judge, load_plan
from cllm_sim.errors import BadRequest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
EXPECTED = tomllib.loads((HERE / "trainers.toml").read_text(encoding="utf-8"))
TRAINERS = tuple(EXPECTED)
SUBJECTS = {"CR001": "thread_pool.batches_processed", "CR002": "thread_pool.control_running"}
IDS = tuple(one.id for one in load_plan())


def finding(code: str, site: Site, subject: str = "") -> Finding:
    """A finding as a rule would give it."""
    return Finding(code, Severity.ERROR, Confidence.HIGH, site, f"{code} here", subject)


@cache
def trainer(name: str) -> tuple[Analysis, tuple[Finding, ...]]:
    """A trainer's analysis and the findings that are expected of it."""
    folder = HERE / name
    files, unreadable = syntax.read_all(sources.find([str(folder)]).sources, cache=None)
    assert not unreadable
    bind: dict[str, list[str]] = {}
    for one in EXPECTED[name]["bind"]:
        purpose, _, function = one.partition("=")
        bind.setdefault(purpose, []).append(function)
    found = []
    for one in EXPECTED[name]["finding"]:
        lines = (folder / one["path"]).read_text(encoding="utf-8").splitlines()
        line = next(number for number, text in enumerate(lines, 1) if one["line_text"] in text)
        path = next(file.path for file in files if file.path.endswith(one["path"]))
        found.append(finding(one["code"], Site(path, line), SUBJECTS.get(one["code"], "")))
    return Analysis(files, Options({key: tuple(names) for key, names in bind.items()})), tuple(found)


@cache
def judged(name: str) -> dict[str, Judgement]:
    """The judgements on a trainer."""
    analysis, found = trainer(name)
    return {one.id: one for one in judge(analysis, found, load_plan())}


def analysed(program: str, **bind: str) -> Analysis:
    """A small program's analysis; `work="crunch"` binds a purpose to a function."""
    facts = [syntax.read("program.c", program.encode())]
    return Analysis(facts, Options({purpose: (name,) for purpose, name in bind.items()}))


def status(program: str, id: str, *codes: str, subject: str = "", **bind: str) -> str:
    """How a small program stands to one requirement, given findings of these codes."""
    found = [finding(code, Site("program.c", 1), subject) for code in codes]
    one = next(one for one in judge(analysed(program, **bind), found, load_plan()) if one.id == id)
    assert one.evidence
    assert one.looked_for
    return one.status


# ------------------------------------------------------------------------------------------------------- the trainers
@pytest.mark.parametrize("name", TRAINERS)
@pytest.mark.parametrize("id", IDS)
def test_a_trainer_is_judged_as_expected(name: str, id: str) -> None:
    wanted = [EXPECTED[name]["requirements"][id], *EXPECTED[name].get("also_fair", {}).get(id, [])]
    assert judged(name)[id].status in wanted


@pytest.mark.parametrize("name", TRAINERS)
def test_every_judgement_has_evidence_in_the_program(name: str) -> None:
    analysis, _ = trainer(name)
    lines = {file.path: file.lines for file in analysis.program.files}
    for one in judged(name).values():
        assert one.evidence, one.id
        for site, text in one.evidence:
            assert text
            assert site is None or 0 < site.line <= lines[site.path], one.id


def test_evidence_names_the_lines() -> None:
    places = {text for item in judged("trainer_node_zero").values() for _, text in item.evidence}
    assert any("crew->num_workers != CHILDREN_PER_CONTROL" in text for text in places)
    lock = judged("trainer_model_lock")["NZ5"].evidence[0]
    assert lock.site is not None
    assert lock.site.path.endswith("training_threaded.c")


# ------------------------------------------------------------------------------------------------------ small programs
HEAD = """
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static float forward(const float *w, float *g) { float s = w[0] * 2 + w[1] * 3 - w[2]; g[0] += s; return s; }
"""

# Threads of one kind that add to one sum; nobody waits for anybody, nobody is joined.
BARE = (
    HEAD
    + """
static float weights[3];
static float sum[3];
static int count;
static void accumulate(float *into, const float *from) { for (int k = 0; k < 3; k++) into[k] += from[k]; }
static void apply_update(void) { for (int k = 0; k < 3; k++) weights[k] -= sum[k]; }
struct task { float *own; float gradient[3]; };
static struct task tasks[64];
static void *work_main(void *argument)
{
    struct task *task = argument;
    for (;;)
        forward(weights, task->gradient);
    return NULL;
}
int main(int argc, char **argv)
{
    pthread_t thread;
    count = argc;
    for (int i = 0; i < count; i++)
        pthread_create(&thread, NULL, work_main, &tasks[i]);
    for (;;) {
        for (int i = 0; i < count; i++)
            accumulate(sum, tasks[i].gradient);
        apply_update();
    }
    return argv == NULL;
}
"""
)

# A control that computes beside its workers; the one barrier orders nothing after the work.
BUSY = (
    HEAD
    + """
struct pool { pthread_barrier_t gate; float weights[3]; float sum[3]; int running; };
struct part { struct pool *pool; float gradient[3]; int index; };
static struct part parts[12];
static void *part_main(void *argument)
{
    struct part *part = argument;
    while (part->pool->running) {
        pthread_barrier_wait(&part->pool->gate);
        forward(part->pool->weights, part->gradient);
    }
    return NULL;
}
static void accumulate_all(struct pool *pool)
{
    for (int i = 0; i < 12; i++)
        for (int k = 0; k < 3; k++)
            pool->sum[k] += parts[i].gradient[k];
}
static void update_weights(struct pool *pool)
{
    for (int k = 0; k < 3; k++)
        pool->weights[k] -= pool->sum[k] * 2 + 1 - 1 * 3 / 4;
}
static void *lead_main(void *argument)
{
    struct pool *pool = argument;
    pthread_t threads[12];
    for (int i = 0; i < 12; i++)
        pthread_create(&threads[i], NULL, part_main, &parts[i]);
    for (int round = 0; round < 5; round++) {
        pthread_barrier_wait(&pool->gate);
        forward(pool->weights, pool->sum);
        accumulate_all(pool);
        update_weights(pool);
    }
    for (int i = 0; i < 12; i++)
        pthread_join(threads[i], NULL);
    return NULL;
}
int main(void)
{
    static struct pool pool;
    pthread_t lead;
    pthread_barrier_init(&pool.gate, NULL, 13);
    pthread_create(&lead, NULL, lead_main, &pool);
    pthread_join(lead, NULL);
    return 0;
}
"""
)

# A tree: every node is a child of its parent; given more than it can take it starts children, and resumes after them.
TREE = (
    HEAD
    + """
enum { CHILDREN = 12 };
struct sphere { const struct sphere *parent; int position; };
struct node {
    struct node *parent;
    const struct sphere *sphere;
    struct node *children;
    pthread_t thread;
    pthread_barrier_t barrier;
    int stop;
    int first;
    int count;
    double loss;
    float gradient[3];
};
static float weights[3];
static int may_grow(int wanted) { long cores = sysconf(_SC_NPROCESSORS_ONLN); return wanted <= cores; }
static void hand_down(struct node *node)
{
    int share = node->count / CHILDREN, extra = node->count % CHILDREN, first = node->first;
    for (int i = 0; i < CHILDREN; i++) {
        node->children[i].first = first;
        node->children[i].count = share + (i < extra ? 1 : 0);
        first += node->children[i].count;
    }
}
static void *node_main(void *argument);
static void start_children(struct node *node)
{
    for (int i = 0; i < CHILDREN; i++)
        pthread_create(&node->children[i].thread, NULL, node_main, &node->children[i]);
}
static void end_children(struct node *node)
{
    for (int i = 0; i < CHILDREN; i++) {
        pthread_join(node->children[i].thread, NULL);
        node->loss += node->children[i].loss;
    }
}
static void *node_main(void *argument)
{
    struct node *node = argument;
    for (;;) {
        pthread_barrier_wait(&node->parent->barrier);
        if (node->parent->stop)
            break;
        if (node->count > 100 && may_grow(node->count)) {
            hand_down(node);
            start_children(node);
            end_children(node);
        } else {
            node->loss = forward(weights, node->gradient) + node->sphere->position;
        }
        pthread_barrier_wait(&node->parent->barrier);
    }
    return NULL;
}
static void *root_main(void *argument)
{
    struct node *root = argument;
    start_children(root);
    for (int round = 0; round < 5; round++) {
        hand_down(root);
        pthread_barrier_wait(&root->barrier);
        pthread_barrier_wait(&root->barrier);
        for (int i = 0; i < CHILDREN; i++)
            root->loss += root->children[i].loss;
    }
    root->stop = 1;
    pthread_barrier_wait(&root->barrier);
    end_children(root);
    return NULL;
}
int main(void)
{
    static struct node root;
    pthread_t thread;
    root.children = calloc(CHILDREN, sizeof *root.children);
    pthread_barrier_init(&root.barrier, NULL, CHILDREN + 1);
    pthread_create(&thread, NULL, root_main, &root);
    pthread_join(thread, NULL);
    pthread_barrier_destroy(&root.barrier);
    free(root.children);
    return 0;
}
"""
)

NO_THREADS = "int main(void) { return 0; }\n"

MET_IN_THE_TREE = ("RC1", "RC2", "RC3", "RC4", "RC5", "RC6", "RC7", "RC8", "RC9")

UNMET = [
    # requirement, program, findings of a rule
    ("NZ1", BARE, ()),
    ("NZ2", BUSY, ()),
    ("BA4", BARE, ()),
    ("BA5", BUSY, ()),
    ("BA6", BUSY, ("CT001",)),
    ("LF1", BARE, ("CS001",)),
    ("LF3", BARE, ()),
    ("LF4", BARE, ()),
    ("LF5", BUSY, ()),
    ("SM1", BARE, ()),
    ("SM3", BARE, ("CR001",)),
    ("RC2", BUSY, ()),
    ("RC8", BARE, ()),
    ("IN1", BARE, ()),
    ("IN4", BARE, ("CT003",)),
    ("IN5", BUSY, ()),
]


@pytest.mark.parametrize("id", MET_IN_THE_TREE)
def test_a_tree_of_controls_meets_the_rows_about_trees(id: str) -> None:
    assert status(TREE, id, accumulate="end_children", distribute="hand_down") == "met"


@pytest.mark.parametrize(("id", "program", "codes"), UNMET, ids=[one[0] for one in UNMET])
def test_an_unmet_requirement_is_found(id: str, program: str, codes: tuple[str, ...]) -> None:
    assert status(program, id, *codes) == "unmet"


def test_a_region_written_against_its_mode_is_unmet() -> None:
    program = (
        HEAD
        + """
    #include <sys/mman.h>
    static float *region;
    static void *reader_main(void *argument) { region[0] = forward(region, argument); return NULL; }
    int main(void)
    {
        pthread_t thread;
        static float own[3];
        region = mmap(NULL, 4096, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        pthread_create(&thread, NULL, reader_main, own);
        pthread_join(thread, NULL);
        return 0;
    }
    """
    )
    assert status(program, "SM2", "CS005") == "unmet"
    assert status(program.replace("PROT_READ", "PROT_READ | PROT_WRITE"), "SM2") == "met"
    assert status(program, "SM1") == "met"


def test_every_judge_is_tested_on_both_sides() -> None:
    met = {id for name in TRAINERS for id, found in EXPECTED[name]["requirements"].items() if found == "met"}
    unmet = {id for name in TRAINERS for id, found in EXPECTED[name]["requirements"].items() if found == "unmet"}
    assert met | set(MET_IN_THE_TREE) >= set(IDS)
    assert unmet | {id for id, _, _ in UNMET} | {"SM2"} >= set(IDS)


# --------------------------------------------------------------------------------------------------------- near misses
def test_an_inexact_limit_is_only_partly_enforced() -> None:
    limited = BARE.replace("    count = argc;\n", "    count = argc;\n    if (count > 12)\n        return 1;\n")
    assert status(limited, "NZ4") == "partly"
    assert status(BARE, "NZ4") == "unmet"


def test_validation_without_a_limit_is_partly_met() -> None:
    checked = BUSY.replace(
        "        update_weights(pool);",
        "        if (pool->sum[0] != pool->sum[0])\n            continue;\n        update_weights(pool);",
    )
    assert status(checked, "LF5") == "partly"


def test_what_is_not_known_is_unknown() -> None:
    found = {one.id: one.status for one in judge(analysed(NO_THREADS), [], load_plan())}
    assert found["NZ1"] == "unmet"
    assert {found[id] for id in ("NZ2", "NZ4", "NZ5", "BA2", "BA6", "LF1", "LF5", "SM2", "SM3", "IN2")} == {"unknown"}


def test_a_barrier_that_is_never_destroyed_is_partly_met() -> None:
    assert status(BUSY, "BA1") == "partly"


def test_an_unreached_function_alone_is_partly_met() -> None:
    assert status(BUSY + "void left_over(void) {}\n", "IN3") == "partly"
    assert status(BUSY, "IN3") == "met"


# ------------------------------------------------------------------------------------------------------------ the plan
def test_the_shipped_plan_is_the_documented_one() -> None:
    shipped = ROOT / "cllm_sim" / "auditor" / "data" / "master-plan.toml"
    assert shipped.read_bytes() == (ROOT / "docs" / "master-plan.toml").read_bytes()


def test_a_users_row_without_a_judge_is_left_to_a_person(tmp_path: Path) -> None:
    path = tmp_path / "plan.toml"
    path.write_text(
        '[[requirement]]\nid = "X1"\ntext = "Something of ours."\n[[requirement]]\nid = "IN2"\ntext = "One."\n'
    )
    one, other = judge(analysed(BUSY), [], load_plan(path))
    assert (one.status, one.evidence[0].site) == ("unknown", None)
    assert "evidence must be given by a person" in one.evidence[0].text
    assert other.status == "met"


BAD_PLANS = [
    ('[[requirement]]\ntext = "a"\n', ":1: 'id' is missing"),
    ('[[requirement]]\nid = "A"\ntext = "  "\n', ":1: 'text' is missing or empty"),
    ('[[requirement]]\nid = "A"\ntext = "a"\n\n[[requirement]]\nid = "A"\ntext = "b"\n', ":5: the id 'A' stands at"),
    ('[[requirement]]\nid = "A"\ntext = "a"\ncolour = "red"\n', ":1: unknown key 'colour'"),
    ('[[requirement]]\nid = "A"\ntext = 3\n', ":1: 'text' must be a text"),
    ('title = "mine"\n', "unknown key 'title'"),
    ("", "holds no [[requirement]] row"),
    ("requirement = 3\n", "holds no [[requirement]] row"),
    ("[[requirement\n", "is no TOML"),
]


@pytest.mark.parametrize(("text", "words"), BAD_PLANS)
def test_a_bad_plan_says_what_is_wrong_and_where(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "plan.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadRequest) as caught:
        load_plan(path)
    assert words in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_plan_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="cannot be read"):
        load_plan(tmp_path / "none.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(BadRequest, match="cannot be read"):
        load_plan(tmp_path / "bytes.toml")
