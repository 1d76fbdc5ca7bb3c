"""The environment's decisions in a run of limited length: which orders the root is given, one after another.

The checker follows every option of a `choose`; the simulator and the runtime take the next entry of this script, so
zero, one or many epochs are one text.
"""

from cllm_sim.operations import BATCH, EPOCH, STOP


def script(steps: int, epoch_steps: int = 0, done: int = 0) -> list[int]:
    """`steps` batches, the end of an epoch after every `epoch_steps` of them (0: once, at the end), then stop.

    Where a run is resumed, `done` batches were processed before; epochs go on where they were.
    """
    orders: list[int] = []
    for step in range(done + 1, done + steps + 1):
        orders.append(BATCH)
        if epoch_steps and step % epoch_steps == 0:
            orders.append(EPOCH)
    if steps and orders[-1] != EPOCH:
        orders.append(EPOCH)
    return [*orders, STOP]


def choice(orders: list[int], position: int, options: tuple[int, ...]) -> int:
    """The order at a position of the script; beyond its end, or where it is no option, the last option (leave)."""
    order = orders[position] if position < len(orders) else options[-1]
    return order if order in options else options[-1]
