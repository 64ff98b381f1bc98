"""The eraser: deletes at the providers what somebody who was forgotten had said and heard there."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

from bot import clock, logs
from bot.channels import Channel, Erases, Gone, SendError, TryLater
from bot.db import Database, StoreDown
from bot.store import erasures
from bot.store.erasures import Erasure

POLL = 5.0  # seconds between looks at the store
TAKEN = 4  # rows at once
LEASE = timedelta(minutes=10)  # after that another worker may take it, since this one has died
LONGEST_WAIT = timedelta(hours=6)
MOST_TRIES = 30  # about a week; then the provider keeps it, and the log says so

log = logs.get("eraser")


class Eraser:
    """One for all channels of a process; any number of processes share the work."""

    def __init__(self, database: Database, channels: Sequence[Channel]) -> None:
        self._database = database
        self._channels = {each.lane: each for each in channels}

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                if await self.erase_due():
                    continue
            except StoreDown as error:
                log.warning("store_down", error=str(error))
            except Exception as error:
                log.error("eraser_broke", error=type(error).__name__, where=logs.where(error))
            await asyncio.sleep(POLL)

    async def erase_due(self) -> int:
        """Some of what is due now; how many rows that were."""
        lanes, now = list(self._channels), clock.now()
        due = await self._database.run(lambda db: erasures.claim(db, lanes, now, LEASE, TAKEN))
        for each in due:
            await self._erase(each)
        if due:
            await self._database.scrub(["erasures"])
        return len(due)

    async def _erase(self, each: Erasure) -> None:
        channel = self._channels[each.lane]
        again_at = None
        try:
            ids = _deletable(channel, each, clock.now())
            if ids and isinstance(channel, Erases):
                await channel.erase(each.to, ids)
        except Gone:
            pass  # the chat is no more
        except SendError as error:
            again_at = self._later(each, error)
        except Exception as error:
            log.error(
                "erasure_broke", lane=each.lane, error=type(error).__name__, where=logs.where(error)
            )
            again_at = self._later(each, TryLater("broke", timedelta(minutes=1)))
        await self._database.run(
            lambda db: (
                erasures.remove(db, each.id)
                if again_at is None
                else erasures.postpone(db, each.id, again_at)
            )
        )

    def _later(self, each: Erasure, error: SendError) -> datetime | None:
        """When to try again; None = it is given up."""
        if each.attempts >= MOST_TRIES:
            log.warning("erasure_given_up", lane=each.lane, code=error.code, count=len(each.traces))
            return None
        log.info("not_erased", lane=each.lane, error=type(error).__name__, code=error.code)
        asked = error.after if isinstance(error, TryLater) else timedelta(minutes=1)
        grown = timedelta(seconds=15 * 2 ** min(each.attempts, 12))
        return clock.now() + max(asked, min(grown, LONGEST_WAIT))


def _deletable(channel: Channel, each: Erasure, now: datetime) -> tuple[str, ...]:
    """Where deleting empties the chat on her phone, the last word stays, and what is too old."""
    young = channel.limits.retract
    return tuple(
        trace.id
        for trace in each.traces
        if young is None or (not trace.parting and trace.at > now - young)
    )
