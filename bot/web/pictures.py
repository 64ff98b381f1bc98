"""QR pictures for providers that fetch what they send: unguessable addresses, good for a day."""

from __future__ import annotations

import re
from datetime import timedelta

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from bot import clock, qr
from bot.app import App
from bot.db import StoreDown
from bot.store import deliveries

LASTS = timedelta(days=1)
TOKEN = re.compile(r"[\w-]{1,24}", re.ASCII)  # a store may choke on other signs
HEADERS = {"Cache-Control": "private, max-age=3600", "Content-Disposition": "inline"}


async def picture(request: Request) -> Response:
    """The QR picture of one bubble, by the token it was handed over with."""
    app: App = request.app.state.app
    token, since = request.path_params["token"], clock.now() - LASTS
    if not TOKEN.fullmatch(token):
        return _none()

    def find(db: Connection) -> str | None:
        return deliveries.find_qr(db, token, since)

    try:
        said = await app.database.run(find)
    except StoreDown:
        return PlainTextResponse("try again\n", 503, {"Retry-After": "2"})
    if said is None:
        return _none()
    return Response(qr.png(said), media_type="image/png", headers=HEADERS)


def _none() -> Response:
    return PlainTextResponse("no such picture\n", 404)
