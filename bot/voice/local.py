"""A model folder on this machine: each voice is heard by a process of its own, without our keys."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from pathlib import Path

from bot.voice.engines import Engine, TryAgain, Unfit

ROOT = Path(__file__).resolve().parent.parent.parent
SECONDS = 300.0  # for one voice note of at most five minutes, on a slow machine
_PASSED_ON = ("PATH", "LANG", "LD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR")
_OFFLINE = {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "TRANSFORMERS_OFFLINE": "1"}


class Local:
    """faster-whisper: CTranslate2 on the processor, nothing is downloaded."""

    def __init__(
        self, engine: Engine, seconds: float = SECONDS, python: str = sys.executable
    ) -> None:
        assert engine.folder is not None
        self._folder = engine.folder
        self._seconds = seconds
        self._python = python  # that has faster-whisper: ours, but in a test

    async def hear(self, content: bytes, language: str) -> str:
        """What is said in OGG/Opus, "" for silence. Raises TryAgain, Unfit."""
        process = await asyncio.create_subprocess_exec(
            *(self._python, "-m", "bot.voice.hearing", str(self._folder), language),
            str(int(self._seconds)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            cwd=ROOT,
            env={name: os.environ[name] for name in _PASSED_ON if name in os.environ} | _OFFLINE,
        )
        try:
            async with asyncio.timeout(self._seconds):
                said, _nothing = await process.communicate(content)
        except TimeoutError:
            raise TryAgain("slow") from None
        finally:
            await _end(process)
        return _text(said)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Also when we are cancelled: nobody listens to it any more."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _text(said: bytes) -> str:
    """Whatever it says of a failure, our own words for it reach the log."""
    match _parsed(said):
        case {"text": str(text)}:
            return text
        case {"unfit": _}:
            raise Unfit("unheard")
        case {"error": _}:
            raise TryAgain("no_model")
        case _:
            raise TryAgain("engine_died")


def _parsed(said: bytes) -> object:
    try:
        return json.loads(said)
    except ValueError:
        return None
