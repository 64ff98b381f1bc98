"""Cleaning: what a stranger has sent becomes a file of ours, or is refused.

Nothing of it is read in this process, which holds the keys: a cell does that, see cell.py. How many
work at the same time is the caller's to limit.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from pathlib import Path
from typing import Any

from bot.media.cell import Clean
from bot.media.unfit import REASONS, Unfit

__all__ = ["Clean", "TryAgain", "Unfit", "clean"]

BIGGEST = 16 << 20  # bytes, before and after: what WhatsApp takes
SECONDS = 90.0  # for one file, on a machine that is busy
_OFFICE = (
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
)
# kind: (the module that cleans it, what may come out)
_KINDS: dict[str, tuple[str, frozenset[str]]] = {
    "voice": ("voices", frozenset({"audio/ogg"})),
    "video": ("films", frozenset({"video/mp4"})),
    "soundtrack": ("soundtracks", frozenset({"audio/ogg"})),
    "photo": ("pictures", frozenset({"image/jpeg"})),
    "document": ("documents", frozenset({"application/pdf", "text/plain", *_OFFICE})),
}
_ROOT = Path(__file__).resolve().parent.parent.parent
# -I: neither the folder it stands in nor the environment has a say in what is imported.
_PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
from bot.media import cell
cell.begin()
from bot.media import {module}
cell.run({module}.clean, {module}.samples())
"""
_OWN_FAULT = {-signal.SIGSEGV, -signal.SIGBUS, -signal.SIGABRT, -signal.SIGFPE, -signal.SIGILL}


class TryAgain(Exception):
    """The machine's fault as far as can be told: it was busy, or ended the cell."""


async def clean(kind: str, raw: bytes) -> Clean:
    """Of a kind of media. Raises Unfit, or TryAgain: after a few of these it is unfit, too."""
    if kind not in _KINDS:
        raise Unfit("unfit")
    if len(raw) > BIGGEST:
        raise Unfit("too_big")
    module, mimes = _KINDS[kind]
    said, content = await _in_cell(module, raw)
    if said.get("unfit") in REASONS:
        raise Unfit(said["unfit"])
    mime, milliseconds = said.get("mime"), said.get("milliseconds")
    if mime not in mimes or not isinstance(milliseconds, int | None) or not content:
        raise Unfit("broken")
    return Clean(content, mime, milliseconds)


async def is_locked() -> bool:
    """Whether the kernel keeps the cells locked, or Python does. Raises Unfit, TryAgain."""
    said, _content = await _in_cell("pictures", _SMALLEST)
    return said.get("locked") is True


# A grey dot.
_SMALLEST = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="
)


async def _in_cell(module: str, raw: bytes) -> tuple[dict[str, Any], bytes]:
    cell = await _start(module)
    try:
        async with asyncio.timeout(SECONDS):
            said, _fed = await asyncio.gather(_read(cell), _feed(cell, raw))
            code = await cell.wait()
    except TimeoutError:
        raise TryAgain("it took too long") from None
    finally:
        await _end(cell)
    if code == -signal.SIGXCPU:
        raise Unfit("bomb")
    if code in _OWN_FAULT:
        raise Unfit("broken")
    if code != 0:
        raise TryAgain(f"the cell ended with {code}")
    return _parse(said)


async def _start(module: str) -> Process:
    try:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-c", _PROGRAM.format(module=module), str(_ROOT),
            stdin=PIPE, stdout=PIPE, stderr=DEVNULL, cwd="/",
            env={"LC_ALL": "C.UTF-8", "MALLOC_ARENA_MAX": "1"},
        )  # fmt: skip
    except OSError as error:
        raise TryAgain(f"no cell could be started: {error.strerror}") from None


async def _feed(cell: Process, raw: bytes) -> None:
    assert cell.stdin is not None
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        cell.stdin.write(raw)
        await cell.stdin.drain()
    cell.stdin.close()


async def _read(cell: Process) -> bytes:
    """All it says, up to what may come out; who says more is cut off."""
    assert cell.stdout is not None
    said = bytearray()
    while some := await cell.stdout.read(1 << 16):
        said += some
        if len(said) > BIGGEST + 1024:
            cell.kill()
            raise Unfit("too_big")
    return bytes(said)


async def _end(cell: Process) -> None:
    if cell.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            cell.kill()
        await cell.wait()


def _parse(said: bytes) -> tuple[dict[str, Any], bytes]:
    head, _end_of_line, content = said.partition(b"\n")
    try:
        found = json.loads(head)
    except ValueError:
        raise Unfit("broken") from None
    if not isinstance(found, dict):
        raise Unfit("broken")
    return found, content
