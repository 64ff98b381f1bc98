"""The web side: routes as a list."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from bot.app import App
from bot.db import StoreDown
from bot.web import pictures, simulator, webhooks

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
    return starlette


def _routes(app: App) -> list[BaseRoute]:
    routes: list[BaseRoute] = [
        Route("/webhooks/{channel}", webhooks.receive, methods=["POST"]),
        Route("/pictures/{token}.png", pictures.picture),
        Route("/healthz", healthz),
        Route("/metrics", metrics),
    ]
    if app.settings.development:
        routes += [
            Route("/", simulator.page),
            Route("/simulator/state", simulator.state),
            Route("/simulator/events", simulator.events),
            Route("/simulator/phones", simulator.add_phone, methods=["POST"]),
            Route("/simulator/clock", simulator.move_clock, methods=["POST"]),
            Route("/simulator/invite", simulator.invite, methods=["POST"]),
            Route("/simulator/restart", simulator.restart, methods=["POST"]),
            Route("/favicon.ico", simulator.no_icon),
            Mount("/static", StaticFiles(directory=STATIC)),
        ]
    else:
        routes.append(Route("/", root))
    return routes


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


async def metrics(request: Request) -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
