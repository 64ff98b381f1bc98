"""The recaller: asks providers for what came in while we could not hear, and how templates stand.

A missed message goes through the same door as all others, in order and once: the inbox knows it by
its provider's id. Nothing here holds a transaction while a provider is asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot import clock, logs
from bot.channels import Channel, Recalls, SendError, Templated
from bot.db import Database, StoreDown
from bot.messages import Inbound, Receipt
from bot.store import hearings, templates

EVERY = 300.0  # seconds between looks at what came in
STANDINGS = timedelta(minutes=30)  # between looks at how templates stand
OVERLAP = timedelta(minutes=10)  # what a provider lists late is listed once more
MARGIN = timedelta(minutes=2)  # younger than this may still come by itself

Take = Callable[[Channel, Iterable[Inbound | Receipt]], Awaitable[None]]

log = logs.get("recaller")


@dataclass(frozen=True, slots=True)
class Recalled:
    """What one look has found."""

    since: datetime
    listed: int
    missed: int


class Recaller:
    """One for all channels of a process; what several of them find is taken once."""

    def __init__(self, database: Database, channels: Sequence[Channel], take: Take) -> None:
        self._database = database
        self._channels = channels
        self._take = take
        self._looked_at: datetime | None = None

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            for channel in self._channels:
                await self._look(channel)
            await asyncio.sleep(EVERY)

    async def _look(self, channel: Channel) -> None:
        try:
            if isinstance(channel, Recalls):
                await self.recall(channel)
            now = clock.now()
            if isinstance(channel, Templated) and _is_over(self._looked_at, now):
                self._looked_at = now
                await refresh(self._database, channel)
        except SendError as error:
            log.warning("not_recalled", lane=channel.lane, code=error.code)
        except StoreDown as error:
            log.warning("store_down", lane=channel.lane, error=str(error))
        except Exception as error:
            log.error(
                "recaller_broke",
                lane=channel.lane,
                error=type(error).__name__,
                where=logs.where(error),
            )

    async def recall(self, channel: Channel, since: datetime | None = None) -> Recalled:
        """What was missed since the last good time. Raises Unknown, StoreDown: then ask again."""
        assert isinstance(channel, Recalls)
        began, lane = clock.now(), channel.lane
        if since is None:
            heard = await self._database.run(lambda db: hearings.find(db, lane))
            since = began - OVERLAP if heard is None else heard - OVERLAP
        found = await channel.recall(since)
        keys = [each.key for each in found]
        missed = await self._database.run(lambda db: hearings.list_missed(db, lane, keys))
        for each in found:
            if each.key in missed:
                await self._take(channel, [each])
        await self._database.run(lambda db: hearings.mark(db, lane, began - MARGIN))
        if missed:
            log.warning("recalled", lane=lane, count=len(missed))
        return Recalled(since, len(found), len(missed))


def _is_over(looked_at: datetime | None, now: datetime) -> bool:
    return looked_at is None or now - looked_at >= STANDINGS


async def refresh(database: Database, channel: Channel) -> list[templates.Kept]:
    """How those stand that we have made; what the provider knows no more is forgotten."""
    assert isinstance(channel, Templated)
    lane = channel.lane
    kept = await database.run(lambda db: templates.list_of(db, lane))
    if not kept:
        return []
    now = clock.now()
    standing = {each.sid: each for each in await channel.list_templates()}
    fresh = [
        replace(each, state=there.state, reason=_cut(there.reason), checked_at=now)
        for each in kept
        if (there := standing.get(each.sid)) is not None
    ]
    gone = [each for each in kept if each.sid not in standing]
    await database.run(lambda db: _note(db, fresh, gone))
    for each in fresh:
        if each.state in ("rejected", "paused", "disabled"):
            log.warning("template_refused", lane=lane, state=each.state)
    return fresh


def _note(db: Connection, fresh: Sequence[templates.Kept], gone: Sequence[templates.Kept]) -> None:
    for each in fresh:
        templates.save(db, each)
    for each in gone:
        templates.remove(db, each.lane, each.name, each.language)


def _cut(reason: str | None) -> str | None:
    return None if reason is None else reason[:200]
