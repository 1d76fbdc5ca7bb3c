"""A real run judged twice: are its weights those of a single process, and is its record a behaviour of the text?

    python examples/train_and_validate.py FOLDER [STEPS]

Needs Linux: one process per actor, five here. FOLDER gets both runs.
"""

import sys

from cllm_sim import train, validate


def main(folder: str, steps: int = 10) -> int:
    """Train twice, compare, judge; return the exit code."""
    alone = train("serial", slots=12, steps=steps, output=f"{folder}/serial")
    crew = train("node_zero", workers=4, steps=steps, output=f"{folder}/node_zero")
    print(f"{crew.processes} processes, loss {crew.loss['first']:.2f} to {crew.loss['last']:.2f} bits per byte")
    same = crew.digest == alone.digest
    print(f"the same weights as one process, bit for bit: {'yes' if same else 'NO'}")
    judged = validate(f"{folder}/node_zero", predict=False)
    print(f"{judged.events} recorded events, legal: {'yes' if judged.legal else 'NO'}")
    return 0 if same and judged.legal else 1


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], *map(int, sys.argv[2:])))
