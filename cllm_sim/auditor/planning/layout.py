"""The program's own names for what the protocol speaks of: pool, barriers, order, entries, loops.

Rules of this file: names that exist are found, names that do not are proposed (`proposed` tells which); nothing is
judged here.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from functools import cached_property

from cllm_sim.auditor.facts import Binary, Function, Loop, Record, Site, Stmt
from cllm_sim.auditor.flow import Step
from cllm_sim.auditor.inventory import SharedObject
from cllm_sim.auditor.locations import Location
from cllm_sim.auditor.planning.draft import Text
from cllm_sim.auditor.planning.lines import last_line
from cllm_sim.auditor.requirements import Subject
from cllm_sim.auditor.requirements.gradients import folding_steps
from cllm_sim.auditor.requirements.rounds import batch_barrier
from cllm_sim.auditor.roles import Role
from cllm_sim.auditor.traverse import statements
from cllm_sim.auditor.vocabulary import Act

BATCH, EPOCH, ORDER = "batch_barrier", "epoch_barrier", "order"
TRAINING = ("distribute", "accumulate", "update")


class Layout:
    """Names and places of one program."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.program = subject.program

    # --------------------------------------------------------------------------------------------------------- roles
    @cached_property
    def worker(self) -> Role | None:
        """The role of the workers."""
        return self.subject.workers[0] if self.subject.workers else None

    @cached_property
    def worker_entry(self) -> Function | None:
        """The workers' entry function."""
        return None if self.worker is None else self.worker.entries[0]

    @cached_property
    def control_entry(self) -> Function | None:
        """The entry of the control, or of the parked thread that is to become it."""
        role = self.subject.control or (self.subject.parked[0] if self.subject.parked else None)
        return None if role is None else role.entries[0]

    @cached_property
    def control_name(self) -> str:
        """The control's entry by name; a proposal where there is none."""
        return self.control_entry.name if self.control_entry is not None else self.free("control_main")

    def free(self, name: str) -> str:
        """A function name that the program does not use yet."""
        used = {function.name for function in self.program.functions}
        while name in used:
            name = f"node_{name}"
        return name

    # ------------------------------------------------------------------------------------------------------- records
    @cached_property
    def worker_record(self) -> Record | None:
        """The record a worker is given."""
        return None if self.worker is None else self._given(self.worker)

    def _given(self, role: Role) -> Record | None:
        for created in role.created:
            if created.event.argument is not None:
                type = self.program.type_of(created.event.argument, created.function)
                record = None if type is None else self.program.record(type, created.function.path)
                if record is not None:
                    return record
        return None

    @cached_property
    def pool(self) -> Record | None:
        """The record that all threads share: the barriers' owner, or what the workers' record points to."""
        owners = {one.location.owner for one in self.subject.barriers if one.location.kind == "member"}
        records = [record for file in self.program.files for record in file.records]
        for record in records:
            if self.program.label(record.name, record.path) in owners:
                return record
        coordinated = self._pointed_to(self.worker_record)
        return coordinated or self.worker_record

    def _pointed_to(self, record: Record | None) -> Record | None:
        """A record that another points to and that counts the workers, or holds them."""
        if record is None:
            return None
        for member in record.members:
            found = self.program.record(member.type, record.path) if member.type.pointers == 1 else None
            if found is None or found.name == record.name:
                continue
            for one in found.members:
                there = self.program.record(one.type, found.path)
                if there is not None and there.name == record.name:
                    return found
        return None

    @cached_property
    def pool_label(self) -> str:
        """What a person calls the pool."""
        return "" if self.pool is None else self.program.label(self.pool.name)

    def workers_of(self, function: Function) -> str:
        """The array of the workers' records as a function writes it: `pool->workers`; "" where it has none."""
        pool, record = self.pool, self.worker_record
        for member in () if pool is None or record is None else pool.members:
            there = self.program.record(member.type, pool.path) if pool is not None else None
            if there is not None and record is not None and there.name == record.name:
                way = self.way_to(self.pool_label, function)
                return f"{way}{member.name}" if way else ""
        return ""

    # ------------------------------------------------------------------------------------------------------ barriers
    @cached_property
    def batch(self) -> Location:
        """The batch barrier: the one that is met, else one that is declared, else a proposal."""
        met = batch_barrier(self.subject)
        if met is not None:
            return met.location
        others = [one.location for one in self.subject.barriers if one.location != self.epoch]
        named = [one for one in others if "batch" in one.name.lower()]
        return (named or others or [self.member(BATCH)])[0]

    @cached_property
    def epoch(self) -> Location:
        """The epoch barrier: one by that name, else a proposal."""
        named = [one.location for one in self.subject.barriers if "epoch" in one.location.name.lower()]
        return named[0] if named else self.member(EPOCH)

    def member(self, name: str) -> Location:
        """A member of the pool (a global where there is no pool) by a name of ours."""
        return Location("member", self.pool_label, name) if self.pool is not None else Location("global", "", name)

    def known(self, location: Location) -> SharedObject | None:
        """The object at a location, where the program has it."""
        return self.subject.analysis.inventory.objects.get(location)

    @cached_property
    def count(self) -> str:
        """The number of workers, as the program writes it."""
        inits = [init for one in self.subject.barriers for init in one.initialised if init.count is not None]
        if inits and inits[0].count is not None and inits[0].count.text.endswith(" + 1"):
            return inits[0].count.text[: -len(" + 1")]
        if self.worker is None:
            return "WORKERS"
        if self.worker.count is not None:
            return self.worker.count.text
        for created in self.worker.created:
            for loop in _loops(created.function):
                if covers(loop, created.event.site.line) and isinstance(loop.condition, Binary):
                    return self.program.text(loop.condition.right)
        return "WORKERS"

    @cached_property
    def constant(self) -> bool:
        """Is the number of workers a constant?"""
        count = None if self.worker is None else self.worker.count
        return count is not None and self.program.followed(count).value is not None

    def over_workers(self, loop: Loop, function: Function) -> bool:
        """Does a loop go over the workers, one round each?"""
        condition = loop.condition
        if not isinstance(condition, Binary):
            return False
        if self.program.text(condition.right).rpartition(">")[2] == self.count.rpartition(">")[2]:
            return True
        count = None if self.worker is None else self.worker.count
        there = self.program.followed(self.program.count(condition.right, function, function.path))
        return count is not None and there.same(self.program.followed(count))

    # -------------------------------------------------------------------------------------------------------- places
    def reference(self, location: Location, function: Function) -> str:
        """How a function writes a location: `pool->batch_barrier`, `worker->pool->batch_barrier`."""
        if location.kind != "member":
            return location.name
        base = self.way_to(location.owner, function)
        return f"{base}{location.name}" if base else f"{location.owner.split('.')[-1]}->{location.name}"

    def named(self, location: Location, text: Text) -> str:
        """The same for a function that a step adds: it holds the pool under that name."""
        if text.function is not None:
            return self.reference(location, text.function)
        return f"pool->{location.name}" if location.kind == "member" else location.name

    def way_to(self, label: str, function: Function) -> str:
        """`pool->` or `worker->pool->`: how a function gets at a record by its label; "" where it cannot."""
        indirect = ""
        for name, variable in self.program.locals(function).items():
            record = self.program.record(variable.type, function.path)
            if record is None or variable.type.pointers > 1:
                continue
            step = f"{name}->" if variable.type.pointers else f"{name}."
            if self.program.label(record.name) == label:
                return step
            for member in record.members:
                there = self.program.record(member.type, record.path)
                if there is not None and member.type.pointers == 1 and self.program.label(there.name) == label:
                    indirect = indirect or f"{step}{member.name}->"
        return indirect or self._global_way(label)

    def _global_way(self, label: str) -> str:
        """`shared.`: the one global variable of a record."""
        found = []
        for file in self.program.files:
            for one in file.globals:
                record = (
                    self.program.record(one.type, file.path) if one.type.pointers < 2 and not one.type.arrays else None
                )
                if (
                    record is not None
                    and self.program.label(record.name) == label
                    and "extern" not in one.type.qualifiers
                ):
                    found.append(f"{one.name}->" if one.type.pointers else f"{one.name}.")
        return found[0] if len(found) == 1 else ""

    @cached_property
    def work_step(self) -> tuple[Step, Function, Site] | None:
        """The workers' call of batch processing in their entry function: the step, the function, the place."""
        if self.worker is None:
            return None
        for step in self.subject.doing(self.worker, "work"):
            function, site = self.subject.frames(self.worker, step)[0]
            return step, function, site
        return None

    @cached_property
    def round(self) -> tuple[Function, Loop] | None:
        """The director's loop over the batches, with its function."""
        role = self.subject.director
        if role is None:
            return None
        steps = [step for purpose in TRAINING for step in self.subject.doing(role, purpose)]
        steps = steps or folding_steps(self.subject)[1] if role is folding_steps(self.subject)[0] else steps
        for step in steps:
            for function, site in reversed(self.subject.frames(role, step)):
                loops = self._around(function, site)
                if loops:
                    return function, loops[-1]
        return None

    @cached_property
    def epochs(self) -> tuple[Function, Loop] | None:
        """The director's outermost loop around the training, with its function."""
        role = self.subject.director
        if role is None:
            return None
        for purpose in (*TRAINING, ""):
            steps = self.subject.doing(role, purpose) if purpose else self._met(role)
            for step in steps:
                for function, site in self.subject.frames(role, step):
                    loops = self._around(function, site)
                    if loops:
                        return function, loops[0]
        return None

    def _met(self, role: Role) -> list[Step]:
        return [step for step in self.subject.waits(role) if step.act is not Act.JOIN]

    def _around(self, function: Function, site: Site) -> list[Loop]:
        """The loops around a place, those over the workers left out."""
        found = [one for one in _loops(function) if covers(one, site.line)]
        return [one for one in found if not self.over_workers(one, function)]

    @cached_property
    def restarted(self) -> tuple[Function, Site] | None:
        """Where the workers are started in every round or epoch, instead of once."""
        role = self.subject.director
        if role is None or self.worker is None:
            return None
        for created in self.worker.created:
            for step in self.subject.flow(role).events(Act.CREATE):
                if step.site == created.event.site and any(
                    self._around(function, site) for function, site in self.subject.frames(role, step)
                ):
                    return created.function, created.event.site
        return None

    def type_of(self, record: Record) -> str:
        """A record as a type: `struct crew`, or its alias where it has no tag."""
        return self.program.label(record.name) if "<" in record.name else record.name

    def site_in(self, role: Role, step: Step, function: Function) -> Site | None:
        """Where a step lies in one of the functions around it."""
        return next((site for one, site in self.subject.frames(role, step) if one is function), None)

    # ---------------------------------------------------------------------------------------------------- for testing
    @cached_property
    def folder(self) -> str:
        """What to audit again: the folder that holds all files, or the only file."""
        paths = [file.path for file in self.program.files]
        return paths[0] if len(paths) == 1 else posixpath.commonpath(paths) or "." if paths else "."

    @cached_property
    def sources(self) -> str:
        """The C files as an argument for the compiler."""
        if self.folder.endswith(".c"):
            return self.folder
        folders = sorted({posixpath.dirname(file.path) for file in self.program.files if file.path.endswith(".c")})
        return " ".join(posixpath.join(one, "*.c") for one in folders)

    @property
    def sanitised(self) -> str:
        """A command that builds the program with the thread sanitizer and runs it."""
        return f"gcc -g -O1 -pthread -fsanitize=thread {self.sources} -lm -o trainer-tsan && ./trainer-tsan"

    @property
    def again(self) -> str:
        """A command that audits the program again."""
        return f"cllm audit {self.folder}"


def _loops(function: Function) -> Iterator[Loop]:
    return (one for one in statements(function.body) if isinstance(one, Loop))


def covers(one: Stmt, line: int) -> bool:
    """Does a statement span a line of its function?"""
    return one.line <= line <= last_line(one)
