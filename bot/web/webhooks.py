"""Webhooks: check, commit, answer. 200 means it is saved; 503 means send it again."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from bot import logs
from bot.app import App
from bot.channels import Channel, Forbidden, Unusable
from bot.db import StoreDown

LARGEST = 1_000_000  # bytes of a body; messages are far smaller

log = logs.get("webhooks")


async def receive(request: Request, body: bytes) -> Response:
    app: App = request.app.state.app
    name = request.path_params["channel"]
    channel = next((each for each in app.channels if each.name == name), None)
    if channel is None:
        return PlainTextResponse("no such channel\n", 404)
    try:
        return await _take(app, channel, request, body)
    except Forbidden:
        log.warning("webhook_refused", lane=channel.lane)
        return PlainTextResponse("not from the provider\n", 403)
    except StoreDown as error:
        log.warning("store_down", lane=channel.lane, error=str(error))
        return PlainTextResponse("try again\n", 503, {"Retry-After": "2"})


async def _take(app: App, channel: Channel, request: Request, body: bytes) -> Response:
    url = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    try:
        events = channel.receive(url, request.headers, body)
    except Unusable as error:
        # 200: a provider that is refused would hold back or drop everything after it.
        log.warning("parked", lane=channel.lane, reason=error.reason)
        raw = body.decode(errors="replace")
        await app.router.park(channel.lane, error.key, raw, error.reason)
    else:
        await app.take(channel, events)
    return Response(status_code=200)
