"""Calendar files behind links, for calendars that fetch them; they last as long as the session."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from bot.app import App
from bot.db import StoreDown
from bot.i18n import languages
from bot.messages import _
from bot.sessions import calendars

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
    app: App = request.app.state.app
    uid, asked = request.path_params["uid"], request.query_params
    if not NAME.fullmatch(uid):
        return _none()
    bare = "plain" in asked
    try:
        found = await app.database.run(
            lambda db: calendars.find(db, uid, asked.get("in"), bare=bare)
        )
    except StoreDown:
        return PlainTextResponse("try again\n", 503, {"Retry-After": "2"})
    if found is None:
        return _none()
    return Response(found, media_type=calendars.MEDIA_TYPE, headers=HEADERS)


def _none() -> Response:
    """In all languages: we do not know who is there."""
    said = [calendars.plain(_GONE, language) for language in languages()]
    return PlainTextResponse("\n".join([*said, ""]), 404, {"Cache-Control": "no-store"})
