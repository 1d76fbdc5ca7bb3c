"""Goal: the smallest limit above a process is found, for both versions of control groups. Method: made-up folders."""

from pathlib import Path

import pytest

from real_runtime.cgroup import memory_left_bytes, quota_cores


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "own").write_text("0::/job/step\n4:memory:/job/step\n3:cpu,cpuacct:/job/step\n1:name=systemd:/\n")
    return tmp_path


def put(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)


def test_no_files_mean_no_limit(root):
    assert quota_cores(root, root / "own") is None
    assert memory_left_bytes(root, root / "own") is None
    assert quota_cores(root, root / "missing") is None


def test_version_2_takes_the_smallest_quota_up_to_the_root(root):
    put(root / "job" / "step", cpu__max="max 100000\n")
    put(root / "job", cpu__max="150000 100000\n")
    put(root, cpu__max="400000 100000\n")
    assert quota_cores(root, root / "own") == 1.5


@pytest.mark.parametrize("folder", ["cpu", "cpu,cpuacct"])
def test_version_1_under_either_name(root, folder):
    put(root / folder / "job", cpu__cfs_quota_us="250000\n", cpu__cfs_period_us="100000\n")
    put(root / folder / "job" / "step", cpu__cfs_quota_us="-1\n", cpu__cfs_period_us="100000\n")
    assert quota_cores(root, root / "own") == 2.5


def test_version_2_beside_version_1(root):
    put(root / "unified" / "job", cpu__max="50000 100000\n")
    assert quota_cores(root, root / "own") == 0.5


def test_inside_a_container_the_path_may_be_invisible(root):
    put(root, cpu__max="200000 100000\n")
    (root / "own").write_text("0::/somewhere/of/the/host\n")
    assert quota_cores(root, root / "own") == 2.0


def test_memory_of_version_2_counts_cached_files_as_free(root):
    stat = "anon 5000\ninactive_file 300\nactive_file 200\nshmem 400\n"
    put(root / "job", memory__max="10000\n", memory__current="6000\n", memory__stat=stat)
    put(root, memory__max="max\n", memory__current="9000\n", memory__stat=stat)
    assert memory_left_bytes(root, root / "own") == 10000 - (6000 - 500)


def test_memory_of_version_1_is_never_below_zero(root):
    put(root / "memory" / "job", memory__limit_in_bytes="1000\n", memory__usage_in_bytes="1500\n")
    assert memory_left_bytes(root, root / "own") == 0
    put(root / "memory" / "job", memory__stat="inactive_file 1\ntotal_inactive_file 700\ntotal_active_file 0\n")
    assert memory_left_bytes(root, root / "own") == 200


def test_this_machine_can_be_asked():
    cores, left_bytes = quota_cores(), memory_left_bytes()
    assert cores is None or cores > 0
    assert left_bytes is None or left_bytes > 0
