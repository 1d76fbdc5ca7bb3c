"""The command line `cllm`: one file per verb, and around them how a command starts, shows what it does, and ends.

`verbs` lists the verbs without importing them, `options` holds what they have in common, `config` reads the defaults
from a file, `terminal` and `progress` own the two streams, `exit` turns every ending into a code and at most one
line.

Rules of this package: importing it costs click and the vocabulary, nothing else; a verb imports what it needs when it
runs. Results go to stdout, everything else to stderr. A verb calls `cllm_sim.api` and computes nothing of its own.
"""

import sys

from cllm_sim.cli.exit import ends_when_terminated, run


def main() -> None:
    """Entry point of the `cllm` command."""
    ends_when_terminated()
    sys.exit(run(sys.argv[1:]))
