"""The one place where the parts are joined; what lives in handlers/ and channels/ is found."""

from __future__ import annotations

import asyncio
import importlib
import pkgutil
from collections.abc import Iterable, Sequence
from datetime import datetime
from types import ModuleType
from typing import Any, TypeVar

from sqlalchemy import Connection

import handlers
from bot import approving, clock, erasing, ledgers, logs, metrics, nudging, seals, upkeep
from bot import channels as channel_folder
from bot.channels import Acknowledges, Channel, Invites, Listens, Prepares, Unusable
from bot.conversation import Conversation, Conversations
from bot.db import Database, StoreDown
from bot.envelopes import Opener, opening
from bot.eraser import Eraser
from bot.i18n import languages
from bot.media.fetching import Fetcher
from bot.media.vault import Vault
from bot.messages import Inbound, Receipt
from bot.parts import Files
from bot.recalling import Recaller
from bot.router import Router
from bot.scheduler import Job, Scheduler
from bot.sender import LAST_WORDS, Sender
from bot.settings import Settings
from bot.store import addresses, lanes, receipts, secrets
from bot.treasurer import Treasurer
from bot.voice.scribe import Scribe
from bot.wakes import Wakes

T = TypeVar("T")

log = logs.get("app")


class App:
    """One process of Linkline: the parts that `web` and `worker` share, joined once."""

    def __init__(self, settings: Settings, channels: Sequence[Channel] | None = None) -> None:
        seals.use(seals.Keyring(settings.keys()))
        self.settings = settings
        self.conversations = Conversations(_found(handlers, Conversation), settings.public_url)
        self.channels = list_channels(settings) if channels is None else list(channels)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._sends = self._listens = False  # what this process was started for
        self._join()

    def _join(self) -> None:
        self.database = Database(self.settings.database_url)
        self.database.run_now(secrets.open_store)
        self.database.opening = secrets.keep_fresh  # keys rotate while this process runs
        limits = {each.lane: each.limits for each in self.channels}
        self.router = Router(self.database, self.conversations, limits)
        self.vault = Vault.from_settings(self.settings)
        self.files = Files(self.database, self.vault)
        self.senders = [
            Sender(self.database, each, self.conversations, self.files) for each in self.channels
        ]
        self.eraser = Eraser(self.database, self.channels)
        self.recaller = Recaller(self.database, self.channels, self.take)
        self.treasurer = Treasurer(self.database, self.channels, self.settings.database_path)
        self.fetcher = Fetcher(self.database, self.channels, self.vault)
        self.scribe = Scribe.from_settings(self.settings, self.database, self.vault.get, self.wake)
        self.ledger = ledgers.Keeper(self.database, self.settings.ledger_path)
        jobs = [*_found(handlers, Job), *_in_module(upkeep, Job), *_in_module(erasing, Job)]
        jobs.append(opening(_found(handlers, Opener)))
        jobs += nudging.jobs(limits, self.settings.whatsapp_daily_limit)
        self.scheduler = Scheduler(self.database, jobs)

    # Life

    def start_sending(self) -> None:
        """The worker's part: senders, the clock, and the providers told what we want."""
        self._sends = True
        for sender in self.senders:
            self._spawn(sender.run())
        self._spawn(Wakes(self.database, self.wake).run())
        self._spawn(self.eraser.run())
        self._spawn(self.recaller.run())
        self._spawn(self.scribe.run())
        self._spawn(self.ledger.run())
        self._spawn(self.treasurer.run())
        self._spawn(self.fetcher.run())
        self.scheduler.start()
        for channel in self.channels:
            self._spawn(self._prepare(channel))

    def start_listening(self) -> None:
        """Fetch from providers that allow it, where there is no public address."""
        self._listens = True
        for channel in self.channels:
            if isinstance(channel, Listens) and not self.settings.public_url:
                self._spawn(self._listen(channel))

    async def stop(self) -> None:
        """Finish what is on its way, write it down, let go."""
        self.scheduler.stop()
        for sender in self.senders:
            sender.stop()
        sends = {task for task in self._tasks if task.get_name() == "Sender.run"}
        if sends:
            await asyncio.wait(sends, timeout=LAST_WORDS + 1)
        await self._cancel()
        await self.fetcher.stop()
        for channel in self.channels:
            await channel.close()
        self.database.close()

    async def _cancel(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def restart(self) -> None:
        """Throw away every object and begin again on the same store, as after a crash."""
        self.scheduler.stop()
        await self._cancel()
        self.database.abandon()
        self._start_again()

    async def move_to(self, settings: Settings) -> None:
        """Finish what is on its way, then go on with another store and its channels."""
        await self.stop()
        self.settings = settings
        self.channels = list_channels(settings)
        self._start_again()

    def _start_again(self) -> None:
        self._join()
        if self._sends:
            self.start_sending()
        if self._listens:
            self.start_listening()

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work, name=work.__qualname__)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _prepare(self, channel: Channel) -> None:
        """Tell a provider what we want, learn our link there; one that is away is tried again."""
        while not await self._is_prepared(channel):
            await asyncio.sleep(15)

    async def _is_prepared(self, channel: Channel) -> bool:
        try:
            if isinstance(channel, Prepares):
                await channel.prepare({code: self.conversations.menu(code) for code in languages()})
            if channel.name == "simulator":
                await self.database.run(lambda db: approving.approve(db, clock.now()))
            if isinstance(channel, Invites):
                return await self._has_link(channel.lane, await channel.invite_link(""))
        except Exception as error:
            log.warning("not_prepared", lane=channel.lane, error=type(error).__name__)
            return False
        return True

    async def _has_link(self, lane: str, link: str | None) -> bool:
        """Keep it: invites and cards are written in turns, which ask no provider."""
        if link is None:
            return False
        await self.database.run(lambda db: lanes.save_link(db, lane, link))
        return True

    async def _listen(self, channel: Any) -> None:
        async for raw, events in channel.listen():
            taken = False
            while not taken:
                try:
                    if isinstance(events, Unusable):
                        await self.router.park(channel.lane, events.key, raw, events.reason)
                    else:
                        await self.take(channel, events)
                    taken = True
                except StoreDown:
                    await asyncio.sleep(1)

    # What comes in

    async def take(self, channel: Channel, events: Iterable[Inbound | Receipt]) -> None:
        """Commit each event; then wake the senders and stop the buttons' spinners."""
        for event in events:
            if isinstance(event, Receipt):
                await self._take_receipt(event)
            else:
                await self.router.take(event)
                self.wake()
                if event.receipt is not None and isinstance(channel, Acknowledges):
                    self._spawn(channel.acknowledge(event))

    async def _take_receipt(self, receipt: Receipt) -> None:
        now = clock.now()
        known = await self.database.run(lambda db: _apply(db, receipt, now))
        metrics.RECEIPTS.labels(receipt.lane, receipt.state if known else "foreign").inc()

    def wake(self, lane: str = "") -> None:
        """Something may be due on this lane, or on any."""
        self.fetcher.wake()
        for sender in self.senders:
            if lane in ("", sender.channel.lane):
                sender.wake()

    async def drain(self) -> None:
        """Fetch and send all that is due now, in this process; for tests."""
        await self.fetcher.drain()
        for sender in self.senders:
            await sender.drain()


def _apply(db: Connection, receipt: Receipt, now: datetime) -> bool:
    """A receipt; if it says that an address is gone, another of hers takes over."""
    known = receipts.apply(db, receipt, now)
    gone = receipts.find_gone(db, receipt)
    if gone is not None:
        address_id, delivery_id = gone
        addresses.fall_back(db, address_id, now, [delivery_id])
    return known


def list_channels(settings: Settings) -> list[Channel]:
    """One for each sending identity that the settings name."""
    found: list[Channel] = []
    for module in _modules(channel_folder):
        for each in vars(module).values():
            own = isinstance(each, type) and each.__module__ == module.__name__
            if own and hasattr(each, "from_settings"):
                found += each.from_settings(settings)
    return found


def _modules(package: ModuleType) -> list[ModuleType]:
    names = sorted(each.name for each in pkgutil.iter_modules(package.__path__))
    return [importlib.import_module(f"{package.__name__}.{name}") for name in names]


def _found(package: ModuleType, kind: type[T]) -> list[T]:
    return [each for module in _modules(package) for each in _in_module(module, kind)]


def _in_module(module: ModuleType, kind: type[T]) -> list[T]:
    return [each for each in vars(module).values() if isinstance(each, kind)]
