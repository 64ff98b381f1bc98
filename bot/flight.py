"""Flight: what was planned is handed over to a channel, outside any transaction, within its rates.

What comes back is gathered in `returned`, for the lane's owner to write down.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby

from bot import clock, logs, metrics
from bot.channels import (
    Channel,
    Finds,
    Gone,
    Moved,
    Rejected,
    SendError,
    TryLater,
    Unknown,
    WindowClosed,
)
from bot.conversation import Conversations
from bot.db import Database
from bot.messages import Nudge, Outbound
from bot.parts import Files, Withdrawn, made
from bot.rates import Meters
from bot.store import fates
from bot.store.deliveries import Due, Part, Planned
from bot.store.fates import Fate, SentPart

PATIENCE = 1.0  # seconds that a call waits for its turn; if it takes longer, others go first
UNKNOWN_WAITS = timedelta(seconds=30)  # for a receipt that tells what became of it
MOST_REPEATS = 8  # of a part that may have been sent, where the provider cannot be asked
LONGEST_WAIT = timedelta(minutes=10)
TRIPS_AFTER = 5  # calls in a row that the provider did not take: then the lane rests
LONGEST_REST = 60.0  # seconds
MOST_SLOWED = 1000  # chats that are remembered

log = logs.get("sender")


class Grounded(Exception):
    """The lane is perhaps not ours any more: nothing leaves."""


@dataclass(slots=True)
class Returned:
    """What came back from the provider and is not written down yet."""

    fates: list[Fate] = field(default_factory=list)
    # addresses that cannot be reached, each with the delivery that failed there
    gone: list[tuple[int, int]] = field(default_factory=list)
    closed: list[int] = field(default_factory=list)  # addresses whose window is closed
    moved: list[tuple[str, str]] = field(default_factory=list)  # chats: called so, called now
    pause: tuple[datetime, str] | None = None  # until when the provider wants nothing, and why

    def add(self, earlier: Returned) -> None:
        self.fates[:0] = earlier.fates
        self.gone[:0] = earlier.gone
        self.closed[:0] = earlier.closed
        self.moved[:0] = earlier.moved
        self.pause = self.pause or earlier.pause

    def __bool__(self) -> bool:
        return bool(self.fates or self.pause)


class Flight:
    """Everything of one lane that is on its way."""

    def __init__(
        self,
        database: Database,
        channel: Channel,
        conversations: Conversations,
        files: Files,
        landed: Callable[[], None],
    ) -> None:
        self.meters = Meters(channel.limits)
        self.returned = Returned()
        self.busy: set[int] = set()  # addresses with something on its way
        self.not_before: dict[int, datetime] = {}  # addresses that must wait, and keep their order
        self.tasks: set[asyncio.Task[None]] = set()
        self.paused_until: datetime | None = None
        self.until = 0.0  # on the steady clock: so long we may surely send
        self.ending = False  # what has not begun stays here
        self._channel, self._limits = channel, channel.limits
        self._lane = channel.lane
        self._database = database
        self._conversations = conversations
        self._files = files
        self._landed = landed
        self._handed: deque[str] = deque(maxlen=1000)  # ids of this life, perhaps not settled yet
        self._leases: set[asyncio.Timeout] = set()  # of the calls that are on their way
        self._refused = self._rests = 0  # calls, and rests, in a row
        self._slowed: dict[int, int] = {}  # chats that were told to wait, how often in a row

    def extend(self, until: float) -> None:
        """The lane is ours for longer."""
        self.until = until
        left = until - clock.steady()
        for lease in self._leases:
            lease.reschedule(asyncio.get_running_loop().time() + left)

    def rest(self, until: datetime) -> None:
        """The provider wants nothing before this."""
        self.paused_until = max(until, self.paused_until or until)

    @property
    def is_paused(self) -> bool:
        if self.paused_until is not None and clock.now() >= self.paused_until:
            self.paused_until = None
        return self.paused_until is not None

    def launch(self, planned: Iterable[Planned]) -> None:
        for address_id, group in groupby(planned, key=lambda each: each[0].address_id):
            self.busy.add(address_id)
            task = asyncio.create_task(self._send_in_order(address_id, list(group)))
            self.tasks.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        self._landed()
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, Grounded):
            self._report(error)

    def _report(self, error: BaseException) -> None:
        what, where = type(error).__name__, logs.where(error)
        log.error("send_broke", lane=self._lane, error=what, where=where)

    async def _send_in_order(self, address_id: int, group: list[Planned]) -> None:
        """What is due for one address; when one must wait, the rest waits behind it."""
        not_before: datetime | None = None
        try:
            for due, parts in group:
                if not_before is None and self.ending:
                    not_before = clock.now()
                if not_before is not None:
                    self.returned.fates.append(_unbegun(due, parts, not_before))
                    continue
                fate = await self._send(due, parts)
                self.returned.fates.append(fate)
                self._landed()
                metrics.SENDS.labels(self._lane, fate.state).inc()
                if fate.state == "queued" and fate.due_at is not None:
                    self.not_before[address_id] = not_before = fate.due_at
                if (address_id, due.id) in self.returned.gone:
                    not_before = clock.now()  # the rest goes where this one goes, behind it
        finally:
            self.busy.discard(address_id)

    async def _send(self, due: Due, parts: tuple[Part, ...]) -> Fate:
        done: list[SentPart] = []
        for part in parts:
            if part.state in ("sent", "delivered", "read"):
                continue
            try:
                done.append(await self._send_part(due, part))
            except Withdrawn:
                await self._database.run(partial(fates.drop_part, part_id=part.id))
            except SendError as error:
                return self._unsent(due, part, tuple(done), error)
            except Grounded:
                raise
            except Exception as error:
                self._report(error)
                return self._unsent(due, part, tuple(done), Unknown(type(error).__name__))
        if not done and all(part.state == "sending" for part in parts):
            return Fate(due.id, "dropped", "taken_back")
        return Fate(due.id, "sent", parts=tuple(done))

    async def _send_part(self, due: Due, part: Part) -> SentPart:
        async with made(due, part, self._conversations, self._files, self._limits) as outbound:
            return await self._hand_over(due, part, outbound)

    async def _hand_over(self, due: Due, part: Part, outbound: Outbound) -> SentPart:
        """A part that may have been sent is looked up first."""
        if part.state == "unknown":
            found = await self._look_up(outbound, part)
            if found is not None:
                return SentPart(part.id, "sent", found)
            if not await self._database.run(lambda db: fates.mark_repeating(db, part.id)):
                raise Grounded
        provider_id = await self._call(due, outbound)
        if isinstance(outbound, Nudge):
            metrics.NUDGES.labels(self._lane).inc()
        self._refused = self._rests = 0
        self._slowed.pop(due.address_id, None)
        if provider_id is not None:
            self._handed.append(provider_id)
        return SentPart(part.id, "sent", provider_id, handed_at=clock.now())

    async def _call(self, due: Due, outbound: Outbound) -> str | None:
        """Hand over, when the rates allow it and as long as the lane is ours."""
        await self._wait_for_turn(due)
        number = self.meters.start(due.address_id, due.to, clock.steady())
        try:
            with metrics.SEND_SECONDS.labels(self._lane).time():
                return await self._send_while_ours(outbound)
        finally:
            self.meters.end(due.address_id, number, clock.steady())

    async def _send_while_ours(self, outbound: Outbound) -> str | None:
        """A process that was stopped must not go on in the middle of a call when it wakes."""
        lease = asyncio.timeout(self.until - clock.steady())
        self._leases.add(lease)
        try:
            async with lease:
                return await self._channel.send(outbound)
        except TimeoutError:
            if lease.expired():
                raise Grounded from None
            raise
        finally:
            self._leases.discard(lease)

    async def _wait_for_turn(self, due: Due) -> None:
        while True:
            if clock.steady() >= self.until:
                raise Grounded
            if self.paused_until is not None and self.is_paused:
                raise TryLater("paused", self.paused_until - clock.now())
            seconds = self.meters.wait(due.address_id, due.to, clock.steady())
            if seconds <= 0:
                return
            if seconds > PATIENCE or self.ending:
                raise TryLater("rate", timedelta(seconds=seconds))
            await asyncio.sleep(seconds)

    async def _look_up(self, outbound: Outbound, part: Part) -> str | None:
        """The id under which the provider took it after all; None = hand it over again."""
        if not isinstance(self._channel, Finds):
            if part.repeats >= MOST_REPEATS:
                raise Rejected("unknown")
            return None
        ids = await self._channel.find(outbound, part.created_at)
        # The same words may have been said to her before, and those are not the ones we miss.
        known = await self._database.run(lambda db: fates.known_ids(db, self._lane, ids))
        found = next((each for each in ids if each not in known and each not in self._handed), None)
        if found is not None:
            self._handed.append(found)
        return found

    # What becomes of what was not taken

    def _unsent(self, due: Due, part: Part, done: tuple[SentPart, ...], error: SendError) -> Fate:
        """The closed list of errors, each with what becomes of the delivery."""
        log.info("not_sent", lane=self._lane, error=type(error).__name__, code=error.code)
        metrics.ERRORS.labels(self._lane, type(error).__name__).inc()
        state, part_state, again_at = "failed", "failed", None
        if not isinstance(error, TryLater):
            self._refused = 0  # it answers
        match error:
            case TryLater():
                state, again_at = "queued", self._later(due, error)
            case Moved():
                state, again_at = "queued", clock.now()
                self.returned.moved.append((due.to, error.to))
            case WindowClosed():
                state, error.code = "held", "window"
                self.returned.closed.append(due.address_id)
            case Unknown():
                state = part_state = "unknown"
                again_at = clock.now() + UNKNOWN_WAITS * 2**part.repeats  # longer each time
            case Gone():
                self.returned.gone.append((due.address_id, due.id))
        handed_at = None if _is_ours(error) else clock.now()
        failed = SentPart(part.id, part_state, error=error.code, handed_at=handed_at)
        return Fate(due.id, state, error.code, again_at, (*done, failed))

    def _later(self, due: Due, error: TryLater) -> datetime:
        """As the provider says, and longer each time, with jitter so that not all come at once."""
        if _is_ours(error):
            return clock.now() + error.after
        if error.whole_lane is None:
            return clock.now() + self._slow_down(due, error)
        if error.whole_lane:
            self._pause(error.after, error.code)
        else:
            self._count_refusal(error)
        grown = timedelta(seconds=2 ** min(due.attempts, 10) * random.uniform(0.5, 1.0))  # noqa: S311
        return clock.now() + max(error.after, min(grown, LONGEST_WAIT))

    def _slow_down(self, due: Due, error: TryLater) -> timedelta:
        """It says when, and not whom it means: if this chat got little lately, all of us.

        A chat that is refused again and again is tried more rarely, and the others go on meanwhile.
        """
        if not self.meters.is_busy(due.address_id, due.to, clock.steady()):
            self._pause(error.after, error.code)
        if len(self._slowed) > MOST_SLOWED:
            self._slowed.clear()
        times = self._slowed[due.address_id] = self._slowed.get(due.address_id, 0) + 1
        longest = LONGEST_WAIT.total_seconds()
        more = random.uniform(0, 0.5) if times < 6 else min(2.0 ** (times - 3), longest)  # noqa: S311
        return error.after + timedelta(seconds=more)

    def _count_refusal(self, error: TryLater) -> None:
        """A provider that takes nothing is left alone for a while, longer each time."""
        self._refused += 1
        if self._refused >= TRIPS_AFTER and not self.is_paused:
            self._rests += 1
            rest = min(2.0**self._rests, LONGEST_REST) * random.uniform(0.5, 1.0)  # noqa: S311
            self._pause(timedelta(seconds=rest), error.code)

    def _pause(self, after: timedelta, why: str) -> None:
        until = clock.now() + after
        if self.paused_until is None or until > self.paused_until:
            self.paused_until = until
            self.returned.pause = (until, why)


def _is_ours(error: SendError) -> bool:
    """Whether we ourselves kept it back: the provider saw nothing of it."""
    return isinstance(error, TryLater) and error.code in ("rate", "paused")


def _unbegun(due: Due, parts: tuple[Part, ...], due_at: datetime) -> Fate:
    """Nothing of it was handed over now: it cannot have arrived."""
    kept = (part for part in parts if part.state not in ("sent", "delivered", "read", "unknown"))
    return Fate(due.id, "queued", None, due_at, tuple(SentPart(each.id, "failed") for each in kept))
