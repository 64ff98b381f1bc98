"""What providers fetch to send it on: QR pictures and files, at addresses that nobody guesses."""

from __future__ import annotations

import re
from datetime import timedelta

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from bot import clock, mydata, qr, trees
from bot.app import App
from bot.db import StoreDown
from bot.i18n import SOURCE
from bot.store import holdings, messages

LASTS = timedelta(days=1)
FILE_LASTS = timedelta(minutes=15)
TOKEN = re.compile(r"[\w-]{1,24}", re.ASCII)  # a store may choke on other signs
FRESH = {"Cache-Control": "no-store", "Content-Disposition": "inline"}
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


async def tree(request: Request) -> Response:
    """The tree of one bubble, drawn as it stands at this moment."""
    app: App = request.app.state.app
    token, since = request.path_params["token"], clock.now() - LASTS
    if not TOKEN.fullmatch(token):
        return _none()
    try:
        found = await app.database.run(lambda db: messages.find_tree(db, token, since))
        if found is None:
            return _none()
        shown, member_id, language = found
        drawn = await trees.draw(app.database, member_id, shown.communities, language or SOURCE)
    except StoreDown:
        return PlainTextResponse("try again\n", 503, {"Retry-After": "2"})
    return Response(drawn, media_type="image/jpeg", headers=FRESH)


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
    headers = {
        "Cache-Control": "no-store",
        "Content-Disposition": f'attachment; filename="{mydata.FILE_NAME}"',
        "X-Content-Type-Options": "nosniff",
    }
    return Response(found, media_type=mydata.MEDIA_TYPE, headers=headers)


def _none() -> Response:
    return PlainTextResponse("no such picture\n", 404)
