"""Fetching: what came as a file is brought from its provider, cleaned, and put into the vault.

A task of the worker: no turn waits for it. A row is claimed by a lease, so that any number of
workers share the work and what a dead one held is taken up again. The file stands in the vault
before its row says so, and is gone from it before its row is: a crash in between repeats a step
that can be repeated. A file that no row names, which a fetch may leave that was overtaken, is found
by its name and removed.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot import clock, logs
from bot.channels import Channel, Fetches, Gone, Rejected, SendError, TryLater
from bot.db import Database, StoreDown
from bot.media import arriving, telling
from bot.media.cleaning import BIGGEST, Clean, TryAgain, Unfit, clean
from bot.media.vault import Missing, ShelfDown, Vault
from bot.store import envelopes
from bot.store import media as files
from bot.store.media import VAULT, Media

AT_ONCE = 4  # files that are worked on at the same time
POLL = 15.0  # seconds between looks at the store, for what is to be tried again
LINGER = 0.2  # seconds to gather what else comes
LEASE = timedelta(seconds=40)  # after that another worker may take it, since this one has died
RENEWED = 10.0  # seconds after which the lease of what is worked on is made longer
LONGEST = 220.0  # seconds of work on one file
GIVEN_UP = timedelta(days=1)  # after it came
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=5), timedelta(hours=2)
MOST_CLEANINGS = 4  # of a file that breaks the machine that cleans it
ARRIVES_IN = timedelta(minutes=1)  # Twilio tells of some files before it has them
TIDY = timedelta(hours=6)  # between looks at what nobody names

log = logs.get("fetcher")


class Fetcher:
    """One for all channels of a process; any number of processes share the work."""

    def __init__(self, database: Database, channels: Sequence[Channel], vault: Vault) -> None:
        self._database = database
        self._channels = {each.lane: each for each in channels}
        self._vault = vault
        self._work: dict[asyncio.Task[None], Media] = {}
        self._dropped: list[Media] = []  # cancelled while they were under way
        self._wake = asyncio.Event()
        self._strays: set[str] = set()
        self._tidied_at: datetime | None = None

    def wake(self) -> None:
        """Something may have come."""
        self._wake.set()

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while True:
                self._wake.clear()
                await self._look()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(POLL):
                        await self._wake.wait()
                await asyncio.sleep(LINGER)
        finally:
            for task in self._work:
                task.cancel()

    async def _look(self) -> None:
        try:
            await self._begin()
            await self._tidy_at_times()
        except (StoreDown, ShelfDown) as error:
            log.warning("store_down", error=type(error).__name__)
        except Exception as error:
            log.error("fetcher_broke", error=type(error).__name__, where=logs.where(error))

    async def stop(self) -> None:
        """Let go of what is under way, so that whoever comes next need not wait for it."""
        under_way = list(self._work)
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        if not self._dropped:
            return
        now = clock.now()
        with contextlib.suppress(StoreDown):
            await self._database.run(lambda db: _give_back(db, self._dropped, now))

    async def drain(self) -> None:
        """All that is due now, in this process; for tests and for a moved clock."""
        while await self._begin() or self._work:
            await asyncio.wait(self._work)

    async def _begin(self) -> int:
        """Take as much as there are places; one that is slow holds up nobody but its place."""
        room = AT_ONCE - len(self._work)
        if room <= 0:
            return 0
        lanes, now = list(self._channels), clock.now()
        due = await self._database.run(lambda db: files.claim(db, lanes, now, LEASE, room))
        for each in due:
            task = asyncio.create_task(self._settle(each))
            self._work[task] = each
            task.add_done_callback(self._landed)
        return len(due)

    def _landed(self, task: asyncio.Task[None]) -> None:
        found = self._work.pop(task)
        if task.cancelled():
            self._dropped.append(found)
        self._wake.set()

    # One file

    async def _settle(self, found: Media) -> None:
        """Where nothing can be written down, the lease brings it back."""
        try:
            await self._try(found)
        except StoreDown as error:
            log.warning("store_down", error=str(error))
        except Exception as error:
            log.error("fetch_broke", error=type(error).__name__, where=logs.where(error))

    async def _try(self, found: Media) -> None:
        try:
            async with self._held(found), asyncio.timeout(LONGEST):
                await (self._remove(found) if found.state == "gone" else self._fetch(found))
        except Rejected as error:
            await self._give_up(found, "too_big" if error.code == "too_big" else "gone")
        except Unfit as error:
            await self._give_up(found, error.reason)
        except (Gone, Missing) as error:
            new = clock.now() - found.created_at < ARRIVES_IN
            await self._try_again(found, error, give_up=None if new else "gone")
        except TryAgain as error:
            last = found.attempts >= MOST_CLEANINGS
            await self._try_again(found, error, give_up="broken" if last else None)
        except Exception as error:
            await self._try_again(found, error)

    @contextlib.asynccontextmanager
    async def _held(self, found: Media) -> AsyncIterator[None]:
        holding = asyncio.create_task(self._hold(found))
        try:
            yield
        finally:
            holding.cancel()

    async def _hold(self, found: Media) -> None:
        """So the lease may be short: what a dead worker held is soon taken up again."""
        while True:
            await asyncio.sleep(RENEWED)
            until = clock.now() + LEASE
            with contextlib.suppress(StoreDown):
                await self._database.run(lambda db: files.postpone(db, found, until))  # noqa: B023

    async def _remove(self, found: Media) -> None:
        await self._vault.remove(found.name)
        await self._database.run(lambda db: files.remove(db, found))

    async def _fetch(self, found: Media) -> None:
        place, handle = found.source
        if place == VAULT:
            done = _as_it_was(found, await self._vault.get(handle))
        else:
            done = await clean(found.kind, await self._bring(place, handle))
        await self._vault.put(found.name, done.content)
        now, size = clock.now(), len(done.content)

        def mark(db: Connection) -> bool:
            mine = files.mark_stored(db, found, done.mime, size, done.milliseconds, now)
            if mine:
                arriving.follow(db, found.id, now)
            return mine

        if not await self._database.run(mark):
            await self._take_away(found.name)
        elif place == VAULT:
            await self._vault.remove(handle)

    async def _bring(self, lane: str, handle: str) -> bytes:
        channel = self._channels.get(lane)
        if channel is None:
            raise TryLater("no_lane", LONGEST_WAIT)
        if not isinstance(channel, Fetches):
            raise Rejected("not_here")
        return await channel.fetch(handle, BIGGEST)

    async def _take_away(self, name: str) -> None:
        """Somebody else was first, or it is not wanted any more."""
        if not await self._database.run(lambda db: files.is_wanted(db, name)):
            await self._vault.remove(name)

    async def _give_up(self, found: Media, reason: str) -> None:
        log.info("not_fetched", lane=found.lane, kind=found.kind, reason=reason)
        now = clock.now()
        await self._database.run(lambda db: _fail(db, found, reason, now))

    async def _try_again(
        self, found: Media, error: Exception, *, give_up: str | None = None
    ) -> None:
        now = clock.now()
        if found.state == "waiting" and now - found.created_at > GIVEN_UP:
            give_up = give_up or "late"
        if give_up:
            return await self._give_up(found, give_up)
        code = error.code if isinstance(error, SendError) else None
        log.info("not_yet_fetched", lane=found.lane, error=type(error).__name__, code=code)
        again_at = now + _wait(found, error)
        await self._database.run(lambda db: files.postpone(db, found, again_at))

    # What nobody names

    async def _tidy_at_times(self) -> None:
        now = clock.now()
        if self._tidied_at is None or abs(now - self._tidied_at) >= TIDY:
            self._tidied_at = now
            await self.tidy()

    async def tidy(self) -> int:
        """Remove what no row named at the look before either: what is younger may get its row."""
        there = await asyncio.to_thread(lambda: set(self._vault.names()))
        named = await self._database.run(_names)
        if there and not named & there:  # it may be another store's folder
            log.warning("vault_unknown", count=len(there))
            return 0
        strays = there - named
        old = strays & self._strays
        for name in old:
            await self._vault.remove(name)
        self._strays = strays - old
        if old:
            log.info("strays_removed", count=len(old))
        return len(old)


def _as_it_was(found: Media, content: bytes) -> Clean:
    return Clean(content, found.mime or "", found.milliseconds)


def _wait(found: Media, error: Exception) -> timedelta:
    asked = error.after if isinstance(error, TryLater) else FIRST_WAIT
    grown: timedelta = FIRST_WAIT * 2 ** min(found.attempts, 12)
    return max(asked, min(grown, LONGEST_WAIT))


def _fail(db: Connection, found: Media, reason: str, now: datetime) -> None:
    if files.mark_failed(db, found, reason):
        telling.tell(db, found, reason, now)


def _give_back(db: Connection, held: Sequence[Media], now: datetime) -> None:
    for each in held:
        files.postpone(db, each, now)


def _names(db: Connection) -> set[str]:
    """Of all files that somebody will ask for: those in envelopes have no row."""
    held = (each for content in envelopes.list_contents(db) for each in files.held_in(content))
    return {each["name"] for each in held} | files.list_names(db)
