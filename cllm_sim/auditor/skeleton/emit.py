"""The architecture file of a skeleton: header, numbers, objects, one generator for each function, the threads.

Rules of this file: the file is for a person to read, correct and check again; every line that comes from C says which.
"""

from __future__ import annotations

from dataclasses import dataclass

from cllm_sim.auditor.facts import Site
from cllm_sim.auditor.locations import Location
from cllm_sim.auditor.skeleton.code import INDENT, Written, simplified, without_guesses, write
from cllm_sim.auditor.skeleton.grouping import together
from cllm_sim.auditor.skeleton.model import Origin, Skeleton
from cllm_sim.auditor.skeleton.objects import Thing
from cllm_sim.auditor.skeleton.round import Generator, Round
from cllm_sim.auditor.skeleton.sizes import THREADS
from cllm_sim.auditor.skeleton.threads import Group

CLASSES = {"barrier": "Barrier", "mutex": "Mutex", "condition": "Condition", "semaphore": "Semaphore",
           "word": "Word", "variable": "Variable"}  # fmt: skip
ORDER = ("mutex", "condition", "barrier", "semaphore", "word", "variable")
WIDTH = 110


@dataclass(slots=True)
class _File:
    """The file being written, and what is known of its lines."""

    written: Written
    functions: list[tuple[int, int, str]]
    declared: dict[int, tuple[Site, Location | None]]


def emitted(round: Round, starts: list[Generator], program: str, workers: int) -> Skeleton:
    """The skeleton of a finished round; `starts` are the generators of the groups, the main thread's first."""
    file = _File(Written(), [], {})
    bodies = _bodies(round, starts)
    stands = _together(round, bodies)
    things = _used(round, bodies)
    _header(round, program, file)
    _numbers(round, file)
    names = _objects(round, things, stands, file)
    names += _starts(round, file)
    for generator in bodies:
        _generator(generator, generator in starts, file)
    _roles(round, file)
    _architecture(round, names, starts, file)
    return _skeleton(round, things, stands, file, workers)


def _bodies(round: Round, starts: list[Generator]) -> list[Generator]:
    """The generators that are called from somewhere, in the order of the program's text."""
    made = [one for one in round.generators.values() if one.done and not one.silent and one not in starts]
    for one in (*made, *starts):
        one.body = simplified(without_guesses(one.body))
    found = list(starts)
    for one in found:
        text = "\n".join(_text(one))
        found += [other for other in made if other not in found and f"from {other.name}(" in text]
    return sorted(found, key=lambda one: (one.function.path, one.function.line))


def _together(round: Round, bodies: list[Generator]) -> dict[str, list[str]]:
    things = round.objects.things.values()
    data = {thing.name for thing in things if thing.data and thing.name not in round.followed}
    return together((one.body for one in bodies), data, {thing.name: thing.sizes for thing in things})


def _text(generator: Generator) -> list[str]:
    out = Written()
    write(generator.body, 0, out)
    return out.lines


def _used(round: Round, bodies: list[Generator]) -> list[Thing]:
    """The objects that the bodies name, mutexes of conditions included."""
    words = set()
    for one in bodies:
        for line in _text(one):
            words |= set("".join(c if c.isalnum() or c == "_" else " " for c in line.partition("  #")[0]).split())
    found = [thing for thing in round.objects.things.values() if thing.name in words]
    for thing in list(found):
        if thing.mutex is not None and thing.mutex not in found:
            found.append(thing.mutex)
    return sorted(found, key=lambda one: (ORDER.index(one.kind), one.site, one.name))


def _header(round: Round, program: str, file: _File) -> None:
    add = file.written.lines.append
    add(f'"""{program}: how its threads wait for each other, taken from the C sources.')
    add("")
    add("Every line names the line of C it comes from. Correct what was misread, and check again:")
    add("")
    add("    cllm check ./skeleton.py")
    add("")
    if round.abstracted:
        add("Left out, or left to the environment:")
        add("")
        for text, site in sorted(round.abstracted, key=lambda one: one[1]):
            add(f"- {site}: {_plain(text)}")
    add('"""')
    add("")
    add("from functools import partial")
    add("")
    add("from cllm_sim import (")
    add("    BATCH, Architecture, Barrier, Condition, Mutex, Seat, Semaphore, Steps, Team, Variable, Word, Work,")
    add("    choose, join,")
    add(")  # fmt: skip")
    add("")


