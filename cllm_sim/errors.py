"""Everything that can go wrong, as one tree; the exit code of a command follows from the class and from nothing else.

Rules of this file: an error's message is one line that says what happened, where (the user's file and line where
there is one) and what to do. Programming errors of ours are assertions, not members of this tree. Keep in step with
`cli/exit.py`.
"""


class CllmError(Exception):
    """Root of all errors that this project raises on purpose."""


class BadRequest(CllmError):
    """The request is at fault (exit code 2): wrong option, unreadable file, missing optional part."""


class BadArchitecture(BadRequest):
    """A file is not a usable architecture, or one of its texts breaks a rule of the language."""


class NondeterministicText(BadArchitecture):
    """A text did something else when it was run a second time with the same replies."""


class MissingExtra(BadRequest):
    """An optional part is not installed; the message names the command that installs it."""


class SubjectFailed(CllmError):
    """The subject is at fault (exit code 1): a training run that died, a worker that hung."""


class WorkerDied(SubjectFailed):
    """A process of a real run ended when it should not have; the message names the actor and how it ended."""


class RunHung(SubjectFailed):
    """No process of a real run moved within the limit; the message says who waits for whom."""
