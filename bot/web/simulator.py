"""The simulator's page: phones side by side, live; in development only."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from dataclasses import asdict
from datetime import datetime, timedelta
from datetime import time as hour
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse

from bot import clock
from bot.app import App
from bot.channels import simulator
from bot.channels.simulator import LOOKS
from bot.i18n import catalogue, languages, negotiate, own_name
from bot.media.cleaning import BIGGEST
from bot.rehearsal import playing
from bot.rehearsal.phones import Kept

POLICY = "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'"
FILE_POLICY = "default-src 'none'; sandbox"  # nothing in a file runs
# What a phone takes a file for. A foreign page cannot send these types without asking first.
KINDS = {"audio": "voice", "image": "photo", "video": "video"}
UNKNOWN = "application/octet-stream"  # a document
MOST_PHONES = 12
LONGEST_MOVE = timedelta(days=366)
ZONE = ZoneInfo("Asia/Vientiane")  # of the clock on the page
MORNING = hour(8)
_RANGE = re.compile(r"bytes=(\d{1,12})-(\d{0,12})", re.ASCII)

_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    extensions=["jinja2.ext.i18n"],
)


async def page(request: Request) -> Response:
    language = negotiate(request.query_params.get("lang")) or "en"
    template = _templates.overlay().get_template("simulator.html")
    words = catalogue(language)
    html = template.render(
        language=language,
        languages={code: own_name(code) for code in languages()},
        biggest=BIGGEST,
        _=words.gettext,
        gettext=words.gettext,
        ngettext=words.ngettext,
    )
    return HTMLResponse(html, headers={"Content-Security-Policy": POLICY})


async def state(request: Request) -> Response:
    """Everything on the page: {clock, stands, looks, languages, phones, rehearsal}."""
    return JSONResponse(
        {
            **playing.time(),
            "looks": list(LOOKS),
            "languages": {code: own_name(code) for code in languages()},
            "phones": [asdict(phone) for phone in simulator.phones().all.values()],
            "rehearsal": request.app.state.rehearsals.about(),
        }
    )


async def events(request: Request) -> Response:
    """Server-sent events: what the phones tell, as it happens."""
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_stream(), media_type="text/event-stream", headers=headers)


async def _stream() -> AsyncIterator[str]:
    async for each in simulator.phones().events():
        if each:
            yield f"event: {each['event']}\ndata: {json.dumps(each['data'])}\n\n"
        else:
            yield ": still here\n\n"


async def file(request: Request) -> Response:
    """What came to a phone or went from it, as long as it is remembered."""
    found = simulator.phones().files.get(request.path_params["key"])
    if found is None or found.name != request.path_params["name"]:
        return Response(status_code=404)
    headers = {
        "Content-Security-Policy": FILE_POLICY,
        "Content-Type": found.mime,
        "X-Content-Type-Options": "nosniff",
    }
    size = len(found.content)
    first, end = _wanted(request.headers.get("range", ""), size)
    if (first, end) == (0, 0):
        return Response(found.content, headers=headers)
    headers["Content-Range"] = f"bytes {first}-{end - 1}/{size}"
    return Response(found.content[first:end], 206, headers)


def _wanted(asked: str, size: int) -> tuple[int, int]:
    """From where to where; (0, 0) = all. A player looks at the end to know how long it lasts."""
    found = _RANGE.fullmatch(asked)
    if found is None:
        return 0, 0
    first, end = int(found[1]), min(int(found[2] or size) + 1, size)
    return (first, end) if first < end else (0, 0)


async def take_file(request: Request, content: bytes) -> Response:
    """A file of somebody's own -> its key; a message that is sent afterwards names it.

    It stays as it came, as at a provider, until the bot fetches it and looks what it is.
    """
    mime = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    kind = "document" if mime == UNKNOWN else KINDS.get(mime.partition("/")[0])
    if kind is None or not content:
        return JSONResponse({"error": "an audio, image, video or octet stream"}, 400)
    key = simulator.phones().put_away(Kept(kind, kind, mime, content))
    return JSONResponse({"sent": key}, 201)


async def add_phone(request: Request, wanted: dict[str, Any]) -> Response:
    """{name, look, language} -> the new phone."""
    phones = simulator.phones()
    look, language = wanted.get("look"), negotiate(str(wanted.get("language")))
    known = isinstance(look, str) and look in LOOKS
    if not known or language is None or len(phones.all) >= MOST_PHONES:
        return JSONResponse({"error": "look, language or number of phones"}, 400)
    phone = phones.add(str(wanted.get("name") or ""), str(look), language)
    return JSONResponse(asdict(phone), 201)


async def move_clock(request: Request, wanted: dict[str, Any]) -> Response:
    """{seconds} or {to: "morning"}: move the clock forward, and do what has become due."""
    app: App = request.app.state.app
    seconds = _until_morning() if wanted.get("to") == "morning" else wanted.get("seconds")
    if type(seconds) is not int or not 0 < seconds <= LONGEST_MOVE.total_seconds():
        return JSONResponse({"error": "seconds, at most a year"}, 400)
    await playing.later(app, timedelta(seconds=seconds))
    return JSONResponse(playing.time())


def _until_morning() -> int:
    """Seconds to eight o'clock tomorrow."""
    now = clock.now().astimezone(ZONE)
    morning = datetime.combine(now.date() + timedelta(days=1), MORNING, ZONE)
    return int((morning - now).total_seconds()) + 1


async def invite(request: Request, wanted: dict[str, Any]) -> Response:
    """An invite code of the first community, for the phone of somebody new."""
    code = await playing.invite(request.app.state.app)
    return JSONResponse({"code": code}, 200 if code else 404)


async def restart(request: Request, wanted: dict[str, Any]) -> Response:
    """Throw the bot away and start it again; the phones and the store stay."""
    await playing.restart(request.app.state.app)
    return JSONResponse({"restarted": True})


async def no_icon(request: Request) -> Response:
    """Browsers ask for one; there is none."""
    return Response(status_code=204)
