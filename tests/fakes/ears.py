"""A service that turns voices into text, as OpenAI's API has it: strict, and it fails as told."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import av
from aiohttp import web

KEY = "sk-a-key-of-the-service"
MODEL = "whisper-1"
FIELDS = {"file", "model", "language", "response_format"}


@dataclass
class Ears:
    """What it heard, and what it answers: the next of `answers`, else `says`."""

    address: str = ""
    says: str = "We weave with bamboo."
    answers: list[web.StreamResponse] = field(default_factory=list)
    waits: float = 0.0
    heard: list[tuple[str, float]] = field(default_factory=list)  # language, seconds
    complaints: list[str] = field(default_factory=list)
    led_astray: int = 0  # requests at the address it sent somebody to

    async def transcribe(self, request: web.Request) -> web.StreamResponse:
        self._judge(request)
        form = {part.name: part async for part in _parts(request)}
        if set(form) != FIELDS:
            self.complaints.append(f"fields {sorted(form)}")
        about = {name: part.content for name, part in form.items()}
        if (about["model"], about["response_format"]) != (MODEL.encode(), b"json"):
            self.complaints.append("model or format")
        self.heard.append((about["language"].decode(), _seconds(about["file"])))
        if form["file"].mime != "audio/ogg" or form["file"].filename != "voice.ogg":
            self.complaints.append("the file's name or kind")
        await asyncio.sleep(self.waits)
        return self.answers.pop(0) if self.answers else web.json_response({"text": self.says})

    def _judge(self, request: web.Request) -> None:
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            self.complaints.append("no key")
        if request.content_type != "multipart/form-data":
            self.complaints.append(request.content_type)

    async def astray(self, _request: web.Request) -> web.Response:
        self.led_astray += 1
        return web.json_response({"text": "a thief has it"})


@dataclass
class _Part:
    name: str
    content: bytes
    mime: str
    filename: str | None


async def _parts(request: web.Request) -> AsyncIterator[_Part]:
    reader = await request.multipart()
    while (part := await reader.next()) is not None:
        content = bytes(await part.read(decode=True))
        yield _Part(part.name, content, part.headers.get("Content-Type", ""), part.filename)


def _seconds(voice: bytes) -> float:
    """How long it really plays."""
    with av.open(io.BytesIO(voice), format="ogg") as opened:
        return sum(frame.samples / frame.sample_rate for frame in opened.decode(audio=0))


@asynccontextmanager
async def listening() -> AsyncIterator[Ears]:
    """On a port of this machine."""
    ears = Ears()
    app = web.Application()
    app.router.add_post("/v1/audio/transcriptions", ears.transcribe)
    app.router.add_post("/elsewhere", ears.astray)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    ears.address = f"http://127.0.0.1:{port}/v1"
    try:
        yield ears
    finally:
        await runner.cleanup()
    assert ears.complaints == []
