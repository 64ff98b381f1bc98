"""Confine: what a process may no longer do that reads what strangers have sent.

On Linux the kernel refuses everything but computing and talking over the pipes that are open: no
file, no socket, no other process (seccomp, where the kernel knows it). Elsewhere Python refuses the
same by an audit hook, which holds a clumsy library and not a clever attacker.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import signal
import sys
from typing import Any

# What is left, by the kernel's numbers. Whatever is not named fails with "not permitted".
_ALLOWED = {
    "x86_64": {
        "read": 0, "write": 1, "close": 3, "fstat": 5, "poll": 7, "lseek": 8, "mmap": 9,
        "mprotect": 10, "munmap": 11, "brk": 12, "rt_sigaction": 13, "rt_sigprocmask": 14,
        "rt_sigreturn": 15, "readv": 19, "writev": 20, "sched_yield": 24, "mremap": 25,
        "madvise": 28, "getpid": 39, "exit": 60, "getrusage": 98, "sigaltstack": 131,
        "gettid": 186, "futex": 202, "sched_getaffinity": 204, "restart_syscall": 219,
        "clock_gettime": 228, "clock_nanosleep": 230, "exit_group": 231, "newfstatat": 262,
        "getrandom": 318,
    },
    "aarch64": {
        "read": 63, "write": 64, "close": 57, "fstat": 80, "ppoll": 73, "lseek": 62, "mmap": 222,
        "mprotect": 226, "munmap": 215, "brk": 214, "rt_sigaction": 134, "rt_sigprocmask": 135,
        "rt_sigreturn": 139, "readv": 65, "writev": 66, "sched_yield": 124, "mremap": 216,
        "madvise": 233, "getpid": 172, "exit": 93, "getrusage": 165, "sigaltstack": 132,
        "gettid": 178, "futex": 98, "sched_getaffinity": 123, "restart_syscall": 128,
        "clock_gettime": 113, "clock_nanosleep": 115, "exit_group": 94, "newfstatat": 79,
        "getrandom": 278,
    },
}  # fmt: skip
_MACHINES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}  # as the kernel's audit names them

# A filter is a small program: load a word, jump if it equals, return what shall happen.
_LOAD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_NUMBER_AT, _MACHINE_AT = 0, 4
_ALLOW, _NOT_PERMITTED, _KILL = 0x7FFF0000, 0x00050001, 0x80000000

_SET_PARENT_DEATH_SIGNAL, _SET_DUMPABLE, _SET_SECCOMP, _SET_NO_NEW_PRIVILEGES = 1, 4, 22, 38
_WITH_FILTER = 2

_REFUSED = ("socket.", "open", "os.", "subprocess.", "shutil.", "ctypes.", "pty.", "ftplib.")


class _Instruction(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_ushort),
        ("if_true", ctypes.c_ubyte),
        ("if_false", ctypes.c_ubyte),
        ("value", ctypes.c_uint),
    )


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("first", ctypes.POINTER(_Instruction)))


def limit(memory: int, seconds: int) -> None:
    """Bytes of address space, and seconds of computing; before anything large is imported."""
    for what, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        resource.setrlimit(what, (most, most))
    # First a signal that tells what it was for, then the end.
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    os.nice(10)  # whoever writes to us is answered first
    if sys.platform == "linux":
        _prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
        _prctl(_SET_DUMPABLE, 0)


def lock() -> bool:
    """From here on nothing is opened any more; whether it is the kernel that sees to it."""
    if sys.platform == "linux" and _filter(platform.machine()):
        return True
    sys.addaudithook(_refuse)
    return False


def _filter(machine: str) -> bool:
    if machine not in _MACHINES:
        return False
    program = _program(machine)
    code = (_Instruction * len(program))(*program)
    whole = _Program(len(program), code)
    done = _prctl(_SET_NO_NEW_PRIVILEGES, 1)
    return done and _prctl(_SET_SECCOMP, _WITH_FILTER, ctypes.addressof(whole))


def _program(machine: str) -> list[_Instruction]:
    allowed = sorted(_ALLOWED[machine].values())
    compared = [
        _Instruction(_JUMP_IF_EQUAL, len(allowed) - at, 0, number)
        for at, number in enumerate(allowed)
    ]
    return [
        _Instruction(_LOAD, 0, 0, _MACHINE_AT),
        _Instruction(_JUMP_IF_EQUAL, 1, 0, _MACHINES[machine]),
        _Instruction(_RETURN, 0, 0, _KILL),
        _Instruction(_LOAD, 0, 0, _NUMBER_AT),
        *compared,
        _Instruction(_RETURN, 0, 0, _NOT_PERMITTED),
        _Instruction(_RETURN, 0, 0, _ALLOW),
    ]


def _prctl(what: int, *values: int) -> bool:
    four = [ctypes.c_ulong(each) for each in (*values, 0, 0, 0, 0)[:4]]
    return bool(ctypes.CDLL(None).prctl(what, *four) == 0)


def _refuse(event: str, _given: Any) -> None:
    if event.startswith(_REFUSED):
        raise PermissionError(event)
