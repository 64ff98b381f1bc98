"""A service that turns voices into text, as OpenAI has it: POST {address}/audio/transcriptions."""

from __future__ import annotations

import json
from datetime import timedelta
from http import HTTPStatus

import aiohttp

from bot.voice.engines import Engine, TryAgain, Unfit

SECONDS = 90.0  # for one voice note
CONNECT_SECONDS = 10.0
MOST_BYTES = 16 << 20  # of a voice
MOST_ANSWERED = 256 << 10  # bytes: five minutes of speech are some 20 kB in Lao
LONGEST_ASKED = timedelta(hours=6)  # a service may ask us to wait, but not for ever

_NEVER = (400, 413, 415, 422)  # what it says of a voice that it will never take


class Endpoint:
    """One service. Nothing it answers reaches a log."""

    def __init__(self, engine: Engine, key: str | None, seconds: float = SECONDS) -> None:
        assert engine.address is not None
        self._url = f"{engine.address}/audio/transcriptions"
        self._model = engine.model
        self._headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        self._timeout = aiohttp.ClientTimeout(total=seconds, sock_connect=CONNECT_SECONDS)

    async def hear(self, content: bytes, language: str) -> str:
        """What is said in OGG/Opus, "" for silence. Raises TryAgain, Unfit."""
        if len(content) > MOST_BYTES:
            raise Unfit("too_big")
        try:
            return _text(await self._ask(content, language))
        except TimeoutError:
            raise TryAgain("slow") from None
        except aiohttp.ClientError as error:
            raise TryAgain(type(error).__name__) from None

    async def _ask(self, content: bytes, language: str) -> bytes:
        form = aiohttp.FormData({"model": self._model, "language": language})
        form.add_field("response_format", "json")
        form.add_field("file", content, filename="voice.ogg", content_type="audio/ogg")
        async with (
            aiohttp.ClientSession(timeout=self._timeout, headers=self._headers) as session,
            # Elsewhere than where the member agreed to it goes no voice.
            session.post(self._url, data=form, allow_redirects=False) as answer,
        ):
            _judge(answer.status, answer.headers.get("Retry-After", ""))
            return await _read(answer.content)


def _judge(status: int, asked: str) -> None:
    if status == HTTPStatus.OK:
        return
    if status in _NEVER:
        raise Unfit(f"status_{status}")
    after = timedelta(seconds=int(asked)) if asked.isdecimal() and len(asked) < 7 else None
    raise TryAgain(f"status_{status}", None if after is None else min(after, LONGEST_ASKED))


async def _read(stream: aiohttp.StreamReader) -> bytes:
    read = bytearray()
    async for chunk in stream.iter_any():
        read += chunk
        if len(read) > MOST_ANSWERED:
            raise TryAgain("huge_answer")
    return bytes(read)


def _text(raw: bytes) -> str:
    try:
        found = json.loads(raw)["text"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise TryAgain("strange_answer") from None
    if not isinstance(found, str):
        raise TryAgain("strange_answer")
    return found
