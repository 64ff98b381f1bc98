"""The sender: claim what is due, freeze it, hand it over, write down its fate; lane by lane.

One loop owns one lane. Each round is one transaction: it settles what came back and claims what is
due, so that under load the cost of a transaction is shared. Whatever stood as `sending` when an
owner died becomes `unknown`: it is looked up where the provider allows it, else repeated a few
times at most.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby

from sqlalchemy import Connection

from bot import clock, logs, metrics
from bot.channels import Channel, Finds, Gone, Rejected, SendError, TryLater, Unknown, WindowClosed
from bot.conversation import Conversations
from bot.db import Database, StoreDown
from bot.locks import LaneLock
from bot.messages import Document, Outbound
from bot.parts import as_outbound, fill
from bot.planning import Planned, Planner
from bot.store import addresses, deliveries, fates, lanes, members, messages
from bot.store.deliveries import Due, LaneLost, Part
from bot.store.fates import Fate, SentPart

IN_FLIGHT = 64  # at most so many deliveries of a lane are on their way
LINGER = 0.01  # seconds to gather what else comes: one transaction then serves them all
POLL = 0.5  # seconds between looks at the store, for what has become due and for missed wakes
SETTLES = timedelta(seconds=3)  # what a dead owner left may still be on its way
UNKNOWN_WAITS = timedelta(seconds=30)  # for a receipt that tells what became of it
MOST_REPEATS = 3  # of a part that may have been sent, where the provider cannot be asked
LONGEST_WAIT = timedelta(minutes=10)
LAST_WORDS = 10  # seconds that sends on their way get when we are told to stop

log = logs.get("sender")


@dataclass(slots=True)
class Returned:
    """What came back from the provider and is not written down yet."""

    fates: list[Fate] = field(default_factory=list)
    # addresses that cannot be reached, each with the delivery that failed there
    gone: list[tuple[int, int]] = field(default_factory=list)
    closed: list[int] = field(default_factory=list)  # addresses whose window is closed

    def add(self, earlier: Returned) -> None:
        self.fates[:0] = earlier.fates
        self.gone[:0] = earlier.gone
        self.closed[:0] = earlier.closed


class Sender:
    """Empties one lane of the outbox into its channel."""

    def __init__(self, database: Database, channel: Channel, conversations: Conversations) -> None:
        self.channel = channel
        self._lane = channel.lane
        self._database = database
        self._conversations = conversations
        self._planner = Planner(channel)
        self._lock = LaneLock(database, channel.lane)
        self._wake = asyncio.Event()
        self._stopping = False
        self._fence = 0
        self._busy: set[int] = set()  # addresses with something on its way
        self._not_before: dict[int, datetime] = {}  # addresses that must wait, and keep their order
        self._tasks: set[asyncio.Task[None]] = set()
        self._returned = Returned()
        self._handed: deque[str] = deque(maxlen=1000)  # ids of this life, perhaps not settled yet
        self._paused_until: datetime | None = None

    def wake(self) -> None:
        """Something may be due: who owns the lane looks now."""
        if self._fence:
            self._wake.set()

    def stop(self) -> None:
        """Claim nothing more; run() ends when what is on its way is written down."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        """Own the lane and work until stopped; while another process owns it, wait for its end."""
        while not self._stopping:
            try:
                if await self._lock.acquire():
                    await self._own()
                else:
                    await self._sleep(1.0)
            except LaneLost:
                log.warning("lane_lost", lane=self._lane)
            except StoreDown as error:
                log.warning("store_down", lane=self._lane, error=str(error))
                await self._sleep(1.0)
            except Exception as error:
                # What was on its way counts as unknown from here: the next owner looks it up.
                log.error(
                    "sender_broke",
                    lane=self._lane,
                    error=type(error).__name__,
                    where=logs.where(error),
                )
                self._returned = Returned()
                await self._sleep(1.0)
            finally:
                self._fence = 0  # taken anew with the first round of the next ownership
                await self._lock.release()

    async def drain(self) -> int:
        """Send all that is due now and wait for it; for tests and for a moved clock."""
        count = 0
        while True:
            count += await self._round()
            if self._tasks:
                await asyncio.wait(self._tasks)
            elif not self._returned.fates:
                return count

    async def _own(self) -> None:
        try:
            while not self._stopping:
                await self._work()
        finally:
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=LAST_WORDS)
            await self._round(last=True)

    async def _work(self) -> None:
        try:
            if await self._round() < IN_FLIGHT // 2:
                await self._sleep(POLL)
                await asyncio.sleep(LINGER)
        except StoreDown as error:
            # What came back stays in memory; a claim that may have been saved is recovered.
            log.warning("store_down", lane=self._lane, error=str(error))
            self._fence = 0
            await asyncio.sleep(1.0)

    def _take_over(self, db: Connection) -> int:
        fence = lanes.take(db, self._lane)
        look_at = clock.now() + SETTLES
        stuck = lanes.recover(db, self._lane, look_at)
        self._not_before |= dict.fromkeys(stuck, look_at)  # nothing else overtakes it
        if stuck:
            log.info("lane_recovered", lane=self._lane, count=len(stuck))
        return fence

    async def _sleep(self, seconds: float) -> None:
        """Until something wakes us, at most so long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        self._wake.clear()

    # One round: a transaction, then what it claimed flies

    async def _round(self, *, last: bool = False) -> int:
        """How many were claimed; the last round claims none and only writes down."""
        if not self._fence:
            self._fence = await self._database.run(self._take_over)
        if self._paused_until is not None and clock.now() >= self._paused_until:
            self._paused_until = None
        room = 0 if last or self._paused_until is not None else IN_FLIGHT - len(self._tasks)
        if room <= 0 and not self._returned.fates:
            return 0
        returned, self._returned = self._returned, Returned()
        try:
            planned = await self._database.run(lambda db: self._plan(db, returned, room))
        except BaseException:
            self._returned.add(returned)
            raise
        for address_id, group in groupby(planned, key=lambda each: each[0].address_id):
            self._fly(address_id, list(group))
        return len(planned)

    def _plan(self, db: Connection, returned: Returned, room: int) -> list[Planned]:
        now = clock.now()
        self._settle(db, returned, now)
        messages.go_on(db)
        if room <= 0:
            return []
        self._not_before = {each: at for each, at in self._not_before.items() if at > now}
        busy = self._busy | self._not_before.keys()
        return self._planner.plan(db, self._fence, busy, room, now)

    def _settle(self, db: Connection, returned: Returned, now: datetime) -> None:
        """Write down what came back."""
        if returned.fates:
            fates.settle(db, self._lane, returned.fates)
        for address_id in dict(returned.gone):
            members.mark_unreachable(db, address_id, now)
            failed = [id_ for address, id_ in returned.gone if address == address_id]
            addresses.fall_back(db, address_id, now, failed)
        for address_id in returned.closed:
            members.mark_window_closed(db, address_id)

    # Flying: outside any transaction

    def _fly(self, address_id: int, group: list[Planned]) -> None:
        self._busy.add(address_id)
        task = asyncio.create_task(self._send_in_order(address_id, group))
        self._tasks.add(task)
        task.add_done_callback(self._landed)

    def _landed(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._wake.set()
        error = None if task.cancelled() else task.exception()
        if error is not None:
            log.error(
                "send_broke", lane=self._lane, error=type(error).__name__, where=logs.where(error)
            )

    async def _send_in_order(self, address_id: int, group: list[Planned]) -> None:
        """What is due for one address; when one must wait, the rest waits behind it."""
        not_before: datetime | None = None
        try:
            for due, parts in group:
                if not_before is not None:
                    self._returned.fates.append(Fate(due.id, "queued", None, not_before))
                    continue
                fate = await self._send(due, parts)
                self._returned.fates.append(fate)
                self._wake.set()
                metrics.SENDS.labels(self._lane, fate.state).inc()
                if fate.state == "queued" and fate.due_at is not None:
                    self._not_before[address_id] = not_before = fate.due_at
                if (address_id, due.id) in self._returned.gone:
                    not_before = clock.now()  # the rest goes where this one goes, behind it
        finally:
            self._busy.discard(address_id)

    async def _send(self, due: Due, parts: tuple[Part, ...]) -> Fate:
        done: list[SentPart] = []
        for part in parts:
            if part.state in ("sent", "delivered", "read"):
                continue
            try:
                done.append(SentPart(part.id, "sent", await self._hand_over(due, part)))
            except SendError as error:
                return self._unsent(due, part, tuple(done), error)
            except Exception as error:
                log.error(
                    "send_broke",
                    lane=self._lane,
                    error=type(error).__name__,
                    where=logs.where(error),
                )
                return self._unsent(due, part, tuple(done), Unknown(type(error).__name__))
        return Fate(due.id, "sent", parts=tuple(done))

    async def _hand_over(self, due: Due, part: Part) -> str | None:
        """The provider's id. A part that may have been sent is looked up first."""
        outbound = as_outbound(due, part, self._conversations)
        if isinstance(outbound, Document) and not self.channel.limits.fetches:
            outbound = await fill(self._database, outbound, due)
        if part.state == "unknown":
            found = await self._look_up(outbound, part)
            if found is not None:
                return found
            await self._database.run(lambda db: deliveries.mark_repeating(db, part.id))
        with metrics.SEND_SECONDS.labels(self._lane).time():
            provider_id = await self.channel.send(outbound)
        if provider_id is not None:
            self._handed.append(provider_id)
        return provider_id

    async def _look_up(self, outbound: Outbound, part: Part) -> str | None:
        """The id under which the provider took it after all; None = hand it over again."""
        if not isinstance(self.channel, Finds):
            if part.repeats >= MOST_REPEATS:
                raise Rejected("unknown")
            return None
        ids = await self.channel.find(outbound, part.created_at)
        # The same words may have been said to her before, and those are not the ones we miss.
        known = await self._database.run(lambda db: fates.known_ids(db, self._lane, ids))
        found = next((each for each in ids if each not in known and each not in self._handed), None)
        if found is not None:
            self._handed.append(found)
        return found

    def _unsent(self, due: Due, part: Part, done: tuple[SentPart, ...], error: SendError) -> Fate:
        """The closed list of errors, each with what becomes of the delivery."""
        log.info("not_sent", lane=self._lane, error=type(error).__name__, code=error.code)
        state, part_state, again_at = "failed", "failed", None
        match error:
            case TryLater():
                state, again_at = "queued", self._later(due, error)
            case WindowClosed():
                state = "held"
                self._returned.closed.append(due.address_id)
            case Unknown():
                state, part_state, again_at = "unknown", "unknown", clock.now() + UNKNOWN_WAITS
            case Gone():
                self._returned.gone.append((due.address_id, due.id))
        parts = (*done, SentPart(part.id, part_state, error=error.code))
        return Fate(due.id, state, error.code, again_at, parts)

    def _later(self, due: Due, error: TryLater) -> datetime:
        """As the provider says, and longer each time, with jitter so that not all come at once."""
        grown = timedelta(seconds=2 ** min(due.attempts, 10) * random.uniform(0.5, 1.0))  # noqa: S311
        again_at = clock.now() + max(error.after, min(grown, LONGEST_WAIT))
        if error.whole_lane:
            self._paused_until = clock.now() + error.after
        return again_at