def _plain(text: str) -> str:
    return text.replace("\\", "/").replace('"', "'")


def _numbers(round: Round, file: _File) -> None:
    for size in round.sizes.known.values():
        was = f"{size.original} in the program" if size.original is not None else "any number in the program"
        what = {THREADS: "threads", "rounds": "rounds", "limit": "a limit"}[size.kind]
        file.written.lines.append(f"{size.name} = {size.value}  # {size.site}: {what}, {_plain(size.text)}: {was}")
    file.written.lines.append("")


def _objects(round: Round, things: list[Thing], stands: dict[str, list[str]], file: _File) -> list[str]:
    names = []
    for thing in things:
        arguments = _arguments(round, thing)
        labels = _labels(round, thing, stands)
        comment = f"  # {thing.site}: {', '.join(labels)}"
        file.declared[len(file.written.lines) + 1] = (thing.site, thing.location)
        text = f"{CLASSES[thing.kind]}({arguments})"
        names.append(_listed(thing.name, thing.sizes, text, file, comment))
    return names


def _labels(round: Round, thing: Thing, stands: dict[str, list[str]]) -> list[str]:
    """What an object stands for: itself, and memory that is always touched together with it."""
    others = [one for one in round.objects.things.values() if one.name in stands.get(thing.name, ())]
    return [thing.label, *(one.label for one in others)]


def _listed(name: str, sizes: tuple[str, ...], text: str, file: _File, comment: str) -> str:
    """Declare one object, or a list of them; returns how the architecture names it."""
    for number in reversed(range(len(sizes))):
        text = f"[{text} for i{number} in range({sizes[number]})]"
    file.written.lines.append(f"{name} = {text}{comment}")
    if not sizes:
        return name
    if len(sizes) == 1:
        return f"*{name}"
    inner = "one"
    loops = f"for row in {name} for one in row" if len(sizes) == 2 else f"for a in {name} for row in a for one in row"
    return f"*({inner} {loops})"


def _name(thing: Thing) -> str:
    if not thing.sizes:
        return f'"{thing.name}"'
    return 'f"' + thing.name + "".join(f"_{{i{number}}}" for number in range(len(thing.sizes))) + '"'


def _arguments(round: Round, thing: Thing) -> str:
    name = _name(thing)
    if thing.kind == "barrier":
        parties = thing.parties or str(max(1, round.threads.parties(thing.location)))
        return f"lambda workers: {parties}, {name}"
    if thing.kind == "condition":
        return f"{_mutex_name(thing)}, {name}"
    initial = thing.initial or _initial(round, thing)
    return f"{name}, initial={initial}" if initial not in {"", "0"} else name


def _mutex_name(thing: Thing) -> str:
    mutex = thing.mutex
    if mutex is None:
        return '"no_mutex"'
    if len(mutex.sizes) == len(thing.sizes):
        return _name(mutex)
    return f'"{mutex.name}' + "_0" * len(mutex.sizes) + '"'


def _initial(round: Round, thing: Thing) -> str:
    """The value that a static initialiser gives."""
    if thing.kind not in {"word", "variable", "semaphore"} or thing.data:
        return ""
    names = [one for one in thing.family.path if one not in {"*", "[]"}]
    for stored in round.places.stores.of(names[-1] if names else thing.family.root.name):
        if not stored.initial:
            continue
        frame = round.places.frame(stored.function)
        place = round.places.place(stored.target, frame)
        if place is not None and place.family == thing.family:
            text = round.sizes.text(stored.value, frame)
            if text is not None:
                return text
    return ""


def _starts(round: Round, file: _File) -> list[str]:
    file.written.lines.append('process_ends = Word("process_ends")')
    names = ["process_ends"]
    for group in round.threads.groups[1:]:
        name = f"{group.name}_start"
        shown = f'"{name}"' if not group.sizes else (
            'f"' + name + "".join(f"_{{i{n}}}" for n in range(len(group.sizes))) + '"')  # fmt: skip
        names.append(_listed(name, tuple(group.sizes), f"Semaphore({shown})", file, f"  # {group.site}: creation"))
    return names


