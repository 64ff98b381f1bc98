"""A cell by itself, so that what it took can be told from what others took."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass

from bot.media import cleaning

# A process of its own that waits for the cell: a child of these tests would count their memory,
# which it had before it became the cell.
_MEASURE = """
import json, os, sys
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], {"LC_ALL": "C.UTF-8", "MALLOC_ARENA_MAX": "1"})
_pid, status, usage = os.wait4(pid, 0)
code = os.waitstatus_to_exitcode(status)
print(json.dumps([usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, code]), file=sys.stderr)
"""


@dataclass(frozen=True, slots=True)
class Took:
    """What became of one file, and at what price."""

    reason: str | None  # why it was refused; None = it was taken
    content: bytes
    seconds: float  # of computing, with Python and its libraries
    memory: int  # bytes at the most
    code: int


def put_in_cell(kind: str, raw: bytes) -> Took:
    module, _mimes = cleaning._KINDS[kind]
    program = cleaning._PROGRAM.format(module=module)
    cell = [sys.executable, "-I", "-c", program, str(cleaning._ROOT)]
    ended = subprocess.run(
        [sys.executable, "-I", "-c", _MEASURE, *cell], input=raw, capture_output=True, check=True
    )
    seconds, memory, code = json.loads(ended.stderr.splitlines()[-1])
    head, _end, content = ended.stdout.partition(b"\n")
    reason = json.loads(head).get("unfit") if head else "no answer"
    return Took(reason, content, seconds, memory, code)
