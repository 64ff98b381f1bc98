"""The web side: routes as a list."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import text
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from bot.app import App
from bot.db import StoreDown
from bot.media.cleaning import BIGGEST
from bot.rehearsal import phones
from bot.rehearsal.room import Rehearsals
from bot.web import calendar, files, measures, rehearsal, simulator, webhooks

Work = Callable[[Request, dict[str, Any]], Awaitable[Response]]
Raw = Callable[[Request, bytes], Awaitable[Response]]

STATIC = Path(__file__).parent / "static"


def build(app: App, *, work: bool) -> Starlette:
    """The web application; `work` = this process also sends and ticks (`linkline run`)."""

    @asynccontextmanager
    async def life(_starlette: Starlette) -> AsyncIterator[None]:
        if work:
            app.start_sending()
            app.start_listening()
        yield
        await app.stop()

    starlette = Starlette(routes=_routes(app), lifespan=life)
    starlette.state.app = app
    starlette.state.line = files.Line()
    starlette.state.measures = measures.Measures(app)
    starlette.state.rehearsals = Rehearsals(app)
    return starlette


def _routes(app: App) -> list[BaseRoute]:
    routes: list[BaseRoute] = [
        Route("/webhooks/{channel}", _raw(webhooks.receive, webhooks.LARGEST), methods=["POST"]),
        Route("/files/{token}/{name}", files.file),
        Route("/calendar/{uid}.ics", calendar.linked),
        Route("/healthz", healthz),
        Route("/metrics", measures.metrics),
    ]
    return routes + (_page() if app.settings.development else [Route("/", root)])


def _page() -> list[BaseRoute]:
    """The simulator."""
    posts: dict[str, Work] = {
        "phones": simulator.add_phone,
        "clock": simulator.move_clock,
        "invite": simulator.invite,
        "restart": simulator.restart,
        "rehearsal": rehearsal.begin,
        "step": rehearsal.step,
        "provider": rehearsal.provider,
        "translation": rehearsal.translation,
    }
    return [
        Route("/", simulator.page),
        Route("/simulator/state", simulator.state),
        Route("/simulator/events", simulator.events),
        Route(phones.FILES_AT, _raw(simulator.take_file, BIGGEST), methods=["POST"]),
        Route(f"{phones.FILES_AT}/{{key}}/{{name}}", simulator.file),
        Route("/simulator/choices", rehearsal.choices),
        Route("/simulator/export", rehearsal.export),
        *(
            Route(f"/simulator/{name}", _json(work), methods=["POST"])
            for name, work in posts.items()
        ),
        Route("/favicon.ico", simulator.no_icon),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]


def _raw(work: Raw, most: int) -> Callable[[Request], Awaitable[Response]]:
    """With a body of at most so many bytes; a longer one is not read to its end."""

    async def endpoint(request: Request) -> Response:
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > most:
                return PlainTextResponse("too large\n", 413)
        return await work(request, bytes(body))

    return endpoint


def _json(work: Work) -> Callable[[Request], Awaitable[Response]]:
    """Only calls with a JSON object, which a foreign page cannot make without asking first."""

    async def endpoint(request: Request) -> Response:
        is_json = request.headers.get("content-type", "").startswith("application/json")
        try:
            wanted = await request.json() if is_json else None
        except ValueError:
            wanted = None
        if not isinstance(wanted, dict):
            return JSONResponse({"error": "a JSON object only"}, 400)
        return await work(request, wanted)

    return endpoint


async def root(request: Request) -> Response:
    return PlainTextResponse("Linkline\n")


async def healthz(request: Request) -> Response:
    """200 only if the store answers."""
    app: App = request.app.state.app
    try:
        await app.database.run(lambda db: db.execute(text("SELECT 1")))
    except StoreDown:
        return PlainTextResponse("the store does not answer\n", 503)
    return PlainTextResponse("ok\n")