def _generator(generator: Generator, is_start: bool, file: _File) -> None:
    lines = file.written.lines
    lines += ["", ""]
    parameters = [f"{name}: int" for name in generator.parameters]
    if is_start and generator.group.name != "main":
        parameters.append("team: Team[Seat]")
    first = len(lines) + 1
    lines.append(f"def {generator.name}({', '.join(parameters)}) -> Steps:  # {_where(generator)}")
    for name in sorted(set(generator.locals.values()) - set(generator.parameters)):
        if _needs_value(_text(generator), name):
            lines.append(f"    {name} = 0")
    write(generator.body, 1, file.written)
    file.functions.append((first, len(lines), generator.function.name))


def _needs_value(lines: list[str], name: str) -> bool:
    """Is a local used, and not only as a loop's variable?"""
    codes = [line.partition("  #")[0].strip() for line in lines]
    if any(code.startswith(f"for {name} in ") for code in codes) and not any(
        code.startswith(f"{name} = ") for code in codes
    ):
        return False
    return any(name in "".join(c if c.isalnum() or c == "_" else " " for c in code).split() for code in codes)


def _where(generator: Generator) -> str:
    return f"{generator.function.path}:{generator.function.line}"


def _roles(round: Round, file: _File) -> None:
    lines = file.written.lines
    lines += [
        "", "",
        "def root(me: Seat, work: Work) -> Steps:",
        "    yield from work(BATCH)",
        "", "",
        "def leaf(me: Seat, team: Team[Seat], order: int) -> Steps:  # the program's own thread",
        "    yield from main()",
        "    yield process_ends.store(1)  # who was never started never runs",
    ]  # fmt: skip
    for group in round.threads.groups[1:]:
        for number, size in enumerate(group.sizes):
            lines.append(INDENT * (number + 1) + f"for i{number} in range({size}):")
        text = "".join(f"[i{number}]" for number in range(len(group.sizes)))
        lines.append(INDENT * (len(group.sizes) + 1) + f"yield {group.name}_start{text}.up()")
    lines += ["", ""]


def _architecture(round: Round, names: list[str], starts: list[Generator], file: _File) -> None:
    lines = file.written.lines
    lines.append("architecture = Architecture(")
    lines.append("    root,")
    lines.append("    leaf=leaf,")
    lines.append(f"    shared=({', '.join(names)},)," if names else "    shared=(),")
    lines.append("    others={")
    for group, generator in zip(round.threads.groups[1:], starts[1:], strict=True):
        lines.append(f"        {_other(group, generator)},")
    lines.append("    },")
    lines.append(")")


def _other(group: Group, generator: Generator) -> str:
    numbers = tuple(f"i{n}" for n in range(len(group.sizes)))
    if not numbers:
        return f'"{group.name}": {generator.name}'
    loops = " ".join(f"for i{n} in range({size})" for n, size in enumerate(group.sizes))
    return f"**{{{group.actor(numbers)}: partial({generator.name}, {', '.join(numbers)}) {loops}}}"


def _skeleton(round: Round, things: list[Thing], stands: dict[str, list[str]], file: _File, workers: int) -> Skeleton:
    lines: dict[int, Origin] = {}
    for number, site in file.written.origin.items():
        function = next((name for first, last, name in file.functions if first <= number <= last), "")
        lines[number] = Origin(site, function)
    for number, (site, location) in file.declared.items():
        lines[number] = Origin(site, "", location)
    actors = {"0": "main"}
    for group in round.threads.groups[1:]:
        values = [round.threads.size(name).value for name in group.sizes]
        actors.update(_actors(group, values))
    objects = {thing.name: (thing.label, thing.location) for thing in things}
    by_name = {thing.name: thing for thing in round.objects.things.values()}
    locations = {
        thing.name: tuple(
            one.location for one in (thing, *(by_name[name] for name in stands.get(thing.name, ())))
            if one.location is not None
        )
        for thing in things
    }  # fmt: skip
    abstracted = tuple(sorted(round.abstracted, key=lambda one: one[1]))
    text = "\n".join(file.written.lines) + "\n"
    return Skeleton(text, abstracted, lines, file.written.choices, actors, objects, workers, locations=locations,
                    vague=tuple(sorted(round.vague)))  # fmt: skip


def _actors(group: Group, values: list[int]) -> dict[str, str]:
    found = {group.name: group.name}
    for value in values:
        found = {f"{name}_{n}": f"{shown} {n + 1}" if " " not in shown else f"{shown}.{n + 1}"
                 for name, shown in found.items() for n in range(value)}  # fmt: skip
    return found
