"""Calendar files for phones and calendars that fetch them, at addresses that nobody guesses."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from bot import clock
from bot.app import App
from bot.db import StoreDown
from bot.i18n import languages
from bot.messages import _
from bot.sessions import calendars
from bot.store import appointments

LASTS = timedelta(minutes=15)  # the file of a bubble; the link lasts as long as the session
NAME = re.compile(r"[\w-]{1,40}", re.ASCII)  # a store may choke on other signs
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Disposition": f'inline; filename="{calendars.FILE_NAME}"',
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
    "Referrer-Policy": "no-referrer",
}
_GONE = _("There is no appointment here any more.")


async def linked(request: Request) -> Response:
    """What a link shows to whoever holds it."""
    uid, asked = request.path_params["uid"], request.query_params
    if not NAME.fullmatch(uid):
        return _none()
    bare = "plain" in asked

    def find(db: Connection) -> bytes | None:
        return calendars.find(db, uid, asked.get("in"), bare=bare)

    return await _answer(request, find)


async def file(request: Request) -> Response:
    """The file of one bubble, made anew each time it is fetched."""
    token, since = request.path_params["token"], clock.now() - LASTS
    if not NAME.fullmatch(token):
        return _none()

    def find(db: Connection) -> bytes | None:
        found = appointments.find_asked(db, token, since)
        return None if found is None else calendars.find_made(db, *found)

    return await _answer(request, find)


async def _answer(request: Request, find: Callable[[Connection], bytes | None]) -> Response:
    app: App = request.app.state.app
    try:
        found = await app.database.run(find)
    except StoreDown:
        return PlainTextResponse("try again\n", 503, {"Retry-After": "2"})
    if found is None:
        return _none()
    return Response(found, media_type=calendars.MEDIA_TYPE, headers=HEADERS)


def _none() -> Response:
    """In all languages: we do not know who is there."""
    said = [calendars.plain(_GONE, language) for language in languages()]
    return PlainTextResponse("\n".join([*said, ""]), 404, {"Cache-Control": "no-store"})
