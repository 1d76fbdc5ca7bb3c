"""An error on its way between processes: from an actor to its host, and from the host to whoever asked for the run.

Rules of this file: what travels is plain JSON; the class arrives again where the other side knows it, else its nearest
relative in `cllm_sim.errors`. The message is one line; a traceback travels beside it.
"""

import json
import traceback
from dataclasses import asdict, dataclass, replace
from typing import Any

from cllm_sim import errors
from cllm_sim.errors import BadRequest, CllmError, SubjectFailed


class InternalFailure(CllmError):
    """The host itself failed: a defect of this project."""


KINDS: dict[str, type[CllmError]] = {"request": BadRequest, "subject": SubjectFailed, "internal": InternalFailure}
"""Who is at fault -> the class of an error whose own class is not known on the other side."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One error: who is at fault (a key of `KINDS`), the name of its class, its one line, and its traceback."""

    kind: str
    name: str
    message: str
    details: str = ""

    @classmethod
    def of(cls, error: BaseException, stranger: str = "internal") -> "Failure":
        """Describe an error; `stranger` is the kind of those that are not of our own tree."""
        own = isinstance(error, CllmError)
        kind = next((kind for kind, parent in KINDS.items() if isinstance(error, parent)), "internal")
        message = str(error) if own else f"{type(error).__name__}: {error}"
        details = "".join(traceback.format_exception(error))
        return cls(kind if own else stranger, type(error).__name__, " ".join(message.split()), details)

    def error(self) -> CllmError:
        """The error again, to be raised."""
        parent = KINDS[self.kind]
        known = getattr(errors, self.name, None)
        return (known if isinstance(known, type) and issubclass(known, parent) else parent)(self.message)

    def to_bytes(self, limit_bytes: int) -> bytes:
        """As JSON of at most that many bytes; of a long traceback the end is kept, for it says where it happened."""
        short = replace(self, message=self.message[: limit_bytes // 16])  # at most 12 bytes for one character
        while len(text := json.dumps(asdict(short)).encode()) > limit_bytes:
            short = replace(short, details=short.details[len(short.details) // 2 + 1 :])
        return text


def failure_from(text: str | bytes) -> Failure:
    """The inverse of `Failure.to_bytes`."""
    data: dict[str, Any] = json.loads(text)
    return Failure(**data)
