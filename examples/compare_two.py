"""Two designs compared without a real run: verdict, worst number of waiters, predicted step time.

    python examples/compare_two.py FOLDER [COSTS]

FOLDER gets the result, the figures and index.html. COSTS is a file that `cllm calibrate` wrote; without it the last
calibration of this machine is used, or one is made now, which takes seconds.
"""

import sys

from cllm_sim import compare


def main(folder: str, costs: str | None = None) -> int:
    """Compare, print a table, return the exit code."""
    result = compare(
        "node_zero", "model_lock", workers=(3,), with_=("check", "simulate"), costs=costs, slots=12, output=folder
    )
    for row in result.rows:
        name, waiters, predicted = row["architecture"], row["contention_max"], row["predicted_ms"]
        print(f"{name:12} {row['verdict']:10} {waiters:2} waiting at worst   {predicted:8.2f} ms per step")
    print(f"more in {folder}/index.html")
    return int(result.exit_code)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
