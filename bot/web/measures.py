"""/metrics: what this process counted, and what stands in the store when somebody asks."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import Response

from bot import clock
from bot import metrics as figures
from bot.app import App
from bot.db import StoreDown
from bot.store import backlog, media
from bot.store.backlog import Backlog, Lane

FRESH = timedelta(seconds=5)  # however often somebody asks, the store is asked once in this time
_OF_LANES = (
    figures.BACKLOG,
    figures.BACKLOG_MORE,
    figures.OLDEST_DUE,
    figures.OWNED,
    figures.PAUSED,
    figures.HANDED,
    figures.NUDGED,
    figures.PARKED,
    figures.MEDIA,
)


class Measures:
    """The store's figures, for a moment."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._measured_at: datetime | None = None
        self._asking = asyncio.Lock()

    async def bring(self) -> None:
        """Bring the gauges up to date; a store that is away has none, and says so."""
        async with self._asking:
            now = clock.now()
            if self._measured_at is not None and abs(now - self._measured_at) < FRESH:
                return
            lanes = [each.lane for each in self._app.channels]
            try:
                found = await self._app.database.run(lambda db: backlog.measure(db, now, lanes))
                files = await self._app.database.run(media.count_by_state)
            except StoreDown:
                found, files = None, {}
            self._measured_at = now if found is not None else None
            _show(found, now)
            for state, count in files.items():
                figures.MEDIA.labels(state).set(count)


def _show(found: Backlog | None, now: datetime) -> None:
    for each in _OF_LANES:
        each.clear()  # a lane or reason that is gone has no row to say so
    figures.STORE_UP.set(found is not None)
    if found is None:
        nothing = float("nan")
        figures.FAN_OUTS.set(nothing)
        return figures.FAN_OUT_LAG.set(nothing)
    figures.FAN_OUTS.set(found.fan_outs)
    figures.FAN_OUT_LAG.set(_age(found.oldest_fan_out_at, now))
    for lane in found.lanes:
        _show_lane(lane, now)


def _show_lane(lane: Lane, now: datetime) -> None:
    name = lane.name
    figures.BACKLOG.labels(name, "queued", "due").set(lane.due)
    for reason, count in lane.later.items():
        figures.BACKLOG.labels(name, "queued", reason).set(count)
    for reason, count in lane.held.items():
        figures.BACKLOG.labels(name, "held", reason).set(count)
    figures.BACKLOG.labels(name, "unknown", "").set(lane.unknown)
    figures.BACKLOG.labels(name, "sending", "").set(lane.sending)
    figures.BACKLOG_MORE.labels(name).set(lane.more)
    figures.OLDEST_DUE.labels(name).set(_age(lane.oldest_due_at, now))
    figures.OWNED.labels(name).set(lane.owned)
    figures.PAUSED.labels(name).set(abs(_age(lane.paused_until, now)))
    for state, count in lane.handed.items():
        figures.HANDED.labels(name, state).set(count)
    figures.NUDGED.labels(name).set(lane.nudged)
    figures.PARKED.labels(name).set(lane.parked)


def _age(at: datetime | None, now: datetime) -> float:
    return 0.0 if at is None else (now - at).total_seconds()


async def metrics(request: Request) -> Response:
    measures: Measures = request.app.state.measures
    await measures.bring()
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
