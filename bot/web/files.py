"""What providers fetch to send it on, one room for all of it, at addresses that nobody guesses."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from bot import clock, mydata
from bot.app import App
from bot.db import StoreDown
from bot.sessions import calendars

LASTS = timedelta(hours=1)  # after it was handed over
SHORTER = dict.fromkeys((mydata.FILE_NAME, calendars.FILE_NAME), timedelta(minutes=15))
AT_ONCE = 16  # that are looked up and read; who comes then waits in line, up to ...
IN_LINE = 200  # ... so many
TOKEN = re.compile(r"[\w-]{1,24}", re.ASCII)  # a store may choke on other signs
HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
    "Referrer-Policy": "no-referrer",
}


class Line:
    """So many are served at once, and so many wait: a flood must not fill the memory."""

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def __aenter__(self) -> None:
        if self._waiting >= IN_LINE:
            raise TooMany
        self._waiting += 1
        try:
            await self._places.acquire()
        finally:
            self._waiting -= 1

    async def __aexit__(self, *_: object) -> None:
        self._places.release()


class TooMany(Exception):
    """The line is full."""


async def file(request: Request) -> Response:
    """The file of one bubble, by the token it was handed over with; a guess learns nothing."""
    app: App = request.app.state.app
    token, name = request.path_params["token"], request.path_params["name"]
    if not TOKEN.fullmatch(token):
        return _none()
    since = clock.now() - SHORTER.get(name, LASTS)
    try:
        async with request.app.state.line:
            found = await app.files.of_token(token, since)
    except (StoreDown, TooMany):
        return PlainTextResponse("try again\n", 503, {"Retry-After": "2"})
    if found is None or found.name != name:
        return _none()
    headers = {**HEADERS, "Content-Disposition": f'inline; filename="{found.name}"'}
    # As it is: a parameter that Starlette adds to the type would be one too many for a voice.
    return Response(found.content, headers={**headers, "Content-Type": found.mime})


def _none() -> Response:
    return PlainTextResponse("no such file\n", 404, HEADERS)
