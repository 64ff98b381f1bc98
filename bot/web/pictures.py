"""What providers fetch to send it on: QR pictures and files, at addresses that nobody guesses."""

from __future__ import annotations

import re
from datetime import timedelta

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from bot import clock, mydata, qr
from bot.app import App
from bot.db import StoreDown
from bot.store import appointments, holdings, messages
from bot.stories import exporting

LASTS = timedelta(days=1)
FILE_LASTS = timedelta(minutes=15)
TOKEN = re.compile(r"[\w-]{1,24}", re.ASCII)  # a store may choke on other signs
HEADERS = {"Cache-Control": "private, max-age=3600", "Content-Disposition": "inline"}


async def picture(request: Request) -> Response:
    """The QR picture of one bubble, by the token it was handed over with."""
    app: App = request.app.state.app
    token, since = request.path_params["token"], clock.now() - LASTS
    if not TOKEN.fullmatch(token):
        return _none()

    def find(db: Connection) -> str | None:
        return messages.find_qr(db, token, since)

    try:
        said = await app.database.run(find)
    except StoreDown:
        return PlainTextResponse("try again\n", 503, {"Retry-After": "2"})
    if said is None:
        return _none()
    return Response(qr.png(said), media_type="image/png", headers=HEADERS)


async def file(request: Request) -> Response:
    """The file of one bubble, made anew each time it is fetched, and kept nowhere."""
    app: App = request.app.state.app
    token, since = request.path_params["token"], clock.now() - FILE_LASTS
    if not TOKEN.fullmatch(token):
        return _none()
    try:
        address_id = await app.database.run(lambda db: holdings.find_asked(db, token, since))
        found = None if address_id is None else await mydata.make(app.database, address_id)
    except StoreDown:
        return PlainTextResponse("try again\n", 503, {"Retry-After": "2"})
    if found is None:
        return _none()
    return _file(found, mydata.FILE_NAME, mydata.MEDIA_TYPE)


async def stories(request: Request) -> Response:
    """The stories that somebody takes along, made anew each time they are fetched."""
    app: App = request.app.state.app
    token, since = request.path_params["token"], clock.now() - FILE_LASTS
    if not TOKEN.fullmatch(token):
        return _none()

    def find(db: Connection) -> bytes | None:
        asked = appointments.find_asked(db, token, since, exporting.TABLE)
        return None if asked is None else exporting.find_made(db, *asked)

    try:
        found = await app.database.run(find)
    except StoreDown:
        return PlainTextResponse("try again\n", 503, {"Retry-After": "2"})
    return _none() if found is None else _file(found, exporting.FILE_NAME, exporting.MEDIA_TYPE)


def _file(content: bytes, name: str, media_type: str) -> Response:
    headers = {
        "Cache-Control": "no-store",
        "Content-Disposition": f'attachment; filename="{name}"',
        "X-Content-Type-Options": "nosniff",
    }
    return Response(content, media_type=media_type, headers=headers)


def _none() -> Response:
    return PlainTextResponse("no such picture\n", 404)
