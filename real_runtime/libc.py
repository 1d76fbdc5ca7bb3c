"""The C library of this machine through ctypes: found once, and refused in one clear line where it is not glibc.

Rules of this file: importing it must work on every system, so nothing is looked up before it is asked for. Only
`native.py` and `processes.py` call what it hands out. The sizes in `STRUCT_BYTES` belong to the ABI of glibc and never
change for a machine (bits/pthreadtypes-arch.h and bits/semaphore.h of glibc); adding a machine means adding its row.
"""

import ctypes
import errno
import os
import platform
import signal
import struct
import sys
from collections.abc import Callable
from functools import cache

from cllm_sim.errors import BadRequest, CllmError

STRUCT_BYTES = {
    "x86_64": {"pthread_mutex_t": 40, "pthread_cond_t": 48, "pthread_barrier_t": 32, "sem_t": 32},
    "aarch64": {"pthread_mutex_t": 48, "pthread_cond_t": 48, "pthread_barrier_t": 32, "sem_t": 32},
}
PR_SET_PDEATHSIG = 1


class NativeError(CllmError):
    """A call of the C library failed as no text and no option can make it fail: bytes overwritten, or our own fault."""


@cache
def require_glibc() -> tuple[int, int]:
    """The version of glibc, for example (2, 36); raises BadRequest where this is not 64-bit Linux with glibc."""
    needs = f"train needs Linux with glibc on {' or '.join(STRUCT_BYTES)} (64 bit)"
    machine = platform.machine()
    if sys.platform != "linux":
        raise BadRequest(f"{needs}, this is {sys.platform}: use check and simulate here, or train on such a machine")
    try:
        words = (os.confstr("CS_GNU_LIBC_VERSION") or "").split()
    except (ValueError, OSError):
        words = []
    if len(words) != 2 or words[0] != "glibc":
        raise BadRequest(f"{needs}, this system has another C library: use a distribution with glibc")
    if machine not in STRUCT_BYTES or struct.calcsize("P") != 8:
        raise BadRequest(f"{needs}, this is {machine} with {struct.calcsize('P') * 8}-bit Python: use another machine")
    major, minor = words[1].split(".")[:2]
    return int(major), int(minor)


@cache
def library() -> ctypes.CDLL:
    """The C library whose calls return their error code; each gives the interpreter lock away, so it may wait."""
    require_glibc()
    return ctypes.CDLL(None)


@cache
def library_with_errno() -> ctypes.CDLL:
    """The same library for calls that return -1 and set errno; a little slower, because errno is kept for each call."""
    require_glibc()
    return ctypes.CDLL(None, use_errno=True)


def checked(call: str, code: int) -> None:
    """Raise NativeError where `code`, returned by the C function `call`, is not 0."""
    if code:
        name = errno.errorcode.get(code, str(code))
        raise NativeError(f"{call} failed with {name} ({os.strerror(code)}): please report this fault of cllm-sim")


@cache
def death_tie() -> Callable[[], None]:
    """A call that asks the kernel to kill the calling process as soon as the thread that forked it ends.

    The parent makes it, so that no child has to look the function up again. The child that has called it compares
    getppid() with the parent it knows, because that one may have ended before.
    """
    prctl = library_with_errno()["prctl"]
    prctl.argtypes = [ctypes.c_int] + [ctypes.c_ulong] * 4

    def tie() -> None:
        if prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0):
            checked("prctl", ctypes.get_errno())

    return tie
