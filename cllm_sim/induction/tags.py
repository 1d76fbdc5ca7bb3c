"""How the tags of steps travel with the data.

Rules of this file: tags follow the data and decide nothing; a sum has the tag of its parts, or is mixed.
"""

from collections.abc import Iterable, Iterator

from cllm_sim.compose import Bound
from cllm_sim.induction.actions import READS_WORDS, WRITES_WORDS
from cllm_sim.induction.level import Level
from cllm_sim.induction.world import MIXED, NOTHING
from cllm_sim.operations import Kind, Verb
from cllm_sim.semantics import Fault, Memory, Outcome


class Tags:
    """The tags of one level."""

    def __init__(self, level: Level) -> None:
        self.level = level

    def carry(
        self,
        bound: Bound,
        actor: int,
        registers: list[int],
        tags: list[int],
        memory: Memory,
        outcome: Outcome,
        given: int,
    ) -> Iterator[Fault]:
        """Tags follow the data: a read fills the register, a write hands it on, a sum has the tag of its parts.

        A number without a tag (a constant, a flag that nobody derived from an order) leaves the register as it is.
        """
        verb = bound.verb
        if verb is Verb.CHOOSE:
            registers[actor] = given
        if verb in READS_WORDS:
            held = tags[bound.on]
            if verb in WRITES_WORDS and outcome.memory.value[bound.on] != memory.value[bound.on]:
                tags[bound.on] = registers[actor]
            carried = given if bound.on in self.level.open_to else held
            registers[actor] = carried if carried != NOTHING else registers[actor]
        elif verb in WRITES_WORDS:
            tags[bound.on] = registers[actor]
        elif verb is Verb.COMPUTE:
            for item in bound.writes:
                tags[item] = registers[actor]
        elif verb is Verb.FOLD:
            _fold_tags(bound, tags, memory)
        elif verb is Verb.UPDATE:
            yield from self._applied(bound, registers[actor], tags)
        if bound.on in self.level.open_to:
            tags[bound.on] = NOTHING

    def _applied(self, bound: Bound, order: int, tags: list[int]) -> Iterator[Fault]:
        for item in bound.reads:
            if tags[item] != order:
                text = f"applies {self.level.system.objects[item].name}, which does not carry the order of this step"
                yield Fault("old-tag", text, item)
        self.without_regions(tags)

    def without_regions(self, tags: list[int]) -> list[int]:
        for item, thing in enumerate(self.level.system.objects):
            if thing.kind is Kind.REGION:
                tags[item] = NOTHING
        return tags


def _fold_tags(bound: Bound, tags: list[int], memory: Memory) -> None:
    parts = [tags[item] for item in bound.reads]
    for item in bound.writes:
        begun = [tags[item]] if memory.value[item] < 0 else []
        tags[item] = together([*parts, *begun])


def together(tags: Iterable[int]) -> int:
    """The tag of data from several places: theirs where they agree."""
    found = set(tags)
    return found.pop() if len(found) == 1 else MIXED
