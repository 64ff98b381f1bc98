"""The simulator's page: phones side by side, live; in development only."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse

from bot import clock
from bot.app import App
from bot.channels.simulator import LOOKS, phones
from bot.i18n import catalogue, languages, negotiate, own_name
from bot.store import communities, invites

POLICY = "default-src 'self'; frame-ancestors 'none'"
MOST_PHONES = 12
LONGEST_MOVE = timedelta(days=366)

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
        _=words.gettext,
        gettext=words.gettext,
        ngettext=words.ngettext,
    )
    return HTMLResponse(html, headers={"Content-Security-Policy": POLICY})


async def state(request: Request) -> Response:
    """Everything on the page: {clock, looks, languages, phones}."""
    return JSONResponse(
        {
            "clock": clock.now().isoformat(),
            "looks": list(LOOKS),
            "languages": {code: own_name(code) for code in languages()},
            "phones": [asdict(phone) for phone in phones().all.values()],
        }
    )


async def events(request: Request) -> Response:
    """Server-sent events: bubble, phone, commands, clock, restarted."""
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_stream(), media_type="text/event-stream", headers=headers)


async def _stream() -> AsyncIterator[str]:
    async for each in phones().events():
        if each:
            yield f"event: {each['event']}\ndata: {json.dumps(each['data'])}\n\n"
        else:
            yield ": still here\n\n"


async def add_phone(request: Request) -> Response:
    """{name, look, language} -> the new phone."""
    wanted = await _json(request)
    look, language = wanted.get("look"), negotiate(str(wanted.get("language")))
    known = isinstance(look, str) and look in LOOKS
    if not known or language is None or len(phones().all) >= MOST_PHONES:
        return JSONResponse({"error": "look, language or number of phones"}, 400)
    phone = phones().add(str(wanted.get("name") or "Phone"), str(look), language)
    return JSONResponse(asdict(phone), 201)


async def move_clock(request: Request) -> Response:
    """{seconds}: move the clock forward, and do what has become due."""
    app: App = request.app.state.app
    seconds = (await _json(request)).get("seconds")
    if type(seconds) is not int or not 0 < seconds <= LONGEST_MOVE.total_seconds():
        return JSONResponse({"error": "seconds, at most a year"}, 400)
    clock.move(timedelta(seconds=seconds))
    await app.scheduler.tick()
    app.wake()
    phones().tell("clock", {"clock": clock.now().isoformat()})
    return JSONResponse({"clock": clock.now().isoformat()})


async def invite(request: Request) -> Response:
    """An invite code of the first community, for the phone of somebody new."""
    if not _is_json(request):
        return JSONResponse({"error": "JSON only"}, 400)
    app: App = request.app.state.app
    code = await app.database.run(_new_code)
    return JSONResponse({"code": code}, 200 if code else 404)


def _new_code(db: Connection) -> str | None:
    slugs = communities.list_slugs(db)
    community = communities.find(db, slugs[0]) if slugs else None
    if community is None:
        return None
    return invites.add(db, community.id, "member", 1, timedelta(days=1), clock.now())


async def no_icon(request: Request) -> Response:
    """Browsers ask for one; there is none."""
    return Response(status_code=204)


async def restart(request: Request) -> Response:
    """Throw the bot away and start it again; the phones and the store stay."""
    if not _is_json(request):
        return JSONResponse({"error": "JSON only"}, 400)
    app: App = request.app.state.app
    await app.restart()
    phones().tell("restarted", {"clock": clock.now().isoformat()})
    return JSONResponse({"restarted": True})


def _is_json(request: Request) -> bool:
    """A foreign page cannot send this type without asking the browser first."""
    return request.headers.get("content-type", "").startswith("application/json")


async def _json(request: Request) -> dict[str, Any]:
    """The body as an object; only real JSON calls, which a foreign page cannot make."""
    if not _is_json(request):
        return {}
    try:
        found = await request.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
