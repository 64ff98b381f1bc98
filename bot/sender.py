"""The sender: claim what is due, freeze it, hand it over, write down its fate; lane by lane.

One loop owns one lane. Each round is one transaction: it settles what came back and claims what is
due, so that under load the cost of a transaction is shared. Whatever stood as `sending` when an
owner died becomes `unknown`: it is looked up where the provider allows it, else repeated a few
times at most.

Who owns a lane holds its lock, which is free at once when a process dies, and a lease, which runs
out when a whole host falls silent. A number that grows with each owner fences the older ones off.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot import clock, logs
from bot.channels import Channel
from bot.conversation import Conversations
from bot.db import Database, StoreDown
from bot.flight import Flight, Returned
from bot.locks import LaneLock
from bot.parts import Files
from bot.planning import Planner
from bot.rates import Meters
from bot.store import addresses, audiences, deliveries, fates, lanes, meeting, members
from bot.store.deliveries import Planned
from bot.store.lanes import LaneLost

IN_FLIGHT = 64  # at most so many deliveries of a lane are on their way
FOR_THE_URGENT = 16  # of these places are kept for answers and threads
LINGER = 0.01  # seconds to gather what else comes: one transaction then serves them all
POLL = 0.5  # seconds between looks at the store, for what has become due and for missed wakes
STANDBY = 1.0  # seconds between looks whether a lane is free
SETTLES = timedelta(seconds=10)  # what a dead owner left may still be on its way
LAST_WORDS = 8  # seconds that sends on their way get when we are told to stop
LEASE = timedelta(seconds=15)  # an owner that is silent for so long is one no more
RENEWED = 5.0  # seconds after which the lease is made longer
MARGIN = 1.0  # seconds before its end from which on nothing leaves

log = logs.get("sender")


class Sender:
    """Empties one lane of the outbox into its channel."""

    def __init__(
        self, database: Database, channel: Channel, conversations: Conversations, files: Files
    ) -> None:
        self.channel = channel
        self.flight = Flight(database, channel, conversations, files, self._landed)
        self._lane = channel.lane
        self._database = database
        self._planner = Planner(channel)
        self._lock = LaneLock(database, channel.lane)
        self._wake = asyncio.Event()
        self._stopping = False
        self._fence = 0
        self._renew_at = 0.0
        self._looked_at: datetime | None = None  # for what was put off until an hour

    def wake(self) -> None:
        """Something may be due: who owns the lane looks now."""
        if self._fence:
            self._wake.set()

    def stop(self) -> None:
        """Claim nothing more; run() ends when what is on its way is written down."""
        self._stopping = self.flight.ending = True
        self._wake.set()

    def _landed(self) -> None:
        self._wake.set()

    async def run(self) -> None:
        """Own the lane and work until stopped; while another process owns it, wait for its end."""
        while not self._stopping:
            try:
                if await self._lock.acquire() or await self._succeed():
                    await self._own()
                else:
                    await self._sleep(STANDBY)
            except LaneLost:
                log.warning("lane_lost", lane=self._lane)
                self.flight.returned = Returned()  # the next owner looks it up
            except StoreDown as error:
                # What came back stays in memory; a claim that may have been saved is recovered.
                log.warning("store_down", lane=self._lane, error=str(error))
                await self._sleep(STANDBY)
            except Exception as error:
                log.error(
                    "sender_broke",
                    lane=self._lane,
                    error=type(error).__name__,
                    where=logs.where(error),
                )
                self.flight.returned = Returned()
                await self._sleep(STANDBY)
            finally:
                self._fence, self.flight.until = 0, 0.0
                await self._lock.release()

    async def drain(self) -> int:
        """Send all that is due now and wait for it; for tests and for a moved clock.

        The rates are not kept: they count in real time.
        """
        self.flight.meters = Meters(
            replace(self.channel.limits, rate=None, chat_rate=None, group_rate=None)
        )
        count = 0
        while True:
            count += await self._round()
            if self.flight.tasks:
                await asyncio.wait(self.flight.tasks)
            elif not self.flight.returned:
                return count

    # Owning

    async def _succeed(self) -> bool:
        """An owner that fell silent, and keeps its lock, is shut out."""
        silent = await self._database.run(lambda db: lanes.find_silent(db, self._lane))
        if silent is None:
            return False
        log.warning("lane_silent", lane=self._lane)
        return await self._lock.seize(silent)

    async def _own(self) -> None:
        try:
            while not self._stopping:
                if await self._round() < IN_FLIGHT // 2:
                    await self._sleep(self._pause())
                    await asyncio.sleep(LINGER)
        except LaneLost:
            self._fence, self.flight.until = 0, 0.0  # nothing more leaves
            raise
        finally:
            if self.flight.tasks:
                await asyncio.wait(self.flight.tasks, timeout=LAST_WORDS)
            if self._fence:
                await self._round(last=True)

    def _pause(self) -> float:
        """Until somebody wakes us, or a rate that is used up allows more."""
        return min(POLL, self.flight.meters.wait_for_all(clock.steady()) or POLL)

    def _take_over(self, db: Connection) -> int:
        now, steady = clock.now(), clock.steady()
        fence = lanes.take(db, self._lane, self._database.name, LEASE)
        look_at = now + SETTLES
        stuck = lanes.recover(db, self._lane, look_at)
        if stuck:
            log.info("lane_recovered", lane=self._lane, count=len(stuck))
        # Nothing overtakes what was tried; the rates go on as if nothing had happened.
        waits = lanes.list_waits(db, self._lane, now)
        self.flight.not_before |= waits | dict.fromkeys(stuck, look_at)
        since = now - timedelta(seconds=self.flight.meters.longest)
        calls = lanes.list_calls(db, self._lane, since)
        ages = [(address_id, (now - at).total_seconds()) for address_id, at in calls]
        ages += [(address_id, 0.0) for address_id in stuck]
        self.flight.meters.remember((address_id, steady - age) for address_id, age in ages)
        return fence

    async def _sleep(self, seconds: float) -> None:
        """Until something wakes us, at most so long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        self._wake.clear()

    # One round: a transaction, then what it claimed flies

    async def _round(self, *, last: bool = False) -> int:
        """How many were claimed; the last one claims none, writes down, gives the lane back."""
        begun = clock.steady()
        if not self._fence:
            self._fence = await self._database.run(self._take_over)
            self._leased(begun)
        room = 0 if last else self._room(begun)
        renews = begun >= self._renew_at
        if room <= 0 and not (self.flight.returned or last or renews):
            return 0
        returned, self.flight.returned = self.flight.returned, Returned()
        try:
            planned = await self._database.run(
                lambda db: self._plan(db, returned, room, renews=renews, last=last)
            )
        except BaseException:
            self.flight.returned.add(returned)
            raise
        if renews:
            self._leased(begun)
        self.flight.launch(planned)
        return len(planned)

    def _room(self, now: float) -> int:
        """For how many more there is a place in flight and at the provider."""
        if self.flight.is_paused:
            return 0
        free = IN_FLIGHT - len(self.flight.tasks)
        places = free if free <= FOR_THE_URGENT else free - FOR_THE_URGENT
        return self.flight.meters.room(places, now)

    def _leased(self, begun: float) -> None:
        self._renew_at = begun + RENEWED
        self.flight.extend(begun + LEASE.total_seconds() - MARGIN)

    def _plan(
        self, db: Connection, returned: Returned, room: int, *, renews: bool, last: bool
    ) -> list[Planned]:
        now = clock.now()
        if renews:
            lanes.renew(db, self._lane, self._fence, LEASE)
        rests = lanes.check(db, self._lane, self._fence)
        if rests is not None and rests > now:  # also if a callback said so, elsewhere
            self.flight.rest(rests)
        self._settle(db, returned, now)
        if last and not self.flight.tasks:
            lanes.give_back(db, self._lane, self._fence)
        audiences.go_on(db, self._lane)
        if room <= 0 or self.flight.is_paused:
            return []
        self._release_put_off(db, now)
        waits = {each: at for each, at in self.flight.not_before.items() if at > now}
        self.flight.not_before = waits
        busy = self.flight.busy | waits.keys()
        urgent = IN_FLIGHT - len(self.flight.tasks) <= FOR_THE_URGENT
        return self._planner.plan(db, self._fence, busy, room, now, urgent=urgent)

    def _release_put_off(self, db: Connection, now: datetime) -> None:
        """Once a second is often enough for what waits for an hour of the day."""
        if self._looked_at is None or abs(now - self._looked_at) >= timedelta(seconds=1):
            deliveries.release_put_off(db, self._lane, now)
            self._looked_at = now

    def _settle(self, db: Connection, returned: Returned, now: datetime) -> None:
        """Write down what came back."""
        if returned.fates:
            fates.settle(db, self._lane, returned.fates)
        if returned.pause is not None:
            lanes.pause(db, self._lane, *returned.pause)
        for address_id in dict(returned.gone):
            members.mark_unreachable(db, address_id, now)
            failed = [id_ for address, id_ in returned.gone if address == address_id]
            addresses.fall_back(db, address_id, now, failed)
        for old, new in returned.moved:
            meeting.readdress(db, self._lane, old, new, now)
        for address_id in returned.closed:
            members.mark_window_closed(db, address_id)
