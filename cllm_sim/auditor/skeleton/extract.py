"""From an analysis to a skeleton: write in rounds until nothing new is learnt, then write the file.

Rules of this file: an answer always comes back; what cannot be made is refused with its reason.
"""

from __future__ import annotations

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.facts import Site
from cllm_sim.auditor.skeleton.code import Block, Line, trimmed
from cllm_sim.auditor.skeleton.emit import emitted
from cllm_sim.auditor.skeleton.model import Skeleton
from cllm_sim.auditor.skeleton.places import Places
from cllm_sim.auditor.skeleton.round import Generator, Knowledge, Round, TooLarge
from cllm_sim.auditor.skeleton.shared import SharedData
from cllm_sim.auditor.skeleton.sizes import Scale, Sizes
from cllm_sim.auditor.skeleton.statements import Writer
from cllm_sim.auditor.skeleton.threads import Threads

ROUNDS_MAX = 60
PATIENCE = 15
_LEAVE = Line("return", Site("", 0), leaves=True)
ACTORS_MAX = 10
FUNCTIONS_MAX = 1500
STEPS_MAX = 12_000


def extract(
    analysis: Analysis, workers: int | None = None, *, rounds: int = 2, limit: int = 2, rings: bool = True
) -> Skeleton:
    """The skeleton of a program with `workers` threads (default 2) of every role of which it makes many.

    `rounds` and `limit` are what loops over known or agreed numbers, and other large constants, shrink to.
    Without `rings`, slots of rings are not told apart.
    """
    scale = Scale(workers or 2, rounds, limit)
    if len(analysis.program.functions) > FUNCTIONS_MAX:
        return Skeleton(refused=f"more than {FUNCTIONS_MAX:,} functions", workers=scale.threads)
    steps = sum(len(analysis.flow(role).steps) for role in analysis.roles.all)
    if steps > STEPS_MAX:
        return Skeleton(refused=f"more than {STEPS_MAX:,} steps", workers=scale.threads)
    places = Places(analysis.program)
    sizes = Sizes(analysis.program, places, scale)
    threads = Threads(analysis, places, sizes)
    if not threads.refused:
        count = threads.count()
        if count > ACTORS_MAX:
            threads.refused = f"{count} threads at once are too many to look at every interleaving"
    if threads.refused:
        return Skeleton(refused=threads.refused, workers=scale.threads)
    knowledge = Knowledge(analysis, places, sizes, threads, SharedData(analysis), scale, rings)
    places.ring_size = sizes.ring
    try:
        finished = _rounds(knowledge)
    except (TooLarge, RecursionError):
        return Skeleton(refused="too many functions take part", workers=scale.threads)
    if finished is None:
        return Skeleton(refused="what decides its conditions could not be settled", workers=scale.threads)
    return emitted(*finished, _program(analysis), scale.threads)


def _program(analysis: Analysis) -> str:
    main = next(role for role in analysis.roles.all if role.caller)
    return main.entries[0].path


def _rounds(knowledge: Knowledge) -> tuple[Round, list[Generator]] | None:
    """Rounds until nothing changes: neither what is wanted nor what was learnt."""
    for number in range(ROUNDS_MAX):
        before, banned = knowledge.size(), len(knowledge.banned)
        round = Round(knowledge)
        starts = _write(round)
        wanted = round.wanted - knowledge.banned
        if number > PATIENCE:
            wanted |= knowledge.tracked - knowledge.banned
        if knowledge.size() != before or wanted != knowledge.tracked:
            knowledge.strict = False
        elif knowledge.strict:
            if knowledge.learnt.rings:
                knowledge.sizes.longer()
            return round, starts
        else:
            knowledge.strict = True  # now what is still not known is given up
        knowledge.tracked = wanted if len(knowledge.banned) == banned else set()
    return None


def _write(round: Round) -> list[Generator]:
    """Write the generators of all groups, and through them all others."""
    starts = []
    for group in round.threads.groups:
        name = round.generator_name(group.name)
        frame = group.frame
        generator = Generator(name, group.entry, frame, group, hows=[frame.how])
        generator.parameters = list(group.own)
        generator.own = group.own
        generator.names |= set(group.own)
        generator.sizes = dict(zip(group.own, group.sizes, strict=True))
        Writer(round, generator).write()
        generator.body = trimmed(generator.body)
        if group.site is not None:
            numbers = "".join(f"[{one}]" for one in group.own)
            start = Line(f"yield {group.name}_start{numbers}.down()", group.site, yields=True)
            ended = Block(Line("if (yield process_ends.load()):", group.site, yields=True), "if", [_LEAVE])
            generator.body = [start, ended, *generator.body]
        elif not any(True for _ in generator.body):
            generator.body = [Line("yield choose(0)", Site("", 0), yields=True)]
        generator.done = True
        starts.append(generator)
    return starts
